"""Events whose time can't be right: there is none, it can't be read, or it is further from Kafka's clock than the
mapping allows. They move nothing and are followed by nobody; the workflows that would have followed them are told."""

from __future__ import annotations

from typing import Final

from udfs.core.effects import INVALID, Finding
from udfs.core.event import Event
from udfs.core.ids import finding_id
from udfs.core.match import match
from udfs.core.source import Mapping, Position, Unreadable
from udfs.core.spec import Spec, Step
from udfs.core.state import Item
from udfs.operators import rows
from udfs.operators.batch import NO_KEY, Frame, element
from udfs.operators.engine import Engine

RULE: Final = "clock"
REASONS: Final = ("no_time", "bad_time")
"""Of the dead letters that such events become."""


def described(ahead: int, mapping: Mapping) -> str:
    """What is wrong with an event that is so many ms ahead of Kafka's clock, or behind it."""
    if ahead > 0:
        return f"the event is {_span(ahead)} ahead of Kafka's clock; the mapping allows {_span(mapping.future)}"
    return f"the event is {_span(-ahead)} behind Kafka's clock; the mapping allows {_span(mapping.past)}"


def findings(engine: Engine, frame: Frame) -> list[bytes]:
    """A finding for each workflow that would have followed the event, if its key and its type can be read at all."""
    mapping = engine.mappings[frame.mapping]
    if frame.key == NO_KEY:
        return []
    key_name = mapping.key_names[frame.key]
    position = Position(engine.topics[frame.mapping], frame.partition, frame.offset)
    try:
        record = mapping.parse(frame.payload)
        event = mapping.event(record, key_name, position, frame.received, frame.received)
    except Unreadable:
        return []
    if not mapping.matches(record):
        return []
    try:
        said: int | None = mapping.event(record, key_name, position, frame.received).time
    except Unreadable:
        said = None
    found: list[bytes] = []
    for workflow in engine.workflows(key_name, event.type):
        spec = engine.spec_at(workflow, frame.received)
        step = match(spec, event) if spec is not None and spec.key == key_name else None
        if spec is not None and step is not None:
            found.append(_output(spec, step, event, said, mapping.clock_severity))
    return found


def _output(spec: Spec, step: Step, event: Event, said: int | None, severity: str) -> bytes:
    item = Item(spec.hash, event.key)
    item.groups = {name: (event.received, value) for name, value in event.groups if name in spec.groups}
    name = f"{event.source} {event.id}"
    finding = Finding(
        id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, INVALID, event.key, name, event.received),
        kind=INVALID,
        rule=RULE,
        rule_hash=spec.hash,
        severity=severity,
        step=step.name,
        because="",
        occurrence=name,
        deadline=event.received,
        at=said,
        delta=None if said is None else said - event.received,
        since=None,
        event_id=event.id,
        received=event.received,
        runbook="",
    )
    return element("F", event.key, rows.line(rows.finding(spec, item, finding)))


def _span(ms: int) -> str:
    """In the largest unit of which there are two at least."""
    for unit, size in (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000), ("seconds", 1_000)):
        if ms >= 2 * size:
            return f"{ms // size:,} {unit}"
    return f"{ms} ms"
