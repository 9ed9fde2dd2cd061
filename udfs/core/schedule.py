"""The state machine of a schedule: what is expected by certain instants, whether or not anything ever happens.

    arm(schedule, watch, now)                                -> armed
    on_event(spec, schedule, watch, arrival, watermark)      -> effects
    on_time(spec, schedule, watch, now)                      -> effects
    next_deadline(schedule, watch)                           -> epoch ms

All instants are epoch ms, UTC, and time is an argument, as in `machine`. The functions change the watch that they are
given.

Rules, for what is due at an instant, with a grace:

- What happens after the limit of the occurrence before (or from when on its window opens) and not after its own limit,
  the due instant plus the grace, is in time. Exactly at the limit is in time.
- MISSING when the watermark reaches the limit and fewer than `least` have come. LATE when the last one of these comes
  after that, REPORTED_LATE when it had happened in time. Both say how long after the due instant it happened.
- What is missing can be reported late for as long as the workflow remembers; then it is forgotten.
- What happens goes to the oldest occurrence that is missing and not yet past its `until`; only if there is none, to the
  one that it is in time for. So a late one is not taken for the next, and one alone never answers two.
- Without an `until` of its own, an occurrence that is missing can be answered until the window of the next one opens
  (its `not_before`, or the beginning of `between`); where that says nothing, until half-way to when the next is due. Of
  what is due every so often nothing is late, since each beat is of its own span: else one that is skipped would make
  those behind it late for ever.
- EARLY when it happened more than `not_before` before it is due; it counts all the same.
- UNEXPECTED when more than `most` have come in the window, and again with each further one, under one identity.

Nothing is said about an instant that the watermark has not reached. When time ends, the next occurrence is judged, and
the schedule ends with it.
"""

from __future__ import annotations

from typing import Final

from udfs.core.effects import EARLY, LATE, MISSING, REPORTED_LATE, UNEXPECTED, Effect, Finding
from udfs.core.ids import finding_id
from udfs.core.plan import Due, Every, Schedule
from udfs.core.schedulestate import Arrival, Awaited, Watch
from udfs.core.spec import Spec
from udfs.core.state import NEVER

KEPT: Final = 256
"""Copies are recognised among so many of the last arrivals, and as many more as are expected."""

MOST_MISSED: Final = 256
"""Of so many missing occurrences at most can be told that they came late, or were reported late."""


def arm(schedule: Schedule, watch: Watch, now: int) -> bool:
    """Begins to wait for what is due after `now`; what was due before is nobody's fault. False, if nothing is due for
    years."""
    first = schedule.plan.after(now)
    if first is None:
        return False
    last = schedule.plan.before(now)
    watch.next = _awaited(schedule, first, -NEVER if last is None else last.at + schedule.grace)
    return True


def on_event(spec: Spec, schedule: Schedule, watch: Watch, arrival: Arrival, watermark: int) -> list[Effect]:
    """Takes one event of the expected step. One that is known already changes nothing."""
    effects: list[Effect] = []
    if watch.next is not None:
        _advance(spec, schedule, watch, watermark, effects)
    if _is_copy(watch, arrival, watermark):
        return effects
    if arrival.time > watermark or watch.next is None:
        watch.pending.append(arrival)
        in_order(watch.pending)
        if watch.next is None:
            del watch.pending[: -_remembered(schedule)]
    else:
        _take(spec, schedule, watch, arrival, effects)
    return effects


def on_time(spec: Spec, schedule: Schedule, watch: Watch, now: int) -> list[Effect]:
    """Moves time on: no event at or before `now` is expected any more. At the end of time `watch.next` is None."""
    effects: list[Effect] = []
    if now < NEVER:
        _advance(spec, schedule, watch, now, effects)
    else:
        _end(spec, schedule, watch, effects)
    return effects


def next_deadline(schedule: Schedule, watch: Watch) -> int:
    """The next instant at which `on_time` has something to say, or an earlier one; NEVER while it is not armed."""
    awaited = watch.next
    if awaited is None:
        return NEVER
    idle = not watch.missed and schedule.not_before is None and schedule.most is None
    return awaited.limit if idle or not watch.pending else min(awaited.limit, watch.pending[0].time)


def in_order(arrivals: list[Arrival]) -> None:
    """Sorts arrivals by event time; those of equal time such that the order in which they came means nothing."""
    arrivals.sort(key=_order)


def _advance(spec: Spec, schedule: Schedule, watch: Watch, now: int, effects: list[Effect]) -> None:
    """Takes what has come and judges what is due up to `now`, in the order of time."""
    taken = 0
    while (awaited := watch.next) is not None:
        if taken < len(watch.pending) and watch.pending[taken].time <= min(now, awaited.limit):
            _take(spec, schedule, watch, watch.pending[taken], effects)
            taken += 1
        elif awaited.limit <= now:
            _judge(spec, schedule, watch, awaited, effects)
            following = schedule.plan.after(awaited.due)
            watch.next = None if following is None else _awaited(schedule, following, awaited.limit)
        else:
            break
    del watch.pending[:taken]
    if watch.missed:
        watch.missed = [one for one in watch.missed if one.until > now - spec.remember][-MOST_MISSED:]


def _end(spec: Spec, schedule: Schedule, watch: Watch, effects: list[Effect]) -> None:
    if watch.pending:
        _advance(spec, schedule, watch, watch.pending[-1].time, effects)
    last = watch.next
    if last is not None:
        _judge(spec, schedule, watch, last, effects)
    watch.next = None


def _take(spec: Spec, schedule: Schedule, watch: Watch, arrival: Arrival, effects: list[Effect]) -> None:
    watch.recent.append(arrival)
    del watch.recent[: -_remembered(schedule)]
    for one in watch.missed:
        if one.begins < arrival.time <= one.until:
            one.count += 1
            if one.count == schedule.least:
                watch.missed.remove(one)
                kind = LATE if arrival.time > one.limit else REPORTED_LATE
                effects.append(_finding(spec, schedule, watch, one, kind, one.due, arrival, ""))
            return
    here = watch.next
    if here is None or not here.begins < arrival.time <= here.limit:
        return
    here.count += 1
    floor = here.due - (schedule.not_before or 0)
    if schedule.not_before is not None and arrival.time < floor and here.count == 1:
        effects.append(_finding(spec, schedule, watch, here, EARLY, floor, arrival, ""))
    if schedule.most is not None and here.count > schedule.most:
        because = f"{here.count} of at most {schedule.most}"
        effects.append(_finding(spec, schedule, watch, here, UNEXPECTED, here.due, arrival, because))


def _judge(spec: Spec, schedule: Schedule, watch: Watch, one: Awaited, effects: list[Effect]) -> None:
    if one.count < schedule.least:
        because = "" if schedule.least == 1 else f"{one.count} of {schedule.least}"
        effects.append(_finding(spec, schedule, watch, one, MISSING, one.due, None, because))
        watch.missed.append(one)


def _awaited(schedule: Schedule, due: Due, last_limit: int) -> Awaited:
    begins = last_limit if due.opens is None else max(last_limit, due.opens - 1)
    limit = due.at + schedule.grace
    return Awaited(due.at, begins, limit, max(limit, _until(schedule, due)), due.name)


def _until(schedule: Schedule, due: Due) -> int:
    """When what comes is no longer taken for a late answer."""
    if schedule.until is not None:
        return due.at + schedule.until
    if isinstance(schedule.plan, Every):
        return due.at
    following = schedule.plan.after(due.at)
    if following is None:
        return NEVER
    if following.opens is not None:
        return following.opens - 1
    if schedule.not_before is not None:
        return following.at - schedule.not_before - 1
    return due.at + (following.at - due.at) // 2


def _is_copy(watch: Watch, arrival: Arrival, watermark: int) -> bool:
    """Whether the event has come already. Of two times that copies give it, the earlier that can be judged by holds."""
    for known in watch.recent:
        if known.id == arrival.id and known.source == arrival.source:
            return True
    for one in watch.pending:
        if one.id == arrival.id and one.source == arrival.source:
            if watermark < arrival.time < one.time:
                watch.pending.remove(one)
                return False
            return True
    return False


def _remembered(schedule: Schedule) -> int:
    return KEPT + max(schedule.least, schedule.most or 0)


def _order(arrival: Arrival) -> tuple[int, str, str]:
    return arrival.time, arrival.source, arrival.id


def _finding(
    spec: Spec,
    schedule: Schedule,
    watch: Watch,
    one: Awaited,
    kind: str,
    instant: int,
    arrival: Arrival | None,
    because: str,
) -> Finding:
    return Finding(
        id=finding_id(spec.lane, spec.workflow, schedule.hash, schedule.id, kind, watch.key, one.name, instant),
        kind=kind,
        rule=schedule.id,
        rule_hash=schedule.hash,
        severity=schedule.severity,
        step=spec.steps[schedule.step].name,
        because=because,
        occurrence=one.name,
        deadline=instant,
        at=arrival.time if arrival else None,
        delta=arrival.time - instant if arrival else None,
        since=None,
        event_id=arrival.id if arrival else "",
        received=arrival.received if arrival else 0,
        runbook=schedule.runbook,
    )
