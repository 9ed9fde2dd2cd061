"""Runs the core over a list of events, with a virtual watermark: dry runs, back tests, tests.

No Kafka, no Flink, no clock. Events are sorted stably by event time; behind the last one, time moves past every armed
deadline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item

STRIDE = 1000
"""Events between two moves of the watermark. What is found does not depend on it; how often idle items are looked at
does."""

ItemKey = tuple[int, str]


@dataclass
class Result:
    """What a simulation saw. `findings` maps an id to what was last said under it, in the order first said."""

    events: int = 0
    items: set[tuple[str, str]] = field(default_factory=set)
    findings: dict[str, tuple[Spec, str, Finding]] = field(default_factory=dict)

    def count(self) -> Counter[tuple[str, str, str]]:
        """How many findings there are for each (workflow, rule, kind)."""
        return Counter((spec.workflow, f.rule, f.kind) for spec, _, f in self.findings.values())


class Simulation:
    """The items of some workflows, and the time at which each wants to be looked at.

    `emit` receives (spec, key, effect) as they come. Events may be given in any order within the allowed lateness.
    """

    def __init__(self, specs: Sequence[Spec], emit: Callable[[Spec, str, Effect], None]) -> None:
        self.specs = tuple(specs)
        self.items: dict[ItemKey, Item] = {}
        self.watermark = -NEVER
        self._emit = emit
        self._wakes: list[tuple[int, ItemKey]] = []
        self._scheduled: dict[ItemKey, int] = {}
        self._concerned: dict[tuple[str, str], list[int]] = {}  # specs by correlation key and event type
        for index, spec in enumerate(self.specs):
            for event_type in spec.by_type:
                self._concerned.setdefault((spec.key, event_type), []).append(index)

    def event(self, event: Event, key_name: str) -> None:
        """Takes one event for all workflows whose key it carries."""
        for index in self._concerned.get((key_name, event.type), ()):
            where = (index, event.key)
            item, effects = on_event(self.specs[index], self.items.get(where), event, self.watermark)
            self._keep(where, item, effects)

    def advance(self, watermark: int) -> None:
        """Moves time on to `watermark` (epoch ms): no event at or before it is to come."""
        self.watermark = watermark
        while self._wakes and self._wakes[0][0] <= watermark:
            wake, where = heappop(self._wakes)
            if self._scheduled.get(where) == wake:
                del self._scheduled[where]
                item, effects = on_time(self.specs[where[0]], self.items[where], watermark)
                self._keep(where, item, effects)

    def _keep(self, where: ItemKey, item: Item | None, effects: list[Effect]) -> None:
        spec = self.specs[where[0]]
        for effect in effects:
            self._emit(spec, where[1], effect)
        if item is None:
            self.items.pop(where, None)
            self._scheduled.pop(where, None)
            return
        self.items[where] = item
        wake = next_deadline(item)
        if wake is not None and wake < self._scheduled.get(where, NEVER):
            self._scheduled[where] = wake
            heappush(self._wakes, (wake, where))


def simulate(specs: Sequence[Spec], events: Iterable[tuple[str, Event]]) -> Result:
    """Runs all events, given as (name of the correlation key, event), to the end of time."""
    result = Result()

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            result.findings[effect.id] = (spec, key, effect)
        else:
            result.items.add((spec.workflow, key))

    simulation = Simulation(specs, emit)
    ordered = sorted(events, key=lambda e: e[1].time)
    for n, (key_name, event) in enumerate(ordered):
        if n % STRIDE == 0:
            simulation.advance(event.time - 1)
        simulation.event(event, key_name)
    result.events = len(ordered)
    simulation.advance(NEVER)
    return result
