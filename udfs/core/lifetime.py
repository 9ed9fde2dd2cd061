"""How long an item is known: when it has ended, and when it is forgotten."""

from __future__ import annotations

from udfs.core.spec import Spec
from udfs.core.state import Item

TRACE_LIMIT = 256
TRACE_KEPT = 128


def ended(spec: Spec, item: Item) -> str:
    """The status that the trace ends in: that of its last end step, unless a start step reopened the item behind
    it."""
    for o in reversed(item.trace):
        step = spec.steps[o.step]
        if step.end:
            return step.end
        if step.start:
            return ""
    return ""


def expires(spec: Spec, item: Item) -> int:
    """When the item is forgotten: a while after its last event, or after the last deadline that it ever started."""
    last = item.trace[-1].time
    for index, slot in item.slots.items():
        due = slot.since + spec.deadlines[index].within
        if due > last:
            last = due
    return last + (spec.remember if item.ended else spec.expire_after)


def trim(item: Item, watermark: int) -> None:
    """Bounds the trace of an item that loops for ever, or whose key is not one.

    What goes is settled (behind the watermark), not the first occurrence of its step and not among the newest: no
    verdict looks at it again. Copies of an event that went are not recognised any more.
    """
    kept, steps = [], 0
    for o in item.trace[:-TRACE_KEPT]:
        if o.time > watermark or not steps >> o.step & 1:
            kept.append(o)
        steps |= 1 << o.step
    item.trace = kept + item.trace[-TRACE_KEPT:]
