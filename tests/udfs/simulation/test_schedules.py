"""Schedules in the simulator: from the log's first day to one occurrence behind its end, and as the job has them."""

from __future__ import annotations

import random
from typing import Any

import orjson

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import rows
from tests.udfs.operators.test_pulse import frame
from tests.udfs.operators.test_schedules import FEED, HOUR, MONDAY, WORKFLOW, engine, received
from udfs.core.event import Event
from udfs.core.spec import Spec
from udfs.operators.batch import encode
from udfs.packs.compile import compile_workflow
from udfs.simulation.drive import Result, simulate
from udfs.simulation.report import counts

END = (1 << 63) - 2


def spec(**more: Any) -> Spec:
    return compile_workflow(WORKFLOW | {"schedules": [FEED | more]}, version=1, lane="main")


def event(at: int, key: str = "DAILY") -> tuple[str, Event]:
    return "trade_id", Event(str(at), "/t", "received", MONDAY + at, key)


def told(result: Result) -> list[tuple[str, str]]:
    return [(finding.kind, finding.occurrence) for _, _, finding in result.findings.values()]


def test_a_log_is_judged_from_its_first_local_day_to_one_occurrence_behind_its_end() -> None:
    result = simulate([spec()], [event(11 * HOUR, "OTHER"), event(31 * HOUR)])
    assert told(result) == [("missing", "2026-03-02")]
    result = simulate([spec()], [event(11 * HOUR, "OTHER")])
    assert told(result) == [("missing", "2026-03-02"), ("missing", "2026-03-03")]


def test_the_local_day_is_that_of_the_schedules_zone() -> None:
    result = simulate([spec(zone="America/New_York")], [event(HOUR, "OTHER")])
    assert told(result) == [("missing", "2026-03-01"), ("missing", "2026-03-02")]


def test_what_is_due_more_often_is_judged_from_the_first_event_on() -> None:
    beat = {"by": None, "grace": 0, "every": "1h"}
    definition = WORKFLOW | {"schedules": [{k: v for k, v in (FEED | beat).items() if v is not None}]}
    result = simulate([compile_workflow(definition, version=1, lane="main")], [event(11 * HOUR + 1, "OTHER")])
    assert told(result) == [("missing", "2026-03-02T12:00Z")]


def test_a_log_without_events_says_nothing() -> None:
    assert told(simulate([spec()], [])) == []


def test_the_report_counts_schedules_by_their_ids() -> None:
    result = simulate([spec()], [event(9 * HOUR), event(31 * HOUR)])
    assert counts(result, [spec()])["findings"] == {"feed": {"missing": 1, "late": 1}}


def test_the_job_finds_what_the_simulator_finds_with_the_same_identities() -> None:
    for seed in range(20):
        chance = random.Random(seed)
        times = sorted(chance.sample(range(24 * 60), chance.randrange(1, 12)))
        simulated = simulate([spec(key=["DAILY", "A"])], [event(time * 60_000) for time in times])
        made = engine(WORKFLOW | {"schedules": [FEED | {"key": ["DAILY", "A"]}]})
        state = State()
        bucket = state.bucket(made)
        outputs = bucket.on_batch(encode([frame(MONDAY - 1)]), -(1 << 63))
        watermark = MONDAY - 1
        for time in times:
            body = received(time * 60_000, id=str(time * 60_000))
            outputs += bucket.on_batch(encode([body]), watermark)
            if chance.random() < 0.5:
                watermark = MONDAY + time * 60_000 - 1
                outputs += bucket.on_time(watermark) + bucket.on_batch(encode([frame(watermark)]), watermark)
            if chance.random() < 0.3:
                bucket.save()
                bucket = state.bucket(made)
        outputs += bucket.on_time(MONDAY + times[-1] * 60_000) + bucket.on_time(END)
        found = {row["id"]: orjson.dumps([row["kind"], row["key"], row["at_ms"]]) for row in rows(outputs, "F")}
        assert found == {
            id: orjson.dumps([finding.kind, key, finding.at]) for id, (_, key, finding) in simulated.findings.items()
        }
