"""The loader on a real broker: nothing lost, nothing twice, nothing stuck."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaProducer, TopicPartition

from api.inserts import Message
from api.loader import TOPICS, Loader
from api.metrics import Metrics
from api.settings import Settings
from api.stack.kafka import KafkaBroker
from api.store import Store, StoreError
from jobs.ticks import write_tick
from tests.api.rows import T0, event, finding, history, item, lines, transition
from tests.kafka_help import create_topic, eventually
from tests.sql.test_identities import aggregates

pytestmark = pytest.mark.real


@pytest.fixture
def loading(broker: KafkaBroker, settings: Settings) -> Settings:
    """Settings with result topics of the test's own."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    for topic in TOPICS:
        create_topic(broker.bootstrap, prefix + topic, 2)
    update = {"kafka": broker.bootstrap, "topic_prefix": prefix, "loader_group": prefix + "loader"}
    return settings.model_copy(update=update)


@pytest.fixture
def produce(loading: Settings) -> Iterator[Callable[..., None]]:
    """Sends values to a result topic, in order, into one partition."""
    producer = KafkaProducer(bootstrap_servers=loading.kafka)

    def send(topic: str, *values: bytes) -> None:
        for value in values:
            producer.send(loading.topic_prefix + topic, value, partition=0)
        producer.flush()

    yield send
    producer.close()


@contextmanager
def running(store: Store, settings: Settings) -> Iterator[Loader]:
    loader, stop = Loader(store, settings, Metrics()), threading.Event()
    thread = threading.Thread(target=loader.run, args=(stop,))
    thread.start()
    try:
        yield loader
    finally:
        stop.set()
        thread.join(20)
    assert not thread.is_alive()


def count(store: Store, table: str) -> int:
    return int(store.run("SELECT count() AS n FROM {table:Identifier} FINAL", table=table)[0]["n"])


def test_rows_of_every_topic_reach_their_table(store: Store, loading: Settings, produce: Callable[..., None]) -> None:
    produce("eventlog", lines([event(id="e1"), event(id="e2")]), lines([event(id="e3")]))
    produce("transitions", lines([transition(), transition(event_id="e2")]))
    produce("items", lines([item()]))
    produce("findings", *(lines([finding(id=f"f{n}")]) for n in range(5)))
    produce(
        "deadletters",
        b'{"lane":"main","topic":"x","partition":0,"offset":9,"received_ms":1,"reason":"not_json","raw":""}',
    )
    produce("progress", b'{"lane":"main","subtask":0,"parallelism":1,"watermark_ms":5,"at_ms":6}')
    expected = {"events": 3, "transitions": 2, "items": 1, "findings": 5, "dead_letters": 1, "progress": 1}
    with running(store, loading):
        eventually(lambda: {table: count(store, table) for table in expected} == expected)


def test_ticks_among_the_findings_are_passed_over_and_counted_as_read(store: Store, loading: Settings) -> None:
    topic = loading.topic_prefix + "findings"
    producer = KafkaProducer(bootstrap_servers=loading.kafka)
    for number in range(10):
        write_tick(producer, [topic], T0 + number)
        producer.send(topic, lines([finding(id=f"f{number}")]), partition=0)
    write_tick(producer, [topic], T0 + 10)
    producer.close()

    def committed() -> list[int]:
        with closing(KafkaAdminClient(bootstrap_servers=loading.kafka)) as admin:
            offsets = admin.list_group_offsets([loading.loader_group])[loading.loader_group]
        return [offsets[place].offset if (place := TopicPartition(topic, n)) in offsets else 0 for n in (0, 1)]

    with running(store, loading):
        eventually(lambda: count(store, "findings") == 10)
        eventually(lambda: committed() == [21, 11])
    assert count(store, "dead_letters") == 0


def test_a_row_is_visible_soon_after_it_was_produced(
    store: Store, loading: Settings, produce: Callable[..., None]
) -> None:
    with running(store, loading) as loader:
        eventually(lambda: loader.working)
        for number in range(5):
            produce("findings", lines([finding(id=f"f{number}")]))
            eventually(lambda n=number: count(store, "findings") == n + 1, seconds=5)


def test_two_tables_of_a_batch_are_inserted_at_the_same_time(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(store, "insert", lambda table, rows: both.wait())
    batch = [Message(f"{settings.topic_prefix}{name}", 0, 0, 0, b"{}") for name in ("eventlog", "items")]
    committed: list[object] = []
    Loader(store, settings, Metrics()).load(batch, threading.Event(), committed.append)
    assert len(committed) == 1


def test_nothing_is_committed_when_one_table_of_a_batch_fails(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert(table: str, rows: bytes) -> None:
        if table == "events":
            raise ValueError("broken")

    monkeypatch.setattr(store, "insert", insert)
    batch = [Message(f"{settings.topic_prefix}{name}", 0, 0, 0, b"{}") for name in ("eventlog", "items")]
    committed: list[object] = []
    with pytest.raises(ValueError, match="broken"):
        Loader(store, settings, Metrics()).load(batch, threading.Event(), committed.append)
    assert not committed


def test_a_message_that_clickhouse_refuses_becomes_a_dead_letter_and_the_rest_goes_in(
    store: Store, loading: Settings, produce: Callable[..., None]
) -> None:
    good = [lines([finding(id=f"f{n}")]) for n in range(40)]
    poison = [b"not json", b'{"id": "x"', b"{}", b'{"lane":"main","id":"y","deadline_ms":"soon"}', b"\xff\xfe", b"[1]"]
    mixed = lines([finding(id="m1")]) + b"\nbroken row\n" + lines([finding(id="m2")])
    produce("findings", *good[:20], *poison, mixed, b"", *good[20:])
    with running(store, loading):
        eventually(lambda: count(store, "findings") == 42)
        letters = eventually(lambda: (rows := _letters(store)) and len(rows) == 7 and rows)
    assert [base64.b64decode(row["raw"]) for row in letters] == [*poison, b"broken row"]
    assert {row["reason"] for row in letters} == {"invalid_event"}
    assert all("table findings" in row["detail"] for row in letters)
    assert letters[3]["lane"] == "main"


def _letters(store: Store) -> list[dict[str, str]]:
    return store.run("SELECT lane, reason, detail, raw FROM dead_letters FINAL ORDER BY offset")


def test_offsets_are_committed_behind_what_was_inserted_and_a_second_loader_goes_on(
    store: Store, loading: Settings, produce: Callable[..., None]
) -> None:
    produce("findings", *(lines([finding(id=f"f{n}")]) for n in range(10)))
    with running(store, loading):
        eventually(lambda: count(store, "findings") == 10)
        eventually(lambda: _committed(loading) == 10)
    store.command("TRUNCATE TABLE findings")
    produce("findings", lines([finding(id="after")]))
    with running(store, loading):
        eventually(lambda: store.run("SELECT id FROM findings") == [{"id": "after"}])


def _committed(settings: Settings) -> int | None:
    from kafka import KafkaConsumer

    consumer = KafkaConsumer(bootstrap_servers=settings.kafka, group_id=settings.loader_group, enable_auto_commit=False)
    try:
        return consumer.committed(TopicPartition(settings.topic_prefix + "findings", 0))
    finally:
        consumer.close()


def test_while_clickhouse_is_away_nothing_is_lost_and_it_says_so(
    store: Store, loading: Settings, produce: Callable[..., None]
) -> None:
    produce("findings", *(lines([finding(id=f"f{n}")]) for n in range(10)))
    store.command("RENAME TABLE findings TO gone")  # an error that is not about a row
    with running(store, loading) as loader:
        eventually(lambda: loader.state == "waiting for ClickHouse")
        assert not loader.working
        assert _committed(loading) is None
        store.command("RENAME TABLE gone TO findings")
        eventually(lambda: count(store, "findings") == 10)
        eventually(lambda: loader.working)
    assert count(store, "dead_letters") == 0


def test_it_stops_soon_even_while_clickhouse_or_kafka_is_away(
    store: Store, loading: Settings, settings: Settings, produce: Callable[..., None]
) -> None:
    store.command("RENAME TABLE findings TO gone")
    produce("findings", lines([finding()]))
    with running(store, loading) as loader:
        eventually(lambda: loader.state == "waiting for ClickHouse")
    with running(store, settings) as loader:
        eventually(lambda: "Kafka" in loader.state)
    assert loader.state == "stopped"


def test_a_crash_between_insert_and_commit_changes_no_aggregate(store: Store, settings: Settings) -> None:
    """The batches come again with other boundaries, as they do after a crash."""
    table_of = {table: topic for topic, table in TOPICS.items()}
    messages = [
        Message(f"daymark.{table_of[table]}", 0, offset, T0, lines(rows[offset : offset + 3]))
        for table, rows in history(200).items()
        for offset in range(0, len(rows), 3)
    ]
    loader, stop = Loader(store, settings, Metrics()), threading.Event()

    def crash(_: object) -> None:
        raise StoreError("killed before the commit")

    committed: list[object] = []
    with pytest.raises(StoreError, match="killed"):
        loader.load(messages[: len(messages) * 2 // 3], stop, crash)
    for start in range(0, len(messages), 37):
        loader.load(messages[start : start + 37], stop, committed.append)
    once = aggregates(store)
    for table in table_of:
        store.command("TRUNCATE TABLE {table:Identifier}", table=table)
    loader.load(messages, stop, committed.append)
    assert aggregates(store) == once


def test_a_loader_killed_and_started_again_loads_everything(
    loading: Settings, produce: Callable[..., None], tmp_path: Path
) -> None:
    """In a process of its own, as `python -m api.loader`, killed by SIGKILL again and again while rows come."""
    names = [f"f{n:04d}" for n in range(3000)]
    env = {
        **os.environ,
        "DAYMARK_HOME": str(tmp_path),
        "DAYMARK_KAFKA": loading.kafka,
        "DAYMARK_TOPIC_PREFIX": loading.topic_prefix,
        "DAYMARK_LOADER_GROUP": loading.loader_group,
    }
    for part in range(3):
        process = subprocess.Popen([sys.executable, "-m", "api.loader"], env=env, stderr=subprocess.DEVNULL)
        try:
            produce("findings", *(lines([finding(id=name)]) for name in names[part * 1000 : (part + 1) * 1000]))
            time.sleep(2.5)  # somewhere in the middle of its work
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    store = Store(loading.store_dsn)
    try:
        with running(store, loading):
            eventually(lambda: count(store, "findings") == len(names), seconds=60)
        assert [row["id"] for row in store.run("SELECT id FROM findings FINAL ORDER BY id")] == names
    finally:
        store.close()
