"""The events of a log on disk, as a source mapping reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from udfs.core.event import Event
from udfs.core.source import Unreadable
from udfs.packs.mapping import SourceMapping
from udfs.simulation.logs import BadRecord, read_log


def read_events(log: Path, mapping: SourceMapping, unreadable: Counter[str]) -> Iterator[tuple[str, Event]]:
    """The log's events, once for each correlation key that they carry; `unreadable` counts the rest by reason."""
    for record in read_log(log):
        if isinstance(record, BadRecord):
            unreadable[record.reason] += 1
            continue
        if not mapping.matches(record):
            continue
        reasons: list[str] = []
        for name in mapping.key_names:
            try:
                yield name, mapping.event(record, name, "", 0)
            except Unreadable as fault:
                reasons.append(fault.reason)
        if len(reasons) == len(mapping.key_names):
            unreadable[reasons[0]] += 1
