"""Processes are killed in the middle of the traffic; afterwards every finding is there, and is one finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from api.stack import process
from tests.flink.lane import Lane
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
Start = Callable[..., Lane]
PARCELS = 3000
SECOND = 1000


def _traffic(post: Lane, begin: int, end: int) -> None:
    """A parcel each 10 ms of event time; every third one is never heard of again."""
    for number in range(begin, end):
        post.send(f"P{number}", "sent", number * 10)
        if number % 3:
            post.send(f"P{number}", "arrived", number * 10 + 5)
        if number % 50 == 0:
            post.tick(number * 10)


def _expected() -> set[str]:
    return {f"P{number}" for number in range(0, PARCELS, 3)}


def _finish_and_compare(post: Lane) -> None:
    post.tick(PARCELS * 10 + 60 * SECOND)
    post.await_time(PARCELS * 10 + 60 * SECOND, seconds=90)
    findings = eventually(lambda: found if len(found := post.findings()) >= len(_expected()) else None)
    assert {row["key"] for row in findings.values()} == _expected()
    assert len(findings) == len(_expected())
    assert {row["kind"] for row in findings.values()} == {"missing"}


def _await_checkpoint(post: Lane, other_than: str | None = None) -> str:
    newest = post.cluster.newest_checkpoint
    return str(eventually(lambda: found if (found := newest(post.name)) != other_than else None))


def test_a_killed_taskmanager_costs_no_finding(lane: Start) -> None:
    post = lane(parallelism=2)
    _traffic(post, 0, 1000)
    _await_checkpoint(post)
    _traffic(post, 1000, 2000)
    victim = post.cluster.taskmanagers[0]
    process.kill_group(victim.pid)
    victim.wait()
    _traffic(post, 2000, PARCELS)
    post.cluster.taskmanagers.remove(victim)
    post.cluster.add_taskmanager()
    _finish_and_compare(post)
    assert post.cluster.why(post.job) != ""


def test_a_power_cut_costs_no_finding(lane: Start) -> None:
    post = lane(parallelism=2)
    _traffic(post, 0, 1000)
    first = _await_checkpoint(post)
    _traffic(post, 1000, 2000)
    _await_checkpoint(post, other_than=first)
    post.cluster.kill()
    _traffic(post, 2000, PARCELS)
    post.cluster.start()
    post.cluster.wait()
    post.resume()
    _finish_and_compare(post)


def test_a_savepoint_resumes_at_another_parallelism(lane: Start) -> None:
    post = lane(parallelism=1)
    _traffic(post, 0, 1500)
    post.cluster.stop_with_savepoint(post.job, post.name)
    post.config.write_text(post.config.read_text().replace('"parallelism": 1', '"parallelism": 2'))
    _traffic(post, 1500, PARCELS)
    post.resume()
    _finish_and_compare(post)
