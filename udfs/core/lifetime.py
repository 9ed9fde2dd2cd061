"""How long an item is known: when it has ended, and when it is forgotten."""

from __future__ import annotations

from udfs.core.instants import due as due_at
from udfs.core.instants import standstills
from udfs.core.overrides import held_to
from udfs.core.pauses import Pauses
from udfs.core.spec import FIRST, Spec
from udfs.core.state import NEVER, SAID, TRACE_KEPT, Item, Occurrence


def ended(spec: Spec, item: Item) -> str:
    """The status that the trace ends in, "" while the item is in flight."""
    end = end_of(spec, item)
    return spec.steps[end.step].end if end else ""


def end_of(spec: Spec, item: Item) -> Occurrence | None:
    """The item's last end step, unless a start step reopened the item behind it."""
    for o in reversed(item.trace):
        step = spec.steps[o.step]
        if step.end:
            return o
        if step.start:
            return None
    return None


def has_ended_by(spec: Spec, item: Item, instant: int, now: int) -> bool:
    """Whether the item had ended by an instant, and was not reopened since; `now` is how far time has come (epoch
    ms)."""
    ended = False
    for o in item.trace:
        step = spec.steps[o.step]
        if step.end:
            ended = ended or o.time <= instant
        elif step.start and o.time <= now:
            ended = False
    return ended


def expires(spec: Spec, item: Item) -> int:
    """When the item is forgotten: a while after its last event, or after the last deadline that it ever started."""
    last = item.trace[-1].time
    for slot in item.slots:
        due = due_at(spec, held_to(spec.deadlines[slot.deadline], item, slot), item, slot)
        if last < due < NEVER:
            last = due
    return last + span(spec, item)


def span(spec: Spec, item: Item) -> int:
    """How long an item is known after the last instant that it is about."""
    return spec.remember if item.ended else spec.expire_after


def last_instant(spec: Spec, item: Item) -> int:
    """The instant that `expires` was reckoned from, so that an event behind it needs no look at all deadlines."""
    return item.expires - span(spec, item) if item.expires < NEVER else -NEVER


def trim(spec: Spec, item: Item, watermark: int) -> None:
    """Bounds the trace of an item that loops for ever, or whose key is not one.

    What goes is settled (behind the watermark), not the first occurrence of its step, not the last start or end,
    and not among the newest. When clocks stood still in it is remembered; a pause in it that is reported later is not.
    A deadline answered by what went is not judged again; copies of it are not recognised; of a deadline whose clock
    starts again and again what was said long ago is no longer counted with the item.
    """
    old = item.trace[:-TRACE_KEPT]
    last: Occurrence | None = None
    for o in old:
        if spec.steps[o.step].start or spec.steps[o.step].end:
            last = o
    kept: list[Occurrence] = []
    steps = 0
    settled = [o for o in old if o.time <= watermark]
    if settled and (item.pauses is None or settled[-1].is_behind(item.pauses.time, item.pauses.seq)):
        item.pauses = Pauses(settled[-1].time, settled[-1].seq, standstills(spec, item, settled[-1]))
    for o in old:
        if o.time > watermark or not steps >> o.step & 1 or o is last:
            kept.append(o)
        steps |= 1 << o.step
    item.trimmed += len(old) - len(kept)
    item.trace = kept + item.trace[-TRACE_KEPT:]
    whole = item.trace[-TRACE_KEPT].time
    item.slots = [
        one
        for one in item.slots
        if spec.deadlines[one.deadline].anchor == FIRST or not one.flags & SAID or one.since >= whole
    ]
    if item.copies:
        known = {f"{o.source} {o.id}" for o in item.trace}
        item.copies = {name: n for name, n in item.copies.items() if name in known}
