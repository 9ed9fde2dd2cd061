"""Verdicts on a step that stands still: items wait at it, and nothing at all has left it for much longer than is usual.

An item's own standing still (`udfs.core.stalled`) is seen from the item; this is seen from the step, over all items.
Somebody counts them and calls this; it knows numbers only, those that hold up to the watermark.
"""

from __future__ import annotations

from typing import NamedTuple

from udfs.core.effects import STALLED, Finding
from udfs.core.ids import finding_id
from udfs.core.spec import Spec
from udfs.core.stalled import RULE
from udfs.core.state import NEVER

STEP = "step"
"""The occurrence of a finding on a whole step; on an item it is an instant."""


class Queue(NamedTuple):
    """What waits at a step: how many items, since when (epoch ms) the one that has waited longest of those that the
    last one to leave has not overtaken, and when that one left (0: nothing has)."""

    step: str
    waiting: int
    oldest: int
    left: int


def asked(spec: Spec) -> tuple[str, ...]:
    """The steps of which it can be said that they stand still: it is known what is usual there, and clocks go on."""
    if spec.stalled is None:
        return ()
    steps = enumerate(spec.steps)
    return tuple([step.name for n, step in steps if spec.stalls[n] < NEVER and not spec.pauses >> n & 1])


def check(spec: Spec, queue: Queue, watermark: int) -> Finding | None:
    """What is to be said of one of the `asked` steps at a watermark (epoch ms). Something that leaves at the very
    instant is in time, so nothing is said before the watermark has reached it."""
    rule = spec.stalled
    if rule is None:
        return None
    since = max(queue.oldest, queue.left)
    deadline = since + spec.stalls[[step.name for step in spec.steps].index(queue.step)]
    if watermark < deadline:
        return None
    return Finding(
        id=finding_id(spec.lane, spec.workflow, spec.hash, RULE, STALLED, queue.step, f"step {queue.step}", deadline),
        kind=STALLED,
        rule=RULE,
        rule_hash=spec.hash,
        severity=rule.severity,
        step=queue.step,
        because=f"{queue.waiting} {'item waits' if queue.waiting == 1 else 'items wait'}",
        occurrence=STEP,
        deadline=deadline,
        at=None,
        delta=None,
        since=since,
        event_id="",
        received=0,
        runbook="",
    )
