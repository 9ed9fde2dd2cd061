"""Hears what the alert job says, for requests that wait for it: the answers to actions, and how alerts change.

One consumer thread in the serving process, outside any consumer group; those who wait are tasks of the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from api.clock import now_ms
from api.publish import Publisher
from api.records import actions
from api.records.database import Records

log = logging.getLogger(__name__)
LOOK_BACK_MS = 3_600_000  # what is read again at a start, or more, if an action has been pending for longer
MOST_ANSWERS = 10_000
MOST_BEHIND = 1_000  # alerts that a watcher may lag behind; beyond it is told to read the list anew
RETRY_S = 1.0
POLL_MS = 250
Row = dict[str, Any]


class Watcher:
    """One who wants every change of an alert, and every message for open pages (`type` is notify). None among the rows
    says that some before it were left out."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.rows: asyncio.Queue[Row | None] = asyncio.Queue()

    def offer(self, row: Row | None) -> None:
        """In the loop's thread only."""
        if self.rows.qsize() >= MOST_BEHIND:
            while not self.rows.empty():
                self.rows.get_nowait()
            self.rows.put_nowait(None)
        self.rows.put_nowait(row)


class Answers:
    """The `applied` records that were heard, by action; the oldest go where there are too many. Thread-safe."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Row] = OrderedDict()
        self._waiting: dict[str, list[tuple[asyncio.AbstractEventLoop, asyncio.Future[Row]]]] = defaultdict(list)
        self._lock = threading.Lock()

    def get(self, action: str) -> Row | None:
        """The answer to an action; None while there is none."""
        return self._known.get(action)

    def put(self, record: Row) -> None:
        """An answer was heard: keep it, and tell those who wait. The first one holds."""
        action = str(record.get("action", ""))
        with self._lock:
            kept = self._known.setdefault(action, record)
            while len(self._known) > MOST_ANSWERS:
                self._known.popitem(last=False)
            waiting = self._waiting.pop(action, [])
        for loop, future in waiting:
            _call(loop, _fulfil, future, kept)

    async def wait(self, action: str, seconds: float) -> Row | None:
        """The answer to an action, None if it doesn't come within so long."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Row] = loop.create_future()
        entry = (loop, future)
        with self._lock:
            if known := self._known.get(action):
                return known
            self._waiting[action].append(entry)
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            with self._lock:
                left = [one for one in self._waiting.pop(action, []) if one is not entry]
                if left:
                    self._waiting[action] = left


class Listener:
    """Follows the topics `notifications` (its answers), `alerts` and `browser` (messages for open pages) until told to
    stop. Answers are kept in `records`, by which they are known after a restart too."""

    def __init__(self, publisher: Publisher, records: Records) -> None:
        self.answers = Answers()
        self.dispatcher: Row | None = None  # what the one that sends has said last
        self._publisher = publisher
        self._records = records
        self._watchers: set[Watcher] = set()
        settings = publisher.settings
        self._log = TopicPartition(f"{settings.topic_prefix}notifications", 0)
        self._alerts = f"{settings.topic_prefix}alerts"
        self._browser = f"{settings.topic_prefix}browser"

    def watch(self) -> Watcher:
        """Begin to hear how alerts change; called in the loop of whoever listens. End it with `leave`."""
        watcher = Watcher(asyncio.get_running_loop())
        self._watchers.add(watcher)
        return watcher

    def leave(self, watcher: Watcher) -> None:
        """Hear no more."""
        self._watchers.discard(watcher)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. What fails is told in the log, and tried again."""
        while not stop.is_set():
            if self._publisher.reachable():  # said at once; a consumer would wait for seconds to say it
                try:
                    self._listen(stop)
                except (KafkaError, SQLAlchemyError) as fault:
                    log.warning("not listening to the alert job", extra={"error": str(fault) or type(fault).__name__})
            stop.wait(RETRY_S)

    def _listen(self, stop: threading.Event) -> None:
        since = now_ms() - LOOK_BACK_MS
        with self._records.reading() as connection:
            since = min(since, actions.oldest_pending(connection) or since)
        consumer = KafkaConsumer(
            bootstrap_servers=self._publisher.settings.kafka.split(","),
            client_id="daymark-listener",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=2_000,
            reconnect_backoff_max_ms=2_000,
        )
        try:
            changes = [
                TopicPartition(topic, n)
                for topic in (self._alerts, self._browser)
                for n in sorted(consumer.partitions_for_topic(topic) or ())
            ]
            if self._alerts not in {one.topic for one in changes} or not consumer.partitions_for_topic(self._log.topic):
                return  # the topics aren't there yet
            consumer.assign([self._log, *changes])
            consumer.seek_to_end(*changes)
            self._tell(None)  # what came while nobody listened is not known here
            found = consumer.offsets_for_times({self._log: since})[self._log]
            if found:
                consumer.seek(self._log, found.offset)
            else:
                consumer.seek_to_end(self._log)
            while not stop.is_set():
                for place, records in consumer.poll(timeout_ms=POLL_MS).items():
                    for record in records:
                        self.hear(place.topic, record.value)
        finally:
            consumer.close(autocommit=False, timeout_ms=1_000)

    def hear(self, topic: str, value: bytes | None) -> None:
        """Take one record's value; what isn't JSON, or of another sort, is for others."""
        try:
            row = orjson.loads(value or b"")
        except orjson.JSONDecodeError:
            return
        if not isinstance(row, dict):
            return
        if topic in (self._alerts, self._browser):
            self._tell(row)
        elif row.get("type") == "applied":
            self.answers.put(row)
            try:
                actions.settle(self._records, row)
            except SQLAlchemyError as fault:  # it is heard again after a restart
                log.warning("an answer could not be kept", extra={"action": row.get("action"), "error": str(fault)})
        elif row.get("type") == "dispatcher":
            last = self.dispatcher
            if last is None or row.get("what") == "begins" or row.get("run") == last.get("run"):
                self.dispatcher = row

    def _tell(self, row: Row | None) -> None:
        for watcher in tuple(self._watchers):
            _call(watcher.loop, watcher.offer, row)


def _fulfil(future: asyncio.Future[Row], row: Row) -> None:
    if not future.done():
        future.set_result(row)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: Any) -> None:
    """In the loop's thread; nowhere, if it has ended meanwhile."""
    try:
        loop.call_soon_threadsafe(function, *arguments)
    except RuntimeError:
        log.debug("whoever waited is gone")
