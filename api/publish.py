"""Puts posted events where the lane's job reads them: the topic of the mapping that can read them, under its key."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError

from api.cloudevents import Posted
from api.problems import Fault
from api.settings import Settings
from udfs.core.source import Unreadable
from udfs.packs.load import load_mapping
from udfs.packs.mapping import SourceMapping

DELIVERY_S = 10.0
FIELDS = {"no_type": "type", "no_time": "time", "bad_time": "time"}
"""The attribute at fault, by the reason for which a mapping can't read an event; else it is in the data."""


class Record(NamedTuple):
    """What is sent to Kafka. Without a value it says that what has its key is no more."""

    topic: str
    key: bytes
    value: bytes | None


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

    def addressed(self, lane: str, events: Sequence[Posted]) -> tuple[list[Record], list[Fault]]:
        """The events as records for Kafka, and what is wrong with those that no mapping of the lane can read."""
        mappings = [mapping for mapping in self.mappings if self._serves(mapping, lane)]
        records, faults = [], []
        for index, (event, raw) in enumerate(events):
            try:
                topic, key = self._address(lane, event, mappings)
            except Unreadable as fault:
                field = FIELDS.get(fault.reason, "data")
                faults.append(Fault(index=index, field=field, message=fault.detail))
                continue
            records.append(Record(topic, key.encode(), raw))
        return records, faults

    def reading(self, topic: str) -> list[SourceMapping]:
        """The mappings by which records of a topic are read; those without a topic of their own read any lane's."""
        of_lanes = topic.startswith(f"{self.settings.topic_prefix}events.")
        return [one for one in self.mappings if one.topic == topic or (one.topic is None and of_lanes)]

    def _serves(self, mapping: SourceMapping, lane: str) -> bool:
        """Whether the lane's job reads with this mapping; a topic of the mapping's own is its own lane's alone."""
        home = mapping.lane or (self.settings.lane if mapping.topic else lane)
        return home == lane

    def _address(self, lane: str, event: dict[str, Any], mappings: Sequence[SourceMapping]) -> tuple[str, str]:
        """Topic and key by the first mapping that reads the event; without mappings the lane's topic, under the
        subject or the id. Raises Unreadable."""
        topic = f"{self.settings.topic_prefix}events.{lane}"
        if not mappings:
            return topic, str(event.get("subject") or event["id"])
        reason, told = "", []
        for mapping in mappings:
            if not mapping.matches(event):
                told.append(f"mapping {mapping.name}: its `when` does not hold")
                continue
            for name in mapping.key_names:
                try:
                    return mapping.topic or topic, mapping.event(event, name, "", 0).key
                except Unreadable as fault:
                    reason = reason or fault.reason
                    told.append(f"mapping {mapping.name}: {fault.detail}")
        raise Unreadable(reason, f"no mapping of lane {lane} can read this event; {'; '.join(dict.fromkeys(told))}")

    def publish(self, records: Sequence[Record]) -> None:
        """Send records in their order. Raises PublishError after at most about 15 s."""
        futures: list[tuple[str, Any]] = []
        topic = ""
        try:
            producer = self._connected()
            for topic, key, value in records:
                future = producer.send(topic, value, key=key)
                if future.failed():  # the topic isn't known: each further one would wait as long to learn it
                    raise future.exception
                futures.append((topic, future))
            until = time.monotonic() + DELIVERY_S
            for topic, future in futures:  # noqa: B007  (the error names it)
                future.get(timeout=max(0.0, until - time.monotonic()))
        except KafkaError as error:
            acknowledged = sum(1 for _, future in futures if future.is_done and future.succeeded())
            raise PublishError(f"{topic or self.settings.kafka}: {_text(error)}", acknowledged) from error

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


def _text(error: KafkaError) -> str:
    return str(error) or type(error).__name__
