"""Clocks that can't be right, and sources that fall silent, on a real broker and real TaskManagers."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from api.stack import process
from jobs.ticks import write_tick
from tests.flink.lane import NOON, Lane
from tests.kafka_help import create_topic, eventually
from udfs.core.state import NEVER

pytestmark = pytest.mark.real
Start = Callable[..., Lane]

DAY = 86_400_000
ANY_GRID = {"live": True, "tick_gap_ms": NEVER}

WORKFLOW = """
workflow: payment
key: payment
steps:
  send:    {on: sent, start: true}
  book:    {on: booked}
  confirm: {on: confirmed}
deadlines:
  - {id: booking, after: send, expect: book, within: 60s}
  - {id: confirmation, after: send, expect: confirm, within: 60s}
"""

MAPPING = """
source: %s
topic: %s
format: json
id: id
type: what
time: {path: at, format: epoch_ms}
keys: {payment: payment}
"""


def test_an_event_and_a_tick_from_the_future_move_nothing_and_the_event_is_a_finding(lane: Start) -> None:
    post = lane(**ANY_GRID)
    now = int(time.time() * 1000)
    post.send("broken", "sent", now + 2 * DAY - NOON)
    post.send("lost", "sent", 0)
    post.tick(now + 2 * DAY - NOON)
    post.tick(10_500)
    found = {row["key"]: row for row in post.await_rows("findings", 2)}
    assert (found["broken"]["kind"], found["broken"]["at_ms"]) == ("invalid", now + 2 * DAY)
    assert (found["lost"]["kind"], found["lost"]["deadline_ms"]) == ("missing", NOON + 10_000)
    assert [row["reason"] for row in post.await_rows("deadletters", 1)] == ["bad_time"]
    post.send("after", "sent", 10_600)
    post.tick(20_700)
    assert {row["key"] for row in post.await_rows("findings", 3)} == {"broken", "lost", "after"}


def test_a_failover_that_hides_a_gap_of_ticks_holds_time_as_the_gap_would(lane: Start) -> None:
    post = lane(live=True)
    for parcel in ("buffered", "lost"):
        post.send(parcel, "sent", 0)
    post.tick(1000)
    post.await_time(1000)
    known = post.cluster.newest_checkpoint(post.name)
    eventually(lambda: post.cluster.newest_checkpoint(post.name) != known)
    victim = post.cluster.taskmanagers.pop(0)
    process.kill_group(victim.pid)
    victim.wait()
    for at in (60_000, 65_000):
        post.tick(at)
    post.cluster.add_taskmanager()
    post.cluster.wait_running(post.job)
    post.send("buffered", "arrived", 5000)
    for at in (69_999, 70_000):
        post.tick(at)
    post.await_time(70_000)
    (found,) = post.await_rows("findings", 1)
    assert (found["kind"], found["key"]) == ("missing", "lost")


class Sources:
    """Two sources with topics of their own; record timestamps are what the test says."""

    def __init__(self, folder: Path, bootstrap: str) -> None:
        name = uuid.uuid4().hex[:8]
        self.topics = [create_topic(bootstrap, f"{source}-{name}") for source in ("desk", "bank")]
        (folder / "workflow.yaml").write_text(WORKFLOW)
        (folder / "desk.yaml").write_text(MAPPING % ("desk", self.topics[0]))
        bank = MAPPING % ("bank", self.topics[1]) + "heartbeat: 30s\ngrace: 10s\ntypes: [confirmed]\n"
        (folder / "bank.yaml").write_text(bank)
        self.settings = {"packs": [str(folder)], "mappings": [str(folder / "desk.yaml"), str(folder / "bank.yaml")]}

    def send(self, post: Lane, topic: int, what: str, payment: str, at: int, received: int) -> None:
        said = {"id": f"{payment}-{what}", "what": what, "at": NOON + at, "payment": payment}
        post.producer.send(self.topics[topic], json.dumps(said).encode(), timestamp_ms=NOON + received)

    def tick(self, post: Lane, at: int) -> None:
        post.producer.flush()
        write_tick(post.producer, self.topics, NOON + at)
        post.producer.flush()
        post.await_time(at)


def test_absences_of_a_silent_source_are_held_until_it_is_back_and_others_are_not(
    lane: Start, broker: object, tmp_path: Path
) -> None:
    two = Sources(tmp_path, broker.bootstrap)  # type: ignore[attr-defined]
    post = lane(**ANY_GRID, **two.settings)
    two.send(post, 1, "confirmed", "other", 0, 0)
    for payment in ("in time", "never"):
        two.send(post, 0, "sent", payment, 0, 0)
    two.send(post, 0, "booked", "in time", 1_000, 1_000)
    for at in (1_000, 29_000, 31_000, 65_000, 90_000):
        two.tick(post, at)
    found = [(row["kind"], row["rule"], row["key"]) for row in post.findings().values()]
    assert sorted(found) == [("blind", "heartbeat", "bank"), ("missing", "booking", "never")]
    two.send(post, 1, "confirmed", "in time", 50_000, 95_000)
    two.tick(post, 95_001)
    two.tick(post, 105_000)
    assert len(post.findings()) == 2
    two.tick(post, 105_002)
    rows = post.await_rows("findings", 4)  # the return of the source is told under the same identity
    (held,) = [row for row in rows if row["rule"] == "confirmation"]
    assert (held["kind"], held["key"], held["deadline_ms"]) == ("missing", "never", NOON + 60_000)
    blind = [row for row in rows if row["kind"] == "blind"]
    assert [row["at_ms"] for row in blind] == [None, NOON + 95_000]
    assert len({row["id"] for row in blind}) == 1
