"""Frames to events, by the mapping that reads them, and which copy of a record stands for it."""

from __future__ import annotations

from typing import Any

from udfs.core.event import Event
from udfs.core.source import Mapping, Position, Unreadable
from udfs.operators import clockfaults
from udfs.operators.batch import NO_KEY, Frame
from udfs.operators.engine import Engine
from udfs.operators.routed import REFUSED, Routed


def read(engine: Engine, mapping: Mapping, frame: Frame) -> tuple[dict[str, Any], Event | None]:
    """The record, and the event that it is; None where another copy of the record stands for it.

    Raises Unreadable.
    """
    if len(frame.payload) > engine.largest:
        raise Unreadable("too_large", f"{len(frame.payload)} bytes; at most {engine.largest} are read")
    record = mapping.parse(frame.payload)
    position = Position(engine.topics[frame.mapping], frame.partition, frame.offset)
    names = mapping.key_names
    event = mapping.event(record, names[0 if frame.key == NO_KEY else frame.key], position, frame.received)
    if frame.key == NO_KEY:
        raise Unreadable("no_key", f"no correlation key could be read; looked for {', '.join(names)}")
    if mapping.matches(record):
        if not is_plausible(engine, mapping, event, frame):
            raise Unreadable("bad_time", clockfaults.described(event.time - frame.received, mapping))
        return record, event
    if not _matches_another(engine, frame, record):
        raise Unreadable("invalid_event", "no mapping's `when` holds for the record")
    return record, None


def is_plausible(engine: Engine, mapping: Mapping, event: Event, frame: Frame) -> bool:
    """Whether its time can be right, by when Kafka took the record."""
    return not engine.live or -mapping.past <= event.time - frame.received <= mapping.future


def read_routed(engine: Engine, routed: Routed) -> Event:
    """The event that found its item's key by links. Raises Unreadable, also for one that did not."""
    if routed.own == REFUSED:
        reason, _, detail = routed.text.partition(" ")
        raise Unreadable(reason, detail)
    mapping = engine.mappings[routed.mapping]
    position = Position(engine.topics[routed.mapping], routed.partition, routed.offset)
    record = mapping.parse(routed.payload)
    event = mapping.event(record, mapping.key_names[routed.own], position, routed.received)
    event.key = routed.text
    return event


def key_of(mapping: Mapping, record: dict[str, Any], name: str) -> str | None:
    """The text of a correlation key of the record, None if it has none that can be read."""
    if name not in mapping.key_names:
        return None
    try:
        return mapping.event(record, name, "", 0).key
    except Unreadable:
        return None


def is_first_copy(mapping: Mapping, frame: Frame, record: dict[str, Any]) -> bool:
    """Whether this copy of the record is the one that stands for it in the event log."""
    return frame.key == 0 or not any(has_key(mapping, record, name) for name in mapping.key_names[: frame.key])


def has_key(mapping: Mapping, record: dict[str, Any], name: str) -> bool:
    """Whether the record shows this correlation key, so that there is a copy of it for that key."""
    try:
        mapping.event(record, name, "", 0)
    except Exception:
        return False
    return True


def _matches_another(engine: Engine, frame: Frame, record: dict[str, Any]) -> bool:
    """Whether another mapping of the topic takes the record, so that another copy of it stands for it."""
    topic = engine.topics[frame.mapping]
    others = [m for m, t in zip(engine.mappings, engine.topics, strict=True) if t == topic]
    return any(m.matches(record) and any(has_key(m, record, name) for name in m.key_names) for m in others)
