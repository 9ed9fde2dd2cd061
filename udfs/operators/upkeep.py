"""Brings open items up to the versions of their workflows that are in force: when one is touched, and in sweeps."""

from __future__ import annotations

import logging

from udfs.core.migrate import migrate
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item
from udfs.core.upkeep import Change, begins, bring_up
from udfs.core.versions import NOT, Plan
from udfs.operators import rows
from udfs.operators.engine import Engine
from udfs.operators.lookout import Lookout
from udfs.operators.schedules import MARK, Schedules
from udfs.operators.shelf import Shelf
from udfs.operators.sweep import SLICE, Sweep, workflow_of

log = logging.getLogger(__name__)


class Upkeep:
    """Of one bucket. `now` is the lane's time, epoch ms; `where` is an item's storage key."""

    def __init__(self, engine: Engine, shelf: Shelf, schedules: Schedules, lookout: Lookout) -> None:
        self.sweep = Sweep()
        self._lookout = lookout
        self._engine = engine
        self._shelf = shelf
        self._schedules = schedules

    def plan(self, watermark: int) -> None:
        """Begins a sweep, if versions have changed since the last one."""
        planned = self._engine.planned(watermark)
        if self.sweep.wants(planned):
            self.sweep.begin(planned, self._shelf.items.keys())

    def go_on(self, now: int) -> None:
        """Brings the next slice of items up to the versions in force."""
        taken = self.sweep.take(SLICE if now < NEVER else self._shelf.items.count)
        for where in taken:
            try:
                item, plan = self._shelf.items.get(where), self._engine.plans.get(workflow_of(where))
                if item is not None and plan is not None:
                    after = self.brought_up(where, item, plan, now)
                    if after is not None and after is not item:
                        self._shelf.wake_for(where, after)
            except Exception:
                log.exception("item %r: it could not be brought up to the rules at %s and stays as it was", where, now)
                self._shelf.items.forget(where)
        if not taken or now >= NEVER:  # there is no later instant to go on at
            for workflow in self.sweep.end():
                self._clear_away(workflow)

    def _clear_away(self, workflow: str) -> None:
        """Nothing stays in state of what was withdrawn, once its items are gone."""
        plan = self._engine.plans.get(workflow)
        if plan is None or plan.withdrawn == NOT:
            return
        self._shelf.wheel.purge(self._is_dead)
        known = [one for one in self._shelf.rules() if self._engine.specs[one].workflow == workflow]
        self._shelf.forget_rules([one for one in known if not plan.holds(one)])

    def _is_dead(self, where: str) -> bool:
        """Whether it is of a workflow that was withdrawn."""
        if where.startswith(MARK):
            return not self._schedules.has(where)
        plan = self._engine.plans.get(workflow_of(where))
        return plan is not None and not where.startswith(plan.prefix)

    def brought_up(self, where: str, item: Item, plan: Plan, now: int) -> Item | None:
        """The item as the versions in force want it; None if it was closed.

        What a blind source feeds stays with its version until the source can be seen again: a move would judge it.
        """
        if where.startswith(plan.prefix) and self._lookout.blind and self._is_unseen(item):
            return item
        following: Item | None = item
        while following is not None:
            item = following
            change = bring_up(self._engine.specs, plan, where.startswith(plan.prefix), item, now)
            if change is None:
                return item
            following = self._carry_out(where, item, change)
            if following is item:
                self._shelf.wake_for(where, item)
        return None

    def _is_unseen(self, item: Item) -> bool:
        """Whether a blind source feeds some step of the item's workflow."""
        return min(self._lookout.view(self._engine.specs[item.spec]).horizons, default=NEVER) < NEVER

    def _carry_out(self, where: str, item: Item, change: Change) -> Item | None:
        after, closing = change.after, change.closing
        if after is not item:
            after = self.begin_next(after)
        if closing is None and after is not item:
            self._shelf.keep(where, change.spec, item, after, change.effects)
            return after
        self._shelf.keep(where, change.spec, item, item, change.effects)
        if closing is None:
            self._shelf.keep(where, self._engine.specs[item.spec], item, item, change.more)
            return item
        if item.trace and not item.ended:
            self._shelf.close(rows.closed(change.spec, item, closing.since, closing.reason))
        if after is None:
            self._shelf.drop(where)
        else:
            self._shelf.keep(where, change.spec, None, after, [])
        return after

    def begin_earlier(self, where: str, item: Item, time: int, watermark: int) -> Item:
        """The item turns out to have begun earlier, perhaps in an earlier version's time: it is ruled by that one.
        Returns the item as it is then."""
        spec = self._engine.specs[item.spec]
        chosen = self._engine.spec_at(spec.workflow, begins(item))
        fit = self._fit(spec, time)
        if fit is None or chosen is None or chosen.hash != spec.hash or item.ruled >= 0:
            return item
        after, effects = migrate(spec, fit, item, watermark)
        if after is None:
            return item
        self._shelf.keep(where, fit, after, after, effects)
        self._shelf.wake_for(where, after)
        return after

    def begin_next(self, item: Item | None) -> Item | None:
        """The key's next run, which the machine leaves under the version of the run before, under that of its own first
        event. None if that one has none of its steps."""
        if item is None or item.trace:
            return item
        spec = self._engine.specs[item.spec]
        fit = self._fit(spec, begins(item))
        return item if fit is None else migrate(spec, fit, item, -NEVER)[0]

    def _fit(self, spec: Spec, time: int) -> Spec | None:
        """The version that rules what begins at a time; None if that is this one, or one that follows another key."""
        fit = self._engine.spec_at(spec.workflow, time)
        return None if fit is None or fit.hash == spec.hash or fit.key != spec.key else fit
