"""What in an item's trace stops the clock of a deadline: the step that is expected, or one that calls it off."""

from __future__ import annotations

from udfs.core.spec import BEGINNING, FIRST, IGNORE, LAST, Deadline, Spec
from udfs.core.state import Item, Occurrence, Slot


def first_of(trace: list[Occurrence], step: int) -> Occurrence | None:
    """The first occurrence of a step; the very first, of BEGINNING."""
    if step == BEGINNING:
        return trace[0]
    for o in trace:
        if o.step == step:
            return o
    return None


def reply_of(deadline: Deadline, item: Item, slot: Slot) -> Occurrence | None:
    """What stops the clock: the first `expect` behind what started it. An item may begin with the step that is expected
    of it."""
    if deadline.after == BEGINNING:
        return _first_at(item.trace, 1 << deadline.expect, slot)
    return first_behind(item.trace, deadline.expect, slot)


def first_behind(trace: list[Occurrence], step: int, slot: Slot) -> Occurrence | None:
    """The first occurrence of a step behind the one that started the clock."""
    for o in trace:
        if o.step == step and o.is_behind(slot.since, slot.seq):
            return o
    return None


def called_off(deadline: Deadline, item: Item, slot: Slot) -> Occurrence | None:
    """The first that calls the deadline off: at or behind what started the clock; the next `after`, where it counts."""
    off = _first_at(item.trace, deadline.called_off_by, slot)
    if deadline.anchor == LAST:
        following = first_behind(item.trace, deadline.after, slot)
        if following is not None and (off is None or off.is_behind(following.time, following.seq)):
            return following
    return off


def _first_at(trace: list[Occurrence], steps: int, slot: Slot) -> Occurrence | None:
    """The first of some steps (a bit mask) at or behind what started the clock."""
    for o in trace:
        if steps >> o.step & 1 and o.is_behind(slot.since, slot.seq - 1):
            return o
    return None


def overtaken(spec: Spec, deadline: Deadline, item: Item, slot: Slot) -> bool:
    """Whether `expect` came before its `after`, although the flow puts it behind and the order is judged."""
    if spec.order_policy == IGNORE or deadline.after == BEGINNING or deadline.anchor != FIRST:
        return False
    if not spec.steps[deadline.expect].before >> deadline.after & 1:
        return False
    first = first_of(item.trace, deadline.expect)
    return first is not None and not first.is_behind(slot.since, slot.seq - 1)
