"""Verdicts on the flow: a step that no path of it allows, whatever may still come.

This is token replay (A. Rozinat and W. van der Aalst, "Conformance checking of processes based on monitoring real
behavior", Information Systems 33, 2008) on bit masks in place of a Petri net: what an item did is played, in event
time, on the marking that it has reached; a step that the marking doesn't allow is told and played all the same, as if
what it wants had been there, so that one fault is not told again at each step behind it.

A step is unexpected

- when an alternative to the way that leads to it was taken, unless a loop has led back to the choice;
- when it has happened as often as its maximum allows;
- behind an end step from which no path leads to it, unless the flow puts it before the end (that is a matter of order);
- when it joins parallel steps, and some of them have not happened by then;
- when it is an end, and what happened is no complete path to it: a step was left out that isn't optional.

The last two are not asked of an item whose beginning was not seen: it was on its way before anybody looked.

Order within the flow is left to `udfs.core.order`. What is optional may be left out; what comes within the order's
tolerance counts as if it had come in time. An occurrence is judged when time has passed it by the tolerance: nothing
can come before it any more. One that is reported later than that is judged by the marking as it is then.
"""

from __future__ import annotations

from udfs.core.course import Course
from udfs.core.effects import UNEXPECTED, Effect, Finding
from udfs.core.ids import finding_id
from udfs.core.spec import Flow, Spec
from udfs.core.state import NEVER, Item, Occurrence

RULE = "unexpected"
MOST_FOUND = 256
"""So many of an item's unexpected occurrences are known one by one: as many as its trace may have."""


def check(
    spec: Spec, flow: Flow, item: Item, watermark: int, effects: list[Effect], reported_late: Occurrence | None
) -> int:
    """Says what is unexpected at this watermark. Returns when to look again (NEVER: not before the next event).

    `reported_late` is the newest occurrence, if it came behind the watermark.
    """
    course = item.course
    if course is None:
        course = item.course = Course(-NEVER, 0)
    late = reported_late
    if late is not None and late.time + spec.order_tolerance > watermark:
        late = None  # not too late to be judged in its place
    trace = item.trace
    at = len(trace)
    while at and trace[at - 1].is_behind(course.time, course.seq):
        at -= 1
    while at < len(trace) and trace[at].time + spec.order_tolerance <= watermark:
        o = trace[at]
        if o is not late:
            _play(spec, flow, item, course, o, _soon(spec, trace, at), effects)
        course.time, course.seq = o.time, o.seq
        at += 1
    if late is not None:
        _play(spec, flow, item, course, late, 0, effects)
    return _next_look(spec, flow, trace, at, course)


def followed(spec: Spec, flow: Flow, trace: list[Occurrence], watermark: int) -> Course:
    """How far an item has come, of which nobody judged the flow as yet: nothing is said of what is certain by now."""
    course = Course(-NEVER, 0)
    for o in trace:
        if o.time + spec.order_tolerance > watermark:
            break
        _begin(spec, course, o)
        _take(spec, flow, course, o)
        course.time, course.seq = o.time, o.seq
    return course


def passed_over(spec: Spec, item: Item, late: Occurrence) -> bool:
    """Whether a finding on the flow has told already what is wrong with a step that came late in its order: it is
    unexpected itself, or a step behind it in the flow was, before it came."""
    course = item.course
    if course is None or not course.found:
        return False
    behind = spec.steps[late.step].after
    for o in item.trace:
        if o.seq in course.found and (o is late or (behind >> o.step & 1 and late.is_behind(o.time, o.seq))):
            return True
    return False


def reached(flow: Flow, seen: int, excused: int) -> int:
    """The steps that lie on a complete path of steps that happened or are optional (bit masks)."""
    passable = (seen | flow.optional) & flow.steps
    found = -1
    more = excused & flow.steps
    while more != found:
        found = more
        for step, edges in enumerate(flow.edges):
            if passable >> step & 1 and not more >> step & 1 and (not edges or _open(edges, more)):
                more |= 1 << step
    return found


def _open(edges: tuple[int, ...], done: int) -> bool:
    """Whether all steps of one of the edges are done."""
    return any(not edge & ~done for edge in edges)


def _soon(spec: Spec, trace: list[Occurrence], at: int) -> int:
    """The steps that happened behind an occurrence but within the tolerance."""
    last = trace[at].time + spec.order_tolerance
    steps = 0
    for o in trace[at + 1 :]:
        if o.time > last:
            break
        steps |= 1 << o.step
    return steps


def _next_look(spec: Spec, flow: Flow, trace: list[Occurrence], at: int, course: Course) -> int:
    """When the first of what is not certain yet will be told, as it looks now. What looks right needs no look: only
    another event can change it, and that looks itself."""
    if at == len(trace):
        return NEVER
    ahead = course.ahead()
    for index in range(at, len(trace)):
        o = trace[index]
        _begin(spec, ahead, o)
        if not _allows(spec, flow, ahead, o, _soon(spec, trace, index)):
            return o.time + spec.order_tolerance
        _take(spec, flow, ahead, o)
    return NEVER


def _play(spec: Spec, flow: Flow, item: Item, course: Course, o: Occurrence, soon: int, effects: list[Effect]) -> None:
    """Judges one occurrence, and moves the marking on by it."""
    _begin(spec, course, o)
    if not _allows(spec, flow, course, o, soon):
        if item.misplaced is None or item.misplaced.get(o.step) != o.time:  # else it was told as out of order
            _say(spec, flow, item, course, o, effects)
        course.excused |= 1 << o.step
    _take(spec, flow, course, o)


def _begin(spec: Spec, course: Course, o: Occurrence) -> None:
    if course.end >= 0 and spec.steps[o.step].start and o.time >= course.ended:
        course.begin()


def _allows(spec: Spec, flow: Flow, course: Course, o: Occurrence, soon: int) -> bool:
    step = o.step
    if _shut(spec, flow, course, step, o.time):
        return False
    seen = course.seen | soon
    if not flow.wants >> step & 1 or not seen & flow.begins:
        return True
    if spec.steps[step].end:
        return reached(flow, seen | 1 << step, course.excused) >> step & 1 == 1
    return _open(flow.joins[step], seen | flow.optional)


def _shut(spec: Spec, flow: Flow, course: Course, step: int, time: int) -> bool:
    """Whether nothing that may come could open the way to a step, at an instant (epoch ms)."""
    if flow.most[step] and course.counts.get(step, 0) >= flow.most[step]:
        return True
    if course.end >= 0 and time > course.ended + spec.order_tolerance and flow.closes[course.end] >> step & 1:
        return True
    if course.chosen:
        for taken, bars in enumerate(flow.bars):
            if course.chosen >> taken & 1 and bars >> step & 1:
                return True
    return False


def _take(spec: Spec, flow: Flow, course: Course, o: Occurrence) -> None:
    """Moves the marking on by one occurrence."""
    step = o.step
    bit = 1 << step
    course.last = bit
    course.seen = (course.seen & ~flow.renews[step]) | bit
    course.excused &= ~flow.renews[step] | bit
    course.chosen &= ~flow.frees[step]
    if flow.bars[step]:
        course.chosen |= bit
    if flow.most[step]:
        course.counts[step] = course.counts.get(step, 0) + 1
    if spec.steps[step].end and o.time >= course.ended:
        course.end, course.ended = step, o.time


def _allowed(spec: Spec, flow: Flow, course: Course, time: int) -> str:
    """The names of the steps that could have come instead."""
    done = reached(flow, course.seen, course.excused)
    names: list[str] = []
    for step, edges in enumerate(flow.edges):
        if not flow.steps >> step & 1 or _shut(spec, flow, course, step, time):
            continue
        once_more = course.seen >> step & 1 and course.last in edges  # on a loop
        if once_more or (not course.seen >> step & 1 and (_open(edges, done) if edges else not done)):
            names.append(spec.steps[step].name)
    return ", ".join(names)


def _say(spec: Spec, flow: Flow, item: Item, course: Course, o: Occurrence, effects: list[Effect]) -> None:
    course.found = [*course.found[1 - MOST_FOUND :], o.seq]
    course.told += 1
    item.count += 1
    occurrence = f"{o.source} {o.id}"
    effects.append(
        Finding(
            id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, UNEXPECTED, item.key, occurrence, o.time),
            kind=UNEXPECTED,
            rule=RULE,
            rule_hash=spec.hash,
            severity=flow.severity,
            step=spec.steps[o.step].name,
            because=_allowed(spec, flow, course, o.time),
            occurrence=occurrence,
            deadline=o.time,
            at=o.time,
            delta=None,
            since=None,
            event_id=o.id,
            received=o.received,
            runbook="",
        )
    )
