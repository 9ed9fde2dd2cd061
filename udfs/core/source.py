"""What the core's hosts need of a source: to read its records as events."""

from __future__ import annotations

from typing import Any

from udfs.core.event import Event
from udfs.core.state import NEVER


class Unreadable(Exception):
    """A record that is no event: one of the dead letters' reasons, and what is wrong with which field."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


class Position:
    """Where a record stands in a log. Its text is the identity of a record that has no id."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        self.topic = topic
        self.partition = partition
        self.offset = offset

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"


class Mapping:
    """Reads the records of one source, `name`. `key_names` are the correlation keys, in the mapping's order.

    The rest is about live lanes. An event's time may be `future` ms ahead of when Kafka took the record and `past` ms
    behind it (NEVER: without limit); what is found of one that isn't has the severity `clock_severity`. The source
    sends at least one record each `heartbeat` ms (0: that isn't known); when it does again after a silence, all that it
    held back is there `grace` ms later. It sends the event `types` only; none: it may send any that carries its keys.
    """

    name: str
    key_names: tuple[str, ...]
    future: int
    past: int
    clock_severity: str
    heartbeat: int
    grace: int
    types: frozenset[str]

    def parse(self, raw: bytes) -> dict[str, Any]:
        """The record in a message's bytes. Raises Unreadable."""
        raise NotImplementedError

    def matches(self, record: dict[str, Any]) -> bool:
        """Whether the record is one of this source's."""
        raise NotImplementedError

    def masked(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record without its personal data; the record itself where it has none."""
        raise NotImplementedError

    def event(self, record: Any, key_name: str, position: Position | str, received: int, time: int = NEVER) -> Event:
        """The event that the record is, for one of its correlation keys. Raises Unreadable.

        `position` is where the record stands, the identity of one that has no id; `received` is when it reached
        Kafka, epoch ms. `time`, unless it is NEVER, stands for the record's own time, which then isn't read.
        """
        raise NotImplementedError
