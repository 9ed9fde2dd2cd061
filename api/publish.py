"""Puts posted events into the lane's topic, under the key that the source mapping reads."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any

import orjson
from kafka import KafkaProducer
from kafka.errors import KafkaError

from api.settings import Settings
from udfs.packs.load import load_mapping
from udfs.packs.mapping import SourceMapping, Unreadable

DELIVERY_S = 10.0


class PublishError(Exception):
    """The broker did not acknowledge everything; `acknowledged` says how many events it has for certain."""

    def __init__(self, message: str, acknowledged: int = 0) -> None:
        super().__init__(message)
        self.acknowledged = acknowledged


class Publisher:
    """Produces to Kafka and waits for the acknowledgement; safe to call from any thread.

    The producer is made at the first use, so that the API serves while Kafka is away.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.mappings: list[SourceMapping] = [load_mapping(path) for path in settings.mappings]
        self._producer: KafkaProducer | None = None
        self._lock = threading.Lock()

    def publish(self, lane: str, events: Sequence[dict[str, Any]]) -> str:
        """Send events in their order; returns the topic. Raises PublishError after at most about 15 s."""
        topic = f"{self.settings.topic_prefix}events.{lane}"
        futures = []
        try:
            producer = self._connected()
            for event in events:
                future = producer.send(topic, orjson.dumps(event), key=self.key(topic, event).encode())
                if future.failed():  # the topic isn't known: each further one would wait as long to learn it
                    raise future.exception
                futures.append(future)
        except KafkaError as error:
            raise PublishError(f"{topic}: {_text(error)}", _acknowledged(futures)) from error
        until = time.monotonic() + DELIVERY_S
        for future in futures:
            try:
                future.get(timeout=max(0.0, until - time.monotonic()))
            except KafkaError as error:
                raise PublishError(f"{topic}: {_text(error)}", _acknowledged(futures)) from error
        return topic

    def key(self, topic: str, event: dict[str, Any]) -> str:
        """The correlation key if a mapping for the topic reads one, else the subject, else the id."""
        for mapping in self.mappings:
            if mapping.topic not in (None, topic) or not mapping.matches(event):
                continue
            for name in mapping.key_names:
                try:
                    return mapping.event(event, name, "", 0).key
                except Unreadable:
                    continue
        return str(event.get("subject") or event["id"])

    def reachable(self) -> bool:
        """Whether a broker accepts connections; takes at most half a second each."""
        for place in self.settings.kafka.split(","):
            host, _, port = place.rpartition(":")
            try:
                socket.create_connection((host, int(port)), timeout=0.5).close()
            except (OSError, ValueError):
                continue
            return True
        return False

    def close(self) -> None:
        """Send what is under way, for at most two seconds."""
        with self._lock:
            if self._producer is not None:
                self._producer.close(timeout=2)
                self._producer = None

    def _connected(self) -> KafkaProducer:
        with self._lock:
            if self._producer is None:
                self._producer = KafkaProducer(
                    bootstrap_servers=self.settings.kafka.split(","),
                    client_id="daymark-api",
                    acks="all",
                    linger_ms=5,
                    batch_size=262_144,
                    max_request_size=1_100_000,
                    allow_auto_create_topics=False,
                    bootstrap_timeout_ms=2_000,
                    max_block_ms=3_000,
                    request_timeout_ms=4_000,
                    delivery_timeout_ms=8_000,
                    reconnect_backoff_max_ms=2_000,
                )
            return self._producer


def _acknowledged(futures: Sequence[Any]) -> int:
    return sum(1 for future in futures if future.is_done and future.succeeded())


def _text(error: KafkaError) -> str:
    return str(error) or type(error).__name__
