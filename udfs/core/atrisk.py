"""What becomes of deadlines that are likely to be missed: AT_RISK, PREDICTED, and that they needn't be feared any more.

A finding of these two kinds is said again, under its id, when `expect` has happened in time after all, or when the
deadline was called off: `at` is when that was. Of what was done `delta` is how long after the deadline it was done (0
or less), and `event_id` which event says so; what was called off has neither.
A deadline that is missed is answered by LATE or REPORTED_LATE instead. Where what had been known turns out otherwise
(a pause that ends later than the answer came), it is said once more, without an `at`.
"""

from __future__ import annotations

from udfs.core.answers import called_off, reply_of
from udfs.core.effects import AT_RISK, Effect, Finding
from udfs.core.effects import PREDICTED as PREDICTED_KIND
from udfs.core.instants import due as due_at
from udfs.core.instants import warned
from udfs.core.overrides import held_to
from udfs.core.predicted import foreseen, told
from udfs.core.said import finding
from udfs.core.spec import Deadline, Spec
from udfs.core.state import MISSED, NEVER, PREDICTED, RELIEVED, WARNED, WORRYING, Item, Occurrence, Slot


def tell(
    spec: Spec,
    deadline: Deadline,
    item: Item,
    slot: Slot,
    news: int,
    settled: int,
    warn_at: int,
    due: int,
    effects: list[Effect],
) -> None:
    """Says what is new: `news` are the flags that the slot has just got. `settled` is when the deadline was answered or
    called off (NEVER: it wasn't)."""
    kinds = news & WORRYING
    item.count += (kinds & WARNED > 0) + (kinds & PREDICTED > 0)
    over = settled <= due and settled < NEVER and not slot.flags & MISSED
    if over or (slot.flags & RELIEVED and not slot.flags & MISSED):
        kinds = slot.flags & WORRYING
    slot.flags = slot.flags | RELIEVED if over else slot.flags & ~RELIEVED
    if not kinds:
        return
    reply = _in_time(deadline, item, slot, settled) if over else None
    then = due if reply is None else due_at(spec, deadline, item, slot, reply)  # pauses that follow count no more
    for one in _findings(spec, deadline, item, slot, kinds, warn_at, due):
        if over:
            one = _over(one, settled, reply, then)
        effects.append(one)


def let_go(spec: Spec, item: Item, slots: list[Slot], at: int) -> list[Effect]:
    """What is said when deadlines of an item wait no more from `at` on, although they were neither answered nor
    missed: the item is closed, or moves to a version without them."""
    found: list[Effect] = []
    for slot in slots:
        if slot.flags & WORRYING and not slot.flags & (MISSED | RELIEVED):
            deadline = held_to(spec.deadlines[slot.deadline], item, slot)
            warn_at, due = warned(spec, deadline, item, slot), due_at(spec, deadline, item, slot)
            for one in _findings(spec, deadline, item, slot, slot.flags, warn_at, due):
                found.append(_over(one, max(at, one.deadline), None, due))
    return found


def _findings(
    spec: Spec, deadline: Deadline, item: Item, slot: Slot, kinds: int, warn_at: int, due: int
) -> list[Finding]:
    found: list[Finding] = []
    if kinds & WARNED:
        instant = warn_at if warn_at < NEVER else slot.since  # a pause was told behind its time
        found.append(finding(spec, deadline, item, AT_RISK, instant, slot, None))
    if kinds & PREDICTED and spec.predict is not None:
        instant = 0 if slot.flags & MISSED else slot.answered
        if not instant:
            instant = min(foreseen(spec, spec.predict, deadline, slot, due), due)
            if not slot.flags & MISSED:
                slot.answered = instant
        said = finding(spec, deadline, item, PREDICTED_KIND, instant, slot, None)
        found.append(told(spec, spec.predict, deadline, item, slot, said, due))
    return found


def _in_time(deadline: Deadline, item: Item, slot: Slot, settled: int) -> Occurrence | None:
    """What was expected, if it was that which settled the deadline; None: it was called off."""
    reply = reply_of(deadline, item, slot)
    off = called_off(deadline, item, slot)
    if reply is None or reply.time > settled or (off is not None and reply.is_behind(off.time, off.seq)):
        return None
    return reply


def _over(said: Finding, at: int, reply: Occurrence | None, due: int) -> Finding:
    """The finding, with what has ended it."""
    if reply is None:
        return said._replace(at=at)
    delta = reply.time - due if due < NEVER else None
    return said._replace(at=at, delta=delta, event_id=reply.id, received=reply.received)
