"""Which form of a deadline an item is held to: some of its groups may have spans and a severity of their own."""

from __future__ import annotations

from udfs.core.spec import Condition, Deadline
from udfs.core.state import FORM, Item, Slot


def fitting(deadline: Deadline, item: Item, since: int) -> Deadline:
    """The deadline as it holds for an item whose clock started at `since` (epoch ms).

    Groups count as they were known when the clock started, by event time. So what holds does not depend on when one
    looks: what is named later changes nothing, and what arrives later but happened before is seen by all.
    """
    for when, variant in deadline.variants:
        if _holds(when, item, since):
            return variant
    return deadline


def held_to(deadline: Deadline, item: Item, slot: Slot) -> Deadline:
    """The form that a slot is judged by: once something was said, the one that it was said of."""
    form = slot.flags >> FORM
    if not form:
        return fitting(deadline, item, slot.since)
    return deadline.variants[form - 2][1] if form > 1 else deadline


def _holds(when: tuple[Condition, ...], item: Item, since: int) -> bool:
    for name, accepted in when:
        known = item.groups.get(name)
        if known is None or known[0] > since or known[1] not in accepted:
            return False
    return True
