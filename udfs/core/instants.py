"""When a deadline is due, and when its warning is: from the instant that started its clock, what the deadline counts in
(real time, business time, or up to a local time), and the times at which the item's clocks stood still.

- A step that pauses stops the clocks of all deadlines of the item, one that resumes lets them go on. A pause at the
  very instant at which a deadline would be due holds it.
- A deadline by a local time does not move: what has to be there by 18:00 has to be there by 18:00.
- While an item is paused its deadlines are due never.
"""

from __future__ import annotations

from udfs.core.pauses import Span
from udfs.core.spec import Deadline, Spec
from udfs.core.state import NEVER, Item, Occurrence, Slot


def due(spec: Spec, deadline: Deadline, item: Item, slot: Slot, last: Occurrence | None = None) -> int:
    """The last instant (epoch ms) at which the step is in time, as it stands at the occurrence `last` where there is
    one."""
    if deadline.by is not None:
        return deadline.by.due(slot.since)
    if deadline.business is None and not spec.pauses:
        return slot.since + deadline.within
    return _passed(spec, deadline, item, slot, deadline.within, last)


def warned(spec: Spec, deadline: Deadline, item: Item, slot: Slot) -> int:
    """The instant (epoch ms) from which the item is at risk; NEVER for a deadline without a warning."""
    if deadline.warn is None:
        return NEVER
    if deadline.by is not None:
        return max(slot.since, deadline.by.due(slot.since) - deadline.warn)
    if deadline.business is None and not spec.pauses:
        return slot.since + deadline.warn
    return _passed(spec, deadline, item, slot, deadline.warn)


def standstills(spec: Spec, item: Item, last: Occurrence | None = None) -> list[Span]:
    """The item's pauses in their order, up to the occurrence `last` where there is one; the last one may be open."""
    found: list[Span] = []
    gone = item.pauses
    if gone is not None:
        found += gone.spans
    began: Span | None = found.pop() if found and found[-1][2] == NEVER else None
    for o in item.trace:
        if gone is not None and not o.is_behind(gone.time, gone.seq):
            continue
        if last is not None and o.is_behind(last.time, last.seq):
            break
        if began is None:
            if spec.pauses >> o.step & 1:
                began = (o.time, o.seq, NEVER)
        elif spec.resumes >> o.step & 1:
            found.append((began[0], began[1], o.time))
            began = None
    if began is not None:
        found.append(began)
    return found


def _passed(spec: Spec, deadline: Deadline, item: Item, slot: Slot, span: int, last: Occurrence | None = None) -> int:
    """When `span` ms have passed on the item's clock since the slot's began; NEVER while it stands still."""
    left, runs_since = span, slot.since
    for time, seq, ended in standstills(spec, item, last) if spec.pauses else ():
        if time > slot.since or (time == slot.since and seq > slot.seq):
            if _add(deadline, runs_since, left) < time:
                break
            left -= _between(deadline, runs_since, time)
        if ended == NEVER:
            return NEVER
        runs_since = max(slot.since, ended)
    return _add(deadline, runs_since, left)


def _between(deadline: Deadline, first: int, last: int) -> int:
    return last - first if deadline.business is None else deadline.business.between(first, last)


def _add(deadline: Deadline, since: int, span: int) -> int:
    return since + span if deadline.business is None else deadline.business.add(since, span)
