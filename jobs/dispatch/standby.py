"""Standing by: listens in the log of notifications to whoever sends, until it is this dispatcher's turn."""

from __future__ import annotations

import asyncio
import logging
import threading

from kafka import KafkaConsumer, TopicPartition

from jobs.clock import now_ms
from jobs.dispatch.log import consumer_of, values_since
from jobs.dispatch.records import Presence, read_record
from jobs.dispatch.turn import Turn

LOOK_BACK_MS = 5 * 60_000
"""Who has said nothing for so long isn't there; far more than silence takes, since clocks may differ."""

POLL_MS = 200

log = logging.getLogger("dispatcher")


class Standby:
    """Waits for a turn."""

    def __init__(self, bootstrap: str, prefix: str, turn: Turn) -> None:
        self.bootstrap = bootstrap
        self.partition = TopicPartition(f"{prefix}notifications", 0)
        self.turn = turn

    async def wait(self, stop: asyncio.Event) -> bool:
        """Return True when the turn may be taken, False if `stop` was set before. Raises KafkaError."""
        ended = threading.Event()
        listening = asyncio.create_task(asyncio.to_thread(self._listen, ended))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({listening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.set()
            stopping.cancel()
        return await listening

    def _listen(self, ended: threading.Event) -> bool:
        consumer = consumer_of(self.bootstrap, None)
        try:
            consumer.assign([self.partition])
            self._hear([value for _, value in values_since(consumer, self.partition, now_ms() - LOOK_BACK_MS, None)])
            told = False
            while not ended.is_set():
                if self.turn.may_begin(now_ms()):
                    return True
                if not told:
                    log.info("standing by: another dispatcher sends")
                    told = True
                self._poll(consumer)
            return False
        finally:
            consumer.close()

    def _poll(self, consumer: KafkaConsumer) -> None:
        for records in consumer.poll(timeout_ms=POLL_MS).values():
            self._hear([record.value or b"" for record in records])

    def _hear(self, values: list[bytes]) -> None:
        now = now_ms()
        for value in values:
            if b'"dispatcher"' in value and isinstance(said := _read(value), Presence):
                self.turn.hear(said, now)


def _read(value: bytes) -> object:
    try:
        return read_record(value)
    except ValueError:
        return None  # whoever sends says so in the log
