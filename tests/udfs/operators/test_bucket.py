"""A bucket: batches of records in, tagged rows out, state in between."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from udfs.core.codec import decode
from udfs.core.codec import encode as encode_item
from udfs.core.state import NEVER
from udfs.operators.advance import MOST_EVENTS
from udfs.operators.batch import NO_KEY, Frame, encode, split_element
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

WORKFLOW: dict[str, Any] = {
    "workflow": "trade",
    "key": "trade_id",
    "groups": ["market"],
    "steps": {
        "send": {"on": "sent", "start": True},
        "reply": {"on": "replied"},
        "settle": {"on": "settled", "end": "completed"},
    },
    "flow": ["send -> reply -> settle"],
    "deadlines": [{"id": "reply", "after": "send", "expect": "reply", "within": "5m"}],
    "duplicates": {"policy": "flag"},
    "remember": "1h",
}
MAPPING: dict[str, Any] = {
    "source": "trades",
    "format": "cloudevents",
    "keys": {"trade_id": "data.trade_id"},
    "groups": {"market": "data.market"},
    "amount": "data.amount",
    "pii": {"data.contact": "mask"},
}


def engine(**changes: Any) -> Engine:
    made = Engine("main", [compile_mapping(MAPPING)], ["events"], compile_workflow)
    made.put_rule(document(WORKFLOW | changes))
    return made


def document(definition: dict[str, Any], **more: Any) -> bytes:
    return orjson.dumps(
        {"workflow": definition["workflow"], "version": 1, "effective_from": 0, "definition": definition, **more}
    )


def record(kind: str, minute: float, key: str = "T1", id: str = "") -> bytes:
    at = f"2026-03-02T10:{int(minute):02d}:{int(minute % 1 * 60):02d}Z"
    data = {"trade_id": key, "market": "EU", "amount": 5.5, "contact": "Ann"}
    return orjson.dumps(
        {"specversion": "1.0", "id": id or f"{key}-{kind}", "source": "/t", "type": kind, "time": at, "data": data}
    )


def frames(*payloads: bytes, key: int = 0) -> bytes:
    return encode(Frame(0, key, 0, n, 1_700_000_000_000, payload) for n, payload in enumerate(payloads))


def saved(*payloads: bytes) -> State:
    """The state after these records."""
    state = State()
    bucket = state.bucket(engine())
    bucket.on_batch(frames(*payloads), -NEVER)
    bucket.save()
    return state


def rows(outputs: Sequence[bytes], tag: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(line)
        for output in outputs
        for kind, _, value in [split_element(output)]
        if kind == tag
        for line in value.split(b"\n")
    ]


def test_a_batch_becomes_event_transition_and_item_rows() -> None:
    outputs = State().bucket(engine()).on_batch(frames(record("sent", 0), record("replied", 1)), -NEVER)
    assert [r["step"] for r in rows(outputs, "T")] == ["send", "reply"]
    (item,) = rows(outputs, "I")
    assert (item["status"], item["step"], item["events"], item["groups"], item["amount"]) == (
        "in_flight",
        "reply",
        2,
        {"market": "EU"},
        5.5,
    )
    assert [r["type"] for r in rows(outputs, "E")] == ["sent", "replied"]
    assert all(split_element(o)[1] == b"7" for o in outputs), "rows of one bucket keep their order in Kafka"


def test_an_engine_that_flink_sends_to_its_workers_knows_the_same_rules() -> None:
    made = engine()
    made.recall(document(WORKFLOW | {"remember": "2h"}))
    copy = pickle.loads(pickle.dumps(made))  # noqa: S301 (ours)
    assert copy.specs == made.specs
    assert copy.documents == made.documents
    assert copy.spec_at("trade", 0) == made.spec_at("trade", 0) is not None
    assert copy.workflows("trade_id", "sent") == ("trade",)
    assert [mapping.key_names for mapping in copy.mappings] == [("trade_id",)]


def test_personal_data_is_masked_before_it_leaves() -> None:
    outputs = State().bucket(engine()).on_batch(frames(record("sent", 0)), -NEVER)
    assert b"Ann" not in b"".join(outputs)


def test_time_brings_a_missing_finding_and_its_item_row() -> None:
    bucket = State().bucket(engine())
    bucket.on_batch(frames(record("sent", 0)), -NEVER)
    due = bucket.next_timer()
    assert due is not None
    outputs = bucket.on_time(due)
    assert [(f["kind"], f["rule"], f["key"], f["deadline_ms"]) for f in rows(outputs, "F")] == [
        ("missing", "reply", "T1", due - 99)
    ]
    (item,) = rows(outputs, "I")
    assert (item["missing"], item["pending"], item["next_due_ms"]) == (1, [], None)


def test_a_finding_says_what_is_at_stake_as_far_as_it_is_known() -> None:
    bucket = State().bucket(engine())
    unvalued = record("sent", 0, "T2").replace(b'"amount":5.5', b'"amount":"?"')
    bucket.on_batch(frames(record("sent", 0), unvalued), -NEVER)
    due = bucket.next_timer()
    assert due is not None
    assert {f["key"]: f["amount"] for f in rows(bucket.on_time(due), "F")} == {"T1": 5.5, "T2": None}


def test_an_item_that_was_only_looked_at_too_early_is_neither_told_nor_stored_again() -> None:
    state = State()
    bucket = state.bucket(engine())
    bucket.on_batch(frames(record("sent", 0), record("replied", 1)), -NEVER)
    bucket.save()
    due = bucket.next_timer()
    assert due is not None
    written = state.items.writes
    assert bucket.on_time(due) == []
    bucket.save()
    assert state.items.writes == written


@pytest.mark.parametrize(
    ("payload", "key", "reason"),
    [
        (b"\xff\xfe", NO_KEY, "not_json"),
        (b"[1]", NO_KEY, "not_an_object"),
        (b'{"id":"1"}', NO_KEY, "no_key"),
        (b'{"id":"1","data":{"trade_id":"T"},"time":"2026-01-01T00:00:00Z"}', 0, "no_type"),
        (b'{"id":"1","type":"sent","data":{"trade_id":"T"}}', 0, "no_time"),
        (b'{"id":"1","type":"sent","time":"noon","data":{"trade_id":"T"}}', 0, "bad_time"),
        (b'{"x":"' + b"y" * (1 << 20) + b'"}', NO_KEY, "too_large"),
    ],
)
def test_what_cannot_be_read_becomes_a_dead_letter_with_its_bytes(payload: bytes, key: int, reason: str) -> None:
    outputs = State().bucket(engine()).on_batch(frames(payload, key=key), -NEVER)
    (letter,) = rows(outputs, "D")
    assert (letter["reason"], letter["topic"], letter["partition"], letter["offset"]) == (reason, "events", 0, 0)
    assert letter["detail"]


def test_a_bad_record_does_not_touch_its_neighbours() -> None:
    outputs = State().bucket(engine()).on_batch(frames(record("sent", 0), b"{", record("replied", 1)), -NEVER)
    assert len(rows(outputs, "D")) == 1
    assert len(rows(outputs, "T")) == 2


def test_a_duplicate_is_marked_in_the_event_log_and_counted_on_its_item() -> None:
    outputs = State().bucket(engine()).on_batch(frames(record("sent", 0), record("sent", 0)), -NEVER)
    assert [r["duplicate"] for r in rows(outputs, "E")] == [0, 1]
    assert rows(outputs, "I")[0]["other"] == 1


def test_an_item_keeps_the_rule_that_it_began_under_even_if_a_later_engine_does_not_know_it() -> None:
    state = State()
    old = state.bucket(engine())
    old.on_batch(frames(record("sent", 0)), -NEVER)
    old.save()
    newer = state.bucket(engine(deadlines=[]))
    outputs = newer.on_batch(frames(record("sent", 1, key="T2")), -NEVER) + newer.on_time(NEVER)
    assert [f["key"] for f in rows(outputs, "F")] == ["T1"]


def test_an_item_is_answered_by_the_event_types_of_the_rule_that_it_began_under() -> None:
    state = State()
    old = state.bucket(engine())
    old.on_batch(frames(record("sent", 0)), -NEVER)
    old.save()
    steps = WORKFLOW["steps"] | {"reply": {"on": "answered"}}
    newer = state.bucket(engine(steps=steps))
    outputs = newer.on_batch(frames(record("replied", 1)), -NEVER) + newer.on_time(NEVER)
    assert [f["kind"] for f in rows(outputs, "F")] == []


def test_an_event_is_followed_by_the_key_of_the_rule_in_force_only() -> None:
    mapping = MAPPING | {"keys": {"trade_id": "data.trade_id", "order_id": "data.order_id"}}
    made = Engine("main", [compile_mapping(mapping)], ["events"], compile_workflow)
    for version, key in ((1, "trade_id"), (2, "order_id")):
        made.put_rule(document(WORKFLOW | {"key": key}, version=version))
    payload = orjson.dumps(orjson.loads(record("sent", 0)) | {"data": {"trade_id": "T1", "order_id": "O1"}})
    bucket = State().bucket(made)
    copies = [Frame(0, key, 0, 1, 0, payload) for key in (0, 1)]
    assert [i["key"] for i in rows(bucket.on_batch(encode(copies), -NEVER), "I")] == ["O1"]


def test_of_two_rules_alike_in_time_and_version_the_later_one_holds_also_the_second_time() -> None:
    made = engine()
    for within in ("1m", "9m", "1m"):
        deadline = WORKFLOW["deadlines"][0] | {"within": within}
        made.put_rule(document(WORKFLOW | {"deadlines": [deadline]}))
    spec = made.spec_at("trade", 0)
    assert spec is not None
    assert spec.deadlines[0].within == 60_000


def test_a_new_runbook_holds_at_once() -> None:
    made = engine()
    deadline = WORKFLOW["deadlines"][0] | {"runbook": "https://wiki.example/reply"}
    made.put_rule(document(WORKFLOW | {"deadlines": [deadline]}))
    bucket = State().bucket(made)
    outputs = bucket.on_batch(frames(record("sent", 0)), -NEVER) + bucket.on_time(NEVER)
    assert [f["runbook"] for f in rows(outputs, "F")] == ["https://wiki.example/reply"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"[]",
        b'{"version": 1}',
        document(WORKFLOW, version=1e300),
        document(WORKFLOW, effective_from=-1),
        document(WORKFLOW, workflow="another"),
    ],
)
def test_a_garbage_rule_is_refused_and_the_one_in_force_stays(garbage: bytes) -> None:
    made = engine()
    with pytest.raises(ValueError, match=r"give|document|definition"):
        made.put_rule(garbage)
    assert made.spec_at("trade", 0) is not None


def test_an_item_that_fails_does_not_silence_its_bucket() -> None:
    state = State()
    bucket = state.bucket(engine())
    bucket.on_batch(frames(*[record("sent", 0, key=f"T{n}") for n in range(5)]), -NEVER)
    bucket.save()
    spoilt = decode(state.items.entries["trade\x1fT2"])
    spoilt.spec = "unknown"
    state.items.entries["trade\x1fT2"] = encode_item(spoilt)
    bucket = state.bucket(engine())
    assert sorted(f["key"] for f in rows(bucket.on_time(NEVER), "F")) == ["T0", "T1", "T3", "T4"]


def test_what_cannot_be_read_from_state_does_not_hold_up_the_rest() -> None:
    state = saved(record("sent", 0))
    state.items.entries["trade\x1fT0"] = b"\xc1"
    state.index.entries["\x1fdead"] = b"{}"
    newer = state.bucket(engine())
    assert [f["key"] for f in rows(newer.on_time(NEVER), "F")] == ["T1"]


def test_an_item_that_cannot_be_read_is_left_there_and_tried_again_after_an_hour() -> None:
    state = saved(record("sent", 0))
    (good,) = state.items.entries.values()
    state.items.entries["trade\x1fT1"] = b"\xc1"
    bucket = state.bucket(engine())
    half_past = 1_772_447_400_000
    assert bucket.on_time(half_past) == []
    bucket.save()
    assert state.items.entries["trade\x1fT1"] == b"\xc1"
    state.items.entries["trade\x1fT1"] = good
    due = state.bucket(engine()).next_timer()
    assert due is not None
    assert half_past < due <= half_past + 3_600_099
    assert [f["kind"] for f in rows(bucket.on_time(half_past + 3_600_000), "F")] == ["missing"]


def test_an_event_of_an_item_that_cannot_be_read_does_not_begin_it_anew() -> None:
    state = saved(record("sent", 0))
    state.items.entries["trade\x1fT1"] = b"\x91\x63"
    bucket = state.bucket(engine())
    with pytest.raises(ValueError, match="newer Daymark"):  # Detect makes a dead letter of the record
        bucket.on_batch(frames(record("replied", 1)), -NEVER)


def test_a_bucket_that_an_earlier_daymark_saved_is_taken_over() -> None:
    state = saved(record("sent", 0), record("sent", 1, key="T2"), record("replied", 2, key="T2"))
    earlier = {k: v for k, v in state.index.entries.items() if k.startswith("\x1f")} | state.items.entries
    assert len(earlier) == 3
    state = State(earlier)
    bucket = state.bucket(engine(deadlines=[]))  # so that the rule can come from state only
    bucket.save()
    assert state.index.entries["items"] == b"2"
    again = state.bucket(engine(deadlines=[]))
    for one in (bucket, again):
        assert [f["key"] for f in rows(one.on_time(NEVER), "F")] == ["T1"]


def test_a_key_that_is_none_does_not_grow_for_ever() -> None:
    bucket = State().bucket(engine())
    outputs = bucket.on_batch(frames(*[record("sent", 0, id=f"e{n}") for n in range(MOST_EVENTS + 3)]), -NEVER)
    assert [letter["reason"] for letter in rows(outputs, "D")] == ["invalid_event"] * 3


def test_a_record_that_another_mapping_takes_but_whose_key_it_lacks_is_a_dead_letter() -> None:
    first = compile_mapping(MAPPING | {"when": {"kind": "trade"}})
    second = compile_mapping(MAPPING | {"keys": {"file_id": "data.file_id"}, "when": {"kind": "file"}})
    made = Engine("main", [first, second], ["events", "events"], compile_workflow)
    payload = orjson.dumps(orjson.loads(record("sent", 0)) | {"kind": "file"})
    assert [d["reason"] for d in rows(State().bucket(made).on_batch(frames(payload), -NEVER), "D")] == ["invalid_event"]


def test_the_row_of_an_item_never_goes_back_behind_one_that_was_sent() -> None:
    bucket = State().bucket(engine())
    (before,) = rows(bucket.on_batch(frames(record("sent", 0), record("replied", 2, id="r")), -NEVER), "I")
    (after,) = rows(bucket.on_batch(frames(record("replied", 1, id="r")), -NEVER), "I")
    assert after["rev"] > before["rev"]


def test_a_straggler_does_not_move_the_end_of_an_item() -> None:
    bucket = State().bucket(engine())
    sent, settled, late = record("sent", 0), record("settled", 2), record("replied", 3)
    (row,) = rows(bucket.on_batch(frames(sent, settled, late), -NEVER), "I")
    assert (row["status"], row["step"], row["ended_ms"] - row["started_ms"]) == ("completed", "settle", 120_000)


def test_a_deadline_that_was_answered_is_not_pending_even_while_its_warning_is() -> None:
    deadline = WORKFLOW["deadlines"][0] | {"warn": "1m"}
    bucket = State().bucket(engine(deadlines=[deadline]))
    (row,) = rows(bucket.on_batch(frames(record("sent", 0), record("replied", 2)), -NEVER), "I")
    assert (row["pending"], row["next_due_ms"]) == ([], None)


@pytest.mark.parametrize(("reply", "overdue"), [(None, 1), (9, 0), (2, 0)])
def test_overdue_is_what_was_missing_and_neither_late_nor_reported_late(reply: float | None, overdue: int) -> None:
    bucket = State().bucket(engine())
    bucket.on_batch(frames(record("sent", 0)), -NEVER)
    ten_past = 1_772_446_200_000
    outputs = bucket.on_time(ten_past)
    if reply:
        outputs = bucket.on_batch(frames(record("replied", reply)), ten_past)
    (row,) = rows(outputs, "I")
    assert (row["missing"], row["overdue"]) == (1, overdue)


def test_each_run_of_a_key_has_its_own_rows_and_groups() -> None:
    bucket = State().bucket(engine())
    later = orjson.loads(record("sent", 0)) | {"id": "again", "time": "2026-05-01T00:00:00Z"}
    later["data"] = later["data"] | {"market": "US"}
    outputs = bucket.on_batch(frames(record("sent", 0), orjson.dumps(later)), -NEVER) + bucket.on_time(NEVER)
    last = {row["run_ms"]: row for row in sorted(rows(outputs, "I"), key=lambda r: r["rev"])}
    assert [(row["status"], row["groups"]["market"], row["missing"]) for row in last.values()] == [
        ("expired", "EU", 1),
        ("expired", "US", 1),
    ]
    assert [f["groups"]["market"] for f in rows(outputs, "F")] == ["EU", "US"]


def test_copies_are_marked_in_the_event_log_also_where_they_are_dropped() -> None:
    bucket = State().bucket(engine(duplicates={"policy": "drop"}))
    outputs = bucket.on_batch(frames(record("sent", 0), record("sent", 0)), -NEVER)
    assert [r["duplicate"] for r in rows(outputs, "E")] == [0, 1]


def traffic(rng: random.Random) -> list[bytes]:
    """Trades with faults, in arrival order."""
    made: list[tuple[float, bytes]] = []
    for n in range(60):
        at, key = rng.uniform(0, 30), f"T{n}"
        for kind, delay in (("sent", 0.0), ("replied", rng.choice([1, 2, 4.9, 5, 5.1, 9])), ("settled", 12.0)):
            if rng.random() < 0.9:
                made += [(at + delay, record(kind, at + delay, key))] * (2 if rng.random() < 0.1 else 1)
    made.sort(key=lambda m: m[0])
    return [payload for _, payload in made]


def told(batches: list[list[bytes]], restart: Callable[[], bool]) -> dict[str, tuple[Any, ...]]:
    """The last words under each finding's id, each item's last row, and each transition."""
    state = State()
    bucket = state.bucket(engine())
    outputs: list[bytes] = []
    for batch in batches:
        outputs += bucket.on_batch(frames(*batch), -NEVER)
        bucket.save()
        if restart():
            bucket = state.bucket(engine())
    outputs += bucket.on_time(NEVER)
    bucket.save()
    assert state.items.entries == {}, "after the end, no item is left in state"
    wheel = {k for k in state.index.entries if k != "items" and not k.startswith("\x1f")}
    assert wheel == set(), "nor is anything on the wheel"
    words: dict[str, tuple[Any, ...]] = {f["id"]: tuple(f.values()) for f in rows(outputs, "F")}
    words |= {f"{t['key']} {t['event_id']}": (t["step"], t["previous"], t["duration_ms"]) for t in rows(outputs, "T")}
    for item in sorted(rows(outputs, "I"), key=lambda r: r["rev"]):
        words[item["key"]] = (item["status"], item["events"], item["missing"], item["late"], item["other"])
    return {k: str(v) for k, v in words.items()}  # type: ignore[misc]


@pytest.mark.parametrize("seed", range(10))
def test_how_records_are_cut_into_batches_and_restarts_between_them_change_nothing(seed: int) -> None:
    rng = random.Random(seed)
    stream = traffic(rng)
    whole = told([stream], lambda: False)
    single = told([[payload] for payload in stream], lambda: False)
    cuts = sorted(rng.sample(range(len(stream)), 12))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert whole == single == told(parts, lambda: rng.random() < 0.5)
    assert any("missing" in words for words in whole.values())
