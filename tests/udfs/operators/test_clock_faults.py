"""Events whose clock can't be right: they are dead letters and findings, and move nothing."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import MAPPING, WORKFLOW, document, rows
from udfs.core.state import NEVER
from udfs.operators.batch import NO_KEY, Frame, encode
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

RECEIVED = 1_772_445_600_000  # 2026-03-02T10:00:00Z
DAY = 86_400_000
LIMITS = {"time": {"path": "time", "future": "5m", "past": "30d", "severity": "high"}}


def engine(mapping: dict[str, Any] | None = None, live: bool = True, **changes: Any) -> Engine:
    made = Engine("main", [compile_mapping(MAPPING | (mapping or {}))], ["events"], compile_workflow, live=live)
    made.put_rule(document(WORKFLOW | changes))
    return made


def record(time: object, kind: str = "sent", **data: object) -> bytes:
    body = {"trade_id": "T1", "market": "EU", **data}
    event = {"specversion": "1.0", "id": "e1", "source": "/t", "type": kind, "data": body}
    return orjson.dumps(event if time is None else event | {"time": time})


def taken(made: Engine, payload: bytes, key: int = 0, times: int = 1) -> list[bytes]:
    batch = encode([Frame(0, key, 3, 7, RECEIVED, payload)] * times)
    return State().bucket(made).on_batch(batch, -NEVER)


EPOCH = {"format": "json", "id": "id", "type": "type", "source": "trades"}


def at(offset: int, live: bool = True, **limits: str) -> list[bytes]:
    """What is said of an event whose time is `offset` ms from when Kafka took it."""
    time = {"path": "time", "format": "epoch_ms", **limits}
    return taken(engine(EPOCH | {"time": time}, live), record(RECEIVED + offset))


@pytest.mark.parametrize(("offset", "fine"), [(299_999, True), (300_000, True), (300_001, False)])
def test_an_event_may_be_as_far_ahead_as_the_mapping_says(offset: int, fine: bool) -> None:
    assert [r["reason"] for r in rows(at(offset, future="5m"), "D")] == ([] if fine else ["bad_time"])


@pytest.mark.parametrize(("offset", "fine"), [(-29_999, True), (-30_000, True), (-30_001, False)])
def test_an_event_may_be_as_far_behind_as_the_mapping_says(offset: int, fine: bool) -> None:
    assert [r["reason"] for r in rows(at(offset, past="30s"), "D")] == ([] if fine else ["bad_time"])


@pytest.mark.parametrize(("offset", "fine"), [(DAY, True), (DAY + 1, False), (-50 * 365 * DAY, True)])
def test_without_limits_a_day_ahead_is_allowed_and_the_past_is_open(offset: int, fine: bool) -> None:
    assert [r["reason"] for r in rows(at(offset), "D")] == ([] if fine else ["bad_time"])


def test_limits_hold_in_live_lanes_only_since_a_log_of_last_year_is_received_today() -> None:
    assert rows(at(-400 * DAY, live=False, past="30d"), "D") == []


def test_an_event_with_a_broken_clock_begins_no_item_and_moves_nothing() -> None:
    outputs = at(40 * DAY, future="5m")
    assert [rows(outputs, tag) for tag in "TIE"] == [[], [], []]


def test_an_event_with_a_broken_clock_is_a_dead_letter_that_says_how_far_it_is_off() -> None:
    (letter,) = rows(at(40 * DAY, future="5m"), "D")
    assert letter["detail"] == "the event is 40 days ahead of Kafka's clock; the mapping allows 5 minutes"
    (letter,) = rows(at(-40 * DAY, past="30d"), "D")
    assert letter["detail"] == "the event is 40 days behind Kafka's clock; the mapping allows 30 days"


def test_an_event_with_a_broken_clock_is_a_finding_for_the_workflow_that_would_have_followed_it() -> None:
    outputs = taken(engine(LIMITS), record("2031-03-02T10:00:00Z"))
    (found,) = rows(outputs, "F")
    assert (found["kind"], found["rule"], found["workflow"], found["severity"]) == ("invalid", "clock", "trade", "high")
    assert (found["key"], found["step"], found["event_id"], found["groups"]) == ("T1", "send", "e1", {"market": "EU"})
    assert (found["deadline_ms"], found["received_ms"]) == (RECEIVED, RECEIVED)
    assert found["at_ms"] - RECEIVED == found["delta_ms"] == (5 * 365 + 1) * DAY


@pytest.mark.parametrize(
    ("time", "reason"), [(None, "no_time"), ("yesterday", "bad_time"), ("2026-03-02T10:00:00", "bad_time")]
)
def test_an_event_without_a_time_that_can_be_read_is_a_finding_in_every_lane(time: object, reason: str) -> None:
    outputs = taken(engine(live=False), record(time))
    (found,) = rows(outputs, "F")
    assert (found["kind"], found["key"], found["at_ms"], found["delta_ms"]) == ("invalid", "T1", None, None)
    assert [r["reason"] for r in rows(outputs, "D")] == [reason]


def test_the_finding_has_one_identity_however_often_the_record_is_read() -> None:
    twice = rows(taken(engine(), record("yesterday"), times=2), "F")
    again = rows(taken(engine(), record("yesterday")), "F")
    assert len(twice) == 2
    assert {found["id"] for found in twice} == {found["id"] for found in again}


def test_workflows_that_would_not_have_followed_the_event_are_told_nothing() -> None:
    assert rows(taken(engine(), record("yesterday", kind="unknown")), "F") == []
    elsewhere = engine(steps=WORKFLOW["steps"] | {"send": {"on": "sent", "where": {"data.market": "US"}}})
    assert rows(taken(elsewhere, record("yesterday")), "F") == []
    not_mine = engine({"when": {"data.market": "US"}})
    assert rows(taken(not_mine, record("yesterday")), "F") == []


@pytest.mark.parametrize("payload", [record("yesterday", trade_id=None), b"{", b"[]"])
def test_a_record_whose_key_cannot_be_read_is_a_dead_letter_only(payload: bytes) -> None:
    outputs = taken(engine(), payload, NO_KEY)
    assert rows(outputs, "F") == []
    assert [base64.b64decode(r["raw"]) for r in rows(outputs, "D")] == [payload]


def test_the_key_in_a_finding_is_hashed_where_the_mapping_says_so() -> None:
    made = engine({"pii": {"data.trade_id": "hash"}})
    (found,) = rows(taken(made, record("yesterday")), "F")
    assert "T1" not in found["key"]
