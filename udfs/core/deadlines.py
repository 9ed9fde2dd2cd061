"""Verdicts on deadlines: met, at risk, missing, late, reported late, early, or called off.

Rules, for a deadline `expect` within n ms after `after`:

- The clock starts at the first `after`, and stops at the first `expect` behind it (by event time, then by order of
  arrival). With the anchor EACH every `after` starts a clock of its own, which the first `expect` behind it stops; with
  LAST the next `after` calls off the clock of the one before it. Without an `after` it starts with the item.
- Exactly at the deadline is in time.
- MISSING when the watermark reaches the deadline and no `expect` happened in time. LATE follows when it happened
  after that.
- REPORTED_LATE, in place of LATE, when it happened in time but came only after MISSING had gone out.
- PREDICTED, where that is asked, when it is likely that it will be missed (see `predicted`).
- AT_RISK when the watermark reaches the warning instant and no `expect` had happened by then.
- What was PREDICTED or AT_RISK and is answered in time after all, or called off, is said again under its id, with when
  that was (see `atrisk`).
- EARLY when the first `expect` behind the `after` happened less than `not_before` after it; said once the watermark has
  reached it, when no earlier `after` or `expect` can come any more.
- An end step at or before the instant calls it off, unless the deadline is kept after the end; so does a step that
  cancels it.
- While the source of `expect` is blind, time stands still for the deadline.
- An `expect` that came before its `after`, against the flow's order, is an order violation and not missing as well.

Nothing is said about an instant that the watermark has not reached, since an event may still come that changes it.
"""

from __future__ import annotations

from udfs.core import atrisk, predicted
from udfs.core.answers import called_off, first_of, overtaken, reply_of
from udfs.core.effects import EARLY as EARLY_KIND
from udfs.core.effects import LATE, MISSING, REPORTED_LATE, Effect
from udfs.core.instants import due as due_at
from udfs.core.instants import warned
from udfs.core.overrides import held_to
from udfs.core.said import finding
from udfs.core.sight import known
from udfs.core.spec import FIRST, Deadline, Predict, Spec
from udfs.core.state import (
    CLOSED,
    EARLY,
    FORM,
    MISSED,
    NEVER,
    PREDICTED,
    REPORTED,
    SAID,
    TRACE_KEPT,
    WARNED,
    WORRYING,
    Item,
    Occurrence,
    Slot,
    slot_of,
)
from udfs.core.state import LATE as LATE_SAID


def start(spec: Spec, deadline: Deadline, item: Item, at: Occurrence) -> None:
    """Starts a clock of a deadline, in the form that fits the item."""
    if spec.plain:
        wake = at.time + (deadline.within if deadline.warn is None else deadline.warn)
        slot = Slot(deadline.index, at.time, at.seq, wake)
    else:
        slot = Slot(deadline.index, at.time, at.seq, NEVER)
        slot.wake = wake = min(due_at(spec, deadline, item, slot), warned(spec, deadline, item, slot))
        if spec.predict is not None:
            due = due_at(spec, deadline, item, slot)
            slot.wake = wake = min(wake, predicted.foreseen(spec, spec.predict, deadline, slot, due))
        if deadline.anchor != FIRST:
            item.slots = [one for one in item.slots if one.deadline != deadline.index or _still_matters(one)]
    item.slots.append(slot)
    if wake < item.due:
        item.due = wake


def _still_matters(slot: Slot) -> bool:
    return slot.flags & (CLOSED | SAID) != CLOSED


def answer(spec: Spec, deadline: Deadline, item: Item, at: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """Takes note that `expect` happened, as the newest occurrence of the trace."""
    for slot in item.slots:
        if slot.deadline == deadline.index and not slot.flags & CLOSED:
            _answer(spec, deadline, item, slot, at, watermark, effects)


def _answer(
    spec: Spec, deadline: Deadline, item: Item, slot: Slot, at: Occurrence, watermark: int, effects: list[Effect]
) -> None:
    if not spec.plain:
        judge(spec, deadline, item, slot, watermark, effects)
        return
    if deadline.variants:
        deadline = held_to(deadline, item, slot)
    first_instant = slot.since + (deadline.within if deadline.warn is None else deadline.warn)
    untouched = not slot.flags and slot.wake == first_instant  # else an earlier answer, too early, waits to be told
    if untouched and slot.since + deadline.not_before <= at.time <= first_instant:
        slot.flags = CLOSED
        slot.wake = NEVER
    else:
        judge(spec, deadline, item, slot, watermark, effects)


def restart(spec: Spec, deadline: Deadline, item: Item, watermark: int, effects: list[Effect]) -> None:
    """Judges a deadline anew from the whole trace, whose past may have changed."""
    if deadline.anchor != FIRST:
        _restart_each(spec, deadline, item, watermark, effects)
        return
    anchor = first_of(item.trace, deadline.after)
    slot = slot_of(item, deadline.index)
    if item.trimmed and slot is not None and slot.flags & CLOSED:
        return  # what answered it may have left the trace
    if anchor is None:
        return
    if slot is None:
        slot = Slot(deadline.index, anchor.time, anchor.seq, 0)
        item.slots.append(slot)
    elif not slot.flags & SAID and (slot.since != anchor.time or slot.seq != anchor.seq):
        slot.since, slot.seq, slot.flags = anchor.time, anchor.seq, 0
    judge(spec, deadline, item, slot, watermark, effects)


def _restart_each(spec: Spec, deadline: Deadline, item: Item, watermark: int, effects: list[Effect]) -> None:
    """As `restart`, for a deadline whose clock starts at each `after`.

    Of a trace that was trimmed only the newest part is whole: what answered an older one may be gone.
    """
    known = [slot for slot in item.slots if slot.deadline == deadline.index]
    whole = item.trace[-TRACE_KEPT:] if item.trimmed else item.trace
    for o in whole:
        if o.step != deadline.after:
            continue
        slot = next((one for one in known if one.since == o.time and one.seq == o.seq), None)
        if slot is None:
            slot = Slot(deadline.index, o.time, o.seq, 0)
            item.slots.append(slot)
        else:
            known.remove(slot)
        if not (item.trimmed and slot.flags & CLOSED):
            judge(spec, deadline, item, slot, watermark, effects)
    for slot in known:
        if not slot.flags & SAID and not item.trimmed:
            item.slots.remove(slot)
        elif not slot.flags & CLOSED:
            judge(spec, deadline, item, slot, watermark, effects)


def judge(spec: Spec, deadline: Deadline, item: Item, slot: Slot, watermark: int, effects: list[Effect]) -> None:
    """Says what can be said of one deadline at this watermark, and when to look again."""
    if spec.horizons:
        watermark = known(spec, deadline.expect, watermark)
    if deadline.variants:
        deadline = held_to(deadline, item, slot)
    due = slot.since + deadline.within if spec.plain else due_at(spec, deadline, item, slot)
    reply = reply_of(deadline, item, slot)
    off = called_off(deadline, item, slot)
    end = off.time if off else NEVER
    before_its_clock = overtaken(spec, deadline, item, slot)
    if before_its_clock:
        end = slot.since
    settled = min(reply.time if reply else NEVER, end)
    warn_at = warned(spec, deadline, item, slot)
    worried = slot.flags & WORRYING
    if settled > warn_at and watermark >= warn_at:
        slot.flags |= WARNED
    soon = warn_at
    if spec.predict is not None:
        soon = _foresee(spec, spec.predict, deadline, slot, settled, warn_at, due, watermark)
    if slot.flags & WORRYING:
        atrisk.tell(spec, deadline, item, slot, slot.flags & ~worried, settled, warn_at, due, effects)
    if settled > due and watermark >= due and not slot.flags & MISSED:
        slot.flags |= MISSED
        slot.answered = 0
        item.count += 1
        effects.append(finding(spec, deadline, item, MISSING, due, slot, None))
    if slot.flags & MISSED and reply and not deadline.tier and _is_new(item, slot, reply):
        _report(spec, deadline, item, slot, due, reply, effects)
    early = NEVER
    if deadline.not_before and not before_its_clock:
        early = _judge_early(spec, deadline, item, slot, reply, off, watermark, effects)
    if slot.flags & SAID and not slot.flags >> FORM:
        slot.flags |= (deadline.form + 1) << FORM
    _sleep(item, slot, settled, soon, due, watermark, early)


def _foresee(
    spec: Spec, rule: Predict, deadline: Deadline, slot: Slot, settled: int, warn_at: int, due: int, watermark: int
) -> int:
    """Sees whether the deadline will hardly be met. Returns the next instant before the deadline at which something may
    be said: of this, or the warning's."""
    instant = predicted.foreseen(spec, rule, deadline, slot, due)
    if watermark < instant:
        return instant if instant < warn_at or warn_at <= watermark else warn_at
    if settled > instant:
        slot.flags |= PREDICTED
    return warn_at


def _judge_early(
    spec: Spec,
    deadline: Deadline,
    item: Item,
    slot: Slot,
    reply: Occurrence | None,
    off: Occurrence | None,
    watermark: int,
    effects: list[Effect],
) -> int:
    """Says that `expect` came too early. Returns when that can be said, if not yet, else NEVER."""
    floor = slot.since + deadline.not_before
    if reply is None or reply.time >= floor or slot.flags & EARLY:
        return NEVER
    if off is not None and reply.is_behind(off.time, off.seq):
        return NEVER
    if watermark < reply.time:
        return reply.time
    slot.flags |= EARLY
    item.count += 1
    effects.append(finding(spec, deadline, item, EARLY_KIND, floor, slot, reply))
    return NEVER


def _is_new(item: Item, slot: Slot, reply: Occurrence) -> bool:
    """Whether another answer was told, if one was: the first one may have left a very long trace."""
    return reply.time != slot.answered and not (item.trimmed and slot.answered and reply.time > slot.answered)


def _report(
    spec: Spec, deadline: Deadline, item: Item, slot: Slot, due: int, reply: Occurrence, effects: list[Effect]
) -> None:
    slot.answered = reply.time
    late = reply.time > due
    said = LATE_SAID if late else REPORTED
    item.count += not slot.flags & said
    slot.flags |= said
    effects.append(finding(spec, deadline, item, LATE if late else REPORTED_LATE, due, slot, reply))


def _sleep(item: Item, slot: Slot, settled: int, warn_at: int, due: int, watermark: int, early: int) -> None:
    """Sets the next instant at which time alone decides something, and closes the slot when there is none."""
    slot.wake = NEVER
    slot.flags &= ~CLOSED
    if watermark < warn_at < settled:
        slot.wake = warn_at
    elif watermark < due < settled:
        slot.wake = due
    elif early < NEVER:
        slot.wake = early
    elif not slot.flags & MISSED and (settled < NEVER or due < NEVER):  # else the item is paused
        slot.flags |= CLOSED
    if slot.wake < item.due:
        item.due = slot.wake
