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

from udfs.core import atrisk, children, deadlines, duplicates, lifetime, order
from udfs.core.effects import Effect, Transition
from udfs.core.event import Event
from udfs.core.match import match
from udfs.core.overrides import fitting
from udfs.core.sight import is_held, known
from udfs.core.spec import FIRST, IGNORE, Spec, Step
from udfs.core.state import CLOSED, NEVER, TRACE_LIMIT, Held, Item, Occurrence, next_verdict, slot_of


def on_event(spec: Spec, item: Item | None, event: Event, watermark: int) -> tuple[Item | None, list[Effect]]:
    """Takes one event. An event that no step of the workflow matches changes nothing."""
    effects: list[Effect] = []
    step = match(spec, event)
    if step is None:
        return item, effects
    while item is not None and (
        (_is_waiting(item) and item.due <= watermark)
        or (item.expires <= watermark and event.time > item.expires)
        or (spec.waits and item.due <= watermark)
    ):
        before = item
        item, more = on_time(spec, item, watermark)
        effects += more
        if item is before and spec.horizons and is_held(item, watermark):
            break  # a source is blind: what is due stays due
    content = duplicates.content_of(spec, event.data) if spec.contents else ""
    says = children.said(spec, step.index, event.data) if spec.tells else ()
    if item is None:
        item = Item(spec.hash, event.key)
    if event.time > item.expires or (spec.waits and event.time > watermark):
        _hold(item, event, step, content, says)
        return item, effects
    arrival = Occurrence(event.time, 0, step.index, event.id, event.source, event.started, event.received, content)
    _admit(spec, item, arrival, event.groups, event.amount, watermark, effects, says)
    if item.held:
        _admit_held(spec, item, watermark, effects)
    return item, effects


def on_time(spec: Spec, item: Item, now: int) -> tuple[Item | None, list[Effect]]:
    """Moves time on: no event at or before `now` is expected any more.

    When the item is forgotten, the key's next run comes back in its place, if there is one; it may be due at once.
    The effects are those of the item that was given.
    """
    effects: list[Effect] = []
    if item.held is not None:
        _admit_held(spec, item, now, effects)
    if item.trace and (spec.stalled is not None or spec.predict is not None):
        _look_anew(spec, item, now, effects)
    item.due = next_verdict(item)
    if now < item.due and now < item.expires:
        return item, effects
    _judge_due(spec, item, now, effects)
    if spec.horizons and item.expires <= now and is_held(item, now):
        item.expires = now + lifetime.span(spec, item)  # what is held is not forgotten
    if item.expires > now:
        return item, effects
    if spec.pauses:  # else all of its deadlines have come
        effects += atrisk.let_go(spec, item, item.slots, item.expires)
    if not item.held:
        return None, effects
    following = Item(spec.hash, item.key)  # due at once, to see which of them belong to it
    following.held = item.held
    following.due = -NEVER
    return following, effects


def next_deadline(item: Item) -> int | None:
    """An instant that is never later than the next at which `on_time` has something to do."""
    due = item.due if item.due < item.expires else item.expires
    return due if due < NEVER else None


def _is_waiting(item: Item) -> bool:
    """Whether the item is a key's next run that has not begun: it has held events only."""
    return item.held is not None and not item.trace


def _look_anew(spec: Spec, item: Item, now: int, effects: list[Effect]) -> None:
    """Judges what depends on statistics, which may have changed since the last look."""
    for slot in item.slots:
        if spec.predict is not None and not slot.flags & CLOSED:
            deadlines.judge(spec, spec.deadlines[slot.deadline], item, slot, now, effects)
    order.check(spec, item, now, effects)


def _judge_due(spec: Spec, item: Item, now: int, effects: list[Effect]) -> None:
    for slot in item.slots:
        if slot.wake <= now:
            deadlines.judge(spec, spec.deadlines[slot.deadline], item, slot, now, effects)
    if item.confirm <= now:
        order.check(spec, item, now, effects)
    item.due = next_verdict(item)


def _admit(
    spec: Spec,
    item: Item,
    at: Occurrence,
    groups: tuple[tuple[str, str], ...],
    amount: float | None,
    watermark: int,
    effects: list[Effect],
    says: tuple[tuple[int, str], ...],
) -> None:
    """Takes what arrived into the trace, and says what follows from it."""
    trace = item.trace
    at.seq = item.arrivals
    item.arrivals += 1
    item.count += 1
    if spec.duplicate_policy != IGNORE:
        first = duplicates.original(spec, trace, at)
        if first is not None:
            regrouped = watermark < at.time and _note(spec, item, at.time, groups, amount)
            _repeat(spec, item, first, at, watermark, effects)
            if regrouped and spec.varies:
                reassess(spec, item, watermark, effects)
            return
    if spec.drops and order.is_dropped(spec, item, at, watermark):
        item.dropped += 1
        item.count += 1
        return
    rule = spec.steps[at.step].children
    if rule is not None:
        at.step = rule.part
    regrouped = _note(spec, item, at.time, groups, amount)
    if not trace:
        item.run = at.time
    if at.time > item.latest:
        item.latest = at.time
    if not trace or at.time >= trace[-1].time:
        trace.append(at)
        _append(spec, item, at, watermark, effects)
        effects.append(_move(spec, trace, len(trace) - 1))
        if regrouped and spec.varies and len(trace) > 1 and trace[-2].time == at.time:
            reassess(spec, item, watermark, effects)  # clocks that started at this very instant count for other groups
    else:
        position = _insert(trace, at)
        reassess(spec, item, watermark, effects, at)
        effects.append(_move(spec, trace, position))
        effects.append(_move(spec, trace, position + 1))
    if says and children.take(spec, item, at, says, effects):
        reassess(spec, item, watermark, effects)
    if len(trace) > TRACE_LIMIT:
        lifetime.trim(spec, item, watermark - spec.order_tolerance)


def _insert(trace: list[Occurrence], at: Occurrence) -> int:
    """Puts the newest arrival where it belongs by event time; returns its place."""
    position = len(trace)
    while position and trace[position - 1].time > at.time:
        position -= 1
    trace.insert(position, at)
    return position


def _append(spec: Spec, item: Item, at: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """The common case: the newest event of the item by event time, so that nothing in its past changes."""
    step = spec.steps[at.step]
    last = lifetime.last_instant(spec, item)
    item.seen |= 1 << at.step
    for deadline in spec.expects[at.step]:
        deadlines.answer(spec, deadline, item, at, watermark, effects)
    if spec.begins and len(item.trace) == 1:
        _begin(spec, item, at)
    for deadline in spec.starts[at.step]:
        if slot_of(item, deadline.index) is None or deadline.anchor != FIRST:
            held_to = fitting(deadline, item, at.time) if deadline.variants else deadline
            deadlines.start(spec, held_to, item, at)
            last = max(last, at.time + held_to.within)
    if step.revises:
        for slot in item.slots:
            if not slot.flags & CLOSED:
                deadlines.judge(spec, spec.deadlines[slot.deadline], item, slot, watermark, effects)
    if step.end:
        item.ended = step.end
    elif step.start:
        item.ended = ""
    item.expires = max(last, at.time) + lifetime.span(spec, item) if spec.plain else lifetime.expires(spec, item)
    if step.after & item.seen or spec.flow is not None or spec.stalled is not None:
        order.check(spec, item, watermark, effects, at if at.time <= known(spec, at.step, watermark) else None)


def _begin(spec: Spec, item: Item, at: Occurrence) -> None:
    """Starts what waits from the item's beginning on. It may begin with what is waited for."""
    for deadline in spec.begins:
        deadlines.start(spec, fitting(deadline, item, at.time), item, at)


def reassess(spec: Spec, item: Item, watermark: int, effects: list[Effect], reported: Occurrence | None = None) -> None:
    """Judges everything anew, after an event has changed the item's past."""
    item.seen = 0
    for o in item.trace:
        item.seen |= 1 << o.step
    item.ended = lifetime.ended(spec, item)
    for deadline in spec.deadlines:
        deadlines.restart(spec, deadline, item, watermark, effects)
    if reported is not None and reported.time > known(spec, reported.step, watermark):
        reported = None
    item.expires = lifetime.expires(spec, item)
    order.check(spec, item, watermark, effects, reported)


def _note(spec: Spec, item: Item, time: int, groups: tuple[tuple[str, str], ...], amount: float | None) -> bool:
    """Keeps what the item is about: for each group the earliest event's word, for the amount the latest's. Returns
    whether a group has changed."""
    changed = False
    for name, value in groups:
        known = item.groups.get(name)
        if (known is None or time < known[0]) and name in spec.groups:
            item.groups[name] = (time, value)
            changed = True
    if amount is not None and (item.amount is None or time >= item.amount[0]):
        item.amount = (time, amount)
    return changed


def _move(spec: Spec, trace: list[Occurrence], index: int) -> Transition:
    """The transition to an occurrence of the trace."""
    o = trace[index]
    step = spec.steps[o.step]
    previous, previous_at = "", None
    since = o.started
    if index:
        before = trace[index - 1]
        previous, previous_at = spec.steps[before.step].name, before.time
        since = before.time
    duration = None if since is None else max(0, o.time - since)
    queue, work = None, None
    if o.started is not None:
        begun = max(o.started, since or 0)
        work = max(0, o.time - begun)
        queue = None if since is None else max(0, min(begun, o.time) - since)
    return Transition(o.id, o.source, step.on, step.name, previous, o.time, previous_at, duration, queue, work)


def _repeat(spec: Spec, item: Item, first: Occurrence, copy: Occurrence, watermark: int, effects: list[Effect]) -> None:
    """A copy of an event that the item has. The event counts once, at the earliest of its times that can still be
    judged by."""
    kept = first
    if watermark < copy.time < first.time:
        kept = copy
        item.trace.remove(first)
        _insert(item.trace, copy)
        reassess(spec, item, watermark, effects)
        effects += [_move(spec, item.trace, index) for index in range(len(item.trace))]
    duplicates.tell(spec, item, kept, first if kept is copy else copy, copy, effects)


def _hold(item: Item, event: Event, step: Step, content: str, says: tuple[tuple[int, str], ...]) -> None:
    """Keeps an event for the key's next run, or until time has come to it."""
    if item.held is None:
        item.held = []
    identity = (event.id, event.source, event.started, event.received)
    item.held.append(Held(event.time, step.index, *identity, event.groups, event.amount, content, says))
    if event.time < item.due:
        item.due = event.time


def _admit_held(spec: Spec, item: Item, watermark: int, effects: list[Effect]) -> None:
    """Admits the held events that belong to this run, each as if time had stood just before it: what is said must not
    depend on how far time has come meanwhile. Where the workflow `waits`, those that time has come to."""
    waiting = sorted(item.held or [], key=_time_of)
    held: list[Held] = []
    for h in waiting:
        if spec.waits and h.time > watermark:
            held.append(h)
            continue
        then = min(watermark, h.time - 1)
        if item.trace:
            _judge_due(spec, item, then, effects)
        if h.time > item.expires:
            held.append(h)
        else:
            arrival = Occurrence(h.time, 0, h.step, h.id, h.source, h.started, h.received, h.content)
            _admit(spec, item, arrival, h.groups, h.amount, then, effects, h.says)
    item.held = held or None


def _time_of(held: Held) -> int:
    return held.time
