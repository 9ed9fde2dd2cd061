"""Verdicts on order: a step that came behind one which the flow puts after it.

The first occurrences of two steps are compared. A step A is out of order when a step B that must follow it happened
more than the tolerance before it, by event time; said once the watermark has reached B plus the tolerance, when no
earlier A can come any more. Or when A was reported only after the watermark had passed it and B had been seen, since
then it could not be put right silently.

Where the policy is to drop it, it is not applied at all, and nothing is said. That takes an order in which to apply
events, so such workflows wait with each until time has come to it.
"""

from __future__ import annotations

from udfs.core import flow, stalled
from udfs.core.effects import OUT_OF_ORDER, Effect, Finding
from udfs.core.ids import finding_id
from udfs.core.sight import known
from udfs.core.spec import DROP, IGNORE, Pair, Spec
from udfs.core.state import NEVER, Item, Occurrence

RULE = "order"


def check(
    spec: Spec, item: Item, watermark: int, effects: list[Effect], reported_late: Occurrence | None = None
) -> None:
    """Says what is unexpected, out of order or stalled at this watermark; sets `item.confirm` to when to look again.

    `reported_late` is the newest occurrence, if it came behind the watermark.
    """
    item.confirm = NEVER
    if spec.flow is not None:
        if spec.horizons:
            watermark = min(watermark, *spec.horizons)  # a step that is not reported yet may be what allows another
        item.confirm = flow.check(spec, spec.flow, item, watermark, effects, reported_late)
    if spec.stalled is not None:
        item.confirm = min(item.confirm, stalled.check(spec, spec.stalled, item, watermark, effects))
    if spec.order_policy != IGNORE:
        _check_order(spec, item, watermark, effects, reported_late)
    if item.confirm < item.due:
        item.due = item.confirm


def _check_order(
    spec: Spec, item: Item, watermark: int, effects: list[Effect], reported_late: Occurrence | None
) -> None:
    firsts = _firsts(item.trace)
    for step, late in firsts.items():
        early = _earliest(firsts, spec.steps[step].after)
        if early is None:
            continue
        tolerance, severity = spec.order_tolerance, spec.order_severity
        if spec.order_pairs:
            early = _beyond(spec, firsts, late) or early
            pair = _pair(spec, step, early.step)
            if pair is not None:
                tolerance, severity = pair.tolerance, pair.severity
        certain = early.time + tolerance
        if late.time > certain:
            if spec.flow is not None:
                certain = late.time + spec.order_tolerance  # when it is known whether the flow allows it at all
            if known(spec, step, watermark) >= certain:
                _say(spec, item, early, late, severity, effects)
            else:
                item.confirm = min(item.confirm, certain)
        elif late is reported_late and early.time <= watermark:
            _say(spec, item, early, late, severity, effects)


def _earliest(firsts: dict[int, Occurrence], steps: int) -> Occurrence | None:
    """The earliest of the occurrences of some steps (a bit mask)."""
    found: Occurrence | None = None
    for step, o in firsts.items():
        if steps >> step & 1 and (found is None or found.is_behind(o.time, o.seq)):
            found = o
    return found


def is_dropped(spec: Spec, item: Item, at: Occurrence, watermark: int) -> bool:
    """Whether a new occurrence is out of order with a step for which the policy is to drop it."""
    if item.seen >> at.step & 1 or not spec.steps[at.step].after & item.seen:
        return False
    firsts = _firsts(item.trace)
    early = _beyond(spec, firsts, at)
    if early is None and at.time <= watermark:
        early = _earliest(firsts, spec.steps[at.step].after)
    if early is None:
        return False
    pair = _pair(spec, at.step, early.step)
    return (spec.order_policy if pair is None else pair.policy) == DROP


def _beyond(spec: Spec, firsts: dict[int, Occurrence], late: Occurrence) -> Occurrence | None:
    """The earliest of the steps that came before one that should have come first, by more than is tolerated."""
    found: Occurrence | None = None
    for step, o in firsts.items():
        if spec.steps[late.step].after >> step & 1 and (found is None or found.is_behind(o.time, o.seq)):
            pair = _pair(spec, late.step, step)
            if late.time > o.time + (spec.order_tolerance if pair is None else pair.tolerance):
                found = o
    return found


def _pair(spec: Spec, first: int, second: int) -> Pair | None:
    """What holds for the order of these two steps alone."""
    for pair in spec.order_pairs:
        if pair.first == first and pair.second == second:
            return pair
    return None


def _firsts(trace: list[Occurrence]) -> dict[int, Occurrence]:
    """The first occurrence of each step."""
    firsts: dict[int, Occurrence] = {}
    for o in trace:
        if o.step not in firsts:
            firsts[o.step] = o
    return firsts


def _say(spec: Spec, item: Item, early: Occurrence, late: Occurrence, severity: str, effects: list[Effect]) -> None:
    if item.misplaced is None:
        item.misplaced = {}
    if item.misplaced.get(late.step) == late.time:
        return
    if spec.flow is not None and flow.passed_over(spec, item, late):
        return
    item.count += late.step not in item.misplaced
    item.misplaced[late.step] = late.time
    step, because = spec.steps[late.step].name, spec.steps[early.step].name
    effects.append(
        Finding(
            id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, OUT_OF_ORDER, item.key, step, early.time),
            kind=OUT_OF_ORDER,
            rule=RULE,
            rule_hash=spec.hash,
            severity=severity,
            step=step,
            because=because,
            occurrence=step,
            deadline=early.time,
            at=late.time,
            delta=late.time - early.time,
            since=None,
            event_id=late.id,
            received=late.received,
            runbook="",
        )
    )
