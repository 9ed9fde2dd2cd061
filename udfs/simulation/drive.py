"""Runs the core over a list of events, with a virtual watermark: dry runs, back tests, tests.

No Kafka, no Flink, no clock. Events are sorted stably by event time; behind the last one, time moves past every armed
deadline.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.links import scheme_of
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.sight import is_held, next_seen
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item
from udfs.simulation.expected import Expected
from udfs.simulation.placing import Placing

STRIDE = 1000
"""Events between two moves of the watermark. What is found does not depend on it; how often idle items are looked at
does."""

SLOT = 14
"""A slot of the schedule is 2^14 ms, 16 seconds."""


@dataclass
class Result:
    """What a simulation saw. `findings` maps an id to what was last said under it, in the order first said."""

    events: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    """Events that no link led to their item in time, and links that contradict others, by the dead letters' reasons."""
    items: set[tuple[str, str]] = field(default_factory=set)
    findings: dict[str, tuple[Spec, str, Finding]] = field(default_factory=dict)

    def count(self) -> Counter[tuple[str, str, str]]:
        """How many there are for each (workflow, rule, kind). Several limits on one deadline count once."""
        told = {
            (spec.workflow, f.rule, f.kind, key, f.occurrence, f.id if f.since is None else f.since)
            for spec, key, f in self.findings.values()
        }
        return Counter((workflow, rule, kind) for workflow, rule, kind, *_ in told)


class Followed:
    """An item, and when it is looked at: entries of the schedule for other instants are old ones."""

    __slots__ = ("index", "item", "key", "wake")

    def __init__(self, index: int, key: str, item: Item) -> None:
        self.index = index
        self.key = key
        self.item: Item | None = item
        self.wake = NEVER


Entry = tuple[int, int, Followed]
"""When to look at what; the number in between makes the order one of time, then of having been put down."""


class Schedule:
    """What to look at when. Entries of the slot that time is in are on a heap; those of later slots only gathered, so
    that the heap stays small, however many items are followed."""

    def __init__(self) -> None:
        self._open = -NEVER
        self._soon: list[Entry] = []
        self._later: dict[int, list[Entry]] = {}
        self._slots: list[int] = []  # heap of the keys of `_later`
        self._count = 0

    def add(self, wake: int, followed: Followed) -> None:
        self._count += 1
        entry = (wake, self._count, followed)
        slot = wake >> SLOT
        if slot <= self._open:
            heappush(self._soon, entry)
        elif slot in self._later:
            self._later[slot].append(entry)
        else:
            self._later[slot] = [entry]
            heappush(self._slots, slot)

    def pop(self, now: int) -> Followed | None:
        """The next one whose time has come; None: no more of them."""
        while True:
            while self._soon and self._soon[0][0] <= now:
                wake, _, followed = heappop(self._soon)
                if followed.wake == wake:
                    followed.wake = NEVER
                    return followed
            if not self._slots or self._slots[0] << SLOT > now:
                return None
            self._open = heappop(self._slots)  # nothing is left in earlier ones
            self._soon = self._later.pop(self._open)
            heapify(self._soon)


class Simulation:
    """The items of some workflows, and the time at which each wants to be looked at.

    `emit` receives (spec, key, effect) as they come. Events may be given in any order within the allowed lateness.
    """

    def __init__(self, specs: Sequence[Spec], emit: Callable[[Spec, str, Effect], None]) -> None:
        self.specs = tuple(specs)
        self.watermark = -NEVER
        self._emit = emit
        self._items: list[dict[str, Followed]] = [{} for _ in self.specs]  # of each workflow, by key
        self._schedule = Schedule()
        self._held: list[Followed] = []  # those that wait for a source to be seen again
        self._expected = Expected(self.specs, emit)
        self._scheduled = [spec for spec in self.specs if spec.schedules] != []
        self._concerned: dict[tuple[str, str], list[int]] = {}  # workflows by correlation key and event type
        for index, spec in enumerate(self.specs):
            for event_type in spec.by_type:
                self._concerned.setdefault((spec.key, event_type), []).append(index)
        self.placing: Placing | None = None
        if [spec for spec in self.specs if spec.correlation is not None]:
            self.placing = Placing(self.specs, self._placed)
        self._postponed: list[tuple[int, int, str, Event]] = []  # heap: when to take an event whose place is known then
        self._count = 0

    def record(self, events: Mapping[str, Event]) -> None:
        """Takes one record, as the event that it is for each of its correlation keys."""
        for key_name, event in events.items():
            self.event(event, key_name)
        if self.placing is not None:
            self.placing.record(events)

    def begin(self, time: int, whole_days: bool = False) -> None:
        """Schedules are followed from `time` (epoch ms) on, daily ones also from the beginning of its local day on."""
        self._expected.begin(time, whole_days)

    def event(self, event: Event, key_name: str) -> None:
        """Takes one event for all workflows whose key it carries."""
        if self._scheduled:
            self._expected.event(event, key_name, self.watermark)
        for index in self._concerned.get((key_name, event.type), ()):
            self._take(index, event, self.watermark)

    def _take(self, index: int, event: Event, watermark: int) -> None:
        followed = self._items[index].get(event.key)
        before = followed.item if followed is not None else None
        item, effects = on_event(self.specs[index], before, event, watermark)
        if followed is not None:
            self._keep(followed, item, effects)
        elif item is not None:
            followed = self._items[index][event.key] = Followed(index, event.key, item)
            self._keep(followed, item, effects)

    def _placed(self, scheme: str, event: Event, known: int) -> None:
        """An event that links led to its item: at once, or when time has come to where its place was known."""
        if known > event.time and known - 1 > self.watermark:
            self._count += 1
            heappush(self._postponed, (known - 1, self._count, scheme, event))
        else:
            self._take_placed(scheme, event, self.watermark)

    def _take_placed(self, scheme: str, event: Event, watermark: int) -> None:
        for index, spec in enumerate(self.specs):
            if spec.correlation is None or scheme_of(spec.correlation.keys) != scheme or event.type not in spec.by_type:
                continue
            if self._scheduled:
                self._expected.event(event, spec.key, watermark, only=spec)
            followed = self._items[index].get(event.key)
            if followed is not None and followed.item is not None and watermark >= event.time:
                item, effects = on_time(spec, followed.item, watermark)  # what was due before its place was known
                self._keep(followed, item, effects)
            self._take(index, event, watermark)

    def advance(self, watermark: int) -> None:
        """Moves time on to `watermark` (epoch ms): no event at or before it is to come."""
        if self.placing is not None:
            self.placing.advance(watermark)
            while self._postponed and self._postponed[0][0] <= watermark:
                then, _, scheme, event = heappop(self._postponed)
                self._take_placed(scheme, event, then)
        self.watermark = watermark
        self._expected.advance(watermark)
        while (followed := self._schedule.pop(watermark)) is not None:
            self._let_pass(followed)

    def look(self, index: int, spec: Spec) -> None:
        """From now on other horizons hold for the workflow at this index: a source is blind, or can be seen again."""
        self.specs = (*self.specs[:index], spec, *self.specs[index + 1 :])
        self._expected.look(spec, self.watermark)
        held, self._held = self._held, []
        for followed in held:
            self._let_pass(followed)

    def _let_pass(self, followed: Followed) -> None:
        """Lets time pass for one item."""
        if followed.item is None:
            return
        spec = self.specs[followed.index]
        item, effects = on_time(spec, followed.item, self.watermark)
        is_blind = spec.horizons and item is not None and is_held(item, self.watermark)
        self._keep(followed, item, effects, bool(is_blind))

    def _keep(self, followed: Followed, item: Item | None, effects: list[Effect], held: bool = False) -> None:
        for effect in effects:
            self._emit(self.specs[followed.index], followed.key, effect)
        followed.item = item
        if item is None:
            self._items[followed.index].pop(followed.key, None)
            return
        wake = next_deadline(item)
        if held:
            self._held.append(followed)
            wake = next_seen(item, self.watermark)
        if wake is not None and wake < followed.wake:
            followed.wake = wake
            self._schedule.add(wake, followed)


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
    if ordered:
        simulation.begin(ordered[0][1].time, whole_days=True)
    if simulation.placing is not None:
        _run_records(simulation, ordered)
        result.lost = simulation.placing.lost
    else:
        for n, (key_name, event) in enumerate(ordered):
            if n % STRIDE == 0:
                simulation.advance(event.time - 1)
            simulation.event(event, key_name)
    result.events = len(ordered)
    if ordered:
        simulation.advance(ordered[-1][1].time)
    simulation.advance(NEVER)
    return result


def _run_records(simulation: Simulation, ordered: Sequence[tuple[str, Event]]) -> None:
    """The copies of a record, one for each of its keys, follow each other and share the record."""
    copies: dict[str, Event] = {}
    last: Event | None = None
    for n, (key_name, event) in enumerate(ordered):
        if last is not None and (event.data is not last.data or event.data is None or key_name in copies):
            simulation.record(copies)
            copies = {}
        if n % STRIDE == 0 and not copies:
            simulation.advance(event.time - 1)
        copies[key_name] = event
        last = event
    if copies:
        simulation.record(copies)
