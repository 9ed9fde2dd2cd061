"""Effects as rows: the JSON lines of docs/contracts.md. Instants are epoch ms, UTC.

Their shapes are in `rowtypes`.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Final

import msgspec

from udfs.core.answers import reply_of
from udfs.core.children import surplus
from udfs.core.effects import Finding, Transition
from udfs.core.event import Event
from udfs.core.instants import due as due_at
from udfs.core.lifetime import end_of
from udfs.core.overrides import held_to
from udfs.core.spec import Spec
from udfs.core.state import CLOSED, EARLY, LATE, MISSED, NEVER, PREDICTED, REPORTED, WARNED, Item
from udfs.operators.batch import Frame
from udfs.operators.rowtypes import (
    DeadLetterRow,
    EventRow,
    FindingRow,
    Forecast,
    ItemRow,
    Pending,
    Row,
    TransitionRow,
)

EXCERPT: Final = 8192
"""Bytes of a record's JSON text that are kept with its event row."""

RAW: Final = 600_000
"""Bytes of an unreadable record that are kept: base64 of more would not fit into one Kafka record."""

MOST_CHANGES: Final = (1 << 20) - 1
NEWLINE: Final = 10  # numbers: looking for b"\n" makes Python raise and drop an exception first
RETURN: Final = 13

_encoder = msgspec.json.Encoder()


def line(row: Row) -> bytes:
    """One row as JSON."""
    return _encoder.encode(row)


def lines(rows: list[Row]) -> bytes:
    """Rows as JSON, one a line; no newline behind the last."""
    return _encoder.encode_lines(rows)[:-1]


def groups_of(item: Item) -> dict[str, str]:
    return {name: known[1] for name, known in item.groups.items()}


def _amount_of(item: Item) -> float | None:
    return item.amount[1] if item.amount else None


def finding(spec: Spec, item: Item, effect: Finding) -> Row:
    return finding_of(spec, item.key, groups_of(item), effect, _amount_of(item))


def finding_of(spec: Spec, key: str, groups: dict[str, str], effect: Finding, amount: float | None = None) -> Row:
    """A finding about a key, of which there may be no item, and then nothing at stake that is known."""
    return FindingRow(
        effect.id,
        spec.lane,
        spec.workflow,
        spec.version,
        effect.rule_hash,
        effect.rule,
        effect.kind,
        effect.severity,
        key,
        groups,
        effect.step,
        effect.because,
        effect.occurrence,
        effect.deadline,
        effect.at,
        effect.delta,
        effect.since,
        effect.event_id,
        effect.received,
        effect.runbook,
        amount,
    )


def transition(spec: Spec, item: Item, effect: Transition) -> Row:
    return TransitionRow(
        spec.lane,
        spec.workflow,
        spec.version,
        item.key,
        effect.event_id,
        effect.source,
        effect.event_type,
        effect.step,
        effect.previous,
        effect.at,
        effect.previous_at,
        effect.duration,
        effect.queue,
        effect.work,
        groups_of(item),
    )


def item(spec: Spec, state: Item, expired: bool = False) -> ItemRow:
    """How an item stands. `rev` grows with each change: the event time reached, then a count of what changed at it."""
    trace = state.trace
    end = end_of(spec, state)
    last = end or trace[-1]
    missing, late, overdue, other = _counts(spec, state)
    pending = [] if expired else pending_deadlines(spec, state)
    return ItemRow(
        spec.lane,
        spec.workflow,
        spec.version,
        spec.hash,
        state.key,
        state.run,
        state.ended or ("expired" if expired else "in_flight"),
        spec.steps[last.step].name,
        trace[0].time,
        trace[-1].time,
        end.time if end else state.expires if expired else None,
        len(trace) + state.trimmed,
        missing,
        late,
        overdue,
        other,
        pending[0].due_ms if pending else None,
        pending,
        groups_of(state),
        _amount_of(state),
        state.latest << 20 | min(state.count + expired, MOST_CHANGES),
        forecast=_forecast(spec, state) if spec.spans and pending else None,
    )


def closed(spec: Spec, state: Item, since: int, reason: str) -> Row:
    """How an item stood that was closed at an instant (epoch ms), or, if it is younger, with its last event."""
    row = item(spec, state, expired=True)
    row.status, row.reason = "closed", reason
    row.ended_ms = max(since, state.trace[-1].time)
    return row


def _counts(spec: Spec, state: Item) -> tuple[int, int, int, int]:
    """Deadlines broken, answered late, not yet answered; and everything else found."""
    missing = late = overdue = 0
    other = state.copied + state.dropped + (len(state.misplaced) if state.misplaced else 0)
    if spec.tells:
        other += surplus(spec, state)
    if state.course is not None:
        other += state.course.told
    if state.pace is not None:
        other += state.pace.count
    for slot in state.slots:
        flags = slot.flags
        if flags & ~CLOSED:
            if not spec.deadlines[slot.deadline].tier:  # a further limit on the same deadline is no further deadline
                missing += flags & MISSED > 0
                late += flags & LATE > 0
                overdue += flags & (MISSED | LATE | REPORTED) == MISSED
            other += (flags & WARNED > 0) + (flags & REPORTED > 0) + (flags & EARLY > 0) + (flags & PREDICTED > 0)
    return missing, late, overdue, other


def pending_deadlines(spec: Spec, state: Item) -> list[Pending]:
    """The deadlines that still wait for their step, the earliest first."""
    waiting: list[Pending] = []
    for slot in state.slots:
        if slot.wake < NEVER and not slot.flags & (CLOSED | MISSED):
            deadline = held_to(spec.deadlines[slot.deadline], state, slot)
            if not reply_of(deadline, state, slot):
                waiting.append(Pending(deadline.id, due_at(spec, deadline, state, slot)))
    if len(waiting) > 1:
        waiting.sort(key=_due)
    return waiting


def _forecast(spec: Spec, state: Item) -> list[Forecast] | None:
    """Of deadlines that may still be met what a prediction goes by."""
    found: list[Forecast] = []
    for slot in state.slots:
        deadline, quantiles = spec.deadlines[slot.deadline], spec.spans[slot.deadline]
        if quantiles and not deadline.tier and slot.wake < NEVER and not slot.flags & (CLOSED | MISSED):
            held = held_to(deadline, state, slot)
            found.append(Forecast(deadline.id, due_at(spec, held, state, slot), slot.since, quantiles))
    return found or None


def _due(pending: Pending) -> int:
    return pending.due_ms


def event(lane: str, topic: str, key_name: str, seen: Event, text: bytes, duplicate: bool, frame: Frame) -> Row:
    """`text` is the record's JSON text, personal data already masked. It goes into the row as it is, an object;
    as a text where it is cut off or has line breaks, which would end the row."""
    whole = len(text) <= EXCERPT and NEWLINE not in text and RETURN not in text
    return EventRow(
        lane,
        seen.source,
        seen.id,
        seen.type,
        seen.time,
        frame.received,
        key_name,
        seen.key,
        {name: value for name, value in seen.groups},  # noqa: C416 (dict() would ask for keys() first, and fail)
        msgspec.Raw(text) if whole else text[:EXCERPT].decode("utf-8", "ignore"),
        1 if len(text) > EXCERPT else 0,
        1 if duplicate else 0,
        topic,
        frame.partition,
        frame.offset,
    )


def dead_letter(
    lane: str, topic: str, partition: int, offset: int, received: int, reason: str, detail: str, raw: bytes
) -> bytes:
    if len(raw) > RAW:
        detail = f"{detail} (only the first {RAW} of {len(raw)} bytes are kept)"
    text = b64encode(raw[:RAW]).decode("ascii")
    return line(DeadLetterRow(lane, topic, partition, offset, received, reason, detail[:2000], text))
