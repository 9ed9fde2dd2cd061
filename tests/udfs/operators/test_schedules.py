"""Schedules in a bucket: armed by the pulse, kept over restarts, followed by whoever owns the key."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import MAPPING, document, rows
from tests.udfs.operators.test_pulse import frame
from udfs.core.state import NEVER
from udfs.operators.batch import Frame, encode
from udfs.operators.bucket import Bucket
from udfs.operators.buckets import bucket_of
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

HOUR = 3_600_000
MONDAY = 1_772_409_600_000
"""2026-03-02T00:00Z."""

FEED: dict[str, Any] = {"id": "feed", "expect": "receive", "key": "DAILY", "by": "08:00", "grace": "5m"}
WORKFLOW: dict[str, Any] = {
    "workflow": "files",
    "key": "trade_id",
    "steps": {"receive": {"on": "received", "start": True, "end": "completed"}},
    "schedules": [FEED],
}


def engine(*versions: dict[str, Any]) -> Engine:
    made = Engine("main", [compile_mapping(MAPPING)], ["events"], compile_workflow)
    for version in versions or (WORKFLOW,):
        made.put_rule(document(version))
    return made


def received(at: int, key: str = "DAILY", id: str = "") -> Frame:
    time = f"2026-03-02T{at // HOUR:02d}:{at // 60_000 % 60:02d}:00Z"
    body = {"specversion": "1.0", "id": id or time, "source": "/t", "type": "received", "time": time}
    return Frame(0, 0, 0, at, 0, orjson.dumps(body | {"data": {"trade_id": key}}))


def pulsed(where: Bucket, at: int, watermark: int | None = None, **more: int) -> list[dict[str, Any]]:
    """A pulse that announces `at` (ms of Monday); the findings that come of it."""
    told = frame(MONDAY + at, **more)
    return rows(where.on_batch(encode([told]), MONDAY + at - 1 if watermark is None else watermark), "F")


def timed(bucket: Bucket, at: int) -> list[dict[str, Any]]:
    return rows(bucket.on_time(MONDAY + at), "F")


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one["occurrence"]) for one in found]


def test_a_silent_key_is_missing_when_its_timer_comes() -> None:
    bucket = State().bucket(engine())
    assert pulsed(bucket, 7 * HOUR, -(1 << 63)) == []
    assert bucket.next_timer() == MONDAY + 8 * HOUR + 300_000 + 99
    (found,) = timed(bucket, 8 * HOUR + 300_000)
    assert (found["kind"], found["key"], found["occurrence"]) == ("missing", "DAILY", "2026-03-02")
    assert (found["rule"], found["deadline_ms"], found["groups"]) == ("feed", MONDAY + 8 * HOUR, {})
    assert timed(bucket, 9 * HOUR) == []


def test_an_event_of_the_key_is_what_was_expected() -> None:
    bucket = State().bucket(engine())
    pulsed(bucket, 7 * HOUR)
    outputs = bucket.on_batch(encode([received(7 * HOUR)]), MONDAY + 7 * HOUR - 1)
    assert [row["status"] for row in rows(outputs, "I")] == ["completed"], "an item as ever"
    assert timed(bucket, 10 * HOUR) == []
    assert kinds(timed(bucket, 33 * HOUR)) == [("missing", "2026-03-03")]


def test_what_came_before_the_first_pulse_counts() -> None:
    bucket = State().bucket(engine())
    bucket.on_batch(encode([received(6 * HOUR), received(6 * HOUR, "OTHER")]), -NEVER)
    pulsed(bucket, 7 * HOUR)
    assert timed(bucket, 10 * HOUR) == []


def test_a_late_one_is_told_with_its_business_date() -> None:
    bucket = State().bucket(engine())
    pulsed(bucket, 7 * HOUR)
    timed(bucket, 9 * HOUR)
    bucket.on_batch(encode([received(10 * HOUR)]), MONDAY + 9 * HOUR)
    (late,) = timed(bucket, 11 * HOUR)
    assert (late["kind"], late["occurrence"], late["delta_ms"]) == ("late", "2026-03-02", 2 * HOUR)


def test_nothing_is_said_twice_after_a_restart_and_nothing_is_lost() -> None:
    state = State()
    bucket = state.bucket(engine())
    pulsed(bucket, 7 * HOUR)
    bucket.save()
    bucket = state.bucket(engine())
    timer = bucket.next_timer()
    assert timer is not None
    assert timer <= MONDAY + 8 * HOUR + 300_000 + 99
    assert pulsed(bucket, 7 * HOUR + 1) == []
    assert kinds(timed(bucket, 9 * HOUR)) == [("missing", "2026-03-02")]
    bucket.save()
    bucket = state.bucket(engine())
    assert pulsed(bucket, 9 * HOUR + 1) == []
    assert timed(bucket, 10 * HOUR) == []
    bucket.on_batch(encode([received(10 * HOUR)]), MONDAY + 10 * HOUR - 1)
    bucket.save()
    assert kinds(timed(state.bucket(engine()), 11 * HOUR)) == [("late", "2026-03-02")]


def test_a_key_is_armed_in_its_own_bucket_only() -> None:
    keys = [f"FEED_{n}" for n in range(40)]
    made = engine(WORKFLOW | {"schedules": [FEED | {"key": keys}]})
    found: list[str] = []
    for number in range(8):
        bucket = State().bucket(made)
        pulsed(bucket, 7 * HOUR, bucket=number, buckets=8)
        here = [one["key"] for one in timed(bucket, 9 * HOUR)]
        assert all(bucket_of(key, 8) == number for key in here)
        found += here
    assert sorted(found) == sorted(keys)


def test_a_pulse_long_after_the_last_one_tells_nothing_twice_and_arms_nothing_anew() -> None:
    bucket = State().bucket(engine())
    pulsed(bucket, 7 * HOUR)
    assert kinds(timed(bucket, 9 * HOUR)) == [("missing", "2026-03-02")]
    assert pulsed(bucket, 9 * HOUR + 60_000) == []


def test_a_schedule_that_is_taken_out_of_the_workflow_is_silent() -> None:
    made = engine()
    state = State()
    bucket = state.bucket(made)
    pulsed(bucket, 7 * HOUR)
    bucket.save()
    made.put_rule(document(WORKFLOW | {"schedules": []}, version=2))
    pulsed(bucket, 7 * HOUR + 1)
    assert timed(bucket, 9 * HOUR) == []
    bucket.save()
    assert [name for name in state.index.entries if name.startswith("@")] == []


def test_a_schedule_that_stays_as_it_is_goes_on_in_the_next_version() -> None:
    made = engine()
    bucket = State().bucket(made)
    pulsed(bucket, 7 * HOUR)
    bucket.on_batch(encode([received(7 * HOUR)]), MONDAY + 7 * HOUR)
    other = FEED | {"key": ["DAILY", "OTHER"], "runbook": "https://wiki.example/feed"}
    made.put_rule(document(WORKFLOW | {"schedules": [other]}, version=2))
    pulsed(bucket, 7 * HOUR + 60_000)
    (found,) = timed(bucket, 9 * HOUR)
    assert (found["key"], found["version"], found["runbook"]) == ("OTHER", 2, "https://wiki.example/feed")


def test_a_changed_schedule_knows_what_has_come_lately() -> None:
    made = engine()
    bucket = State().bucket(made)
    pulsed(bucket, 6 * HOUR)
    bucket.on_batch(encode([received(7 * HOUR)]), MONDAY + 6 * HOUR)
    timed(bucket, 7 * HOUR)
    made.put_rule(document(WORKFLOW | {"schedules": [FEED | {"by": "09:00"}]}, version=2))
    pulsed(bucket, 7 * HOUR + 60_000)
    assert timed(bucket, 10 * HOUR) == []


def test_a_version_is_armed_from_its_beginning_on_not_from_the_pulse_behind_it() -> None:
    made = engine(WORKFLOW | {"schedules": []})
    bucket = State().bucket(made)
    pulsed(bucket, 7 * HOUR + 3_570_000)
    beginning = MONDAY + 8 * HOUR - 10_000
    made.put_rule(document(WORKFLOW | {"schedules": [FEED | {"grace": 0}]}, version=2, effective_from=beginning))
    assert kinds(pulsed(bucket, 8 * HOUR + 30_000)) == [("missing", "2026-03-02")]


def test_an_event_after_a_restart_with_other_rules_is_not_lost_before_the_pulse() -> None:
    state = State()
    bucket = state.bucket(engine())
    pulsed(bucket, 6 * HOUR)
    bucket.save()
    bucket = state.bucket(engine(WORKFLOW | {"schedules": [FEED | {"by": "09:00"}]}))
    bucket.on_batch(encode([received(7 * HOUR)]), -NEVER)
    pulsed(bucket, 7 * HOUR)
    assert timed(bucket, 10 * HOUR) == []


def test_other_steps_and_other_keys_of_the_workflow_are_none_of_a_schedules_business() -> None:
    steps = {**WORKFLOW["steps"], "other": {"on": "sent", "start": True}, "open": {"on": "received", "where": {"x": 1}}}
    bucket = State().bucket(engine(WORKFLOW | {"steps": {"other": steps["other"], "open": steps["open"], **steps}}))
    pulsed(bucket, 7 * HOUR)
    other = received(7 * HOUR)
    other.payload = other.payload.replace(b'"received"', b'"sent"')
    bucket.on_batch(encode([other, received(7 * HOUR, "ELSE")]), MONDAY + 7 * HOUR - 1)
    assert kinds(timed(bucket, 9 * HOUR)) == [("missing", "2026-03-02")]


def test_a_watch_that_is_woken_for_nothing_sleeps_on() -> None:
    state = State()
    bucket = state.bucket(engine(WORKFLOW | {"schedules": [FEED | {"not_before": "2h"}]}))
    pulsed(bucket, 5 * HOUR)
    bucket.on_batch(encode([received(7 * HOUR, id="a")]), MONDAY + 5 * HOUR)
    bucket.on_batch(encode([received(6 * HOUR, id="b"), received(7 * HOUR + 60_000)]), MONDAY + 5 * HOUR)
    bucket.save()
    timed(bucket, 7 * HOUR)
    bucket = state.bucket(engine(WORKFLOW | {"schedules": [FEED | {"not_before": "2h"}]}))
    assert timed(bucket, 5 * HOUR + 1) == []
    assert timed(bucket, 9 * HOUR) == []
    assert kinds(timed(bucket, 33 * HOUR)) == [("missing", "2026-03-03")]


def test_a_watch_that_fails_is_told_in_the_log_and_tried_again_as_it_was(caplog: pytest.LogCaptureFixture) -> None:
    bucket = State().bucket(engine())
    pulsed(bucket, 7 * HOUR)
    bucket.save()
    (watch,) = bucket._schedules._watches.values()
    watch.pending.append(None)  # type: ignore[arg-type]
    assert timed(bucket, 9 * HOUR) == []
    assert "failed and stay as they were" in caplog.text
    assert timed(bucket, 10 * HOUR - 1) == []
    assert kinds(timed(bucket, 10 * HOUR)) == [("missing", "2026-03-02")]


def test_a_watch_that_cannot_be_read_begins_anew() -> None:
    state = State()
    bucket = state.bucket(engine())
    pulsed(bucket, 6 * HOUR)
    bucket.save()
    (name,) = [name for name in state.index.entries if name.startswith("@")]
    state.index.entries[name] = b"\xc1"
    bucket = state.bucket(engine())
    pulsed(bucket, 7 * HOUR)
    assert kinds(timed(bucket, 9 * HOUR)) == [("missing", "2026-03-02")]


def test_the_end_of_time_judges_the_next_occurrence_and_leaves_nothing() -> None:
    state = State()
    bucket = state.bucket(engine())
    pulsed(bucket, 7 * HOUR)
    bucket.save()
    end = (1 << 63) - 2
    assert rows(bucket.on_batch(encode([frame(end)]), MONDAY + 7 * HOUR), "F") == []
    assert kinds(rows(bucket.on_time(end), "F")) == [("missing", "2026-03-02")]
    bucket.save()
    assert [name for name in state.index.entries if name.startswith("@")] == []


def test_a_lane_without_schedules_does_nothing_at_a_pulse() -> None:
    state = State()
    bucket = state.bucket(engine(WORKFLOW | {"schedules": []}))
    pulsed(bucket, 7 * HOUR)
    writes = state.index.writes
    bucket.save()
    assert state.index.writes - writes <= 1, "the number of items"
    assert bucket.next_timer() is None
