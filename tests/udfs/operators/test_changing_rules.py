"""Rules change while a bucket has open items: they move, are closed, or go without a trace, and a restart in the middle
changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import MAPPING, WORKFLOW, document, frames, record, rows
from udfs.core.state import NEVER
from udfs.operators import sweep
from udfs.operators.batch import PULSE, Frame, RuleRecord, encode
from udfs.operators.bucket import Bucket
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

MINUTE = 60_000
TEN = 1_772_445_600_000
"""2026-03-02, 10:00 UTC, where the records' minutes begin."""

LONGER = WORKFLOW | {"deadlines": [WORKFLOW["deadlines"][0] | {"within": "15m"}]}
Definition = dict[str, Any]
Change = tuple[int, Definition | None]


def engine(*changes: Change) -> Engine:
    """An engine whose first version is in force for ever; then what is in the rules topic, None withdraws. Changes are
    (from which minute on, definition)."""
    made = Engine("main", [compile_mapping(MAPPING)], ["events"], compile_workflow)
    made.put_rule(document(WORKFLOW))
    for offset, (minute, definition) in enumerate(changes):
        take(made, offset, minute, definition)
    return made


def take(made: Engine, offset: int, minute: int, definition: dict[str, Any] | None) -> None:
    value = b""
    if definition is not None:
        value = document(definition, version=offset + 2, effective_from=TEN + minute * MINUTE)
    made.take(RuleRecord(0, offset, 0, b"trade", value))


@pytest.mark.parametrize("further", [{}, {"migrate": "in_flight"}])
@pytest.mark.parametrize("minute", [12, 13])
def test_the_keys_next_run_is_ruled_by_the_version_at_its_own_first_event(minute: int, further: Definition) -> None:
    made = engine((0, WORKFLOW | {"remember": "1m"}), (13, LONGER | {"remember": "1m"} | further))
    bucket = State().bucket(made)
    bucket.on_batch(frames(record("sent", 1), record("settled", 2), record("sent", minute, id="again")), TEN)
    (found,) = rows(bucket.on_time(TEN + 50 * MINUTE), "F")
    due = minute + (5 if minute < 13 and not further else 15)
    assert (found["kind"], found["deadline_ms"]) == ("missing", TEN + due * MINUTE)
    assert found["version"] == (2 if minute < 13 and not further else 3)


def test_a_run_that_waits_for_time_is_ruled_by_the_version_at_its_earliest_event_in_whatever_order_they_come() -> None:
    waits = {"order": {"policy": "drop"}}
    found = []
    for first, second in ((1, 3), (3, 1)):
        bucket = State().bucket(engine((0, WORKFLOW | waits), (2, LONGER | waits)))
        bucket.on_batch(frames(record("sent", first, id=f"{first}"), record("sent", second, id=f"{second}")), TEN)
        found.append([(f["version"], f["deadline_ms"]) for f in rows(bucket.on_time(TEN + 50 * MINUTE), "F")])
    assert found == [[(2, TEN + 6 * MINUTE)]] * 2


def pulse(bucket: Bucket, minute: float) -> list[bytes]:
    """Time comes to a minute after ten, and a pulse before it."""
    watermark = int(TEN + minute * MINUTE)
    said = {"readers": 1, "bucket": 0, "buckets": 1, "watermark": watermark, "topics": {}}
    outputs = bucket.on_batch(encode([Frame(PULSE, 0, 0, 0, 0, orjson.dumps(said))]), watermark)
    bucket.save()
    return outputs + advance(bucket, watermark)


def advance(bucket: Bucket, watermark: int) -> list[bytes]:
    outputs: list[bytes] = []
    due = bucket.next_timer()
    if due is not None and due <= watermark + 200:
        outputs = bucket.on_time(watermark)
        bucket.save()
    return outputs


def sweep_all(bucket: Bucket, minute: float) -> list[bytes]:
    """Pulses until nothing is under way."""
    outputs = pulse(bucket, minute)
    for _ in range(20):
        outputs += advance(bucket, int(TEN + minute * MINUTE) + 1)
    return outputs


def see(bucket: Bucket, minute: float, *payloads: bytes) -> list[bytes]:
    """Records arrive while time stands at a minute after ten."""
    outputs = bucket.on_batch(frames(*payloads), int(TEN + minute * MINUTE))
    bucket.save()
    return outputs


def found(outputs: Sequence[bytes]) -> list[tuple[str, str, float]]:
    """Findings as (kind, key, minute of the deadline)."""
    return [(f["kind"], f["key"], (f["deadline_ms"] - TEN) / MINUTE) for f in rows(outputs, "F")]


def standing(outputs: Sequence[bytes]) -> dict[str, tuple[str, str]]:
    """The last row of each item: status and reason."""
    last = {row["key"]: row for row in sorted(rows(outputs, "I"), key=lambda r: r["rev"])}
    return {key: (row["status"], row.get("reason", "")) for key, row in last.items()}


def test_new_items_follow_the_new_rule_and_open_ones_the_old() -> None:
    made = engine()
    bucket = State().bucket(made)
    see(bucket, -1, record("sent", 0, key="old"))
    take(made, 0, 2, LONGER)
    see(bucket, 1, record("sent", 2, key="new"), record("sent", 1, key="before"))
    outputs = sweep_all(bucket, 3) + bucket.on_time(NEVER)
    assert found(outputs) == [("missing", "old", 5), ("missing", "before", 6), ("missing", "new", 17)]


@pytest.mark.parametrize("restarts", [False, True])
def test_open_items_move_when_the_rule_says_so_also_those_that_nothing_happens_to(restarts: bool) -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    see(bucket, -1, *[record("sent", n / 60, key=f"T{n}") for n in range(10)])
    change = (2, LONGER | {"migrate": "in_flight"})
    take(made, 0, *change)
    outputs = sweep_all(bucket, 1)
    assert outputs == [], "the version is not in force yet"
    if restarts:
        bucket = state.bucket(engine(change))
    outputs = sweep_all(bucket, 3)
    assert {row["rule_hash"] for row in rows(outputs, "I")} == {compile_workflow(LONGER, version=1, lane="main").hash}
    assert len(rows(outputs, "I")) == 10
    assert found(sweep_all(bucket, 14)) == []
    assert found(bucket.on_time(NEVER)) == [("missing", f"T{n}", 15 + n / 60) for n in range(10)]


def test_a_sweep_that_a_restart_interrupts_begins_again_and_says_nothing_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "SLICE", 3)
    made, state = engine(), State()
    see(state.bucket(made), -1, *[record("sent", 0, key=f"T{n}") for n in range(10)])
    change = (0, WORKFLOW | {"deadlines": [WORKFLOW["deadlines"][0] | {"within": "1m"}], "migrate": "in_flight"})
    told: list[tuple[str, str, float]] = []
    for _ in range(3):  # each gets one slice further: those that have moved need it no more
        bucket = state.bucket(engine(change))
        told += found(pulse(bucket, 2))
    told += found(sweep_all(state.bucket(engine(change)), 2))
    assert sorted(told) == [("missing", f"T{n}", 1) for n in range(10)]


def test_a_sweep_that_is_done_is_not_done_again_after_a_restart() -> None:
    change = (0, LONGER | {"migrate": "in_flight"})
    state = State()
    bucket = state.bucket(engine())
    see(bucket, -1, record("sent", 0))
    sweep_all(state.bucket(engine(change)), 1)
    reads = state.items.reads
    sweep_all(state.bucket(engine(change)), 2)
    assert state.items.reads == reads


def test_an_event_moves_its_item_before_the_sweep_comes_to_it() -> None:
    made = engine()
    bucket = State().bucket(made)
    see(bucket, -1, record("sent", 0))
    take(made, 0, 1, LONGER | {"migrate": "in_flight"})
    see(bucket, 4, record("replied", 6))
    assert found(bucket.on_time(NEVER)) == []


def test_deadlines_up_to_the_change_are_judged_by_the_old_rule_however_late_one_looks() -> None:
    made = engine()
    bucket = State().bucket(made)
    see(bucket, -1, record("sent", 0, key="due before"), record("sent", 6, key="due behind"))
    take(made, 0, 8, LONGER | {"migrate": "in_flight"})
    outputs = bucket.on_time(TEN + 60 * MINUTE)  # time jumps
    assert sorted(found(outputs)) == [
        ("missing", "due before", 5),
        ("missing", "due before", 15),
        ("missing", "due behind", 21),
    ]


def test_a_disabled_workflow_closes_what_is_open_and_begins_nothing() -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    see(bucket, -1, record("sent", 0, key="open"), record("sent", 0, key="done"), record("settled", 1, key="done"))
    take(made, 0, 2, WORKFLOW | {"enabled": False})
    outputs = see(bucket, 1, record("sent", 3, key="meanwhile"), record("replied", 2.5, key="open"))
    assert [row["key"] for row in rows(outputs, "I")] == []
    assert len(rows(outputs, "E")) == 2, "the event log has them"
    outputs = sweep_all(bucket, 2)
    assert standing(outputs) == {"open": ("closed", "disabled by version 2")}
    (row,) = rows(outputs, "I")
    assert (row["ended_ms"], row["pending"], row["next_due_ms"]) == (TEN + 2 * MINUTE, [], None)
    assert found(bucket.on_time(NEVER)) == []
    bucket.save()
    assert state.items.entries == {}


@pytest.mark.parametrize(("within", "said"), [("119s", 1), ("120s", 1), ("121s", 0)])
def test_what_was_due_when_the_workflow_was_disabled_is_still_said(within: str, said: int) -> None:
    made = engine()
    made.put_rule(document(WORKFLOW | {"deadlines": [WORKFLOW["deadlines"][0] | {"within": within}]}))
    bucket = State().bucket(made)
    see(bucket, -1, record("sent", 0))
    take(made, 0, 2, WORKFLOW | {"enabled": False})
    assert len(found(sweep_all(bucket, 30))) == said


def test_what_comes_after_a_workflow_was_enabled_again_starts_afresh_and_what_was_open_is_closed() -> None:
    made = engine((2, WORKFLOW | {"enabled": False}), (4, WORKFLOW))
    bucket = State().bucket(made)
    outputs = see(bucket, -1, record("sent", 0, key="old"), record("sent", 5, key="new"))
    outputs += see(bucket, 4, record("sent", 6, key="old", id="again"))
    outputs += sweep_all(bucket, 7)
    assert standing(outputs) == {"old": ("in_flight", ""), "new": ("in_flight", "")}
    assert ("closed", "disabled by version 2") in {(r["status"], r.get("reason")) for r in rows(outputs, "I")}
    outputs = see(bucket, 7, record("replied", 1, key="old"))
    assert rows(outputs, "I") == [], "a straggler of what is closed is nobody's"
    assert found(bucket.on_time(NEVER)) == [("missing", "new", 10), ("missing", "old", 11)]


def state_of(bucket: Bucket, state: State) -> tuple[set[str], set[str]]:
    bucket.save()
    return set(state.items.entries), {name for name in state.index.entries if name not in ("items", "swept")}


def test_an_event_of_the_time_when_the_workflow_was_disabled_leaves_a_later_item_its_version() -> None:
    bucket = State().bucket(engine((2, WORKFLOW | {"enabled": False}), (3, LONGER)))
    see(bucket, -1, record("sent", 4, id="first"), record("sent", 2.5, id="of the closed time"))
    assert found(bucket.on_time(NEVER)) == [("missing", "T1", 19)]


@pytest.mark.parametrize("restarts", [False, True])
def test_a_withdrawn_workflow_leaves_neither_items_nor_wheel_nor_rules_nor_a_timer(restarts: bool) -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    see(bucket, -1, record("sent", 0), *[record("sent", 1, key=f"far {n}") for n in range(5)])
    see(bucket, 1, record("settled", 1, key="far 0"))
    assert all(state_of(bucket, state))
    take(made, 0, 0, None)
    if restarts:
        bucket = state.bucket(engine((0, None)))
    outputs = sweep_all(bucket, 2)
    assert standing(outputs) == dict.fromkeys(("T1", "far 1", "far 2", "far 3", "far 4"), ("closed", "deleted"))
    assert found(outputs) == []
    assert state_of(bucket, state) == (set(), set())
    assert state.index.entries["items"] == b"0"
    assert bucket.next_timer() is None
    assert rows(see(bucket, 3, record("sent", 4)), "I") == []


def test_a_withdrawn_workflow_leaves_its_neighbours_alone() -> None:
    made, state = engine(), State()
    made.put_rule(document(WORKFLOW | {"workflow": "trade2"}))
    bucket = state.bucket(made)
    see(bucket, -1, record("sent", 0))
    take(made, 0, 0, None)
    sweep_all(bucket, 2)
    items, index = state_of(bucket, state)
    assert items == {"trade2\x1fT1"}
    assert len(index) == 2, "a piece of the wheel, and the rule"
    assert found(bucket.on_time(NEVER)) == [("missing", "T1", 5)]


@pytest.mark.parametrize("swept", [False, True])
@pytest.mark.parametrize("restarts", [False, True])
def test_what_is_put_after_a_withdrawal_begins_anew_however_far_the_clearing_away_has_come(
    swept: bool, restarts: bool
) -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    see(bucket, -1, record("sent", 0))
    take(made, 0, 0, None)
    if swept:
        sweep_all(bucket, 1)
    take(made, 1, 0, WORKFLOW)
    see(bucket, 2, record("sent", 3, id="again"))
    if restarts:
        bucket = state.bucket(engine((0, None), (0, WORKFLOW)))
    outputs = sweep_all(bucket, 4)
    assert standing(outputs).get("T1") == (None if swept else ("closed", "deleted"))
    assert found(bucket.on_time(NEVER)) == [("missing", "T1", 8)]


def test_a_withdrawal_holds_against_the_packs_and_against_earlier_documents_in_whatever_order_they_come() -> None:
    made = engine((0, LONGER), (0, None))
    assert made.spec_at("trade", TEN) is None
    take(made, 0, 0, LONGER)
    assert made.spec_at("trade", TEN) is None
    take(made, 2, 0, LONGER)
    spec = made.spec_at("trade", TEN)
    assert spec is not None
    assert spec.deadlines[0].within == 15 * MINUTE
    take(made, 1, 0, None)
    assert made.spec_at("trade", TEN) is spec


def test_an_empty_value_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="names the workflow"):
        engine().take(RuleRecord(0, 0, 0, b"", b""))


@pytest.mark.parametrize("order", [("sent", "replied"), ("replied", "sent")])
def test_an_item_is_ruled_by_the_version_at_its_earliest_event_whichever_arrives_first(order: tuple[str, ...]) -> None:
    made = engine((2, LONGER))
    bucket = State().bucket(made)
    for kind in order:
        see(bucket, -1, record(kind, {"sent": 1, "replied": 9}[kind]))
    assert found(bucket.on_time(NEVER)) == [("missing", "T1", 6), ("late", "T1", 6)]


def test_an_item_keeps_its_version_when_its_first_event_was_reported_too_late() -> None:
    made = engine((2, LONGER))
    bucket = State().bucket(made)
    see(bucket, -1, record("replied", 9))
    outputs = see(bucket, 10, record("sent", 1))
    assert rows(outputs, "I")[0]["rule_hash"] == compile_workflow(LONGER, version=1, lane="main").hash


def test_a_move_to_a_rule_that_knows_none_of_the_steps_closes_the_item() -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    see(bucket, -1, record("sent", 0))
    other = {"workflow": "trade", "key": "trade_id", "steps": {"open": {"on": "opened", "start": True}}}
    take(made, 0, 1, other | {"migrate": "in_flight"})
    outputs = sweep_all(bucket, 2)
    assert standing(outputs) == {"T1": ("closed", "moved to version 2, which has none of its steps")}
    bucket.save()
    assert state.items.entries == {}


def test_an_item_that_begins_in_the_past_of_a_version_that_migrates_moves_at_once() -> None:
    made = engine((2, LONGER | {"migrate": "in_flight"}))
    bucket = State().bucket(made)
    outputs = see(bucket, 3, record("sent", 1))
    assert rows(outputs, "I")[0]["rule_hash"] == compile_workflow(LONGER, version=1, lane="main").hash
    assert found(bucket.on_time(NEVER)) == [("missing", "T1", 16)]


def test_rules_that_touch_no_open_item_make_no_plans() -> None:
    assert engine((1, LONGER), (2, WORKFLOW)).plans == {}
