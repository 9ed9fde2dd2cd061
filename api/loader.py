"""Kafka → ClickHouse: a consumer group that inserts the result topics' bytes as they are, and commits afterwards.

A crash between insert and commit inserts the same rows again, with other boundaries; the tables' identities make that
harmless. A message that ClickHouse refuses becomes a dead letter; a ClickHouse that is away only makes the loader wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError
from tenacity import RetryCallState, Retrying, stop_when_event_set, wait_random_exponential
from tenacity.nap import sleep_using_event

from api.access import erasure
from api.access.erased import Erased
from api.inserts import RETRY_MAX_S, Inserter, Message
from api.metrics import Metrics
from api.settings import Settings
from api.store import CLIENTS, Store
from udfs.ticks import is_tick

log = logging.getLogger(__name__)

TOPICS = {
    "findings": "findings",
    "transitions": "transitions",
    "items": "items",
    "eventlog": "events",
    "deadletters": "dead_letters",
    "progress": "progress",
    "alerts": "alerts",
    "alertlog": "alertlog",
    "incidents": "incidents",
    "deliveries": "deliveries",
}
"""Table by result topic (without the topics' prefix)."""

BATCH_BYTES = 20_000_000
LINGER_S = (0.05, 0.5)  # how long a batch gathers: half of what an insert takes, since as much has come meanwhile
IDLE_POLL_MS = 250


class Loader:
    """Loads until told to stop. `state` is a sentence for /readyz, `working` whether all is well."""

    def __init__(self, store: Store, settings: Settings, metrics: Metrics) -> None:
        self.store = store
        self.settings = settings
        self.metrics = metrics
        self.tables = {settings.topic_prefix + topic: table for topic, table in TOPICS.items()}
        self.state = "not started"
        self.working = False
        self._inserter = Inserter(store, metrics, lambda: self._tell(False, "waiting for ClickHouse"))
        self._linger = LINGER_S[0]

    def run(self, stop: threading.Event) -> None:
        """Consume until `stop` is set; finishes the insert it is at. Trouble is logged and tried again, not raised."""
        wait = wait_random_exponential(0.3, max=RETRY_MAX_S)
        attempts = Retrying(
            stop=stop_when_event_set(stop), sleep=sleep_using_event(stop), wait=wait, before_sleep=self._log_trouble
        )
        attempts.retry_error_callback = lambda _: None
        attempts(self._consume, stop)
        self._tell(False, "stopped")

    def _consume(self, stop: threading.Event) -> None:
        self._tell(False, "connecting to Kafka")
        consumer = KafkaConsumer(
            *self.tables,
            bootstrap_servers=self.settings.kafka.split(","),
            group_id=self.settings.loader_group,
            client_id="daymark-loader",
            # An embedded store has one loader: after a crash it takes its old place without waiting for a time-out.
            group_instance_id="embedded" if self.store.embedded else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            metadata_max_age_ms=5_000,  # topics that are created later are found soon
            bootstrap_timeout_ms=2_000,
            reconnect_backoff_max_ms=2_000,
            session_timeout_ms=10_000,
            max_poll_interval_ms=1_800_000,  # ClickHouse may be away for long; the group is ours alone
            check_crcs=False,  # the broker has checked them; in pure Python they cost more than all the rest (9 MB/s)
            fetch_max_bytes=BATCH_BYTES,
            max_partition_fetch_bytes=8_000_000,
            max_poll_records=20_000,
        )
        try:
            while not stop.is_set():
                batch = self._gather(consumer, stop)
                if batch:
                    self.load(batch, stop, lambda offsets: self._commit(consumer, offsets))
                self._observe(consumer)
        finally:
            consumer.close(autocommit=False, timeout_ms=1_000)

    def _gather(self, consumer: KafkaConsumer, stop: threading.Event) -> list[Message]:
        """What comes within the linger time of the first message, up to 20 MB; empty when nothing comes."""
        batch: list[Message] = []
        size, until = 0, 0.0
        while not stop.is_set() and size < BATCH_BYTES:
            left_ms = int((until - time.monotonic()) * 1000) if batch else IDLE_POLL_MS
            if batch and left_ms <= 0:
                break
            records = [record for part in consumer.poll(timeout_ms=left_ms).values() for record in part]
            if not records and not batch:
                break
            if not batch:
                until = time.monotonic() + self._linger
            batch += (Message(r.topic, r.partition, r.offset, r.timestamp, _rows(r)) for r in records)
            size += sum(len(record.value or b"") for record in records)
        return batch

    def load(
        self,
        batch: Sequence[Message],
        stop: threading.Event,
        commit: Callable[[dict[TopicPartition, OffsetAndMetadata]], None],
    ) -> None:
        """Insert a batch, then commit the offsets behind it.

        Raises StoreError if `stop` was set while ClickHouse was away.
        """
        began = time.monotonic()
        by_table: dict[str, list[Message]] = defaultdict(list)
        offsets: dict[TopicPartition, OffsetAndMetadata] = {}
        for message in batch:
            if message.value:
                by_table[self.tables[message.topic]].append(message)
            offsets[TopicPartition(message.topic, message.partition)] = OffsetAndMetadata(message.offset + 1, "", -1)
        with self.store.loading:
            by_table = self._unerased(by_table, stop)
            with ThreadPoolExecutor(CLIENTS["insert"], "loader-insert") as pool:  # tables don't depend on each other
                for done in [
                    pool.submit(self._inserter.insert, table, messages, stop) for table, messages in by_table.items()
                ]:
                    done.result()
        commit(offsets)
        took = time.monotonic() - began
        self._linger = min(max(took / 2, LINGER_S[0]), LINGER_S[1])
        if by_table:
            self.metrics.insert_seconds.observe(took)
            self.metrics.last_insert.set_to_current_time()
        self._tell(True, "running")

    def _unerased(self, by_table: dict[str, list[Message]], stop: threading.Event) -> dict[str, list[Message]]:
        """The messages without the rows of what was erased in the meantime."""
        erased: Erased = self._inserter.persistent(stop)(erasure.read, self.store)
        if not erased:
            return by_table
        left = {}
        for table, messages in by_table.items():
            kept = [replace(one, value=erased.without(table, one.value)) for one in messages]
            left[table] = [one for one in kept if one.value]
        return {table: messages for table, messages in left.items() if messages}

    def _commit(self, consumer: KafkaConsumer, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        try:
            consumer.commit(offsets, timeout_ms=5_000)
        except KafkaError as error:  # the rows are in; the next commit covers these, or they are read again
            log.warning("offsets not committed", extra={"error": str(error) or type(error).__name__})

    def _observe(self, consumer: KafkaConsumer) -> None:
        lag: dict[str, int] = dict.fromkeys(self.tables, 0)
        assigned = consumer.assignment()
        for part in assigned:
            end, here = consumer.highwater(part), consumer.position(part, timeout_ms=0)
            if end is not None and here is not None:
                lag[part.topic] += max(0, end - here)
        for topic, messages in lag.items():
            self.metrics.lag.labels(topic).set(messages)
        if assigned:
            self._tell(True, "running")
        else:
            self._tell(False, "waiting for the result topics or their assignment")

    def _tell(self, working: bool, state: str) -> None:
        self.working, self.state = working, state

    def _log_trouble(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        self._tell(False, f"waiting for Kafka at {self.settings.kafka}")
        log.warning("loader starts again", extra={"error": f"{type(error).__name__}: {error}"})


def _rows(record: Any) -> bytes:
    """What a Kafka record has for ClickHouse: nothing if it is a tick, which counts only for its offset."""
    return b"" if record.headers and is_tick(record.headers) else record.value or b""


def main() -> None:
    """`python -m api.loader`: load in a process of its own until SIGTERM or SIGINT; not beside an embedded engine."""
    import signal

    from api.logs import configure
    from api.migrations import migrate, set_retention
    from api.settings import from_env

    settings = from_env()
    configure(settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    store = Store(settings.store_dsn)
    migrate(store)
    set_retention(store, settings.retention)
    Loader(store, settings, Metrics()).run(stop)
    store.close()


if __name__ == "__main__":
    main()
