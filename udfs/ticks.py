"""How a reader of a topic tells ticks from what it is there for (docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

HEADER: Final = "daymark-tick"
"""The Kafka header of a tick, in topics of events and in those that the alert job reads."""


def is_tick(headers: Iterable[tuple[str, bytes]]) -> bool:
    """Whether a record with these headers is a tick, which no reader but a job's clock cares for."""
    return any(name == HEADER for name, _ in headers)
