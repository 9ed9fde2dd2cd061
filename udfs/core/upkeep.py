"""An open item is brought to where the versions of its workflow want it: closed, moved, or left as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from udfs.core.atrisk import let_go
from udfs.core.effects import Effect
from udfs.core.lifetime import has_ended_by
from udfs.core.machine import on_time
from udfs.core.migrate import migrate
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item
from udfs.core.versions import Closing, Plan

DELETED = Closing(-NEVER, "deleted")


class Change(NamedTuple):
    """What becomes of an item: first `effects` under `spec`, the version that it had; then it is closed, if there is a
    `closing`; or moves, and `more` is said under the version that it has now.

    `after` is the item, the key's next run in its place, which is to be looked at in its turn, or None.
    """

    spec: Spec
    effects: list[Effect]
    closing: Closing | None
    more: list[Effect]
    after: Item | None


def bring_up(specs: Mapping[str, Spec], plan: Plan, lives: bool, item: Item, now: int) -> Change | None:
    """The next thing that has to become of the item by `now`, epoch ms; None: nothing more. `lives` tells whether it is
    of the time after the workflow was withdrawn. Owns the item that it is given.

    What was due before the instant from which on a version holds is said under the version before. Items that had
    ended by then do not move; where they are in the way of a closing they go without a word.
    """
    spec = specs[item.spec]
    if not lives:
        return Change(spec, let_go(spec, item, item.slots, now), DELETED, [], None)
    began = begins(item)
    closing = plan.closes(began, now)
    over = plan.moves(spec, began, item.ruled, now)
    if over is not None and has_ended_by(spec, item, over.since, now):
        over = None
    if closing is not None and (over is None or closing.since <= over.since):
        at = min(closing.since, now)
        after, effects = on_time(spec, item, at)
        if after is not item:
            return Change(spec, effects, None, [], after)
        return Change(spec, effects + let_go(spec, item, item.slots, at), closing, [], None)
    if over is None:
        return None
    after, effects = on_time(spec, item, over.since)
    if after is not item:
        return Change(spec, effects, None, [], after)
    moved, more = migrate(spec, over.spec, item, over.since)
    if moved is not None:
        moved.ruled = over.since
    if moved is item:
        return Change(spec, effects, None, more, item)
    nothing = f"moved to version {over.number}, which has none of its steps"
    return Change(spec, effects + more, Closing(over.since, nothing), [], moved)


def begins(item: Item) -> int:
    """When the run began, or will: at its earliest event (epoch ms)."""
    if item.trace:
        return item.trace[0].time
    return min([h.time for h in item.held or ()])
