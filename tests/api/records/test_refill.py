"""A rules topic that lost what is in force gets it back from the store, and nothing else is touched."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.errors import KafkaTimeoutError

from api.publish import Publisher
from api.records import outbox as outbox_module
from api.records import rules
from api.records.database import Records, url_of
from api.records.outbox import Relay
from api.records.refill import lacking, refill, written
from api.records.rules import PUT, WITHDRAW, Revision
from api.records.tables import outbox
from api.settings import Settings
from api.stack.kafka import KafkaBroker
from tests.api.records.test_outbox import Wire, running
from tests.kafka_help import create_topic, eventually
from tests.kafka_help import records as kafka_records

NOW = 1_000


def revision(number: int, since: int | None, action: str = PUT, workflow: str = "w") -> Revision:
    return Revision(workflow, number, action, number, since, "", {"n": number}, at_ms=number)


def test_a_topic_without_the_workflow_gets_what_holds_and_what_is_to_come() -> None:
    past, standing, coming = revision(1, 0), revision(2, NOW), revision(3, NOW + 1)
    assert lacking([past, standing, coming], False, None, NOW) == [standing, coming]
    assert lacking([past, standing, coming], False, None, NOW - 1) == [past, standing, coming]
    assert lacking([past, standing, coming], False, None, NOW + 1) == [coming]
    assert lacking([coming], False, None, NOW) == [coming]


def test_what_was_withdrawn_stays_withdrawn_also_beneath_what_came_after() -> None:
    gone = revision(2, None, WITHDRAW)
    assert lacking([revision(1, 0), gone], False, None, NOW) == [gone], "a pack's version may be there"
    assert lacking([revision(1, 0), gone, revision(3, 5)], False, None, NOW) == [gone, revision(3, 5)]
    assert lacking([revision(1, 0), gone], True, None, NOW) == []


def test_a_topic_that_is_behind_gets_the_rest_and_one_that_is_ahead_is_left_alone() -> None:
    all_three = [revision(number, 0) for number in (1, 2, 3)]
    assert lacking(all_three, True, written(all_three[0]), NOW) == all_three[1:]
    assert lacking(all_three, True, written(all_three[2]), NOW) == []
    assert lacking(all_three, True, b'{"by": "Kafka alone"}', NOW) == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 20)), min_size=1, max_size=8), st.integers(0, 20))
def test_filled_twice_is_filled_once(made: list[tuple[bool, int]], now: int) -> None:
    revisions = [
        revision(n, None if gone else since, WITHDRAW if gone else PUT) for n, (gone, since) in enumerate(made, 1)
    ]
    first = lacking(revisions, False, None, now)
    assert first[-1] == revisions[-1]
    assert lacking(revisions, True, written(first[-1]), now) == []


@pytest.fixture
def store(tmp_path: Path) -> Records:
    opened = Records(url_of("", tmp_path))
    opened.migrate()
    with opened.transaction() as tx:
        for one in (revision(1, 0), revision(2, 5), revision(1, 0, workflow="v"), revision(2, None, WITHDRAW, "v")):
            rules.add(tx.connection, one)
    return opened


def waiting(store: Records) -> list[tuple[bytes, Any]]:
    with store.reading() as connection:
        rows = connection.execute(outbox.select().order_by(outbox.c.id)).all()
    return [(row.key, row.value and orjson.loads(row.value)["version"]) for row in rows]


def test_what_is_lacking_goes_through_the_outbox(store: Records) -> None:
    assert refill(store, "t.rules", {b"@statistics/w": b"{}"}, NOW) == 2
    assert waiting(store) == [(b"v", None), (b"w", 2)]


def test_what_waits_in_the_outbox_already_is_not_published_twice(store: Records) -> None:
    for _ in range(2):
        refill(store, "t.rules", {}, NOW)
        assert waiting(store) == [(b"v", None), (b"w", 2)]


def test_what_comes_back_out_of_the_store_is_byte_for_byte_what_was_sent(store: Records) -> None:
    with store.reading() as connection:
        kept = rules.revisions(connection, "w")
    assert [written(one) for one in kept] == [written(revision(2, 5)), written(revision(1, 0))]


def test_a_topic_that_cannot_be_read_holds_up_nothing(store: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(bootstrap: str, topic: str) -> None:
        raise KafkaTimeoutError("not read")

    monkeypatch.setattr(outbox_module, "held_by", fails)
    monkeypatch.setattr(outbox_module, "_is_empty", lambda bootstrap, topic: False)
    wire: Any = Wire()
    wire.reachable, wire.settings = lambda: True, Settings()
    with store.transaction() as tx:
        tx.publish("t.actions", b"k", b"{}", NOW)
    with running(Relay(store, wire, "t.alerting", "t.rules")):
        eventually(lambda: [record.topic for record in wire.taken] == ["t.actions"])


@pytest.mark.real
def test_a_new_broker_gets_the_rules_once_and_at_the_next_start_no_more(
    broker: KafkaBroker, tmp_path: Path, store: Records
) -> None:
    prefix = f"f{time.time_ns()}."
    topic = create_topic(broker.bootstrap, f"{prefix}rules")
    create_topic(broker.bootstrap, f"{prefix}alerting")
    publisher = Publisher(Settings(home=tmp_path, kafka=broker.bootstrap, topic_prefix=prefix))

    def found() -> list[tuple[bytes, bytes | None]]:
        [records] = kafka_records(broker.bootstrap, topic).values()
        return [(record.key, record.value) for record in records]

    for _ in range(2):
        with running(Relay(store, publisher, f"{prefix}alerting", topic)):
            eventually(lambda: len(found()) >= 2 and not waiting(store))
            time.sleep(0.5)
        assert found() == [(b"v", None), (b"w", written(revision(2, 5)))]
    publisher.close()
