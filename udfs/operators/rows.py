"""Effects as rows: the JSON lines of docs/contracts.md. Instants are epoch ms, UTC."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import orjson

from udfs.core.deadlines import first_behind
from udfs.core.effects import Finding, Transition
from udfs.core.event import Event
from udfs.core.lifetime import end_of
from udfs.core.spec import Spec
from udfs.core.state import CLOSED, LATE, MISSED, NEVER, REPORTED, WARNED, Item
from udfs.operators.batch import Frame

EXCERPT = 8192
"""Bytes of a record's JSON text that are kept with its event row."""

RAW = 600_000
"""Bytes of an unreadable record that are kept: base64 of more would not fit into one Kafka record."""

dumps = orjson.dumps


def groups_of(item: Item) -> dict[str, str]:
    return {name: value for name, (_, value) in item.groups.items()}


def finding(spec: Spec, item: Item, effect: Finding) -> bytes:
    return dumps(
        {
            "id": effect.id,
            "lane": spec.lane,
            "workflow": spec.workflow,
            "version": spec.version,
            "rule_hash": effect.rule_hash,
            "rule": effect.rule,
            "kind": effect.kind,
            "severity": effect.severity,
            "key": item.key,
            "groups": groups_of(item),
            "step": effect.step,
            "because": effect.because,
            "occurrence": effect.occurrence,
            "deadline_ms": effect.deadline,
            "at_ms": effect.at,
            "delta_ms": effect.delta,
            "since_ms": effect.since,
            "event_id": effect.event_id,
            "received_ms": effect.received,
            "runbook": effect.runbook,
        }
    )


def transition(spec: Spec, item: Item, effect: Transition) -> bytes:
    return dumps(
        {
            "lane": spec.lane,
            "workflow": spec.workflow,
            "version": spec.version,
            "key": item.key,
            "event_id": effect.event_id,
            "source": effect.source,
            "event_type": effect.event_type,
            "step": effect.step,
            "previous": effect.previous,
            "at_ms": effect.at,
            "previous_at_ms": effect.previous_at,
            "duration_ms": effect.duration,
            "queue_ms": effect.queue,
            "work_ms": effect.work,
            "groups": groups_of(item),
        }
    )


def item(spec: Spec, state: Item, expired: bool = False) -> bytes:
    """How an item stands. `rev` grows with each change: the event time reached, then a count of what changed at it."""
    trace = state.trace
    end = end_of(spec, state)
    last = end or trace[-1]
    flags = [slot.flags for slot in state.slots.values()]
    pending = [] if expired else pending_deadlines(spec, state)
    return dumps(
        {
            "lane": spec.lane,
            "workflow": spec.workflow,
            "version": spec.version,
            "rule_hash": spec.hash,
            "key": state.key,
            "run_ms": state.run,
            "status": state.ended or ("expired" if expired else "in_flight"),
            "step": spec.steps[last.step].name,
            "started_ms": trace[0].time,
            "updated_ms": trace[-1].time,
            "ended_ms": end.time if end else state.expires if expired else None,
            "events": len(trace) + state.trimmed,
            "missing": sum(f & MISSED > 0 for f in flags),
            "late": sum(f & LATE > 0 for f in flags),
            "overdue": sum(f & (MISSED | LATE | REPORTED) == MISSED for f in flags),
            "other": sum((f & WARNED > 0) + (f & REPORTED > 0) for f in flags) + len(state.misplaced) + state.copied,
            "next_due_ms": pending[0]["due_ms"] if pending else None,
            "pending": pending,
            "groups": groups_of(state),
            "amount": state.amount[1] if state.amount else None,
            "rev": state.latest << 20 | min(state.count + expired, (1 << 20) - 1),
        }
    )


def pending_deadlines(spec: Spec, state: Item) -> list[dict[str, Any]]:
    """The deadlines that still wait for their step, the earliest first."""
    waiting: list[dict[str, Any]] = []
    for index, slot in state.slots.items():
        deadline = spec.deadlines[index]
        is_open = slot.wake < NEVER and not slot.flags & (CLOSED | MISSED)
        if is_open and not first_behind(state.trace, deadline.expect, slot):
            waiting.append({"id": deadline.id, "due_ms": slot.since + deadline.within})
    waiting.sort(key=lambda d: d["due_ms"])
    return waiting


def event(lane: str, topic: str, key_name: str, seen: Event, text: bytes, duplicate: bool, frame: Frame) -> bytes:
    """`text` is the record's JSON text, personal data already masked."""
    return dumps(
        {
            "lane": lane,
            "source": seen.source,
            "id": seen.id,
            "type": seen.type,
            "time_ms": seen.time,
            "received_ms": frame.received,
            "key_name": key_name,
            "key": seen.key,
            "groups": dict(seen.groups),
            "data": text[:EXCERPT].decode("utf-8", "ignore"),
            "truncated": int(len(text) > EXCERPT),
            "duplicate": int(duplicate),
            "topic": topic,
            "partition": frame.partition,
            "offset": frame.offset,
        }
    )


def dead_letter(
    lane: str, topic: str, partition: int, offset: int, received: int, reason: str, detail: str, raw: bytes
) -> bytes:
    if len(raw) > RAW:
        detail = f"{detail} (only the first {RAW} of {len(raw)} bytes are kept)"
    return dumps(
        {
            "lane": lane,
            "topic": topic,
            "partition": partition,
            "offset": offset,
            "received_ms": received,
            "reason": reason,
            "detail": detail[:2000],
            "raw": b64encode(raw[:RAW]).decode("ascii"),
        }
    )
