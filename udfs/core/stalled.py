"""Verdicts on standing still: an item in flight that has not moved for much longer than is usual at its step.

- Each occurrence sets a clock anew, of the span that `Spec.stalls` has for its step. STALLED when the watermark reaches
  its end and nothing has happened to the item by then; exactly at its end is in time.
- An item that has ended, or whose clocks are paused, does not stall.
- While a source of the workflow is blind, nothing is said: what it did not report may be what moved the item.
- Spans come from what was seen so far, and change. Where an item stands now is held to the span that holds now; what it
  has left, to the span that held then. It is told once for each time that it stands still.

The identity of such a finding is where the item stands and since when, not the span: it is the same fact under another.
"""

from __future__ import annotations

from udfs.core.effects import STALLED, Effect, Finding
from udfs.core.ids import finding_id
from udfs.core.pace import Pace
from udfs.core.spec import Spec, Stalled
from udfs.core.state import NEVER, TRACE_KEPT, Item, Occurrence

RULE = "stalled"


def limits(rule: Stalled, usual: tuple[int, ...]) -> tuple[int, ...]:
    """For each step after how long (ms) an item stands still there; NEVER where it is not known what is usual.

    `usual` has what was seen, in ms (0: nothing yet). What the rule itself says of a step goes before it.
    """
    found: list[int] = []
    for step, said in enumerate(rule.usual):
        span = said or usual[step]
        found.append(max(rule.at_least, span * rule.times) if span else NEVER)
    return tuple(found)


def check(spec: Spec, rule: Stalled, item: Item, watermark: int, effects: list[Effect]) -> int:
    """Says where the item stood still up to this watermark. Returns when to look again (NEVER: no need to)."""
    if spec.horizons:
        watermark = min(watermark, *spec.horizons)
    pace = item.pace
    if pace is None:
        pace = item.pace = Pace({})
    trace, last = item.trace, len(item.trace) - 1
    whole = len(trace) - TRACE_KEPT if item.trimmed else 0  # before that, occurrences are missing
    wake, seen, still_open = NEVER, pace.seen, pace.open
    pace.open = {}
    gone = item.pauses
    ended, paused = False, gone is not None and gone.spans != [] and gone.spans[-1][2] == NEVER
    for index, o in enumerate(trace):
        step = spec.steps[o.step]
        ended = step.end != "" or (ended and not step.start)
        if gone is None or o.is_behind(gone.time, gone.seq):
            paused = spec.pauses >> o.step & 1 > 0 or (paused and not spec.resumes >> o.step & 1)
        by_now = index == last or o.seq > seen
        instant = o.time + spec.stalls[o.step] if by_now else still_open.get(o.seq, NEVER)
        pace.seen = max(pace.seen, o.seq)
        if index < whole or instant >= NEVER:
            continue
        following = trace[index + 1].time if index < last else NEVER
        if watermark < instant and watermark < following:
            pace.open[o.seq] = instant
        if ended or paused or following <= instant or instant > item.expires or pace.told == o.seq:
            continue
        if watermark < instant:
            wake = min(wake, instant)
        else:
            pace.told = o.seq
            pace.count += 1
            item.count += 1
            effects.append(_finding(spec, rule, item, o, instant))
    return wake


def _finding(spec: Spec, rule: Stalled, item: Item, o: Occurrence, instant: int) -> Finding:
    step = spec.steps[o.step].name
    return Finding(
        id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, STALLED, item.key, step, o.time),
        kind=STALLED,
        rule=RULE,
        rule_hash=spec.hash,
        severity=rule.severity,
        step=step,
        because="",
        occurrence=str(o.time),
        deadline=instant,
        at=None,
        delta=None,
        since=o.time,
        event_id="",
        received=0,
        runbook="",
    )
