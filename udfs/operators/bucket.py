"""The items of one bucket, decoded: takes batches and the passing of time, gives outputs and what has to be
stored."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from heapq import heapify, heappop, heappush

import orjson

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item, decode, encode
from udfs.operators import rows
from udfs.operators.batch import NO_KEY, Frame, element
from udfs.operators.batch import decode as frames_of
from udfs.operators.engine import Engine, Mapping

__all__ = ["Bucket", "Engine"]

MOST_EVENTS = 4096
"""Events of one item that time has not passed yet. More of them is a key that is none, and would hold up its bucket."""

log = logging.getLogger(__name__)


class Bucket:
    """`stored` is what earlier `changes` put, by storage key: items (workflow, correlation key), and the rules that
    they began under, so that an item never outlives its rule. Instants are epoch ms.

    `name` becomes the Kafka key of the rows, so that those of one bucket keep their order.
    """

    def __init__(self, engine: Engine, name: str, stored: Iterable[tuple[str, bytes]]) -> None:
        self._engine = engine
        self._name = name
        self._items: dict[str, Item] = {}
        self._rules: dict[str, bool] = {}  # content hash of each version that an item began under -> is it stored
        for key, value in stored:
            try:
                self._recall(key, value)
            except Exception:
                log.exception("bucket %s: %r can't be read from state and is left there", name, key)
        self._wakes = [(wake, key) for key, item in self._items.items() if (wake := next_deadline(item)) is not None]
        self._scheduled = {key: wake for wake, key in self._wakes}
        heapify(self._wakes)
        self._dirty: set[str] = set()
        self._gone: list[tuple[Spec, Item]] = []
        self._outputs: list[bytes] = []
        self._transitions: list[rows.Row] = []
        self._events: list[rows.Row] = []

    def _recall(self, key: str, value: bytes) -> None:
        if key.startswith(SEPARATOR):
            self._rules[self._engine.recall(value).hash] = True
        else:
            self._items[key] = decode(value)

    def __len__(self) -> int:
        return len(self._items)

    def on_batch(self, batch: bytes, watermark: int) -> list[bytes]:
        """Takes the records of a batch. What can't be read becomes a dead letter; nothing is dropped."""
        for frame in frames_of(batch):
            try:
                mapping = self._engine.mappings[frame.mapping]
                record, event = self._read(mapping, frame)
            except Exception as fault:
                reason = getattr(fault, "reason", "internal")
                self._outputs.append(self._engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))
            else:
                if event is not None:
                    self._follow(mapping, frame, record, event, watermark)
        return self._flush()

    def on_time(self, now: int) -> list[bytes]:
        """Time has come to `now`: no event at or before it is expected any more.

        An item that fails is told in the log and left as it is; the others are not held up by it.
        """
        while self._wakes and self._wakes[0][0] <= now:
            wake, where = heappop(self._wakes)
            if self._scheduled.get(where) == wake:
                del self._scheduled[where]
                try:
                    self._look_at(where, now)
                except Exception:
                    log.exception("item %r: its deadlines at %s failed and stay as they were", where, now)
        return self._flush()

    def _look_at(self, where: str, now: int) -> None:
        item = self._items[where]
        spec = self._engine.specs[item.spec]
        flags = [slot.flags for slot in item.slots.values()]
        after, effects = on_time(spec, item, now)
        if after is item and not effects and flags == [slot.flags for slot in item.slots.values()]:
            self._schedule(where, item)  # it was only looked at too early
        else:
            self._keep(where, spec, item, after, effects)
        if after is not None and not after.trace:
            self._look_at(where, now)  # the key's next run begins with what was held for it

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What has to be stored, and which storage keys have to go, since the last call."""
        puts = {where: encode(self._items[where]) for where in self._dirty if where in self._items}
        removes = [where for where in self._dirty if where not in self._items]
        self._dirty = set()
        for content_hash, is_stored in self._rules.items():
            if not is_stored:
                puts[f"{SEPARATOR}{content_hash}"] = self._engine.documents[content_hash]
                self._rules[content_hash] = True
        return puts, removes

    def next_timer(self) -> int | None:
        """The earliest instant at which `on_time` has something to do, rounded up so that neighbours share a timer.

        Rounded to the last ms of a span, since a watermark is the last ms before the next event that may come.
        """
        wakes = self._wakes
        while wakes and self._scheduled.get(wakes[0][1]) != wakes[0][0]:
            heappop(wakes)
        if not wakes:
            return None
        span = self._engine.granularity
        return -(-(wakes[0][0] + 1) // span) * span - 1

    def _read(self, mapping: Mapping, frame: Frame) -> tuple[dict[str, object], Event | None]:
        """The record, and the event that it is; None where another copy of the record stands for it."""
        if len(frame.payload) > self._engine.largest:
            raise Unfit("too_large", f"{len(frame.payload)} bytes; at most {self._engine.largest} are read")
        record = mapping.parse(frame.payload)
        position = f"{self._engine.topics[frame.mapping]}-{frame.partition}-{frame.offset}"
        names = mapping.key_names
        event = mapping.event(record, names[0 if frame.key == NO_KEY else frame.key], position, frame.received)
        if frame.key == NO_KEY:
            raise Unfit("no_key", f"no correlation key could be read; looked for {', '.join(names)}")
        if mapping.matches(record):
            return record, event
        if not self._matches_another(frame, record):
            raise Unfit("invalid_event", "no mapping's `when` holds for the record")
        return record, None

    def _matches_another(self, frame: Frame, record: dict[str, object]) -> bool:
        """Whether another mapping of the topic takes the record, so that another copy of it stands for it."""
        engine = self._engine
        topic = engine.topics[frame.mapping]
        others = (m for m, t in zip(engine.mappings, engine.topics, strict=True) if t == topic)
        return any(m.matches(record) and any(has_key(m, record, name) for name in m.key_names) for m in others)

    def _follow(self, mapping: Mapping, frame: Frame, record: dict[str, object], event: Event, watermark: int) -> None:
        engine = self._engine
        key_name = mapping.key_names[frame.key]
        duplicate = False
        for workflow in engine.workflows(key_name, event.type):
            where = f"{workflow}{SEPARATOR}{event.key}"
            while (item := self._items.get(where)) is not None and item.expires <= watermark:
                self._look_at(where, watermark)  # the earlier run's last words, before the next one's first
            spec = engine.specs[item.spec] if item is not None else engine.spec_at(workflow, event.time)
            if spec is not None and spec.key == key_name and event.type in spec.by_type:
                duplicate |= self._take(where, spec, item, event, watermark, frame)
        if self._is_first_copy(mapping, frame, record):
            shown = mapping.masked(record)
            text = frame.payload if shown is record else orjson.dumps(shown)
            topic = engine.topics[frame.mapping]
            self._events.append(rows.event(engine.lane, topic, key_name, event, text, duplicate, frame))

    def _take(self, where: str, spec: Spec, item: Item | None, event: Event, watermark: int, frame: Frame) -> bool:
        """Gives the event to its item. Returns whether it was a copy of one that the item has."""
        if item is not None and len(item.trace) + len(item.held or ()) >= MOST_EVENTS:
            detail = (
                f"item {event.key!r} of {spec.workflow} has {MOST_EVENTS} events that time has not passed; is it a key?"
            )
            self._outputs.append(self._engine.dead_letter(frame, "invalid_event", detail))
            return False
        arrivals, known, held = counts(item)
        after, effects = on_event(spec, item, event, watermark)
        arrived, knows, holds = counts(after)
        if after is not item or (arrived, holds) != (arrivals, held):
            self._keep(where, spec, item, after, effects)
        return after is item and arrived > arrivals and knows == known

    def _is_first_copy(self, mapping: Mapping, frame: Frame, record: dict[str, object]) -> bool:
        """Whether this copy of the record is the one that stands for it in the event log."""
        return not any(has_key(mapping, record, name) for name in mapping.key_names[: frame.key])

    def _keep(self, where: str, spec: Spec, before: Item | None, after: Item | None, effects: list[Effect]) -> None:
        if before is not None and after is not before:
            self._gone.append((spec, before))
        about = before if before is not None else after
        if about is None:
            return
        for effect in effects:
            if isinstance(effect, Finding):
                self._outputs.append(element("F", about.key, rows.line(rows.finding(spec, about, effect))))
            else:
                self._transitions.append(rows.transition(spec, about, effect))
        self._dirty.add(where)
        if after is None:
            self._items.pop(where, None)
            self._scheduled.pop(where, None)
            return
        self._items[where] = after
        self._rules.setdefault(after.spec, False)
        self._schedule(where, after)

    def _schedule(self, where: str, item: Item) -> None:
        wake = next_deadline(item)
        if wake is not None and wake < self._scheduled.get(where, NEVER):
            self._scheduled[where] = wake
            heappush(self._wakes, (wake, where))

    def _flush(self) -> list[bytes]:
        outputs, self._outputs = self._outputs, []
        specs = self._engine.specs
        changed = [rows.item(spec, item, expired=True) for spec, item in self._gone if not item.ended]
        changed += [
            rows.item(specs[item.spec], item)
            for where in self._dirty
            if (item := self._items.get(where)) and item.trace
        ]
        for tag, made in (("T", self._transitions), ("I", changed), ("E", self._events)):
            if made:
                outputs.append(element(tag, self._name, rows.lines(made)))
        self._transitions, self._events = [], []
        self._gone.clear()
        return outputs


def has_key(mapping: Mapping, record: dict[str, object], name: str) -> bool:
    """Whether the record shows this correlation key, so that there is a copy of it for that key."""
    try:
        mapping.event(record, name, "", 0)
    except Exception:
        return False
    return True


def counts(item: Item | None) -> tuple[int, int, int]:
    """Events that arrived, that count, and that wait for the next run."""
    return (0, 0, 0) if item is None else (item.arrivals, len(item.trace) + item.trimmed, len(item.held or ()))


class Unfit(Exception):
    """A record that is no event, for a reason that the mapping can't know."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail
