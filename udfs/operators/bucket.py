"""One bucket of items: takes batches and the passing of time, gives outputs, and saves what they changed."""

from __future__ import annotations

import logging
from typing import Any

import orjson

from udfs.core.event import Event
from udfs.core.sight import is_held
from udfs.core.source import Mapping
from udfs.core.state import NEVER, Item
from udfs.operators import clockfaults, intake, pulse, rows, sweep
from udfs.operators.advance import Advance
from udfs.operators.batch import PULSE, Frame
from udfs.operators.batch import decode as frames_of
from udfs.operators.engine import Engine
from udfs.operators.lookout import STORED, Lookout
from udfs.operators.postponed import MARK as POSTPONED
from udfs.operators.postponed import Postponed
from udfs.operators.routed import ROUTED, Routed, unpack
from udfs.operators.schedules import MARK, Schedules
from udfs.operators.shelf import PATIENCE, Shelf
from udfs.operators.store import Store
from udfs.operators.upkeep import Upkeep

__all__ = ["Bucket", "Engine"]

log = logging.getLogger(__name__)


class Bucket:
    """Instants are epoch ms. `name` becomes the Kafka key of the rows, so that those of one bucket keep their order.

    `items` holds the items by storage key (workflow, correlation key). They are read when an event or a deadline needs
    them. `index` is what is read at the start: what the shelf keeps there, what has been done to open items, which
    sources can be seen, schedules, and events whose time has not come.
    """

    def __init__(self, engine: Engine, name: str, items: Store, index: Store) -> None:
        self._engine = engine
        self._name = name
        self._index = index
        self._shelf = Shelf(engine, name, items, index)
        self._lookout = Lookout(engine, index.get(STORED) if engine.watched else None)
        self._schedules = Schedules(engine, self._shelf.wheel, index, self._lookout)
        self._upkeep = Upkeep(engine, self._shelf, self._schedules, self._lookout)
        self._advance = Advance(engine, self._shelf, self._schedules, self._lookout, self._upkeep)
        self._postponed = Postponed(engine, index)
        names = index.keys()
        self._shelf.open([key for key in names if not self._is_of_others(key)])
        self._clock = pulse.Clock()
        self._held: dict[str, bool] = {}  # those that wait for a source to be seen again

    def _is_of_others(self, key: str) -> bool:
        """Reads what the index holds for others than the shelf."""
        if key == sweep.NAME:
            self._upkeep.sweep.found(self._index.get(key) or b"{}")
        elif key.startswith(MARK):
            self._schedules.found(key)
        elif key.startswith(POSTPONED):
            self._postponed.found(key)
        else:
            return key == STORED
        return True

    def __len__(self) -> int:
        """How many items are kept decoded."""
        return len(self._shelf.items)

    def on_batch(self, batch: bytes, watermark: int) -> list[bytes]:
        """Takes the records of a batch. What can't be read becomes a dead letter; nothing is dropped."""
        engine = self._engine
        if watermark > self._shelf.wheel.now:
            self._shelf.wheel.now = watermark
        if self._postponed or self._clock:
            self._take_postponed(watermark)
        for frame in frames_of(batch):
            if frame.mapping == PULSE:
                self._on_pulse(frame, watermark)
                continue
            if frame.key == ROUTED:
                self._take_routed(unpack(frame), watermark)
                continue
            try:
                mapping = engine.mappings[frame.mapping]
                record, event = intake.read(engine, mapping, frame)
            except Exception as fault:
                reason = getattr(fault, "reason", "internal")
                self._shelf.outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))
                if reason in clockfaults.REASONS:
                    self._shelf.outputs += clockfaults.findings(engine, frame)
                continue
            if event is not None:
                self._follow(mapping, frame, record, event, watermark)
        self._shelf.wake_all()
        return self._shelf.flush()

    def on_time(self, now: int) -> list[bytes]:
        """Time has come to `now`: no event at or before it is expected any more.

        An item that fails is told in the log and left as it is, for an hour; the others are not held up by it.
        """
        wheel, failed = self._shelf.wheel, []
        if self._postponed or self._clock:
            self._take_postponed(now)
        wheel.advance(now)
        while (where := wheel.pop()) is not None:
            try:
                if where[0] == MARK:
                    self._shelf.outputs += self._schedules.on_time(where, now)
                    continue
                item = self._advance.by_time(where, now)
                if item is not None and not self._hold(where, item, now):
                    self._shelf.wake_for(where, item)
            except Exception:
                log.exception("item %r: its deadlines at %s failed and stay as they were", where, now)
                self._shelf.items.forget(where)
                self._schedules.forget(where)
                failed.append(where)
        for where in failed:
            if now + PATIENCE < NEVER:
                wheel.file(now + PATIENCE, where)
        wheel.close()
        if self._upkeep.sweep.is_under_way():
            self._upkeep.go_on(now)
        return self._shelf.flush()

    def next_timer(self) -> int | None:
        """The earliest instant at which `on_time` has something to do, rounded up so that neighbours share a timer.

        Rounded to the last ms of a span, since a watermark is the last ms before the next event that may come.
        """
        wake = self._shelf.wheel.now + 1 if self._upkeep.sweep.is_under_way() else self._shelf.wheel.earliest()
        for then in (self._postponed.earliest(), self._clock.earliest()):
            if then is not None and (wake is None or then < wake):
                wake = then
        if wake is None:
            return None
        span = self._engine.granularity
        return -(-(wake + 1) // span) * span - 1

    def save(self) -> None:
        """Stores what has changed since the last time, and only that."""
        puts: dict[str, bytes] = {}
        for name in self._shelf.save(puts) + self._schedules.save(puts) + self._postponed.save(puts):
            self._index.remove(name)
        self._upkeep.sweep.save(puts)
        seen = self._lookout.changed()
        if seen is not None:
            puts[STORED] = seen
        if puts:
            self._index.put_all(puts)

    def shrink(self, limit: int) -> None:
        """Keeps about `limit` items decoded at most. Only after `save`."""
        self._shelf.items.shrink(limit)

    def _on_pulse(self, frame: Frame, watermark: int) -> None:
        """What happens in the bucket now and then, also where no event comes. A failure is told in the log, and tried
        again with the next pulse."""
        try:
            said = pulse.read(frame)
            now = self._clock.hear(said, watermark)
        except Exception:
            log.exception("bucket %s: a pulse at %s can't be read", self._name, watermark)
            return
        if now > max(watermark, -NEVER) and self._engine.correlations():
            self._clock.postpone(said, now)  # events on their way through stages come behind it
        else:
            self._heed_or_log(said, now, watermark)

    def _heed_or_log(self, said: pulse.Pulse, now: int, watermark: int) -> None:
        try:
            self._heed(said, now, watermark)
        except Exception:
            log.exception("bucket %s: a pulse at %s failed", self._name, watermark)

    def _heed(self, said: pulse.Pulse, now: int, watermark: int) -> None:
        """`now` is the lane's time as its readers tell it."""
        if self._engine.watched and now > -NEVER:
            self._shelf.outputs += self._lookout.on_pulse(said, now)
            if self._lookout.returned:
                self._release(now)
        self._shelf.outputs += self._schedules.reconcile(said, now)
        self._upkeep.plan(watermark)

    def _hold(self, where: str, item: Item, now: int) -> bool:
        """Puts an item aside of which something can't be said while a source is blind. It is looked at when the source
        can be seen again."""
        if not self._lookout.blind or not is_held(item, now):
            return False
        self._held[where] = True
        self._shelf.put_aside(where, item, now)
        return True

    def _release(self, now: int) -> None:
        """A source can be seen again: what waited for it is judged on what has arrived."""
        self._shelf.outputs += self._schedules.release(now)
        held, self._held = self._held, {}
        for where in held:
            item = self._advance.by_time(where, now)
            if item is not None and not self._hold(where, item, now):
                self._shelf.wake_for(where, item)

    def _follow(self, mapping: Mapping, frame: Frame, record: dict[str, Any], event: Event, watermark: int) -> None:
        engine = self._engine
        key_name = mapping.key_names[frame.key]
        duplicate = False
        for workflow in engine.workflows(key_name, event.type):
            duplicate |= self._advance.by_event(workflow, key_name, event, watermark, frame)
        if intake.is_first_copy(mapping, frame, record):
            shown = mapping.masked(record)
            text = frame.payload if shown is record else orjson.dumps(shown)
            topic = engine.topics[frame.mapping]
            self._shelf.events.append(rows.event(engine.lane, topic, key_name, event, text, duplicate, frame))

    def _take_routed(self, routed: Routed, watermark: int) -> None:
        """An event that found its item by links; at once, or when time has come to where its place was known."""
        engine = self._engine
        frame = routed.frame(routed.own)
        try:
            event = intake.read_routed(engine, routed)
            if routed.known > event.time and watermark < routed.known - 1:
                self._postponed.add(routed)
                return
            for workflow in engine.correlated(routed.scheme, event.type):
                own = engine.correlations()[routed.scheme].keys[0]
                self._advance.by_event(workflow, own, event, watermark, frame, True, routed.known)
        except Exception as fault:
            reason = getattr(fault, "reason", "internal")
            self._shelf.outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))

    def _take_postponed(self, now: int) -> None:
        """What was to wait for an instant that has come, in the order of time: events, and what readers have told."""
        while (told := self._clock.pop(now)) is not None:
            self._take_placed(told[0])
            self._heed_or_log(told[1], told[0], now)
        self._take_placed(now)

    def _take_placed(self, now: int) -> None:
        while (routed := self._postponed.pop(now)) is not None:
            self._take_routed(routed, routed.known - 1)
        self._shelf.wake_all()
