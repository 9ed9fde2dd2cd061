"""The alert job was away while the ticks went on: it reads all of them, and tells nobody what was due in between."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.operators.memory import Memory
from tests.udfs.operators.test_alerts import MINUTE, T0, Job, act, found, pulse

SECOND = 1_000
HOUR = 60 * MINUTE


def submitted(job: Job, at: int) -> Job:
    """The job is submitted again, from what it had saved."""
    job.settings = replace(job.settings, begun=T0 + at)
    job.restart()
    return job


def ticks(job: Job, first: int, last: int) -> None:
    for at in range(first, last + 1, SECOND):
        job.take(pulse(at))


def told(job: Job) -> list[tuple[str, str]]:
    return [(person, reason) for _, person, reason in job.told()]


@pytest.fixture
def job() -> Job:
    """Anna was told of P1 at 0; Ben is to be after two minutes, and so on; all of it is saved at 1 s."""
    job = Job()
    job.take(pulse(0), found("P1"), pulse(SECOND))
    return job


def test_only_the_step_that_is_due_when_it_is_back_tells(job: Job) -> None:
    ticks(submitted(job, 5 * MINUTE), 2 * SECOND, 5 * MINUTE - SECOND)
    assert told(job) == [("anna", "opened")]
    job.take(pulse(5 * MINUTE))
    assert told(job) == [("anna", "opened"), ("ben", "escalated")]


def test_what_was_answered_meanwhile_escalates_no_more(job: Job) -> None:
    id = job.rows("A")[0]["id"]
    ticks(submitted(job, HOUR), 2 * SECOND, 3 * MINUTE)
    job.take(act("ack", id))
    ticks(job, 3 * MINUTE, HOUR)
    assert told(job) == [("anna", "opened")]


def test_what_is_found_in_the_backlog_is_told_as_it_is_read(job: Job) -> None:
    ticks(submitted(job, HOUR), 2 * SECOND, 3 * MINUTE)
    job.take(found("P2"))
    assert told(job)[1:] == [("anna", "opened")]
    assert job.rows("A")[-1]["opened_ms"] == T0 + 3 * MINUTE


@pytest.mark.parametrize("away", [2 * MINUTE + 1, HOUR])
def test_the_first_minute_is_exact_since_it_may_have_been_told_before(job: Job, away: int) -> None:
    ticks(job, 2 * SECOND, MINUTE + 30 * SECOND)
    ticks(submitted(job, away), MINUTE + 31 * SECOND, 3 * MINUTE)
    assert job.rows("N")[-1]["at_ms"] == T0 + 2 * MINUTE
    assert told(job)[-1] == ("ben", "escalated")


def test_a_crash_while_it_catches_up_makes_no_difference(job: Job) -> None:
    submitted(job, HOUR)
    ticks(job, 2 * SECOND, 4 * MINUTE)
    saved = Memory(job.store.entries)
    ticks(job, 4 * MINUTE, HOUR)
    once = [row["id"] for row in job.rows("N")]
    job.store = saved
    job.restart()
    ticks(job, 4 * MINUTE, HOUR)
    again = [row["id"] for row in job.rows("N")]
    assert again == once + once[1:]


def test_when_it_has_caught_up_every_step_has_its_instant_again(job: Job) -> None:
    ticks(submitted(job, 90 * SECOND), 2 * SECOND, 3 * MINUTE)
    assert job.rows("N")[-1]["at_ms"] == T0 + 2 * MINUTE
