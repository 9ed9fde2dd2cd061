"""Verdicts on deadlines: met, at risk, missing, late, reported late, early, or called off.

Rules, for a deadline `expect` within n ms after `after`:

- The clock starts at the first `after`, and stops at the first `expect` behind it (by event time, then by order of
  arrival).
- Exactly at the deadline is in time.
- MISSING when the watermark reaches the deadline and no `expect` happened in time. LATE follows when it happened
  after that.
- REPORTED_LATE, in place of LATE, when it happened in time but came only after MISSING had gone out.
- AT_RISK when the watermark reaches the warning instant and no `expect` had happened by then.
- EARLY when the first `expect` behind the `after` happened less than `not_before` after it; said once the watermark has
  reached it, when no earlier `after` or `expect` can come any more.
- An end step at or before the instant calls it off, unless the deadline is kept after the end; so does a step that
  cancels it.
- An `expect` that came before its `after`, against the flow's order, is an order violation and not missing as well.

Nothing is said about an instant that the watermark has not reached, since an event may still come that changes it.
"""

from __future__ import annotations

from udfs.core import children
from udfs.core.effects import AT_RISK, LATE, MISSING, REPORTED_LATE, Effect, Finding
from udfs.core.effects import EARLY as EARLY_KIND
from udfs.core.ids import finding_id
from udfs.core.overrides import held_to
from udfs.core.spec import IGNORE, Deadline, Spec
from udfs.core.state import CLOSED, EARLY, FORM, MISSED, NEVER, REPORTED, SAID, WARNED, Item, Occurrence, Slot, slot_of
from udfs.core.state import LATE as LATE_SAID


def start(deadline: Deadline, item: Item, at: Occurrence) -> None:
    """Starts the clock of a deadline that has none, in the form that fits the item."""
    wake = at.time + (deadline.within if deadline.warn is None else deadline.warn)
    item.slots.append(Slot(deadline.index, at.time, at.seq, wake))
    if wake < item.due:
        item.due = wake


def answer(spec: Spec, deadline: Deadline, item: Item, at: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """Takes note that `expect` happened, as the newest occurrence of the trace."""
    slot = slot_of(item, deadline.index)
    if slot is None or slot.flags & CLOSED:
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
    anchor = first_of(item.trace, deadline.after)
    slot = slot_of(item, deadline.index)
    if item.trimmed and slot is not None and slot.flags & CLOSED:
        return  # what answered it may have left the trace
    if anchor is None:
        if slot is not None and not slot.flags & SAID:
            item.slots.remove(slot)
        return
    if slot is None:
        slot = Slot(deadline.index, anchor.time, anchor.seq, 0)
        item.slots.append(slot)
    elif not slot.flags & SAID and (slot.since != anchor.time or slot.seq != anchor.seq):
        slot.since, slot.seq, slot.flags = anchor.time, anchor.seq, 0
    judge(spec, deadline, item, slot, watermark, effects)


def judge(spec: Spec, deadline: Deadline, item: Item, slot: Slot, watermark: int, effects: list[Effect]) -> None:
    """Says what can be said of one deadline at this watermark, and when to look again."""
    if deadline.variants:
        deadline = held_to(deadline, item, slot)
    due = slot.since + deadline.within
    reply = first_behind(item.trace, deadline.expect, slot)
    off = calls_off(item.trace, deadline.called_off_by, slot)
    end = off.time if off else NEVER
    if overtaken(spec, deadline, item, slot):
        end = slot.since
    settled = min(reply.time if reply else NEVER, end)
    if deadline.warn is not None and not slot.flags & WARNED:
        warn_at = slot.since + deadline.warn
        if settled > warn_at and watermark >= warn_at:
            slot.flags |= WARNED
            item.count += 1
            effects.append(finding(spec, deadline, item, AT_RISK, warn_at, slot, None))
    if settled > due and watermark >= due and not slot.flags & MISSED:
        slot.flags |= MISSED
        item.count += 1
        effects.append(finding(spec, deadline, item, MISSING, due, slot, None))
    if slot.flags & MISSED and reply and reply.time != slot.answered and not deadline.tier:
        _report(spec, deadline, item, slot, due, reply, effects)
    early = _judge_early(spec, deadline, item, slot, reply, off, watermark, effects) if deadline.not_before else NEVER
    if slot.flags & SAID and not slot.flags >> FORM:
        slot.flags |= (deadline.form + 1) << FORM
    _sleep(deadline, item, slot, settled, due, watermark, early)


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


def _report(
    spec: Spec, deadline: Deadline, item: Item, slot: Slot, due: int, reply: Occurrence, effects: list[Effect]
) -> None:
    slot.answered = reply.time
    late = reply.time > due
    said = LATE_SAID if late else REPORTED
    item.count += not slot.flags & said
    slot.flags |= said
    effects.append(finding(spec, deadline, item, LATE if late else REPORTED_LATE, due, slot, reply))


def _sleep(deadline: Deadline, item: Item, slot: Slot, settled: int, due: int, watermark: int, early: int) -> None:
    """Sets the next instant at which time alone decides something, and closes the slot when there is none."""
    slot.wake = NEVER
    slot.flags &= ~CLOSED
    if deadline.warn is not None and watermark < slot.since + deadline.warn < settled:
        slot.wake = slot.since + deadline.warn
    elif watermark < due < settled:
        slot.wake = due
    elif early < NEVER:
        slot.wake = early
    elif not slot.flags & MISSED:
        slot.flags |= CLOSED
    if slot.wake < item.due:
        item.due = slot.wake


def first_of(trace: list[Occurrence], step: int) -> Occurrence | None:
    """The first occurrence of a step."""
    for o in trace:
        if o.step == step:
            return o
    return None


def first_behind(trace: list[Occurrence], step: int, slot: Slot) -> Occurrence | None:
    """The first occurrence of a step behind the one that started the clock."""
    for o in trace:
        if o.step == step and o.is_behind(slot.since, slot.seq):
            return o
    return None


def calls_off(trace: list[Occurrence], by: int, slot: Slot) -> Occurrence | None:
    """The first of some steps (a bit mask) at or behind the one that started the clock."""
    for o in trace:
        if by >> o.step & 1 and o.is_behind(slot.since, slot.seq - 1):
            return o
    return None


def overtaken(spec: Spec, deadline: Deadline, item: Item, slot: Slot) -> bool:
    """Whether `expect` came before its `after`, although the flow puts it behind and the order is judged."""
    if spec.order_policy == IGNORE or not spec.steps[deadline.expect].before >> deadline.after & 1:
        return False
    first = first_of(item.trace, deadline.expect)
    return first is not None and not first.is_behind(slot.since, slot.seq - 1)


def finding(
    spec: Spec, deadline: Deadline, item: Item, kind: str, instant: int, slot: Slot, reply: Occurrence | None
) -> Finding:
    return Finding(
        id=finding_id(spec.lane, spec.workflow, deadline.hash, deadline.id, kind, item.key, "0", instant),
        kind=kind,
        rule=deadline.id,
        rule_hash=deadline.hash,
        severity=deadline.severity,
        step=spec.steps[deadline.expect].name,
        because=spec.steps[deadline.after].name,
        occurrence=children.progress(spec, item, deadline.expect) if spec.tells else "0",
        deadline=instant,
        at=reply.time if reply else None,
        delta=reply.time - instant if reply else None,
        since=slot.since,
        event_id=reply.id if reply else "",
        received=reply.received if reply else 0,
        runbook=deadline.runbook,
    )
