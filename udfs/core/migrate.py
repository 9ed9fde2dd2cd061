"""An open item moves to another version of its workflow.

What happened is kept: the occurrences, in their order, by the *names* of their steps. What follows from it is judged
anew under the new version, at this watermark, as if the item had begun under it:

- A deadline that means the same in both versions goes on as it was, with all that was said of it.
- Where steps wait for children, those that came are counted anew. Of one too many that came before nothing is said.
- Where it stands still is held to the new version, where it stood before to the old one.
- Any other is judged from the trace. What was said under its id about the same instant is not said again; another
  instant is another deadline, and is told, also when it lies in the past.
- Of an item whose trace was trimmed the flow goes on from where it had come, and what it did is not judged again.
- What only the old version knew is lost: occurrences of steps that the new one doesn't name, and with them the
  transitions that would have led from them, the deadlines that it lacks, groups that it doesn't name. Events that the
  old version had no step for were never kept, so they are unknown to the new one as well.
- What was at risk under a deadline that is lost, and isn't under one of the same name, is said to be so no more.

What was said stays said: findings are history, the item's row tells how it stands.
"""

from __future__ import annotations

from typing import Final

from udfs.core import atrisk, children
from udfs.core.course import Course
from udfs.core.deadlines import judge
from udfs.core.effects import AT_RISK, EARLY, LATE, MISSING, PREDICTED, REPORTED_LATE, UNEXPECTED, Effect, Finding
from udfs.core.flow import followed
from udfs.core.machine import reassess
from udfs.core.spec import Deadline, Spec, Step
from udfs.core.state import (
    CLOSED,
    FORM,
    MISSED,
    NEVER,
    REPORTED,
    SAID,
    WARNED,
    Held,
    Item,
    Occurrence,
    Slot,
    next_verdict,
)
from udfs.core.state import EARLY as EARLY_SAID
from udfs.core.state import LATE as LATE_SAID
from udfs.core.state import PREDICTED as PREDICTED_SAID

Said = tuple[str, str, str, int]
"""Of a finding: rule, kind, occurrence, deadline."""

FLAG: Final = {
    AT_RISK: WARNED,
    MISSING: MISSED,
    LATE: LATE_SAID,
    REPORTED_LATE: REPORTED,
    EARLY: EARLY_SAID,
    PREDICTED: PREDICTED_SAID,
}
"""Where a slot has down that a kind of finding was said."""


def migrate(old: Spec, new: Spec, item: Item, watermark: int) -> tuple[Item | None, list[Effect]]:
    """The item under the new version, and what is said there. None: the new version knows nothing that happened to it.

    What was due under the old one up to the moment of moving has been said before. Owns the item that it is given.
    """
    places = _places(old, new)
    trace = [o for o in item.trace if places[o.step] >= 0]
    held = _held(item, places)
    if not trace:
        return _following(new, item, held), atrisk.let_go(old, item, item.slots, watermark)
    known = _known(old, item)
    slots = _slots(old, new, item)
    let_go = atrisk.let_go(old, item, [one for one in item.slots if one not in slots], watermark)
    for o in trace:
        o.step = places[o.step]
    item.spec = new.hash
    item.count += 1
    told = _told(item, trace)
    item.course = _course(new, item, trace, places, watermark)
    item.trace = trace
    item.slots = slots
    item.held = held
    item.groups = {name: said for name, said in item.groups.items() if name in new.groups}
    if item.children:
        item.children = {places[step]: came for step, came in item.children.items() if places[step] >= 0}
    if item.awaited:
        item.awaited = {places[step]: count for step, count in item.awaited.items() if places[step] >= 0}
    if item.misplaced:
        item.misplaced = {places[step]: time for step, time in item.misplaced.items() if places[step] >= 0}
    children.recount(new, item)
    if new.stalled is None:
        item.pace = None
    effects: list[Effect] = []
    reassess(new, item, watermark, effects)
    item.due = next_verdict(item)
    return item, _relieved(let_go, effects) + [
        one for one in effects if not isinstance(one, Finding) or not (_said(one) in known or _key(one) in told)
    ]


def _relieved(let_go: list[Effect], effects: list[Effect]) -> list[Effect]:
    """Of the deadlines that are let go those that the new version doesn't say the same of, or worse."""
    feared = {
        (one.rule, one.occurrence)
        for one in effects
        if isinstance(one, Finding) and one.kind in (AT_RISK, PREDICTED, MISSING) and one.at is None
    }
    return [one for one in let_go if isinstance(one, Finding) and (one.rule, one.occurrence) not in feared]


def _places(old: Spec, new: Spec) -> list[int]:
    """For each step of the old version, where the new one has it; -1: nowhere. What a step's children count as while
    they are not complete has the step's name, and stands behind it."""
    found = {_name(new, step): step.index for step in new.steps}
    return [found.get(_name(old, step), -1) for step in old.steps]


def _name(spec: Spec, step: Step) -> tuple[str, bool]:
    return step.name, len([one for one in spec.steps[: step.index] if one.name == step.name]) > 0


def _course(new: Spec, item: Item, trace: list[Occurrence], places: list[int], watermark: int) -> Course | None:
    """How far the item has come in its flow. None: that is played again from the trace, if it is whole; of one that was
    trimmed what is known is kept."""
    if new.flow is None or not item.trimmed:
        return None
    if item.course is None:
        return followed(new, new.flow, trace, watermark)
    return item.course.moved(places)


def _known(spec: Spec, item: Item) -> set[Said]:
    """What was said of the item's deadlines: what the last judge would say, as far as a slot has it down as said."""
    known: set[Said] = set()
    count = item.count
    for slot in item.slots:
        if slot.flags & SAID:
            anew = Slot(slot.deadline, slot.since, slot.seq, NEVER, slot.flags >> FORM << FORM)
            effects: list[Effect] = []
            judge(spec, spec.deadlines[slot.deadline], item, anew, NEVER - 1, effects)
            for one in effects:
                if isinstance(one, Finding) and slot.flags & FLAG[one.kind]:
                    known.add(_said(one))
    item.count = count
    return known


def _told(item: Item, trace: list[Occurrence]) -> set[tuple[str, str]]:
    """The occurrences that were told as unexpected."""
    found = item.course.found if item.course is not None else []
    return {(UNEXPECTED, o.id) for o in trace if o.seq in found}


def _key(finding: Finding) -> tuple[str, str]:
    return finding.kind, finding.event_id


def _said(finding: Finding) -> Said:
    return finding.rule, finding.kind, finding.occurrence, finding.deadline


def _settled(slot: Slot) -> bool:
    return slot.flags & CLOSED > 0


def _slots(old: Spec, new: Spec, item: Item) -> list[Slot]:
    """Those of deadlines that mean the same in both versions; of an item whose trace was trimmed also those that are
    settled, since what settled them may be gone."""
    kept: list[Slot] = []
    for slot in item.slots:
        before = old.deadlines[slot.deadline]
        for after in new.deadlines:
            if after.id == before.id and after.tier == before.tier:
                same = _alike(before, after) and _counts_alike(old, before, new, after)
                if same or (item.trimmed and _settled(slot)):
                    slot.deadline = after.index
                    if not same:
                        slot.flags &= (1 << FORM) - 1  # the form that it was spoken of in is the old version's
                    kept.append(slot)
                break
    return kept


def _alike(before: Deadline, after: Deadline) -> bool:
    """Whether two deadlines mean the same, in all their forms. Indices of steps may differ."""
    if before.hash != after.hash or len(before.variants) != len(after.variants):
        return False
    for (when, one), (condition, other) in zip(before.variants, after.variants, strict=True):
        if when != condition or one.hash != other.hash:
            return False
    return True


def _counts_alike(old: Spec, before: Deadline, new: Spec, after: Deadline) -> bool:
    """Whether two deadlines' clocks stand still at the same steps, and wait for as many children."""
    waits, will = old.steps[before.expect].children, new.steps[after.expect].children
    if (waits and waits.count) != (will and will.count):
        return False
    return _named(old, old.pauses) == _named(new, new.pauses) and _named(old, old.resumes) == _named(new, new.resumes)


def _named(spec: Spec, steps: int) -> list[str]:
    return sorted([step.name for step in spec.steps if steps >> step.index & 1])


def _held(item: Item, places: list[int]) -> list[Held] | None:
    """The events that wait for the key's next run, if the new version has their steps."""
    kept: list[Held] = []
    for h in item.held or ():
        if places[h.step] >= 0:
            h.step = places[h.step]
            h.says = tuple([(places[step], text) for step, text in h.says if places[step] >= 0])
            kept.append(h)
    return kept or None


def _following(new: Spec, item: Item, held: list[Held] | None) -> Item | None:
    """The key's next run, if events wait for it; nothing is left of this one."""
    if held is None:
        return None
    following = Item(new.hash, item.key)
    following.held = held
    following.due = -NEVER
    return following
