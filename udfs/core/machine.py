"""The state machine of one item.

    on_event(spec, item | None, event, watermark) -> (item | None, effects)
    on_time(spec, item, now)                      -> (item | None, effects)
    next_deadline(item)                           -> epoch ms | None

All instants are epoch ms, UTC. Nothing here has a clock or does I/O: time is an argument, effects are returned.
`None` as an item means that nothing is left to remember. The functions own the item that they are given and may
change it.

The findings that come out depend on the set of events, not on how they were cut into batches, nor on their order of
arrival, as long as no event comes behind the watermark (events of equal time count in order of arrival). Emitting a
finding or a transition again under its identity replaces what was said before.
"""

from __future__ import annotations

from bisect import insort
from typing import Any

from udfs.core import deadlines, lifetime, order
from udfs.core.effects import DUPLICATE, Effect, Finding, Transition
from udfs.core.event import Event
from udfs.core.ids import finding_id
from udfs.core.spec import DROP, IGNORE, Spec, Step
from udfs.core.state import CLOSED, FORMAT, NEVER, Held, Item, Occurrence


def on_event(spec: Spec, item: Item | None, event: Event, watermark: int) -> tuple[Item | None, list[Effect]]:
    """Takes one event. An event that no step of the workflow matches changes nothing."""
    effects: list[Effect] = []
    step = match(spec, event)
    if step is None:
        return item, effects
    while item is not None and (_is_waiting(item) or (item.expires <= watermark and event.time > item.expires)):
        item, more = on_time(spec, item, watermark)
        effects += more
    if item is None:
        item = Item(FORMAT, spec.hash, event.key)
    elif event.time > item.expires:
        item.held.append(_hold(event, step))
        return item, effects
    _admit(spec, item, event, step.index, watermark, effects)
    if item.held:
        _admit_held(spec, item, watermark, effects)
    return item, effects


def on_time(spec: Spec, item: Item, now: int) -> tuple[Item | None, list[Effect]]:
    """Moves time on: no event at or before `now` is expected any more.

    When the item is forgotten, the key's next run comes back in its place, if there is one; it may be due at once.
    The effects are those of the item that was given.
    """
    effects: list[Effect] = []
    if _is_waiting(item):
        _admit_held(spec, item, now, effects)
    item.due = _wake(item)
    if now < min(item.due, item.expires):
        return item, effects
    _judge_due(spec, item, now, effects)
    if item.expires > now:
        return item, effects
    if not item.held:
        return None, effects
    return Item(FORMAT, spec.hash, item.key, held=item.held, due=-NEVER), effects


def _is_waiting(item: Item) -> bool:
    """Whether the item is a key's next run that has not begun: it has held events only."""
    return not item.trace and bool(item.held)


def _judge_due(spec: Spec, item: Item, now: int, effects: list[Effect]) -> None:
    for index, slot in item.slots.items():
        if slot.wake <= now:
            deadlines.judge(spec, spec.deadlines[index], item, slot, now, effects)
    if item.confirm <= now:
        order.check(spec, item, now, effects)
    item.due = _wake(item)


def next_deadline(item: Item) -> int | None:
    """An instant that is never later than the next at which `on_time` has something to do."""
    due = min(item.due, item.expires)
    return due if due < NEVER else None


def _wake(item: Item) -> int:
    """The exact next instant at which a verdict falls due."""
    wake = item.confirm
    for slot in item.slots.values():
        if slot.wake < wake:
            wake = slot.wake
    return wake


def match(spec: Spec, event: Event) -> Step | None:
    """The first step, as declared, that the event is an occurrence of."""
    for step in spec.by_type.get(event.type, ()):
        if not step.where or all(_value(event.data, path) in accepted for path, accepted in step.where):
            return step
    return None


def _value(data: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(data, dict):
            return None
        data = data.get(name)
    return data if isinstance(data, (str, int, float, bool)) else None


def _admit(spec: Spec, item: Item, event: Event | Held, step: int, watermark: int, effects: list[Effect]) -> None:
    trace = item.trace
    seq = item.arrivals
    item.arrivals = seq + 1
    item.count += 1
    at = Occurrence(event.time, seq, step, event.id, event.source, event.started, event.received)
    if spec.duplicate_policy != IGNORE:
        for o in trace:
            if o.id == at.id and o.source == at.source:
                if watermark < at.time < o.time:
                    _note(spec, item, event)
                _repeat(spec, item, o, at, watermark, effects)
                return
    _note(spec, item, event)
    if not trace:
        item.run = at.time
    if at.time > item.latest:
        item.latest = at.time
    if not trace or at.time >= trace[-1].time:
        trace.append(at)
        _append(spec, item, at, watermark, effects)
        _moves(spec, item, len(trace) - 1, len(trace), effects)
    else:
        insort(trace, at)
        position = trace.index(at)
        reassess(spec, item, watermark, effects, at)
        _moves(spec, item, position, position + 2, effects)
    if len(trace) > lifetime.TRACE_LIMIT:
        lifetime.trim(spec, item, watermark)


def _append(spec: Spec, item: Item, at: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """The common case: the newest event of the item by event time, so that nothing in its past changes."""
    step = spec.steps[at.step]
    item.seen |= 1 << at.step
    for deadline in spec.expects[at.step]:
        deadlines.answer(spec, deadline, item, at, watermark, effects)
    for deadline in spec.starts[at.step]:
        if deadline.index not in item.slots:
            deadlines.start(deadline, item, at)
    if step.end:
        item.ended = step.end
        for index, slot in item.slots.items():
            if not slot.flags & CLOSED:
                deadlines.judge(spec, spec.deadlines[index], item, slot, watermark, effects)
    elif step.start:
        item.ended = ""
    if step.after & item.seen:
        order.check(spec, item, watermark, effects, at if at.time <= watermark else None)
    item.expires = lifetime.expires(spec, item)


def reassess(spec: Spec, item: Item, watermark: int, effects: list[Effect], reported: Occurrence | None = None) -> None:
    """Judges everything anew, after an event has changed the item's past."""
    item.seen = 0
    for o in item.trace:
        item.seen |= 1 << o.step
    item.ended = lifetime.ended(spec, item)
    for deadline in spec.deadlines:
        deadlines.restart(spec, deadline, item, watermark, effects)
    order.check(spec, item, watermark, effects, reported if reported and reported.time <= watermark else None)
    item.expires = lifetime.expires(spec, item)


def _note(spec: Spec, item: Item, arrival: Event | Held) -> None:
    """Keeps what the item is about: for each group the earliest event's word, for the amount the latest's."""
    for name, value in arrival.groups:
        known = item.groups.get(name)
        if (known is None or arrival.time < known[0]) and name in spec.groups:
            item.groups[name] = (arrival.time, value)
    if arrival.amount is not None and (item.amount is None or arrival.time >= item.amount[0]):
        item.amount = (arrival.time, arrival.amount)


def _moves(spec: Spec, item: Item, begin: int, end: int, effects: list[Effect]) -> None:
    """The transitions to the occurrences from `begin` up to `end` of the trace."""
    trace = item.trace
    for i in range(begin, min(end, len(trace))):
        o = trace[i]
        before = trace[i - 1] if i else None
        step = spec.steps[o.step]
        since = before.time if before else o.started
        begun = None if o.started is None else max(o.started, since or 0)
        effects.append(
            Transition(
                event_id=o.id,
                source=o.source,
                event_type=step.on,
                step=step.name,
                previous=spec.steps[before.step].name if before else "",
                at=o.time,
                previous_at=before.time if before else None,
                duration=None if since is None else max(0, o.time - since),
                queue=None if begun is None or since is None else max(0, min(begun, o.time) - since),
                work=None if begun is None else max(0, o.time - begun),
            )
        )


def _repeat(spec: Spec, item: Item, first: Occurrence, copy: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """A copy of an event that the item has. The event counts once, at the earliest of its times that can still be
    judged by."""
    kept = first
    if watermark < copy.time < first.time:
        kept = copy
        item.trace.remove(first)
        insort(item.trace, copy)
        reassess(spec, item, watermark, effects)
        _moves(spec, item, 0, len(item.trace), effects)
    if spec.duplicate_policy == DROP:
        return
    name = f"{copy.source} {copy.id}"
    number = item.copies[name] = item.copies.get(name, 0) + 1
    item.copied += 1
    occurrence = f"{name} #{number}"
    step = spec.steps[kept.step].name
    later = first if kept is copy else copy
    effects.append(
        Finding(
            id=finding_id(spec.lane, spec.workflow, spec.hash, "duplicates", DUPLICATE, item.key, occurrence, 0),
            kind=DUPLICATE,
            rule="duplicates",
            rule_hash=spec.hash,
            severity=spec.duplicate_severity,
            step=step,
            because=step,
            occurrence=occurrence,
            deadline=kept.time,
            at=later.time,
            delta=later.time - kept.time,
            since=kept.time,
            event_id=copy.id,
            received=later.received,
            runbook="",
        )
    )


def _hold(event: Event, step: Step) -> Held:
    return Held(
        event.time, step.index, event.id, event.source, event.started, event.received, event.groups, event.amount
    )


def _admit_held(spec: Spec, item: Item, watermark: int, effects: list[Effect]) -> None:
    """Admits the held events that belong to this run, each as if time had stood just before it: what is said must not
    depend on how far time has come meanwhile."""
    waiting, item.held = sorted(item.held, key=lambda h: h.time), []
    for event in waiting:
        then = min(watermark, event.time - 1)
        if item.trace:
            _judge_due(spec, item, then, effects)
        if event.time > item.expires:
            item.held.append(event)
        else:
            _admit(spec, item, event, event.step, then, effects)
