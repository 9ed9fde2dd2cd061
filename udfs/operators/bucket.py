"""The items of one bucket: takes batches and the passing of time, gives outputs, and saves what they changed."""

from __future__ import annotations

import logging
from typing import Any, Final

import orjson

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.migrate import migrate
from udfs.core.sight import is_held, next_seen
from udfs.core.source import Mapping
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item, next_verdict
from udfs.core.upkeep import Change, bring_up
from udfs.core.versions import NOT, Plan
from udfs.operators import clockfaults, intake, pulse, rows, sweep
from udfs.operators.batch import PULSE, Frame, element
from udfs.operators.batch import decode as frames_of
from udfs.operators.cache import Items
from udfs.operators.engine import Engine
from udfs.operators.lookout import HELD, STORED, Lookout
from udfs.operators.postponed import MARK as POSTPONED
from udfs.operators.postponed import Postponed
from udfs.operators.routed import ROUTED, Routed, unpack
from udfs.operators.schedules import MARK, Schedules
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
    the rules that items began under, so that an item never outlives its rule, and what has been done to open items.
    """

    def __init__(self, engine: Engine, name: str, items: Store, index: Store) -> None:
        self._engine = engine
        self._name = name
        self._index = index
        self._wheel = Wheel(index)
        self._lookout = Lookout(engine, index.get(STORED) if engine.watched else None)
        self._schedules = Schedules(engine, self._wheel, index, self._lookout)
        self._sweep = sweep.Sweep()
        self._obsolete: list[str] = []  # what has to leave the index
        self._postponed = Postponed(engine, index)
        self._rules: dict[str, bool] = {}  # content hash of each version that an item began under -> is it stored
        count = self._read_index()
        self._items = Items(items, count or 0)
        self._saved_count = count
        if count is None:
            self._adopt(items)
        self._clock = pulse.Clock()
        self._held: dict[str, bool] = {}  # those that wait for a source to be seen again
        self._gone: list[tuple[Spec, Item]] = []
        self._closed: list[rows.Row] = []
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
                self._outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))
                if reason in clockfaults.REASONS:
                    self._outputs += clockfaults.findings(engine, frame)
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
        if self._postponed or self._clock:
            self._take_postponed(now)
        wheel.advance(now)
        while (where := wheel.pop()) is not None:
            try:
                if where[0] == MARK:
                    self._outputs += self._schedules.on_time(where, now)
                    continue
                item = self._look_at(where, now)
                if item is not None and not self._hold(where, item, now):
                    self._wake_for(where, item)
            except Exception:
                log.exception("item %r: its deadlines at %s failed and stay as they were", where, now)
                self._items.forget(where)
                self._schedules.forget(where)
                failed.append(where)
        for where in failed:
            if now + PATIENCE < NEVER:
                wheel.file(now + PATIENCE, where)
        wheel.close()
        if self._sweep.is_under_way():
            self._sweep_on(now)
        return self._flush()

    def next_timer(self) -> int | None:
        """The earliest instant at which `on_time` has something to do, rounded up so that neighbours share a timer.

        Rounded to the last ms of a span, since a watermark is the last ms before the next event that may come.
        """
        wake = self._wheel.now + 1 if self._sweep.is_under_way() else self._wheel.earliest()
        for then in (self._postponed.earliest(), self._clock.earliest()):
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
        obsolete, self._obsolete = self._obsolete, []
        obsolete += self._wheel.save(puts) + self._schedules.save(puts) + self._postponed.save(puts)
        for name in obsolete:
            self._index.remove(name)
        self._sweep.save(puts)
        for content_hash, is_stored in self._rules.items():
            if not is_stored:
                puts[f"{SEPARATOR}{content_hash}"] = self._engine.documents[content_hash]
                self._rules[content_hash] = True
        seen = self._lookout.changed()
        if seen is not None:
            puts[STORED] = seen
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
            elif key == STORED:
                continue
            elif key == sweep.NAME:
                self._sweep.found(self._index.get(key) or b"{}")
            elif key.startswith(SEPARATOR):
                self._recall(key, self._index.get(key) or b"")
            elif key.startswith(MARK):
                self._schedules.found(key)
            elif key.startswith(POSTPONED):
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
            self._outputs += self._lookout.on_pulse(said, now)
            if self._lookout.returned:
                self._release(now)
        self._outputs += self._schedules.reconcile(said, now)
        planned = self._engine.planned(watermark)
        if self._sweep.wants(planned):
            self._sweep.begin(planned, self._items.keys())

    def _hold(self, where: str, item: Item, now: int) -> bool:
        """Puts an item aside of which something can't be said while a source is blind. It is looked at when the source
        can be seen again; now and then as well, since only the wheel is remembered across a restart."""
        if not self._lookout.blind or not is_held(item, now):
            return False
        self._held[where] = True
        self._wheel.file(min(next_seen(item, now), now + HELD), where)
        return True

    def _release(self, now: int) -> None:
        """A source can be seen again: what waited for it is judged on what has arrived."""
        self._outputs += self._schedules.release(now)
        held, self._held = self._held, {}
        for where in held:
            item = self._look_at(where, now)
            if item is not None and not self._hold(where, item, now):
                self._wake_for(where, item)

    def _sweep_on(self, now: int) -> None:
        """Brings the next slice of items up to the versions in force."""
        taken = self._sweep.take(sweep.SLICE if now < NEVER else self._items.count)
        for where in taken:
            try:
                item, plan = self._items.get(where), self._engine.plans.get(sweep.workflow_of(where))
                if item is not None and plan is not None:
                    after = self._brought_up(where, item, plan, now)
                    if after is not None and after is not item:
                        self._wake_for(where, after)
            except Exception:
                log.exception("item %r: it could not be brought up to the rules at %s and stays as it was", where, now)
                self._items.forget(where)
        if not taken:
            for workflow in self._sweep.end():
                self._clear_away(workflow)

    def _clear_away(self, workflow: str) -> None:
        """Nothing stays in state of what was withdrawn, once its items are gone."""
        plan = self._engine.plans.get(workflow)
        if plan is None or plan.withdrawn == NOT:
            return
        self._wheel.purge(self._is_dead)
        for content_hash in [*self._rules]:
            if self._engine.specs[content_hash].workflow == workflow and not plan.holds(content_hash):
                del self._rules[content_hash]
                self._obsolete.append(f"{SEPARATOR}{content_hash}")

    def _is_dead(self, where: str) -> bool:
        """Whether it is of a workflow that was withdrawn."""
        if where.startswith(MARK):
            return not self._schedules.has(where)
        plan = self._engine.plans.get(sweep.workflow_of(where))
        return plan is not None and not where.startswith(plan.prefix)

    def _brought_up(self, where: str, item: Item, plan: Plan, now: int) -> Item | None:
        """The item as the versions in force want it; None if it was closed."""
        following: Item | None = item
        while following is not None:
            item = following
            change = bring_up(self._engine.specs, plan, where.startswith(plan.prefix), item, now)
            if change is None:
                return item
            following = self._carry_out(where, item, change)
            if following is item:
                self._wake_for(where, item)
        return None

    def _carry_out(self, where: str, item: Item, change: Change) -> Item | None:
        after, closing = change.after, change.closing
        if closing is None and after is not item:
            self._keep(where, change.spec, item, after, change.effects)
            return after
        self._keep(where, change.spec, item, item, change.effects)
        if closing is None:
            self._keep(where, self._engine.specs[item.spec], item, item, change.more)
            return item
        if item.trace and not item.ended:
            self._closed.append(rows.closed(change.spec, item, closing.since, closing.reason))
        if after is None:
            self._drop(where)
        else:
            self._keep(where, change.spec, None, after, [])
        return after

    def _follow(self, mapping: Mapping, frame: Frame, record: dict[str, Any], event: Event, watermark: int) -> None:
        engine = self._engine
        key_name = mapping.key_names[frame.key]
        duplicate = False
        for workflow in engine.workflows(key_name, event.type):
            duplicate |= self._give(workflow, key_name, event, watermark, frame)
        if intake.is_first_copy(mapping, frame, record):
            shown = mapping.masked(record)
            text = frame.payload if shown is record else orjson.dumps(shown)
            topic = engine.topics[frame.mapping]
            self._events.append(rows.event(engine.lane, topic, key_name, event, text, duplicate, frame))

    def _give(
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
        engine, items = self._engine, self._items
        if engine.scheduled:
            self._outputs += self._schedules.on_event(workflow, key_name, event, watermark)
        where = f"{workflow}{SEPARATOR}{event.key}"
        plan = engine.plans.get(workflow) if engine.plans else None
        if plan is not None:
            where = plan.prefix + event.key
        item = items.get(where)
        if item is not None and plan is not None:
            item = self._brought_up(where, item, plan, watermark)
        if known > event.time:
            item = self._look_at(where, watermark)  # what was due before its place was known
        while item is not None and item.expires <= watermark:
            item = self._look_at(where, watermark)  # the earlier run's last words, before the next one's first
        if item is not None and item.trace and watermark < event.time < item.trace[0].time:
            self._begin_earlier(where, item, event.time, watermark)
        spec = engine.specs[item.spec] if item is not None else engine.spec_at(workflow, event.time)
        if plan is not None and plan.closes(event.time, max(event.time, watermark)) is not None:
            return False  # it is of a time that is closed
        if spec is None or spec.key != key_name or event.type not in spec.by_type:
            return False
        if by_links and spec.correlation is None:
            return False
        if self._lookout.blind:
            spec = self._lookout.view(spec)
        duplicate = self._take(where, spec, item, event, watermark, frame)
        if item is None and plan is not None and (begun := items.get(where)) is not None:
            self._brought_up(where, begun, plan, watermark)  # it may have begun in the past of a later version
        return duplicate

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
                self._give(workflow, own, event, watermark, frame, True, routed.known)
        except Exception as fault:
            reason = getattr(fault, "reason", "internal")
            self._outputs.append(engine.dead_letter(frame, reason, getattr(fault, "detail", repr(fault))))

    def _take_postponed(self, now: int) -> None:
        """What was to wait for an instant that has come, in the order of time: events, and what readers have told."""
        while (told := self._clock.pop(now)) is not None:
            self._take_placed(told[0])
            self._heed_or_log(told[1], told[0], now)
        self._take_placed(now)

    def _take_placed(self, now: int) -> None:
        while (routed := self._postponed.pop(now)) is not None:
            self._take_routed(routed, routed.known - 1)
        self._wake_all()

    def _begin_earlier(self, where: str, item: Item, time: int, watermark: int) -> None:
        """The item turns out to have begun earlier, perhaps in an earlier version's time: it is ruled by that one."""
        spec = self._engine.specs[item.spec]
        chosen = self._engine.spec_at(spec.workflow, item.trace[0].time)
        fit = self._engine.spec_at(spec.workflow, time)
        if chosen is None or fit is None or item.ruled >= 0:
            return
        if chosen.hash == spec.hash != fit.hash and fit.key == spec.key:
            after, effects = migrate(spec, fit, item, watermark)
            if after is item:
                self._keep(where, fit, item, item, effects)
                self._wake_for(where, item)

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
        if where not in self._woken:
            self._woken[where] = wake
        self._keep(where, spec, item, after, effects)
        return after is item and after.arrivals > arrivals and _known(after) == known

    def _refuse(self, spec: Spec, event: Event, frame: Frame) -> None:
        item = f"item {event.key!r} of {spec.workflow}"
        detail = f"{item} has {MOST_EVENTS} events that time has not passed; is it a key?"
        self._outputs.append(self._engine.dead_letter(frame, "invalid_event", detail))

    def _look_at(self, where: str, now: int) -> Item | None:
        """Lets time pass for one item; returns what is there then: None, the item, or the key's next run."""
        item = self._items.get(where)
        plans = self._engine.plans
        while item is not None:
            spec = self._engine.specs[item.spec]
            if plans and spec.workflow in plans:
                item = self._brought_up(where, item, plans[spec.workflow], now)
                if item is None:
                    break
                spec = self._engine.specs[item.spec]
            if self._lookout.blind:
                spec = self._lookout.view(spec)
            answered, arrivals = item.answered(), item.arrivals
            after, effects = on_time(spec, item, now)
            if after is not item or effects or item.answered() != answered or item.arrivals != arrivals:
                self._keep(where, spec, item, after, effects)
            item = after
            if item is None or item.trace or item.due > now:
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
            self._drop(where)
            return
        self._items.keep(where, after)
        if after.spec not in self._rules:
            self._rules[after.spec] = False

    def _drop(self, where: str) -> None:
        self._items.remove(where)
        self._wheel.forget(where)
        self._woken.pop(where, None)

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
        changed: list[rows.Row] = [rows.item(spec, item, expired=True) for spec, item in self._gone if not item.ended]
        changed += self._closed
        changed += [rows.item(specs[item.spec], item) for item in self._items.changed() if item.trace]
        for tag, made in (("T", self._transitions), ("I", changed), ("E", self._events)):
            if made:
                outputs.append(element(tag, self._name, rows.lines(made)))
        self._transitions, self._events = [], []
        self._gone.clear()
        self._closed.clear()
        return outputs


def _known(item: Item) -> int:
    """How many events the item has taken that are no copies."""
    return len(item.trace) + item.trimmed + item.dropped


def wake_of(item: Item) -> int:
    """When the item wants to be looked at, NEVER if never."""
    wake = next_deadline(item)
    return NEVER if wake is None else wake
