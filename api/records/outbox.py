"""Sends what transactions left in the outbox to Kafka, each topic in order, at least once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy import Connection, delete, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from api.clock import now_ms
from api.publish import Publisher, PublishError, Record
from api.records.database import Records
from api.records.documents import publish_all
from api.records.refill import held_by, refill
from api.records.tables import outbox

log = logging.getLogger(__name__)
EVERY_S = 1.0  # where nobody wakes it: another process has written
RETRY_S = 2.0
ASK_MS = 3_000
MOST = 500  # records sent at once
RELAY = 7_305_115  # an advisory lock of PostgreSQL: of several processes one sends, else an older value could come last


class Relay:
    """The outbox's thread. `topic`, of alerting documents, is filled anew if it is found empty at the start, and
    `rules_topic`, where it is named, with the rules that it has lost."""

    def __init__(self, records: Records, publisher: Publisher, topic: str, rules_topic: str = "") -> None:
        self._records = records
        self._publisher = publisher
        self.topic = topic
        self._rules_topic = rules_topic
        self._woken = threading.Event()

    def wake(self) -> None:
        """There may be something to send."""
        self._woken.set()

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set (call `wake` after it). What fails is told in the log, and tried again."""
        filled = refilled = False
        while not stop.is_set():
            if not self._publisher.reachable():  # said at once; a producer would wait for seconds to say it
                stop.wait(RETRY_S)
                continue
            try:
                with self._records.engine.connect() as connection:
                    if self._alone(connection):
                        filled = filled or self._fill()
                        refilled = refilled or self._refill()
                        while self.send() and not stop.is_set():
                            pass
                self._woken.wait(EVERY_S)
            except (PublishError, KafkaError, SQLAlchemyError) as fault:
                log.warning("the outbox waits", extra={"error": str(fault) or type(fault).__name__})
                stop.wait(RETRY_S)
            self._woken.clear()

    def send(self) -> int:
        """Send the oldest records of each topic and forget them; returns how many. Killed in between, it sends them
        again.

        Raises PublishError for a topic that takes none, and forgets nothing of it; the other topics have got theirs.
        """
        sent, fault = 0, None
        with self._records.reading() as connection:
            topics = connection.execute(select(outbox.c.topic).distinct()).scalars().all()
        for topic in topics:
            try:
                sent += self._send(topic)
            except PublishError as error:
                fault = error
        if fault:
            raise fault
        return sent

    def _send(self, topic: str) -> int:
        with self._records.reading() as connection:
            oldest = select(outbox).where(outbox.c.topic == topic).order_by(outbox.c.id).limit(MOST)
            rows = connection.execute(oldest).all()
        self._publisher.publish([Record(row.topic, row.key, row.value) for row in rows])
        self._forget([row.id for row in rows])
        return len(rows)

    def waiting(self) -> int:
        """How many records have not been sent yet."""
        with self._records.reading() as connection:
            return connection.execute(select(func.count()).select_from(outbox)).scalar_one()

    def _forget(self, ids: Sequence[int]) -> None:
        with self._records.transaction() as tx:
            tx.connection.execute(delete(outbox).where(outbox.c.id.in_(ids)))

    def _fill(self) -> bool:
        """Publish all documents if the topic holds none; whether that is known. Raises KafkaError while it can't be
        asked."""
        empty = _is_empty(self._publisher.settings.kafka, self.topic)
        if empty:
            with self._records.transaction() as tx:
                if count := publish_all(tx, self.topic, now_ms()):
                    log.info("documents published anew", extra={"topic": self.topic, "documents": count})
        return empty is not None

    def _refill(self) -> bool:
        """Publish the rules that their topic has lost; whether that is known. A topic that can't be read holds up
        nothing that waits to be sent."""
        if not self._rules_topic:
            return True
        try:
            held = held_by(self._publisher.settings.kafka, self._rules_topic)
        except KafkaError as fault:
            log.warning("whether rules were lost can't be told", extra={"error": str(fault) or type(fault).__name__})
            return False
        if held is None:
            return False
        refill(self._records, self._rules_topic, held, now_ms())
        return True

    def _alone(self, connection: Connection) -> bool:
        """Whether this process is the one that sends, for as long as `connection` is open."""
        if self._records.embedded:
            return True
        return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:relay)"), {"relay": RELAY}).scalar())


def _is_empty(bootstrap: str, topic: str) -> bool | None:
    """Whether a topic of one partition holds nothing; None if it isn't there yet."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        client_id="daymark-outbox",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=2_000,
    )
    try:
        if not consumer.partitions_for_topic(topic):
            return None
        place = TopicPartition(topic, 0)
        first = consumer.beginning_offsets([place], timeout_ms=ASK_MS)[place]
        return bool(consumer.end_offsets([place], timeout_ms=ASK_MS)[place] == first)
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)
