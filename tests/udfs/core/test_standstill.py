"""Whole steps that stand still: three times 100 ms. Steps A, B, C; C ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.core.build import workflow
from udfs.core.spec import Spec, Stalled
from udfs.core.stalled import limits
from udfs.core.standstill import Queue, asked, check


def paced(usual: tuple[int, ...] = (100, 100, 100), pauses: str = "") -> Spec:
    spec = workflow("ABC", starts="A", ends="C", pauses=pauses, resumes="C" if pauses else "")
    rule = Stalled(3, 0, usual, "high")
    return replace(spec, stalled=rule, stalls=limits(rule, (0,) * 3))


SPEC = paced()


@pytest.mark.parametrize(("now", "found"), [(1299, False), (1300, True), (1301, True)])
def test_a_step_stands_still_when_nothing_has_left_it_for_three_times_the_usual(now: int, found: bool) -> None:
    assert (check(SPEC, Queue("A", 5, 700, 1000), now) is not None) is found


@pytest.mark.parametrize(("now", "found"), [(1299, False), (1300, True), (1301, True)])
def test_what_came_later_than_the_last_one_left_sets_the_clock(now: int, found: bool) -> None:
    assert (check(SPEC, Queue("B", 1, 1000, 400), now) is not None) is found


def test_the_finding_says_how_many_wait_where_and_since_when() -> None:
    found = check(SPEC, Queue("A", 214, 700, 1000), 5000)
    assert found is not None
    assert (found.kind, found.rule, found.step, found.because) == ("stalled", "stalled", "A", "214 items wait")
    assert (found.since, found.deadline, found.at, found.occurrence) == (1000, 1300, None, "step")
    assert found.severity == "high"
    one = check(SPEC, Queue("A", 1, 1000, 0), 5000)
    assert one is not None
    assert one.because == "1 item waits"


def test_its_identity_is_where_and_when_not_how_many_wait() -> None:
    told = [
        check(SPEC, Queue(*queue), 5000) for queue in (("A", 2, 700, 1000), ("A", 9, 700, 1000), ("B", 2, 700, 1000))
    ]
    first, more, elsewhere = [one.id for one in told if one is not None]
    assert first == more != elsewhere


def test_steps_without_a_usual_span_and_those_that_stop_the_clocks_are_not_asked_about() -> None:
    assert asked(SPEC) == ("A", "B", "C")
    assert asked(paced((100, 0, 100))) == ("A", "C")
    assert asked(paced(pauses="B")) == ("A", "C")


def test_a_workflow_that_does_not_ask_is_told_nothing() -> None:
    spec = workflow("ABC", starts="A", ends="C")
    assert asked(spec) == ()
    assert check(spec, Queue("A", 5, 700, 1000), 5000) is None
