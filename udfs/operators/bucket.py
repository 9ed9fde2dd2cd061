"""The items of one bucket: takes batches and the passing of time, gives outputs, and saves what they changed."""

from __future__ import annotations

import logging
from typing import Any, Final

import orjson

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.source import Mapping
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item, next_verdict
from udfs.operators import intake, rows
from udfs.operators.batch import Frame, element
from udfs.operators.batch import decode as frames_of
from udfs.operators.cache import Items
from udfs.operators.engine import Engine
from udfs.operators.postponed import MARK, Postponed
from udfs.operators.routed import ROUTED, Routed, unpack
from udfs.operators.store import Store
from udfs.operators.wheel import Wheel

__all__ = ["Bucket", "Engine"]

MOST_EVENTS: Final = 4096
"""Events of one item that time has not passed yet. More of them is a key that is none, and would hold up its bucket."""

PATIENCE: Final = 3_600_000
"""An item is looked at after an hour of silence, or after as long again, though its deadline may be months away. Else
the wheel would remember an item for months that ends tomorrow."""

COUNT: Final = "items"

log = logging.getLogger(__name__)


class Bucket:
    """Instants are epoch ms. `name` becomes the Kafka key of the rows, so that those of one bucket keep their order.

    `items` holds the items by storage key (workflow, correlation key). They are read when an event or a deadline needs
    them. `index` is what is read at the start: how many items there are, the wheel that knows when to look at which,
    and the rules that items began under, so that an item never outlives its rule.
    """

    def __init__(self, engine: Engine, name: str, items: Store, index: Store) -> None:
        self._engine = engine
        self._name = name
        self._index = index
        self._wheel = Wheel(index)
        self._postponed = Postponed(engine, index)
        self._rules: dict[str, bool] = {}  # content hash of each version that an item began under -> is it stored
        count = self._read_index()
        self._items = Items(items, count or 0)
        self._saved_count = count
        if count is None:
            self._adopt(items)
        self._gone: list[tuple[Spec, Item]] = []
        self._outputs: list[bytes] = []
        self._transitions: list[rows.Row] = []
        self._events: list[rows.Row] = []
        self._woken: dict[str, int] = {}  # those that had events -> when the wheel wakes them as yet

    def __len__(self) -> int:
        """How many items are kept decoded."""
        return len(self._items)

    def on_batch(self, batch: bytes, watermark: int) -> list[bytes]:
        """Takes the records of a batch. What can't be read becomes a dead letter; nothing is dropped."""
        engine = self._engine
        if watermark > self._wheel.now:
            self._wheel.now = watermark
        if self._postponed:
            self._take_postponed(watermark)
        for frame in frames_of(batch):
            if frame.key == ROUTED:
                self._take_routed(unpack(frame), watermark)
                continue
            try:
                mapping = engine.mappings[frame.mapping]
                record, event = intake.read(engine, mapping, frame)
            except Exception as fault:
                reason = getattr(fault, "reason", "internal")
                self._outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))
                continue
            if event is not None:
                self._follow(mapping, frame, record, event, watermark)
        self._wake_all()
        return self._flush()

    def on_time(self, now: int) -> list[bytes]:
        """Time has come to `now`: no event at or before it is expected any more.

        An item that fails is told in the log and left as it is, for an hour; the others are not held up by it.
        """
        wheel, failed = self._wheel, []
        if self._postponed:
            self._take_postponed(now)
        wheel.advance(now)
        while (where := wheel.pop()) is not None:
            try:
                item = self._look_at(where, now)
                if item is not None:
                    self._wake_for(where, item)
            except Exception:
                log.exception("item %r: its deadlines at %s failed and stay as they were", where, now)
                self._items.forget(where)
                failed.append(where)
        for where in failed:
            if now + PATIENCE < NEVER:
                wheel.file(now + PATIENCE, where)
        wheel.close()
        return self._flush()

    def next_timer(self) -> int | None:
        """The earliest instant at which `on_time` has something to do, rounded up so that neighbours share a timer.

        Rounded to the last ms of a span, since a watermark is the last ms before the next event that may come.
        """
        wake = self._wheel.earliest()
        then = self._postponed.earliest()
        if then is not None and (wake is None or then < wake):
            wake = then
        if wake is None:
            return None
        span = self._engine.granularity
        return -(-(wake + 1) // span) * span - 1

    def save(self) -> None:
        """Stores what has changed since the last time, and only that."""
        self._items.save()
        puts: dict[str, bytes] = {}
        for name in self._wheel.save(puts) + self._postponed.save(puts):
            self._index.remove(name)
        for content_hash, is_stored in self._rules.items():
            if not is_stored:
                puts[f"{SEPARATOR}{content_hash}"] = self._engine.documents[content_hash]
                self._rules[content_hash] = True
        if self._items.count != self._saved_count:
            self._saved_count = self._items.count
            puts[COUNT] = b"%d" % self._saved_count
        if puts:
            self._index.put_all(puts)

    def shrink(self, limit: int) -> None:
        """Keeps about `limit` items decoded at most. Only after `save`."""
        self._items.shrink(limit)

    def _read_index(self) -> int | None:
        """The number of items; None when there is no index yet."""
        count = None
        names = self._index.keys()
        for key in names:
            if key == COUNT:
                count = int(self._index.get(key) or 0)
            elif key.startswith(SEPARATOR):
                self._recall(key, self._index.get(key) or b"")
            elif key.startswith(MARK):
                self._postponed.found(key)
            else:
                self._wheel.found(key)
        return count

    def _adopt(self, store: Store) -> None:
        """The bucket is new, or was saved by a Daymark that had no index: all there is is read, once."""
        for key, value in store.items():
            if key.startswith(SEPARATOR):
                self._recall(key, value)
                continue
            try:
                self._wake_for(key, self._items.adopt(key, value))
            except Exception:
                log.exception("bucket %s: %r can't be read from state and is left there", self._name, key)
                self._wheel.file(0, key)

    def _recall(self, key: str, document: bytes) -> None:
        try:
            self._rules[self._engine.recall(document).hash] = self._index.get(key) is not None
        except Exception:
            log.exception("bucket %s: %r can't be read from state and is left there", self._name, key)

    def _follow(self, mapping: Mapping, frame: Frame, record: dict[str, Any], event: Event, watermark: int) -> None:
        engine, items = self._engine, self._items
        key_name = mapping.key_names[frame.key]
        duplicate = False
        for workflow in engine.workflows(key_name, event.type):
            where = f"{workflow}{SEPARATOR}{event.key}"
            item = items.get(where)
            while item is not None and item.expires <= watermark:
                item = self._look_at(where, watermark)  # the earlier run's last words, before the next one's first
            spec = engine.specs[item.spec] if item is not None else engine.spec_at(workflow, event.time)
            if spec is not None and spec.key == key_name and event.type in spec.by_type:
                duplicate |= self._take(where, spec, item, event, watermark, frame)
        if intake.is_first_copy(mapping, frame, record):
            shown = mapping.masked(record)
            text = frame.payload if shown is record else orjson.dumps(shown)
            topic = engine.topics[frame.mapping]
            self._events.append(rows.event(engine.lane, topic, key_name, event, text, duplicate, frame))

    def _take_routed(self, routed: Routed, watermark: int) -> None:
        """An event that found its item by links; at once, or when time has come to where its place was known."""
        engine, items = self._engine, self._items
        frame = routed.frame(routed.own)
        try:
            event = intake.read_routed(engine, routed)
            if routed.known > event.time and watermark < routed.known - 1:
                self._postponed.add(routed)
                return
            for workflow in engine.correlated(routed.scheme, event.type):
                where = f"{workflow}{SEPARATOR}{event.key}"
                item = items.get(where)
                if routed.known > event.time:
                    item = self._look_at(where, watermark)  # what was due before its place was known
                while item is not None and item.expires <= watermark:
                    item = self._look_at(where, watermark)
                spec = engine.specs[item.spec] if item is not None else engine.spec_at(workflow, event.time)
                if spec is not None and spec.correlation is not None and event.type in spec.by_type:
                    self._take(where, spec, item, event, watermark, frame)
        except Exception as fault:
            reason = getattr(fault, "reason", "internal")
            self._outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))

    def _take_postponed(self, now: int) -> None:
        while (routed := self._postponed.pop(now)) is not None:
            self._take_routed(routed, routed.known - 1)
        self._wake_all()

    def _take(self, where: str, spec: Spec, item: Item | None, event: Event, watermark: int, frame: Frame) -> bool:
        """Gives the event to its item. Returns whether it was a copy of one that the item has."""
        wake, arrivals, known, held = NEVER, 0, 0, 0
        if item is not None:
            held = len(item.held) if item.held else 0
            if len(item.trace) + held >= MOST_EVENTS:
                self._refuse(spec, event, frame)
                return False
            wake, arrivals, known = wake_of(item), item.arrivals, len(item.trace) + item.trimmed
        after, effects = on_event(spec, item, event, watermark)
        if after is None or (after is item and after.arrivals == arrivals and len(after.held or ()) == held):
            return False
        if where not in self._woken:
            self._woken[where] = wake
        self._keep(where, spec, item, after, effects)
        return after is item and after.arrivals > arrivals and len(after.trace) + after.trimmed == known

    def _refuse(self, spec: Spec, event: Event, frame: Frame) -> None:
        item = f"item {event.key!r} of {spec.workflow}"
        detail = f"{item} has {MOST_EVENTS} events that time has not passed; is it a key?"
        self._outputs.append(self._engine.dead_letter(frame, "invalid_event", detail))

    def _look_at(self, where: str, now: int) -> Item | None:
        """Lets time pass for one item; returns what is there then: None, the item, or the key's next run."""
        item = self._items.get(where)
        while item is not None:
            spec = self._engine.specs[item.spec]
            answered = item.answered()
            after, effects = on_time(spec, item, now)
            if after is not item or effects or item.answered() != answered:
                self._keep(where, spec, item, after, effects)
            item = after
            if item is None or item.trace:
                break  # else the key's next run begins with what was held for it
        return item

    def _keep(self, where: str, spec: Spec, before: Item | None, after: Item | None, effects: list[Effect]) -> None:
        if before is None:
            about = after
        else:
            about = before
            if after is not before:
                self._gone.append((spec, before))
        if about is None:
            return
        for effect in effects:
            if isinstance(effect, Finding):
                self._outputs.append(element("F", about.key, rows.line(rows.finding(spec, about, effect))))
            else:
                self._transitions.append(rows.transition(spec, about, effect))
        if after is None:
            self._items.remove(where)
            self._wheel.forget(where)
            self._woken.pop(where, None)
            return
        self._items.keep(where, after)
        if after.spec not in self._rules:
            self._rules[after.spec] = False

    def _wake_all(self) -> None:
        """Puts those that had events on the wheel. Only now, since many a deadline is answered within its batch."""
        for where, wake in self._woken.items():
            item = self._items.get(where)
            if item is not None:
                if item.trace:
                    item.due = next_verdict(item)
                if wake_of(item) < wake:  # else it is woken early enough
                    self._wake_for(where, item)
        self._woken = {}

    def _wake_for(self, where: str, item: Item) -> None:
        """Puts the item on the wheel."""
        wake = wake_of(item)
        if wake < NEVER:
            now = self._wheel.now
            at = max(now, item.latest) + max(PATIENCE, now - item.latest)
            self._wheel.file(min(wake, at), where)

    def _flush(self) -> list[bytes]:
        outputs, self._outputs = self._outputs, []
        specs = self._engine.specs
        changed = [rows.item(spec, item, expired=True) for spec, item in self._gone if not item.ended]
        changed += [rows.item(specs[item.spec], item) for item in self._items.changed() if item.trace]
        for tag, made in (("T", self._transitions), ("I", changed), ("E", self._events)):
            if made:
                outputs.append(element(tag, self._name, rows.lines(made)))
        self._transitions, self._events = [], []
        self._gone.clear()
        return outputs


def wake_of(item: Item) -> int:
    """When the item wants to be looked at, NEVER if never."""
    wake = next_deadline(item)
    return NEVER if wake is None else wake
