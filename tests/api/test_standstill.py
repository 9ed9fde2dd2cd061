"""Whole steps that stand still, out of the history: told once, and told again when something leaves them."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from kafka import TopicPartition

from api.publish import PublishError, Record
from api.rulebook import Rulebook, RulesUnknown
from api.settings import Settings
from api.standstill import Standstill
from api.store import Store
from tests.api.rows import T0, finding, insert, item, progress, transition
from udfs.operators.batch import RuleRecord
from udfs.packs.load import load_pack

PACK = """
workflow: w
key: id
steps:
  a: {on: a, start: true}
  b: {on: b}
  c: {on: c, end: completed}
flow: [a -> b -> c]
stalled: {times: 3, usual: {a: 10s}, severity: high}
"""
DUE = T0 + 30_000


class Broker:
    """In place of Kafka and the loader: what is published is in the store at once."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.records: list[Record] = []

    def publish(self, records: list[Record]) -> None:
        self.records += records
        for record in records:
            assert record.value is not None
            self.store.insert("findings", record.value)


@pytest.fixture
def packed(settings: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "w.yaml").write_text(PACK)
    return settings.model_copy(update={"packs": [tmp_path / "w.yaml"]})


@pytest.fixture
def broker(store: Store) -> Broker:
    return Broker(store)


@pytest.fixture
def steps(store: Store, broker: Broker, packed: Settings) -> Standstill:
    return Standstill(store, broker, packed, Rulebook(packed))  # type: ignore[arg-type]


def waits(store: Store, key: str, since: int, step: str = "a", **more: Any) -> None:
    insert(store, "items", item(key=key, run_ms=since, step=step, started_ms=since, updated_ms=since, **more))


def leaves(store: Store, key: str, came: int, at: int) -> None:
    """From a to b: the item's row says so too."""
    insert(
        store, "transitions", transition(key=key, event_id="b", step="b", previous="a", at_ms=at, previous_at_ms=came)
    )
    insert(store, "items", item(key=key, run_ms=came, step="b", started_ms=came, updated_ms=at, rev=2))


def told(steps: Standstill, watermark: int) -> list[dict[str, Any]]:
    return [orjson.loads(row) for row in steps.tell(watermark)]


@pytest.mark.parametrize(("now", "found"), [(DUE - 1, 0), (DUE, 1), (DUE + 1, 1)])
def test_a_step_that_nothing_leaves_stands_still(store: Store, steps: Standstill, now: int, found: int) -> None:
    leaves(store, "L", T0 - 9_000, T0)
    waits(store, "K1", T0 - 5_000)
    waits(store, "K2", T0 + 5_000)
    assert len(told(steps, now)) == found


@pytest.mark.parametrize(("at", "found"), [(DUE - 1, 0), (DUE, 0), (DUE + 1, 1)])
def test_what_leaves_by_that_very_instant_is_in_time_and_what_leaves_later_waited_then(
    store: Store, steps: Standstill, at: int, found: int
) -> None:
    leaves(store, "K1", T0, at)
    assert len(told(steps, DUE)) == found


def test_the_row_is_one_of_the_topic_and_says_what_waits(store: Store, steps: Standstill, broker: Broker) -> None:
    leaves(store, "L", T0 - 9_000, T0)
    waits(store, "K1", T0 - 5_000)
    waits(store, "K2", T0 + 5_000)
    [row] = told(steps, DUE)
    assert row.keys() == finding().keys()
    assert (row["kind"], row["rule"], row["key"], row["step"], row["occurrence"]) == (
        "stalled",
        "stalled",
        "a",
        "a",
        "step",
    )
    assert (row["because"], row["severity"], row["at_ms"]) == ("2 items wait", "high", None)
    assert (row["since_ms"], row["deadline_ms"]) == (T0, DUE)
    assert [(record.topic, record.key) for record in broker.records] == [("daymark.findings", b"a")]


def test_it_is_told_once_and_once_more_under_its_id_when_something_leaves(store: Store, steps: Standstill) -> None:
    waits(store, "K1", T0)
    [first] = told(steps, DUE)
    waits(store, "K2", T0 + 1000)
    assert told(steps, DUE + 60_000) == []
    leaves(store, "K1", T0, DUE + 70_000)
    [again] = told(steps, DUE + 80_000)
    assert again == first | {"at_ms": DUE + 70_000, "delta_ms": 70_000}
    assert told(steps, DUE + 80_000) == []
    [next_one] = told(steps, DUE + 100_000)
    assert (next_one["since_ms"], next_one["because"]) == (DUE + 70_000, "1 item waits")


def test_nothing_waits_where_items_have_ended_or_have_been_overtaken_or_the_usual_is_unknown(
    store: Store, steps: Standstill
) -> None:
    waits(store, "E", T0, status="expired")
    waits(store, "O", T0 - 90_000)
    leaves(store, "L", T0 - 9_000, T0)
    waits(store, "B", T0, step="b")
    waits(store, "R", T0, lane="replay-1")
    assert told(steps, DUE + 600_000) == []


def test_what_was_seen_is_usual_where_the_workflow_says_nothing(store: Store, steps: Standstill) -> None:
    document = orjson.dumps({"workflow": "w", "statistics": {"steps": {"b": {"count": 50, "p95": 20_000}}}})
    steps._rulebook.engine.take(RuleRecord(0, 0, 0, b"@statistics/w", document))
    waits(store, "B", T0, step="b")
    assert told(steps, T0 + 59_999) == []
    assert [(row["step"], row["deadline_ms"]) for row in told(steps, T0 + 60_000)] == [("b", T0 + 60_000)]


def test_while_a_source_is_blind_nothing_is_said_of_what_it_feeds(store: Store, steps: Standstill) -> None:
    now = time.time_ns() // 1_000_000
    waits(store, "K1", now - 50_000)
    silent = {"kind": "blind", "workflow": "", "key": "s", "occurrence": "v,w", "since_ms": now - 40_000}
    insert(store, "findings", finding(deadline_ms=now - 20_001, **silent))
    assert told(steps, now) == []
    insert(store, "findings", finding(deadline_ms=now - 20_001, **silent, at_ms=now))
    assert len(told(steps, now)) == 1


def test_time_is_the_lanes_of_one_look_ago(store: Store, steps: Standstill, broker: Broker) -> None:
    waits(store, "K1", T0)
    steps.look()
    insert(store, "progress", progress(watermark_ms=DUE, parallelism=2, at_ms=T0 + 1))
    steps.look()
    steps.look()
    assert broker.records == []  # the other subtask isn't known yet
    insert(store, "progress", progress(subtask=1, watermark_ms=DUE + 1, parallelism=2, at_ms=T0 + 1))
    steps.look()
    assert broker.records == []
    steps.look()
    assert len(broker.records) == 1


def test_without_a_broker_the_rules_are_not_known(packed: Settings) -> None:
    with pytest.raises(RulesUnknown, match=r"daymark\.rules"):
        Rulebook(packed).refresh()


class Topic:
    """In place of a KafkaConsumer: one partition, with the records that are in it."""

    def __init__(self, log: list[tuple[bytes, bytes | None]]) -> None:
        self.log, self.place = log, 0

    def assign(self, places: list[TopicPartition]) -> None:
        self.at = places[0]

    def seek_to_beginning(self, place: TopicPartition) -> None:
        self.place = 0

    def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {self.at: len(self.log)}

    def position(self, place: TopicPartition) -> int:
        return self.place

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[SimpleNamespace]]:
        fresh = enumerate(self.log[self.place :], self.place)
        self.place = len(self.log)
        return {self.at: [SimpleNamespace(partition=0, offset=n, timestamp=0, key=k, value=v) for n, (k, v) in fresh]}

    def close(self, **_: Any) -> None:
        pass


def test_rules_that_are_put_and_withdrawn_while_it_runs_hold_here_too(
    packed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[tuple[bytes, bytes | None]] = [(b"x", b"no rule")]
    monkeypatch.setattr("api.rulebook.KafkaConsumer", lambda **_: Topic(log))
    book = Rulebook(packed)
    book.refresh()
    [first] = book.in_force(T0)
    definition = load_pack(packed.packs[0]).workflows[0].data  # (plain YAML would read `on` as a truth value)
    definition |= {"version": 2, "stalled": definition["stalled"] | {"times": 4}}
    log.append((b"w", orjson.dumps({"workflow": "w", "version": 2, "effective_from": T0, "definition": definition})))
    book.refresh()
    assert [spec.stalls[0] for spec in (*book.in_force(T0 - 1), *book.in_force(T0))] == [30_000, 40_000]
    assert book.in_force(T0 - 1)[0].hash == first.hash
    log.append((b"w", None))
    book.refresh()
    book.close()
    book.refresh()
    assert book.in_force(T0) == []


def test_a_topic_that_does_not_come_to_its_end_is_given_up(packed: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = Topic([(b"w", b"{}")])
    monkeypatch.setattr(stuck, "poll", lambda **_: {})
    monkeypatch.setattr("api.rulebook.KafkaConsumer", lambda **_: stuck)
    monkeypatch.setattr("api.rulebook.PATIENCE_S", 0.0)
    with pytest.raises(RulesUnknown, match="not read to its end"):
        Rulebook(packed).refresh()


class Looks:
    """In place of an Event: is set after some looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def wait(self, seconds: float) -> bool:
        assert seconds == 60
        self.left -= 1
        return self.left < 0


def test_what_fails_is_logged_and_told_at_the_next_look(
    store: Store, steps: Standstill, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    waits(store, "K1", T0)
    insert(store, "progress", progress(watermark_ms=DUE))
    away = iter([PublishError("no broker")])
    broker = steps._publisher
    publish = broker.publish

    def fails_once(records: list[Record]) -> None:
        for fault in away:
            raise fault
        publish(records)

    monkeypatch.setattr(broker, "publish", fails_once)
    monkeypatch.setattr("api.rulebook.KafkaConsumer", lambda **_: Topic([]))
    steps.run(Looks(4))  # type: ignore[arg-type]
    assert "whether steps stand still could not be told: no broker" in caplog.text
    assert [row["step"] for row in store.query("statistics/standing", lane="main", workflow="w", since_ms=0)] == ["a"]


def test_it_never_looks_where_that_is_the_setting(store: Store, broker: Broker, packed: Settings) -> None:
    never = packed.model_copy(update={"stalled_every_s": 0})
    Standstill(store, broker, never, Rulebook(never)).run(Looks(1))  # type: ignore[arg-type]
    assert broker.records == []
