"""A lane with two sources, of which one falls silent: what its bucket says, and what it holds back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import document, rows
from udfs.core.state import NEVER
from udfs.operators.batch import PULSE, Frame, encode
from udfs.operators.bucket import Bucket
from udfs.operators.buckets import bucket_of
from udfs.operators.engine import Engine
from udfs.operators.lookout import HELD
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

S, M = 1_000, 60_000
NOON = 1_772_452_800_000
"""2026-03-02T12:00:00Z; the instants below are ms after it."""

WORKFLOW: dict[str, Any] = {
    "workflow": "payment",
    "key": "payment",
    "steps": {
        "send": {"on": "sent", "start": True},
        "book": {"on": "booked"},
        "confirm": {"on": "confirmed"},
    },
    "flow": ["send -> book", "send -> confirm"],
    "deadlines": [
        {"id": "booking", "after": "send", "expect": "book", "within": "10m"},
        {"id": "confirmation", "after": "send", "expect": "confirm", "within": "10m"},
    ],
    "order": {"policy": "ignore"},
}
OURS = {
    "format": "json",
    "id": "id",
    "type": "type",
    "time": {"path": "at", "format": "epoch_ms"},
    "keys": {"payment": "p"},
}
DESK = OURS | {"source": "desk"}
BANK = OURS | {"source": "bank", "heartbeat": "5m", "grace": "1m", "types": ["confirmed"]}


def engine(live: bool = True, schedules: Sequence[Any] = (), **bank: Any) -> Engine:
    mappings = [compile_mapping(DESK), compile_mapping(BANK | bank)]
    made = Engine("main", mappings, ["desk", "bank"], compile_workflow, granularity=1, live=live)
    made.put_rule(document(WORKFLOW | ({"schedules": list(schedules)} if schedules else {})))
    return made


class Lane:
    """The one bucket of a lane, whose clock ticks each ten seconds from noon on. The desk is always there."""

    def __init__(self, made: Engine | None = None, bucket: int = 0, buckets: int = 1) -> None:
        self.engine = made or engine()
        self.state = State()
        self.bucket: Bucket = self.state.bucket(self.engine)
        self.place = (bucket, buckets)
        self.now = 0
        self.heard: dict[str, int] = {}
        self.frames: list[Frame] = []
        self.outputs: list[bytes] = []
        self.tick(0)

    def event(self, topic: str, kind: str, key: str, at: int, received: int | None = None) -> None:
        stamp = NOON + (at if received is None else received)
        said = {"id": f"{key}-{kind}", "type": kind, "at": NOON + at, "p": key}
        index = self.engine.topics.index(topic)
        self.frames.append(Frame(index, 0, 0, len(self.frames), stamp, orjson.dumps(said)))
        self.heard[topic] = max(self.heard.get(topic, 0), stamp)

    def tick(self, at: int) -> None:
        bucket, buckets = self.place
        said = {"readers": 1, "bucket": bucket, "buckets": buckets, "watermark": NOON + at, "topics": self.heard}
        batch = encode([*self.frames, Frame(PULSE, 0, 0, 0, 0, orjson.dumps(said))])
        self.outputs += self.bucket.on_batch(batch, NOON + self.now if self.now else -NEVER)
        self.frames, self.now = [], at
        due = self.bucket.next_timer()
        if due is not None and due <= NOON + at:
            self.outputs += self.bucket.on_time(NOON + at)
        self.bucket.save()

    def until(self, at: int, step: int = 10 * S) -> Lane:
        while self.now < at:
            self.tick(min(self.now + step, at))
        return self

    def restart(self) -> None:
        self.bucket = self.state.bucket(self.engine)
        self.heard = {}

    def found(self) -> list[tuple[str, str, int]]:
        """What was last said under each identity: (kind, key, deadline)."""
        said = {f["id"]: f for f in rows(self.outputs, "F")}
        return [(f["kind"], f["key"], f["deadline_ms"] - NOON) for f in said.values()]

    def blind(self) -> list[dict[str, Any]]:
        return [f for f in rows(self.outputs, "F") if f["kind"] == "blind"]


def silent_from_noon() -> Lane:
    """The bank was last heard of at noon."""
    lane = Lane()
    lane.event("bank", "confirmed", "old", 0)
    return lane


@pytest.mark.parametrize(("at", "blind"), [(5 * M - 1, False), (5 * M, True), (5 * M + 1, True)])
def test_a_source_is_blind_when_its_heartbeat_is_over(at: int, blind: bool) -> None:
    lane = silent_from_noon().until(5 * M - 10 * S).until(at)
    assert len(lane.blind()) == blind


def test_blindness_is_a_finding_about_the_source() -> None:
    (found,) = silent_from_noon().until(30 * M).blind()
    assert (found["key"], found["rule"], found["workflow"], found["lane"]) == ("bank", "heartbeat", "", "main")
    assert (found["deadline_ms"], found["since_ms"], found["at_ms"]) == (NOON + 5 * M, NOON, None)
    assert found["occurrence"] == "payment", "the workflows that it feeds"


def test_the_same_finding_says_when_the_source_came_back() -> None:
    lane = silent_from_noon().until(30 * M)
    lane.event("bank", "confirmed", "other", 30 * M + S)
    begun, ended = lane.until(40 * M).blind()[:2]
    assert begun["id"] == ended["id"]
    assert (ended["at_ms"], ended["delta_ms"]) == (NOON + 30 * M + S, 25 * M + S)


@pytest.mark.parametrize(("heard", "again"), [(39, []), (38, []), (34, [39])])
def test_a_source_whose_grace_was_over_before_anybody_looked_is_told_to_be_back_all_the_same(
    heard: int, again: list[int]
) -> None:
    lane = silent_from_noon().until(20 * M)
    lane.event("bank", "confirmed", "P9", heard * M)
    lane.tick(40 * M)
    told = [((f["deadline_ms"] - NOON) // M, f["at_ms"] and (f["at_ms"] - NOON) // M) for f in lane.blind()]
    assert told == [(5, None), (5, heard), *[(since, None) for since in again]]
    assert len({f["id"] for f in lane.blind()}) == 1 + len(again)


def test_one_bucket_speaks_for_a_source() -> None:
    spoke = []
    for place in range(4):
        lane = Lane(bucket=place, buckets=4)
        spoke += [place] * len(lane.until(30 * M).blind())
    assert spoke == [bucket_of("bank", 4)]


def test_absences_of_a_blind_source_are_held_and_others_are_found_on_time() -> None:
    lane = silent_from_noon()
    lane.event("desk", "sent", "P", M)
    assert lane.until(11 * M - 10 * S).found() == [("blind", "bank", 5 * M)]
    assert lane.until(11 * M).found() == [("blind", "bank", 5 * M), ("missing", "P", 11 * M)]
    (missing,) = [f for f in rows(lane.outputs, "F") if f["kind"] == "missing"]
    assert missing["rule"] == "booking"
    assert lane.until(200 * M).found() == [("blind", "bank", 5 * M), ("missing", "P", 11 * M)]


@pytest.mark.parametrize(("at", "said"), [(31 * M - 1, False), (31 * M, True), (31 * M + 1, True)])
def test_what_was_held_is_judged_when_the_grace_is_over(at: int, said: bool) -> None:
    lane = silent_from_noon()
    for key in ("in time", "late", "never"):
        lane.event("desk", "sent", key, M)
        lane.event("desk", "booked", key, 2 * M)
    lane.until(30 * M - 10 * S)
    lane.event("bank", "confirmed", "in time", 3 * M, received=30 * M)
    lane.event("bank", "confirmed", "late", 12 * M, received=30 * M)
    lane.until(31 * M - 10 * S).until(at)
    found = [one for one in lane.found() if one[0] != "blind"]
    assert sorted(found) == (
        [("late", "late", 11 * M), ("missing", "late", 11 * M), ("missing", "never", 11 * M)] if said else []
    )


def test_a_deadline_that_came_before_the_blindness_was_found_at_its_time() -> None:
    lane = silent_from_noon()
    lane.event("desk", "sent", "early", -6 * M)
    lane.event("desk", "booked", "early", -5 * M)
    assert lane.until(5 * M - 10 * S).found() == [("missing", "early", 4 * M)]


def test_a_restart_while_a_source_is_blind_neither_finds_nor_forgets() -> None:
    lane = silent_from_noon()
    lane.event("desk", "sent", "P", M)
    lane.event("desk", "booked", "P", 2 * M)
    lane.until(20 * M)
    lane.restart()
    assert lane.until(30 * M).found() == [("blind", "bank", 5 * M)]
    lane.event("bank", "confirmed", "other", 30 * M)
    found = lane.until(31 * M + HELD + 10 * S).found()
    assert ("missing", "P", 11 * M) in found


def test_a_source_that_is_heard_of_often_enough_is_never_blind() -> None:
    lane = Lane()
    for minute in range(0, 60, 4):
        lane.until(minute * M)
        lane.event("bank", "confirmed", f"B{minute}", minute * M)
    assert lane.blind() == []


def test_ticks_that_come_seldom_hold_no_less() -> None:
    lane = silent_from_noon()
    lane.event("desk", "sent", "P", M)
    assert lane.until(60 * M, step=20 * M).found() == [("blind", "bank", 5 * M), ("missing", "P", 11 * M)]


def test_a_silence_that_was_over_before_time_came_there_is_none() -> None:
    lane = silent_from_noon()
    lane.event("bank", "confirmed", "other", 30 * M)
    assert lane.until(31 * M, step=31 * M).blind() == []


def test_in_a_lane_that_is_not_live_there_are_no_heartbeats() -> None:
    lane = Lane(engine(live=False))
    lane.event("desk", "sent", "P", M)
    assert lane.until(60 * M).found() == [("missing", "P", 11 * M)] * 2


def test_a_source_without_types_feeds_all_steps_of_its_keys() -> None:
    lane = Lane(engine(types=[]))
    lane.event("desk", "sent", "P", M)
    assert lane.until(60 * M).found() == [("blind", "bank", 5 * M)]


def test_what_a_mapping_no_longer_watches_leaves_nothing_behind() -> None:
    lane = silent_from_noon().until(30 * M)
    lane.engine = Engine("main", [compile_mapping(DESK), compile_mapping(BANK | {"heartbeat": "9w"})], ["desk", "bank"],
                         compile_workflow)  # fmt: skip
    lane.engine.put_rule(document(WORKFLOW))
    lane.restart()
    lane.event("desk", "sent", "P", 31 * M)
    assert ("missing", "P", 41 * M) in lane.until(60 * M).found()


FEED = {"id": "feed", "expect": "confirm", "key": "DAILY", "by": "12:20", "zone": "UTC"}


def scheduled(**bank: Any) -> Lane:
    """A confirmation is expected each day at 12:20; the bank was last heard of at noon."""
    lane = Lane(engine(**bank, schedules=[FEED]))
    lane.event("bank", "confirmed", "old", 0)
    return lane


def of_the_schedule(lane: Lane) -> list[tuple[str, str, int]]:
    return [one for one in lane.found() if one[1] == "DAILY"]


@pytest.mark.parametrize(("at", "said"), [(31 * M - 1, False), (31 * M, True), (31 * M + 1, True)])
def test_what_a_schedule_expects_of_a_blind_source_is_held_until_it_can_be_seen_again(at: int, said: bool) -> None:
    lane = scheduled().until(30 * M - 10 * S)
    lane.event("bank", "confirmed", "other", 30 * M)
    found = of_the_schedule(lane.until(31 * M - 10 * S).until(at))
    assert found == ([("missing", "DAILY", 20 * M)] if said else [])


def test_what_a_schedule_expects_is_met_by_what_a_blind_source_reports_on_its_return() -> None:
    lane = scheduled().until(30 * M - 10 * S)
    lane.event("bank", "confirmed", "DAILY", 10 * M, received=30 * M)
    assert of_the_schedule(lane.until(60 * M)) == []


def test_what_a_schedule_expects_is_held_across_a_restart() -> None:
    lane = scheduled().until(25 * M)
    lane.restart()
    assert of_the_schedule(lane.until(30 * M)) == []
    lane.event("bank", "confirmed", "other", 30 * M)
    assert of_the_schedule(lane.until(31 * M + HELD + 10 * S)) == [("missing", "DAILY", 20 * M)]


def test_items_do_not_move_to_another_version_while_a_source_of_theirs_is_blind() -> None:
    lane = Lane()
    lane.event("bank", "confirmed", "old", 0)
    lane.event("desk", "sent", "k1", 1000)
    lane.event("desk", "booked", "k1", 2000)
    lane.until(12 * M)
    rule = {"id": "x", "after": "send", "expect": "confirm", "within": "9m"}
    changed = {**WORKFLOW, "migrate": "in_flight", "deadlines": [*WORKFLOW["deadlines"], rule]}
    lane.engine.put_rule(document(changed, version=2, effective_from=NOON + 12 * M))
    lane.until(14 * M)
    assert [found for found in lane.found() if found[1] == "k1"] == []
    lane.event("bank", "confirmed", "k1", 14 * M, received=14 * M)
    lane.until(20 * M)
    assert {kind for kind, key, _ in lane.found() if key == "k1"} >= {"missing", "late"}
