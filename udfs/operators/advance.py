"""Brings the items of one bucket on: by what happens to them, and as time passes."""

from __future__ import annotations

from typing import Final

from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.machine import on_event, on_time
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item
from udfs.core.upkeep import begins
from udfs.operators.batch import Frame
from udfs.operators.engine import Engine
from udfs.operators.lookout import Lookout
from udfs.operators.schedules import Schedules
from udfs.operators.shelf import Shelf, wake_of
from udfs.operators.upkeep import Upkeep

MOST_EVENTS: Final = 4096
"""Events of one item that time has not passed yet. More of them is a key that is none, and would hold up its bucket."""


class Advance:
    """Instants are epoch ms; `where` is an item's storage key. What it leads to stands on the shelf."""

    def __init__(self, engine: Engine, shelf: Shelf, schedules: Schedules, lookout: Lookout, upkeep: Upkeep) -> None:
        self._engine = engine
        self._shelf = shelf
        self._schedules = schedules
        self._lookout = lookout
        self._upkeep = upkeep

    def by_event(
        self,
        workflow: str,
        key_name: str,
        event: Event,
        watermark: int,
        frame: Frame,
        by_links: bool = False,
        known: int = -NEVER,
    ) -> bool:
        """Gives the event to the workflow's item of its key; where it came `by_links`, its place is `known` since then.
        Returns whether it was a copy of one that the item has."""
        engine, items = self._engine, self._shelf.items
        if engine.scheduled:
            self._shelf.outputs += self._schedules.on_event(workflow, key_name, event, watermark)
        where = f"{workflow}{SEPARATOR}{event.key}"
        plan = engine.plans.get(workflow) if engine.plans else None
        if plan is not None:
            where = plan.prefix + event.key
        item = items.get(where)
        if item is not None and plan is not None:
            item = self._upkeep.brought_up(where, item, plan, watermark)
        if known > event.time:
            item = self.by_time(where, watermark)  # what was due before its place was known
        while item is not None and item.expires <= watermark:
            item = self.by_time(where, watermark)  # the earlier run's last words, before the next one's first
        if plan is not None and plan.closes(event.time, max(event.time, watermark)) is not None:
            return False  # it is of a time that is closed
        if item is not None and watermark < event.time < begins(item):
            item = self._upkeep.begin_earlier(where, item, event.time, watermark)
        spec = engine.specs[item.spec] if item is not None else engine.spec_at(workflow, event.time)
        if spec is None or spec.key != key_name or event.type not in spec.by_type:
            return False
        if by_links and spec.correlation is None:
            return False
        if self._lookout.blind:
            spec = self._lookout.view(spec)
        duplicate = self._take(where, spec, item, event, watermark, frame)
        if item is None and plan is not None and (begun := items.get(where)) is not None:
            self._upkeep.brought_up(where, begun, plan, watermark)  # it may have begun in the past of a later version
        return duplicate

    def by_time(self, where: str, now: int) -> Item | None:
        """Lets time pass for one item; returns what is there then: None, the item, or the key's next run."""
        item = self._shelf.items.get(where)
        plans = self._engine.plans
        while item is not None:
            spec = self._engine.specs[item.spec]
            if plans and spec.workflow in plans:
                item = self._upkeep.brought_up(where, item, plans[spec.workflow], now)
                if item is None:
                    break
                spec = self._engine.specs[item.spec]
            if self._lookout.blind:
                spec = self._lookout.view(spec)
            answered, arrivals = item.answered(), item.arrivals
            after, effects = on_time(spec, item, now)
            if after is not item:
                after = self._upkeep.begin_next(after)
            if after is not item or effects or item.answered() != answered or item.arrivals != arrivals:
                self._shelf.keep(where, spec, item, after, effects)
            item = after
            if item is None or item.trace or item.due > now:
                break  # else the key's next run begins with what was held for it
        return item

    def _take(self, where: str, spec: Spec, item: Item | None, event: Event, watermark: int, frame: Frame) -> bool:
        """Gives the event to its item. Returns whether it was a copy of one that the item has."""
        wake, arrivals, known, held = NEVER, 0, 0, 0
        if item is not None:
            held = len(item.held) if item.held else 0
            if len(item.trace) + held >= MOST_EVENTS:
                self._refuse(spec, event, frame)
                return False
            wake, arrivals, known = wake_of(item), item.arrivals, _known(item)
        after, effects = on_event(spec, item, event, watermark)
        if after is None or (after is item and after.arrivals == arrivals and len(after.held or ()) == held):
            return False
        self._shelf.note(where, wake)
        self._shelf.keep(where, spec, item, after, effects)
        return after is item and after.arrivals > arrivals and _known(after) == known

    def _refuse(self, spec: Spec, event: Event, frame: Frame) -> None:
        item = f"item {event.key!r} of {spec.workflow}"
        detail = f"{item} has {MOST_EVENTS} events that time has not passed; is it a key?"
        self._shelf.outputs.append(self._engine.dead_letter(frame, "invalid_event", detail))


def _known(item: Item) -> int:
    """How many events the item has taken that are no copies."""
    return len(item.trace) + item.trimmed + item.dropped
