"""Rows into ClickHouse, bytes as they are: tried again while it is ClickHouse that fails, and without the bad ones.

A message that ClickHouse refuses becomes a dead letter.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_when_event_set, wait_random_exponential
from tenacity.nap import sleep_using_event

from api.metrics import Metrics
from api.store import Store, StoreError

log = logging.getLogger(__name__)
RETRY_MAX_S = 10.0


@dataclass(frozen=True, slots=True)
class Message:
    """One Kafka message of a result topic: rows, one a line. `timestamp` is epoch ms."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes


class Inserter:
    """`waiting` is told when ClickHouse fails and is tried again."""

    def __init__(self, store: Store, metrics: Metrics, waiting: Callable[[], None]) -> None:
        self._store = store
        self._metrics = metrics
        self._waiting = waiting

    def insert(self, table: str, messages: Sequence[Message], stop: threading.Event) -> None:
        """Insert messages; halve those that ClickHouse refuses until the bad ones are found."""
        block = b"\n".join(message.value for message in messages)
        try:
            self._insert_bytes(table, block, stop)
        except StoreError as error:
            if not error.bad_row:
                raise
            if len(messages) == 1:
                self._refuse(table, messages[0], str(error), stop)
                return
            middle = len(messages) // 2
            self.insert(table, messages[:middle], stop)
            self.insert(table, messages[middle:], stop)
            return
        self._metrics.rows.labels(table).inc(block.count(b"\n") + 1)
        self._metrics.bytes.labels(table).inc(len(block))

    def _refuse(self, table: str, message: Message, fault: str, stop: threading.Event) -> None:
        """Keep the message's good rows, and one dead letter with the bad ones."""
        bad = []
        lines = [line for line in message.value.split(b"\n") if line.strip()]
        for line in lines if len(lines) > 1 else []:
            try:
                self._insert_bytes(table, line, stop)
                self._metrics.rows.labels(table).inc()
            except StoreError as error:
                if not error.bad_row:
                    raise
                bad.append(line)
                fault = str(error)
        letter = {
            "lane": _lane_of(message.value),
            "topic": message.topic,
            "partition": message.partition,
            "offset": message.offset,
            "received_ms": message.timestamp,
            "reason": "invalid_event",
            "detail": f"ClickHouse refused it for table {table}: {fault}"[:2000],
            "raw": base64.b64encode(b"\n".join(bad) or message.value).decode(),
        }
        self._insert_bytes("dead_letters", orjson.dumps(letter), stop)
        self._metrics.refused.labels(table).inc()
        log.warning("message refused", extra={k: v for k, v in letter.items() if k != "raw"})

    def _insert_bytes(self, table: str, block: bytes, stop: threading.Event) -> None:
        """Insert, and try again for as long as it is ClickHouse that fails, not the rows."""
        self.persistent(stop)(self._store.insert, table, block)

    def persistent(self, stop: threading.Event) -> Retrying:
        """Calls something of ClickHouse again until it answers, or `stop` is set."""
        return Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, StoreError) and not error.bad_row),
            wait=wait_random_exponential(0.3, max=RETRY_MAX_S),
            stop=stop_when_event_set(stop),
            sleep=sleep_using_event(stop),
            before_sleep=self._log_retry,
            reraise=True,
        )

    def _log_retry(self, attempt: RetryCallState) -> None:
        error = attempt.outcome.exception() if attempt.outcome else None
        self._metrics.retries.inc()
        self._waiting()
        log.warning("ClickHouse failed, trying again", extra={"error": str(error), "attempt": attempt.attempt_number})


def _lane_of(value: bytes) -> str:
    """The lane that the first row names, or ''."""
    try:
        row = orjson.loads(value.split(b"\n", 1)[0])
    except orjson.JSONDecodeError:
        return ""
    lane = row.get("lane", "") if isinstance(row, dict) else ""
    return lane if isinstance(lane, str) else ""
