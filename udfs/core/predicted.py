"""Predictions: a deadline that will hardly be met, going by how long its step took so far.

PREDICTED when the watermark reaches the earliest instant at which the chance to miss the deadline is as high as is
asked for, and `expect` had not happened by then. Nothing is predicted before there are statistics for the two steps, of
a further tier, or of a deadline that starts with the item. Time is real time, also where a deadline counts business
time: so were the durations measured. Workflows that pause have no predictions: a pause moves deadlines, and with them
the instants at which it would have been told that they will be missed.
"""

from __future__ import annotations

from udfs.core.effects import Finding
from udfs.core.forecast import earliest
from udfs.core.ids import finding_id
from udfs.core.spec import Deadline, Predict, Spec
from udfs.core.state import NEVER, Item, Slot


def foreseen(spec: Spec, rule: Predict, deadline: Deadline, slot: Slot, due: int) -> int:
    """The instant (epoch ms) from which on it is likely that the deadline is missed; NEVER, if not before it is."""
    if not spec.spans or deadline.tier or spec.pauses or due >= NEVER:
        return NEVER
    quantiles = spec.spans[deadline.index]
    if not quantiles:
        return NEVER
    instant = slot.since + earliest(quantiles, due - slot.since, rule.percent / 100)
    return instant if instant < due else NEVER


def told(spec: Spec, rule: Predict, deadline: Deadline, item: Item, slot: Slot, said: Finding, due: int) -> Finding:
    """What is said of it. Its identity is the deadline: the instant changes with the statistics."""
    place = (spec.lane, spec.workflow, deadline.hash, deadline.id, said.kind, item.key, str(slot.since), due)
    return said._replace(id=finding_id(*place), severity=rule.severity)
