"""A business event, as the core sees it: already mapped, typed and addressed."""

from __future__ import annotations

from typing import Any

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
class Event:
    """One business event after its source mapping.

    `time`, `started` and `received` are epoch milliseconds, UTC. `source` and `id` together name the
    event: two records with the same pair are copies of each other. `groups` holds (name, value) pairs.
    `data` is the whole record, for `where` conditions. `started` is when work on the step began, if the
    source says so; `received` is when the record reached Kafka (0 where there was no Kafka);
    `amount` is the value at stake, if the mapping names one.
    """

    __slots__ = ("amount", "data", "groups", "id", "key", "received", "source", "started", "time", "type")

    def __init__(
        self,
        id: str,
        source: str,
        type: str,
        time: int,
        key: str,
        groups: tuple[tuple[str, str], ...] = (),
        data: dict[str, Any] | None = None,
        started: int | None = None,
        amount: float | None = None,
        received: int = 0,
    ) -> None:
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.key = key
        self.groups = groups
        self.data = data
        self.started = started
        self.amount = amount
        self.received = received

    def fields(self) -> tuple[object, ...]:
        return (
            *(self.id, self.source, self.type, self.time, self.key, self.groups),
            *(self.data, self.started, self.amount, self.received),
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Event) and self.fields() == other.fields()

    def __repr__(self) -> str:
        return f"Event{self.fields()!r}"
