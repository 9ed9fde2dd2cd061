"""Which events are copies of one that the item has, and what is said of them.

Two events with one source and id are copies. Where the workflow says so, a step that happens again is one too, or a
step with the same content. With a window, only what happened within so many ms of the other is a copy.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from udfs.core.effects import DUPLICATE, Effect, Finding
from udfs.core.ids import finding_id
from udfs.core.spec import DROP, Spec
from udfs.core.state import Item, Occurrence

RULE = "duplicates"
MOST_COPIES = 512
"""So many names of copies are counted with an item; copies by step or content have a name of their own each."""

_encoder = msgspec.json.Encoder(order="deterministic")


def original(spec: Spec, trace: list[Occurrence], at: Occurrence) -> Occurrence | None:
    """The occurrence that a new one is a copy of: the first, if it is one of several."""
    if spec.repeats or spec.contents or spec.window:
        for o in trace:
            if _is_copy(spec, o, at) and (not spec.window or abs(at.time - o.time) <= spec.window):
                return o
        return None
    for o in trace:
        if o.id == at.id and o.source == at.source:
            return o
    return None


def _is_copy(spec: Spec, o: Occurrence, at: Occurrence) -> bool:
    if o.id == at.id and o.source == at.source:
        return True
    if o.step != at.step:
        return False
    return spec.repeats >> o.step & 1 == 1 or (o.content != "" and o.content == at.content)


def content_of(spec: Spec, data: dict[str, Any] | None) -> str:
    """16 hex digits over the values at the paths that the workflow compares; "" where there is none of them."""
    values: list[Any] = []
    for path in spec.contents:
        value: Any = data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        values.append(value)
    for value in values:
        if value is not None:
            return blake2b(_encoder.encode(values), digest_size=8).hexdigest()
    return ""


def tell(spec: Spec, item: Item, kept: Occurrence, later: Occurrence, copy: Occurrence, effects: list[Effect]) -> None:
    """Says that `copy` came again; of it and what it copies, `kept` counts, and `later` does not."""
    if spec.duplicate_policy == DROP:
        return
    name = f"{copy.source} {copy.id}"
    if item.copies is None:
        item.copies = {}
    number = item.copies[name] = item.copies.get(name, 0) + 1
    if len(item.copies) > MOST_COPIES:
        del item.copies[next(iter(item.copies))]
    item.copied += 1
    occurrence = f"{name} #{number}"
    step = spec.steps[kept.step].name
    effects.append(
        Finding(
            id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, DUPLICATE, item.key, occurrence, 0),
            kind=DUPLICATE,
            rule=RULE,
            rule_hash=spec.hash,
            severity=spec.duplicate_severity,
            step=step,
            because=step,
            occurrence=occurrence,
            deadline=kept.time,
            at=later.time,
            delta=later.time - kept.time,
            since=kept.time,
            event_id=copy.id,
            received=later.received,
            runbook="",
        )
    )
