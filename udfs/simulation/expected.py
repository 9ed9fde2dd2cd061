"""The schedules of some workflows in a simulation: armed when it begins, judged as its time moves on."""

from __future__ import annotations

from collections.abc import Callable

from udfs.core import schedule as machine
from udfs.core.effects import Effect
from udfs.core.event import Event
from udfs.core.match import match
from udfs.core.plan import Daily, Schedule
from udfs.core.schedulestate import Arrival, Watch
from udfs.core.sight import known
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.core.zone import DAY


class Watched:
    """One key of a schedule, and when it is looked at."""

    __slots__ = ("schedule", "spec", "wake", "watch")

    def __init__(self, spec: Spec, schedule: Schedule, key: str) -> None:
        self.spec = spec
        self.schedule = schedule
        self.watch = Watch(spec.hash, schedule.hash, key)
        self.wake = NEVER


class Expected:
    """`emit` receives (spec, key, effect). Instants are epoch ms."""

    def __init__(self, specs: tuple[Spec, ...], emit: Callable[[Spec, str, Effect], None]) -> None:
        self._emit = emit
        self._all: list[Watched] = []
        self._concerned: dict[tuple[str, str, str], list[Watched]] = {}  # by correlation key, its value and event type
        self._wake = NEVER
        for spec in specs:
            for schedule in spec.schedules:
                for key in sorted(schedule.keys):
                    watched = Watched(spec, schedule, key)
                    self._all.append(watched)
                    where = (spec.key, key, spec.steps[schedule.step].on)
                    self._concerned.setdefault(where, []).append(watched)

    def begin(self, time: int, whole_days: bool) -> None:
        """Waits for all that is due at `time` or later; of what is due once a day, on that local day or later."""
        for watched in self._all:
            plan = watched.schedule.plan
            begin = time - 1
            if whole_days and isinstance(plan, Daily):
                begin = plan.by.zone.first(plan.by.zone.day(time) * DAY) - 1
            if machine.arm(watched.schedule, watched.watch, begin):
                self._keep(watched, [])

    def event(self, event: Event, key_name: str, watermark: int, only: Spec | None = None) -> None:
        """Takes one event, for all workflows or one."""
        for watched in self._concerned.get((key_name, event.key, event.type), ()):
            if only is not None and watched.spec.hash != only.hash:
                continue
            step = match(watched.spec, event)
            if step is not None and step.index == watched.schedule.step:
                arrival = Arrival(event.time, event.source, event.id, event.received)
                seen = known(watched.spec, watched.schedule.step, watermark)
                effects = machine.on_event(watched.spec, watched.schedule, watched.watch, arrival, seen)
                self._keep(watched, effects)

    def advance(self, watermark: int) -> None:
        """Moves time on to `watermark`."""
        if watermark < self._wake:
            return
        self._wake = NEVER
        for watched in self._all:
            effects: list[Effect] = []
            if watched.wake <= watermark:
                seen = known(watched.spec, watched.schedule.step, watermark)
                effects = machine.on_time(watched.spec, watched.schedule, watched.watch, seen)
            self._keep(watched, effects)

    def look(self, spec: Spec, watermark: int) -> None:
        """From now on other horizons hold for a workflow (see `sight`)."""
        for watched in self._all:
            if watched.spec.hash == spec.hash:
                watched.spec = spec
        self.advance(watermark)

    def _keep(self, watched: Watched, effects: list[Effect]) -> None:
        for effect in effects:
            self._emit(watched.spec, watched.watch.key, effect)
        watched.wake = machine.next_deadline(watched.schedule, watched.watch)
        self._wake = min(self._wake, watched.wake)
