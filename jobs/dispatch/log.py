"""The log of notifications, one partition, read in a thread; and the answer to: has all been read that is there now?"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError

from jobs.clock import now_ms
from jobs.dispatch.records import Delivery, Notify, Record, read_delivery, read_record

GROUP = "daymark-dispatcher"
POLL_MS = 200
COMMIT_S = 1.0
LOOK_BACK_MS = 24 * 3_600_000
SKEW_MS = 60_000
AWAIT_S = 1.0

log = logging.getLogger("dispatcher")

Entry = tuple[int, Record]


@dataclass(frozen=True, slots=True)
class Begun:
    """What a start finds: rows of earlier runs, records that they finished with, and where reading goes on."""

    rows: list[Delivery]
    records: list[Record]
    offset: int


class NotificationLog:
    """Reads from where `begin` found the last run to have come. Methods are for the event loop, unless they say other.

    `floor` tells from where a restart has to read; that is committed about once a second.
    """

    def __init__(self, bootstrap: str, prefix: str, take: Callable[[list[Entry]], None]) -> None:
        self.bootstrap = bootstrap
        self.prefix = prefix
        self.partition = TopicPartition(f"{prefix}notifications", 0)
        self.floor = 0
        self._take = take
        self._position = 0
        self._moved = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._asking: asyncio.Task[None] | None = None
        self._fault: asyncio.Future[None] | None = None
        self._stop = threading.Event()
        self._asker: KafkaConsumer | None = None
        self._threads = ThreadPoolExecutor(2, "dispatcher-log")  # its own: in the common ones senders look up names

    def begin(self) -> Begun:
        """Blocking: find out what is known. Raises KafkaError."""
        consumer = self._consumer(GROUP)
        try:
            consumer.assign([self.partition])
            first = consumer.beginning_offsets([self.partition])[self.partition]
            offset = max(first, consumer.committed(self.partition) or 0)
            since = min(_time_at(consumer, self.partition, offset), now_ms() - LOOK_BACK_MS) - SKEW_MS
            records = [one for _, one in _read(values_since(consumer, self.partition, since, offset))]
        finally:
            consumer.close()
        self._position = self.floor = offset
        return Begun(self._rows(since), records, offset)

    def find(self, wanted: set[str]) -> list[Record]:
        """Blocking: the notices with these ids, wherever in the log they are, and every halt. Raises KafkaError."""
        consumer = self._consumer(None)
        try:
            consumer.assign([self.partition])
            found = [one for _, one in _read(values_since(consumer, self.partition, 0, None))]
            return [one for one in found if not isinstance(one, Notify) or one.id in wanted]
        finally:
            consumer.close()

    async def follow(self) -> None:
        """Read on until cancelled, in a thread; when the broker is away, from where it was.

        Raises what `take` raised.
        """
        loop = asyncio.get_running_loop()
        self._fault = loop.create_future()
        reading = asyncio.ensure_future(loop.run_in_executor(self._threads, self._follow, loop))
        try:
            done, _ = await asyncio.wait({reading, self._fault}, return_when=asyncio.FIRST_COMPLETED)
            done.pop().result()
        finally:
            self._stop.set()
            await reading

    async def caught_up(self) -> None:
        """Return when all has been taken that was in the log at some instant after the call.

        Those who ask while a question is under way share the next one. While the broker is away this waits.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(answer)
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        await answer

    async def _ask(self) -> None:
        while self._waiting:
            askers, self._waiting = self._waiting, []
            try:
                await self._read_to(await asyncio.get_running_loop().run_in_executor(self._threads, self._end))
            except Exception as error:  # whoever waits must not wait for ever
                for answer in askers:
                    if not answer.done():
                        answer.set_exception(error)
            for answer in askers:
                if not answer.done():
                    answer.set_result(None)

    async def _read_to(self, end: int) -> None:
        while self._position < end:
            self._moved.clear()
            await self._moved.wait()

    def _end(self) -> int:
        """Where the log ends, as the broker says; asked until it answers."""
        while not self._stop.is_set():
            try:
                self._asker = self._asker or self._consumer(None)
                return int(self._asker.end_offsets([self.partition], timeout_ms=3_000)[self.partition])
            except KafkaError as error:
                log.warning("the broker does not answer: nothing is sent", extra={"error": f"{error!r}"})
                if self._asker is not None:
                    self._asker.close()
                self._asker = None
                self._stop.wait(AWAIT_S)
        return 1 << 62

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            try:
                self._follow_one(loop)
            except KafkaError as error:
                log.warning("the broker is away", extra={"error": f"{error!r}"})
                self._stop.wait(AWAIT_S)

    def _follow_one(self, loop: asyncio.AbstractEventLoop) -> None:
        consumer = self._consumer(GROUP)
        committed, due = -1, 0.0
        try:
            consumer.assign([self.partition])
            consumer.seek(self.partition, self._position)
            while not self._stop.is_set():
                values = [
                    (one.offset, one.value) for part in consumer.poll(timeout_ms=POLL_MS).values() for one in part
                ]
                position = consumer.position(self.partition, timeout_ms=1_000)
                if values or position != self._position:
                    loop.call_soon_threadsafe(self._taken, _read(values), position)
                if self.floor != committed and time.monotonic() >= due:
                    committed, due = self._commit(consumer), time.monotonic() + COMMIT_S
            self._commit(consumer)
        finally:
            consumer.close(autocommit=False, timeout_ms=1_000)

    def _taken(self, entries: list[Entry], position: int) -> None:
        try:
            self._take(entries)
        except Exception as error:  # ends the dispatcher: nobody may think that these have been taken
            if self._fault is not None and not self._fault.done():
                self._fault.set_exception(error)
            return
        self._position = max(position, self._position)
        self._moved.set()

    def _commit(self, consumer: KafkaConsumer) -> int:
        floor = self.floor
        try:
            consumer.commit({self.partition: OffsetAndMetadata(floor, "", -1)}, timeout_ms=3_000)
        except KafkaError as error:  # the next one covers it; what is sent is known from the deliveries
            log.warning("progress not committed", extra={"error": f"{error!r}"})
            return -1
        return floor

    def _rows(self, since: int) -> list[Delivery]:
        consumer = self._consumer(None)
        try:
            topic = f"{self.prefix}deliveries"
            rows = []
            for number in sorted(consumer.partitions_for_topic(topic) or ()):
                for _, value in values_since(consumer, TopicPartition(topic, number), since, None):
                    try:
                        rows.append(read_delivery(value))
                    except ValueError as error:
                        log.warning("a row of deliveries can't be read", extra={"error": str(error)})
            return sorted(rows, key=lambda row: row.at_ms)
        finally:
            consumer.close()

    def _consumer(self, group: str | None) -> KafkaConsumer:
        return consumer_of(self.bootstrap, group and f"{self.prefix}{group}")


def consumer_of(bootstrap: str, group: str | None) -> KafkaConsumer:
    """A consumer that commits nothing by itself. Raises KafkaError."""
    return KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        client_id="daymark-dispatcher",
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=5_000,
        reconnect_backoff_max_ms=1_000,
        check_crcs=False,
        fetch_max_wait_ms=POLL_MS,
    )


def _read(values: list[tuple[int, bytes]]) -> list[Entry]:
    """The records that can be read; the others are left out, and said to be."""
    entries = []
    for offset, value in values:
        try:
            entries.append((offset, read_record(value)))
        except ValueError as error:
            log.warning("a notification can't be read and is left out", extra={"offset": offset, "error": str(error)})
    return entries


def _time_at(consumer: KafkaConsumer, partition: TopicPartition, offset: int) -> int:
    """The timestamp (epoch ms) of the record at an offset, or of none there: now."""
    end = consumer.end_offsets([partition])[partition]
    consumer.seek(partition, offset)
    while consumer.position(partition) < end:
        for record in consumer.poll(timeout_ms=500, max_records=1).get(partition, []):
            return int(record.timestamp)
    return now_ms()


def values_since(
    consumer: KafkaConsumer, partition: TopicPartition, since: int, until: int | None
) -> list[tuple[int, bytes]]:
    """What is in a partition now, from a time (epoch ms) on up to an offset, behind which the consumer then is."""
    consumer.assign([partition])
    until = consumer.end_offsets([partition])[partition] if until is None else until
    start = consumer.offsets_for_times({partition: max(0, since)})[partition]
    values: list[tuple[int, bytes]] = []
    if start is not None and start.offset < until:
        consumer.seek(partition, start.offset)
        while consumer.position(partition) < until:
            records = consumer.poll(timeout_ms=500).get(partition, [])
            values += ((one.offset, one.value or b"") for one in records if one.offset < until)
    consumer.seek(partition, until)
    return values
