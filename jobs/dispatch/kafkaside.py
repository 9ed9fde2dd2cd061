"""The other topics: what is written for every attempt, and the channel documents that are followed."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

AGAIN_S = 1.0
WRITE_S = 10.0
POLL_MS = 250

log = logging.getLogger("dispatcher")

Documents = dict[str, Mapping[str, Any]]


class Writer:
    """Writes records, each for certain: what the broker hasn't acknowledged is written again until it has."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(16, "dispatcher-write")

    async def write(self, topic: str, key: str, value: bytes) -> None:
        """Return when the record is safe. Waits while the broker is away."""
        while True:
            try:
                await self.attempt(topic, key, value)
                return
            except KafkaError as error:
                log.warning("not written, trying again", extra={"topic": topic, "error": f"{error!r}"})
                await asyncio.sleep(AGAIN_S)

    async def attempt(self, topic: str, key: str, value: bytes) -> None:
        """Return when the record is safe. Raises KafkaError."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._attempt, topic, key, value)

    def close(self) -> None:
        """Send what is under way, for at most two seconds."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._producer is not None:
            self._producer.close(timeout=2)

    def _attempt(self, topic: str, key: str, value: bytes) -> None:
        self._connected().send(topic, value, key=key.encode()).get(timeout=WRITE_S)

    def _connected(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = KafkaProducer(
                    bootstrap_servers=self.bootstrap.split(","),
                    client_id="daymark-dispatcher",
                    acks="all",
                    linger_ms=2,
                    allow_auto_create_topics=False,
                    bootstrap_timeout_ms=3_000,
                    max_block_ms=3_000,
                    request_timeout_ms=4_000,
                    delivery_timeout_ms=8_000,
                    reconnect_backoff_max_ms=1_000,
                )
            return self._producer


class DocumentLog:
    """Follows `daymark.alerting` from its beginning, in a thread. `changed` is called with each key that changes."""

    def __init__(self, bootstrap: str, topic: str, documents: Documents, changed: Callable[[str], None]) -> None:
        self.bootstrap = bootstrap
        self.partition = TopicPartition(topic, 0)
        self.documents = documents
        self.complete = asyncio.Event()
        self._changed = changed
        self._stop = threading.Event()

    async def follow(self) -> None:
        """Read until cancelled; `complete` is set when all has been read that was there at the beginning."""
        loop = asyncio.get_running_loop()
        reading = asyncio.create_task(asyncio.to_thread(self._follow, loop))
        try:
            await asyncio.shield(reading)
        finally:
            self._stop.set()
            await reading

    def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            try:
                self._follow_one(loop)
            except KafkaError as error:
                log.warning("alerting documents can't be read now", extra={"error": f"{error!r}"})
                self._stop.wait(AGAIN_S)

    def _follow_one(self, loop: asyncio.AbstractEventLoop) -> None:
        consumer = KafkaConsumer(
            bootstrap_servers=self.bootstrap.split(","),
            client_id="daymark-dispatcher-documents",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=5_000,
            reconnect_backoff_max_ms=1_000,
        )
        try:
            consumer.assign([self.partition])
            consumer.seek_to_beginning(self.partition)
            end = consumer.end_offsets([self.partition])[self.partition]
            while not self._stop.is_set():
                for record in consumer.poll(timeout_ms=POLL_MS).get(self.partition, []):
                    loop.call_soon_threadsafe(self._take, (record.key or b"").decode(errors="replace"), record.value)
                if consumer.position(self.partition, timeout_ms=1_000) >= end:
                    loop.call_soon_threadsafe(self.complete.set)
        finally:
            consumer.close(timeout_ms=1_000)

    def _take(self, key: str, value: bytes | None) -> None:
        try:
            document = json.loads(value) if value else None
            if document is not None and not isinstance(document, dict):
                raise ValueError("it is no JSON object")
        except ValueError as error:
            log.warning("an alerting document can't be read", extra={"key": key, "error": str(error)})
            return
        if document == self.documents.get(key):
            return
        if document is None:
            self.documents.pop(key, None)
        else:
            self.documents[key] = document
        self._changed(key)
