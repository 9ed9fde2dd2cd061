"""A business event, as the core sees it: already mapped, typed and addressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Event:
    """One business event after its source mapping.

    `time`, `started` and `received` are epoch milliseconds, UTC. `source` and `id` together name the
    event: two records with the same pair are copies of each other. `groups` holds (name, value) pairs.
    `data` is the whole record, for `where` conditions. `started` is when work on the step began, if the
    source says so; `received` is when the record reached Kafka (0 where there was no Kafka);
    `amount` is the value at stake, if the mapping names one.
    """

    id: str
    source: str
    type: str
    time: int
    key: str
    groups: tuple[tuple[str, str], ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    started: int | None = None
    amount: float | None = None
    received: int = 0
