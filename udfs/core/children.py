"""Steps that wait for child items: a batch is loaded when the last of its files is.

Every event of such a step is a child that came; the step itself happened with the one with which there were as many
different children as were awaited, by event time. The others stand in the trace as occurrences of a step of their own
(`part`), of which no deadline knows. So nothing else needs to know of children. How many are awaited is a fixed number,
or what the first event of another step announced.
"""

from __future__ import annotations

from typing import Any

from udfs.core.effects import UNEXPECTED, Effect, Finding
from udfs.core.flow import RULE
from udfs.core.ids import finding_id
from udfs.core.spec import Children, Spec
from udfs.core.state import Item, Occurrence

Said = tuple[tuple[int, str], ...]
"""What an event says of steps with children: which child it is, or how many there will be."""

NONE = Children(-1, 0, "")
LONGEST = 9
"""Digits of a number of children."""


def said(spec: Spec, step: int, data: dict[str, Any] | None) -> Said:
    """What an event of a step says."""
    found: list[tuple[int, str]] = []
    for about, path in spec.tells[step]:
        value: Any = data
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            found.append((about, str(value)))
    return tuple(found)


def take(spec: Spec, item: Item, at: Occurrence, says: Said, effects: list[Effect]) -> bool:
    """Takes in what the newest occurrence says, which is in the trace. Returns whether the past has changed by it: a
    step has come to be complete."""
    changed = False
    if item.children is None or item.awaited is None:
        item.children, item.awaited = {}, {}
    for step, text in says:
        rule = spec.steps[step].children or NONE
        children = item.children.setdefault(step, {})
        came = [at]
        if at.step == rule.part:
            if text in children:
                continue
            children[text] = at.seq
        elif step in item.awaited:
            continue
        elif text.isdecimal() and len(text) <= LONGEST:
            item.awaited[step] = int(text)
            if not int(text):
                _none_awaited(item, at, step)
                changed = True
            came = _came(item, children)[int(text) :]
        awaited = _awaited(rule, item, step)
        if awaited is None or awaited > len(children):
            continue
        if awaited:
            changed = _complete(item, rule, step, children, awaited) or changed
        if len(children) > awaited and rule.severity:
            for o in came:
                effects.append(_surplus(spec, item, rule, step, o))
    return changed


def recount(spec: Spec, item: Item) -> None:
    """Marks anew with which child each step was complete: another version may await another number."""
    for step, children in (item.children or {}).items():
        rule = spec.steps[step].children
        awaited = None if rule is None else _awaited(rule, item, step)
        if rule is None or awaited is None:
            continue
        if awaited > len(children):
            for o in _came(item, children):
                o.step = rule.part
        elif awaited:
            _complete(item, rule, step, children, awaited)


def progress(spec: Spec, item: Item, step: int) -> str:
    """How many of how many have come, of a step with children."""
    rule = spec.steps[step].children or NONE
    awaited = _awaited(rule, item, step)
    came = 0 if item.children is None else len(item.children.get(step, ()))
    return f"{came} of {'?' if awaited is None else awaited}"


def surplus(spec: Spec, item: Item) -> int:
    """How many children came that were not awaited."""
    count = 0
    for step, children in (item.children or {}).items():
        awaited = _awaited(spec.steps[step].children or NONE, item, step)
        if awaited is not None and len(children) > awaited:
            count += len(children) - awaited
    return count


def _awaited(rule: Children, item: Item, step: int) -> int | None:
    return rule.count or (None if item.awaited is None else item.awaited.get(step))


def _complete(item: Item, rule: Children, step: int, children: dict[str, int], awaited: int) -> bool:
    """Marks the child with which the step was complete. Returns whether that is another one than before."""
    came = _came(item, children)
    gone = len(children) - len(came)  # they have left a very long trace; then one of those still there stands for all
    last = came[max(0, awaited - 1 - gone)] if came else None
    if last is None or last.step == step:
        return False
    for o in came:
        o.step = rule.part
    last.step = step
    if item.course is not None:
        item.course.seen |= 1 << step  # it may have been judged already, as a part
    return True


def _came(item: Item, children: dict[str, int]) -> list[Occurrence]:
    """The occurrences with which the different children came first, as far as the trace has them."""
    seqs = {*children.values()}
    return [o for o in item.trace if o.seq in seqs]


def _none_awaited(item: Item, at: Occurrence, step: int) -> None:
    """An empty batch is complete with its announcement."""
    whole = Occurrence(at.time, item.arrivals, step, at.id, at.source, None, at.received)
    item.arrivals += 1
    place = len(item.trace)
    while item.trace[place - 1].time > at.time:
        place -= 1
    item.trace.insert(place, whole)


def _surplus(spec: Spec, item: Item, rule: Children, step: int, at: Occurrence) -> Finding:
    item.count += 1
    occurrence = f"{at.source} {at.id}"
    return Finding(
        id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, UNEXPECTED, item.key, occurrence, at.time),
        kind=UNEXPECTED,
        rule=RULE,
        rule_hash=spec.hash,
        severity=rule.severity,
        step=spec.steps[step].name,
        because=progress(spec, item, step),
        occurrence=occurrence,
        deadline=at.time,
        at=at.time,
        delta=None,
        since=None,
        event_id=at.id,
        received=at.received,
        runbook="",
    )
