"""The schedules of one bucket: one watch for each key that is expected and belongs here.

They are armed by the pulse, since nothing else reaches a bucket whose keys are silent. There are few of them, so all
are kept decoded; they are stored in the bucket's index, under names that no item, rule or slot of the wheel can have.
"""

from __future__ import annotations

import logging
from typing import Final

from udfs.core import schedule as machine
from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.ids import SEPARATOR
from udfs.core.match import match
from udfs.core.plan import Schedule
from udfs.core.schedulestate import Arrival, Watch, decode, encode
from udfs.core.sight import known
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.operators import rows
from udfs.operators.batch import element
from udfs.operators.buckets import bucket_of
from udfs.operators.engine import Engine
from udfs.operators.lookout import HELD, Lookout
from udfs.operators.pulse import Pulse
from udfs.operators.store import Store
from udfs.operators.wheel import Wheel

MARK: Final = "@"
"""What the names begin with. Workflows' names begin with a letter or a digit, slots' with a digit or a minus."""

FRESH: Final = 120_000
"""A version that has been in force for less than this (ms) is armed from its beginning on, not from the pulse on."""

log = logging.getLogger(__name__)


class Schedules:
    """Instants are epoch ms. `wheel`, `index` and `lookout` are the bucket's: what a blind source would have to report
    is held until it can be seen again (see `sight`)."""

    def __init__(self, engine: Engine, wheel: Wheel, index: Store, lookout: Lookout) -> None:
        self._engine = engine
        self._wheel = wheel
        self._index = index
        self._lookout = lookout
        self._held: dict[str, bool] = {}  # those that wait for a source to be seen again
        self._watches: dict[str, Watch] = {}
        self._filed: dict[str, int] = {}  # when the wheel wakes them
        self._changed: dict[str, bool] = {}  # to be stored; False: to be removed
        self._own: dict[tuple[str, str], list[str]] = {}  # a version and a schedule's id -> its keys that belong here

    def found(self, name: str) -> None:
        """There is a watch of this name in the index. The wheel was saved with it, so it has an entry."""
        try:
            watch = self._watches[name] = decode(self._index.get(name) or b"")
        except Exception:
            log.exception("%r can't be read from state and begins anew", name)
            return
        rule = self._rule(watch)
        if rule is not None:
            self._filed[name] = machine.next_deadline(rule[1], watch)

    def forget(self, name: str) -> None:
        """The watch may be spoilt: read it again, unless it has changes to be saved."""
        if name in self._watches and name not in self._changed:
            self.found(name)

    def on_event(self, workflow: str, key_name: str, event: Event, watermark: int) -> list[bytes]:
        """Takes an event of a workflow's key, if a schedule waits for it. It is kept also where none is armed yet."""
        outputs: list[bytes] = []
        spec = self._engine.spec_at(workflow, max(event.time, watermark))
        if spec is None or spec.key != key_name or not spec.enabled:
            return outputs
        for schedule in spec.schedules:
            if event.key not in schedule.keys:
                continue
            name = _name(spec, schedule, event.key)
            watch = self._watches.get(name)
            rule = self._rule(watch) if watch is not None else None
            if watch is None or rule is None:
                rule = spec, schedule
                watch = self._watches[name] = _begun(spec, schedule, event.key, watch)
            step = match(rule[0], event)
            if step is not None and step.index == rule[1].step:
                arrival = Arrival(event.time, event.source, event.id, event.received)
                effects = machine.on_event(rule[0], rule[1], watch, arrival, self._known(*rule, watermark))
                outputs += self._keep(name, rule[0], rule[1], watch, effects)
        return outputs

    def on_time(self, name: str, now: int) -> list[bytes]:
        """Lets time pass for a watch that the wheel has woken."""
        self._filed.pop(name, None)
        watch = self._watches.get(name)
        rule = self._rule(watch) if watch is not None else None
        before = watch.next if watch is not None else None
        if watch is None or rule is None or before is None:
            return []
        waiting = len(watch.pending)
        effects = machine.on_time(rule[0], rule[1], watch, self._known(*rule, now))
        if watch.next is None:
            outputs = _said(rule[0], watch, effects)
            self._remove(name)
            return outputs
        if self._lookout.blind and machine.next_deadline(rule[1], watch) <= now:
            self._held[name] = True
            self._wheel.file(now + HELD, name)
        elif watch.next is before and len(watch.pending) == waiting:
            self._wake(name, rule[1], watch)
        if watch.next is before and len(watch.pending) == waiting:
            return []
        return self._keep(name, rule[0], rule[1], watch, effects)

    def release(self, now: int) -> list[bytes]:
        """A source can be seen again: what waited for it is judged on what has arrived."""
        outputs: list[bytes] = []
        held, self._held = self._held, {}
        for name in held:
            outputs += self.on_time(name, now)
        return outputs

    def _known(self, spec: Spec, schedule: Schedule, now: int) -> int:
        """Up to when it is known what happened at the step that is expected."""
        return known(self._lookout.view(spec), schedule.step, now) if self._lookout.blind else now

    def reconcile(self, pulse: Pulse, now: int) -> list[bytes]:
        """Arms what is in force at `now` and belongs here, and drops what is no more."""
        outputs: list[bytes] = []
        if not -NEVER < now < NEVER or not (self._engine.scheduled or self._watches):
            return outputs
        wanted: dict[str, tuple[int, Spec, Schedule, str]] = {}
        for since, spec in self._engine.in_force(now):
            for schedule in spec.schedules:
                for key in self._keys(spec, schedule, pulse):
                    wanted[_name(spec, schedule, key)] = (since, spec, schedule, key)
        for name in [name for name in self._watches if name not in wanted]:
            self._remove(name)
        for name, (since, spec, schedule, key) in wanted.items():
            begin = since if since > now - FRESH else now
            outputs += self._settle(name, spec, schedule, key, begin, now)
        return outputs

    def has(self, name: str) -> bool:
        """Whether there is a watch of this name."""
        return name in self._watches

    def save(self, puts: dict[str, bytes]) -> list[str]:
        """Adds what has to be stored to `puts`, and returns what has to go, since the last call."""
        gone: list[str] = []
        for name, stays in self._changed.items():
            if stays:
                puts[name] = encode(self._watches[name])
            else:
                gone.append(name)
        self._changed = {}
        return gone

    def _settle(self, name: str, spec: Spec, schedule: Schedule, key: str, begin: int, now: int) -> list[bytes]:
        """Has a watch follow the version in force: an unchanged schedule goes on, a changed one is armed anew with what
        has come lately."""
        watch = self._watches.get(name)
        if watch is not None and watch.rule == schedule.hash and watch.next is not None:
            if watch.spec != spec.hash:
                watch.spec = spec.hash
                self._changed[name] = True
            return []
        fresh = _begun(spec, schedule, key, watch)
        if not machine.arm(schedule, fresh, begin):
            return []
        self._watches[name] = fresh
        return self._keep(
            name, spec, schedule, fresh, machine.on_time(spec, schedule, fresh, self._known(spec, schedule, now))
        )

    def _keys(self, spec: Spec, schedule: Schedule, pulse: Pulse) -> list[str]:
        where = (spec.hash, schedule.id)
        own = self._own.get(where)
        if own is None:
            own = [key for key in sorted(schedule.keys) if bucket_of(key, pulse.buckets) == pulse.bucket]
            self._own[where] = own
        return own

    def _rule(self, watch: Watch) -> tuple[Spec, Schedule] | None:
        """The version that a watch follows; None, if it is known no more: then the next pulse puts it right."""
        spec = self._engine.specs.get(watch.spec)
        if spec is not None:
            for schedule in spec.schedules:
                if schedule.hash == watch.rule:
                    return spec, schedule
        return None

    def _keep(self, name: str, spec: Spec, schedule: Schedule, watch: Watch, effects: list[Effect]) -> list[bytes]:
        self._changed[name] = True
        self._wake(name, schedule, watch)
        return _said(spec, watch, effects)

    def _wake(self, name: str, schedule: Schedule, watch: Watch) -> None:
        wake = machine.next_deadline(schedule, watch)
        if wake < self._filed.get(name, NEVER):
            self._filed[name] = wake
            self._wheel.file(wake, name)

    def _remove(self, name: str) -> None:
        del self._watches[name]
        self._filed.pop(name, None)
        self._wheel.forget(name)
        self._changed[name] = False


def _begun(spec: Spec, schedule: Schedule, key: str, before: Watch | None) -> Watch:
    """A watch that is not armed yet, with what has come lately while the key was watched by another rule."""
    watch = Watch(spec.hash, schedule.hash, key)
    if before is not None:
        watch.pending = before.recent + before.pending
        machine.in_order(watch.pending)
    return watch


def _name(spec: Spec, schedule: Schedule, key: str) -> str:
    return f"{MARK}{spec.workflow}{SEPARATOR}{schedule.id}{SEPARATOR}{key}"


def _said(spec: Spec, watch: Watch, effects: list[Effect]) -> list[bytes]:
    outputs: list[bytes] = []
    for effect in effects:
        if isinstance(effect, Finding):
            outputs.append(element("F", watch.key, rows.line(rows.finding_of(spec, watch.key, {}, effect))))
    return outputs
