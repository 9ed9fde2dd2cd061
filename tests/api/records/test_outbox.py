"""The outbox: what was committed reaches Kafka in order, once Kafka is there, whenever the process was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from api.publish import Publisher, PublishError, Record
from api.records import documents
from api.records.database import Records, url_of
from api.records.documents import Document
from api.records.outbox import Relay
from api.settings import Settings
from api.stack.kafka import KafkaBroker
from tests.kafka_help import create_topic, eventually
from tests.kafka_help import records as kafka_records


class Wire:
    """Instead of Kafka: takes records, or refuses those of some topics."""

    def __init__(self) -> None:
        self.taken: list[Record] = []
        self.refused: set[str] = set()

    def publish(self, records: Sequence[Record]) -> None:
        if records[0].topic in self.refused:
            raise PublishError("away")
        self.taken += records


def put(records: Records, number: int, topic: str = "t.alerting") -> None:
    with records.transaction() as tx:
        documents.put(tx, topic, Document("person", "anna", 0, {"n": number}, "eve", number))


def numbers(taken: Sequence[Record]) -> list[int]:
    return [orjson.loads(record.value or b"")["n"] for record in taken]


def test_records_are_sent_in_the_order_of_commits_and_then_forgotten(records: Records) -> None:
    wire = Wire()
    relay = Relay(records, wire, "t.alerting")  # type: ignore[arg-type]
    for number in range(5):
        put(records, number)
    assert relay.send() == 5
    assert numbers(wire.taken) == [0, 1, 2, 3, 4]
    assert (relay.send(), relay.waiting()) == (0, 0)


def test_what_was_sent_but_not_forgotten_is_sent_again_in_order(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire()
    relay = Relay(records, wire, "t.alerting")  # type: ignore[arg-type]
    put(records, 1)
    with monkeypatch.context() as killed:
        killed.setattr(relay, "_forget", lambda ids: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            relay.send()
    put(records, 2)
    relay.send()
    assert numbers(wire.taken) == [1, 1, 2]


def test_a_topic_that_takes_nothing_holds_up_no_other_one_and_loses_nothing(records: Records) -> None:
    wire = Wire()
    relay = Relay(records, wire, "t.alerting")  # type: ignore[arg-type]
    wire.refused = {"t.alerting"}
    put(records, 1)
    put(records, 2, "t.actions")
    with pytest.raises(PublishError):
        relay.send()
    assert numbers(wire.taken) == [2]
    wire.refused = set()
    relay.send()
    assert numbers(wire.taken) == [2, 1]


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        relay.wake()
        thread.join(20)
    assert not thread.is_alive()


CHILD = """
import sys, threading
from pathlib import Path
from api.publish import Publisher
from api.records.database import Records, url_of
from api.records.outbox import Relay
from api.settings import Settings
from tests.api.records.test_outbox import put
home, kafka, prefix = sys.argv[1:]
settings = Settings(home=Path(home), kafka=kafka, topic_prefix=prefix)
records = Records(url_of("", settings.home))
relay = Relay(records, Publisher(settings), prefix + "alerting")
threading.Thread(target=relay.run, args=(threading.Event(),), daemon=True).start()
for number in range(100_000):
    put(records, number, prefix + "alerting")
    relay.wake()
    print(number, flush=True)
"""


@pytest.mark.real
def test_killed_while_it_writes_and_sends_it_loses_nothing_that_was_committed(
    broker: KafkaBroker, tmp_path: Path
) -> None:
    prefix = f"o{time.time_ns()}."
    topic = create_topic(broker.bootstrap, f"{prefix}alerting", 1)
    records = Records(url_of("", tmp_path))
    records.migrate()
    committed = -1
    for _ in range(2):
        command = [sys.executable, "-c", CHILD, str(tmp_path), broker.bootstrap, prefix]
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ})
        assert child.stdout
        for line in child.stdout:
            committed = int(line)
            if committed >= 60:
                child.send_signal(signal.SIGKILL)
                break
        child.wait()
    relay = Relay(records, Publisher(Settings(home=tmp_path, kafka=broker.bootstrap, topic_prefix=prefix)), topic)
    with running(relay):
        eventually(lambda: relay.waiting() == 0)
    with records.reading() as connection:
        standing = documents.read(connection, "person", "anna")
    [found] = kafka_records(broker.bootstrap, topic).values()
    seen = [orjson.loads(record.value)["n"] for record in found]
    assert standing
    assert seen[-1] == standing.body["n"] >= committed  # the last word is the last one there
    first = list(dict.fromkeys(seen))
    assert set(range(committed + 1)) <= set(first)


@pytest.mark.real
def test_an_empty_topic_is_filled_with_all_documents_and_one_that_comes_later_too(
    broker: KafkaBroker, tmp_path: Path
) -> None:
    prefix = f"e{time.time_ns()}."
    records = Records(url_of("", tmp_path))
    records.migrate()
    publisher = Publisher(Settings(home=tmp_path, kafka=broker.bootstrap, topic_prefix=prefix))
    relay = Relay(records, publisher, f"{prefix}alerting")
    put(records, 1)
    with records.transaction() as tx:
        tx.connection.exec_driver_sql("DELETE FROM outbox")  # it had been sent, before the broker lost its data
    with running(relay):
        time.sleep(0.5)
        create_topic(broker.bootstrap, relay.topic, 1)
        eventually(
            lambda: relay.waiting() == 0 and sum(map(len, kafka_records(broker.bootstrap, relay.topic).values()))
        )
    with running(relay):
        time.sleep(1)
    [found] = kafka_records(broker.bootstrap, relay.topic).values()
    assert [orjson.loads(record.value) for record in found] == [{"n": 1}]
