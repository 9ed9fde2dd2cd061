"""A bucket: batches of records in, tagged rows out, state in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import pytest

from udfs.core.state import NEVER
from udfs.operators.batch import NO_KEY, Frame, encode, split_element
from udfs.operators.bucket import Bucket
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
    made.put_rule(
        orjson.dumps({"workflow": "trade", "version": 1, "effective_from": 0, "definition": WORKFLOW | changes})
    )
    return made


def record(kind: str, minute: float, key: str = "T1", id: str = "") -> bytes:
    at = f"2026-03-02T10:{int(minute):02d}:{int(minute % 1 * 60):02d}Z"
    data = {"trade_id": key, "market": "EU", "amount": 5.5, "contact": "Ann"}
    return orjson.dumps(
        {"specversion": "1.0", "id": id or f"{key}-{kind}", "source": "/t", "type": kind, "time": at, "data": data}
    )


def frames(*payloads: bytes, key: int = 0) -> bytes:
    return encode(Frame(0, key, 0, n, 1_700_000_000_000, payload) for n, payload in enumerate(payloads))


def rows(outputs: Sequence[bytes], tag: str) -> list[dict[str, Any]]:
    return [
        orjson.loads(line)
        for output in outputs
        for kind, _, value in [split_element(output)]
        if kind == tag
        for line in value.split(b"\n")
    ]


def test_a_batch_becomes_event_transition_and_item_rows() -> None:
    outputs = Bucket(engine(), "7", []).on_batch(frames(record("sent", 0), record("replied", 1)), -NEVER)
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


def test_personal_data_is_masked_before_it_leaves() -> None:
    outputs = Bucket(engine(), "7", []).on_batch(frames(record("sent", 0)), -NEVER)
    assert b"Ann" not in b"".join(outputs)


def test_time_brings_a_missing_finding_and_its_item_row() -> None:
    bucket = Bucket(engine(), "7", [])
    bucket.on_batch(frames(record("sent", 0)), -NEVER)
    due = bucket.next_timer()
    assert due is not None
    outputs = bucket.on_time(due)
    assert [(f["kind"], f["rule"], f["key"], f["deadline_ms"]) for f in rows(outputs, "F")] == [
        ("missing", "reply", "T1", due - 99)
    ]
    (item,) = rows(outputs, "I")
    assert (item["missing"], item["pending"], item["next_due_ms"]) == (1, [], None)


def test_an_item_that_was_only_looked_at_too_early_is_neither_told_nor_stored_again() -> None:
    bucket = Bucket(engine(), "7", [])
    bucket.on_batch(frames(record("sent", 0), record("replied", 1)), -NEVER)
    bucket.changes()
    due = bucket.next_timer()
    assert due is not None
    assert bucket.on_time(due) == []
    assert bucket.changes() == ({}, [])


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
    outputs = Bucket(engine(), "7", []).on_batch(frames(payload, key=key), -NEVER)
    (letter,) = rows(outputs, "D")
    assert (letter["reason"], letter["topic"], letter["partition"], letter["offset"]) == (reason, "events", 0, 0)
    assert letter["detail"]


def test_a_bad_record_does_not_touch_its_neighbours() -> None:
    outputs = Bucket(engine(), "7", []).on_batch(frames(record("sent", 0), b"{", record("replied", 1)), -NEVER)
    assert len(rows(outputs, "D")) == 1
    assert len(rows(outputs, "T")) == 2


def test_a_duplicate_is_marked_in_the_event_log_and_counted_on_its_item() -> None:
    outputs = Bucket(engine(), "7", []).on_batch(frames(record("sent", 0), record("sent", 0)), -NEVER)
    assert [r["duplicate"] for r in rows(outputs, "E")] == [0, 1]
    assert rows(outputs, "I")[0]["other"] == 1


def test_an_item_keeps_the_rule_that_it_began_under_even_if_a_later_engine_does_not_know_it() -> None:
    store: dict[str, bytes] = {}
    old = Bucket(engine(), "7", [])
    old.on_batch(frames(record("sent", 0)), -NEVER)
    save(old, store)
    newer = Bucket(engine(deadlines=[]), "7", store.items())
    outputs = newer.on_batch(frames(record("sent", 1, key="T2")), -NEVER) + newer.on_time(NEVER)
    assert [f["key"] for f in rows(outputs, "F")] == ["T1"]


def save(bucket: Bucket, store: dict[str, bytes]) -> None:
    puts, removes = bucket.changes()
    store.update(puts)
    for key in removes:
        del store[key]


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
    store: dict[str, bytes] = {}
    shared = engine()
    bucket = Bucket(shared, "7", [])
    outputs: list[bytes] = []
    for batch in batches:
        outputs += bucket.on_batch(frames(*batch), -NEVER)
        save(bucket, store)
        if restart():
            bucket = Bucket(engine(), "7", store.items())
    outputs += bucket.on_time(NEVER)
    save(bucket, store)
    assert {k for k in store if not k.startswith("\x1f")} == set(), "after the end, no item is left in state"
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
