"""All that happens in some runs of a made-up business, in the order in which it reaches Kafka.

Each minute is drawn from (seed, run, minute) alone, so that a run can be continued at any instant without a memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from jobs.traffic.day import MINUTE_MS, Place, starts
from jobs.traffic.garbage import garbage
from jobs.traffic.item import HOUR, Emission, Item, Truth

GARBAGE = 17
"""Records that can't be read, in all the time that a first run looks back, on average."""


@dataclass(frozen=True)
class Run:
    """Items that begin from `since` until `until` (epoch ms; None: without end). `name` is in every item's key."""

    name: str
    seed: int
    since: int
    until: int | None = None


@dataclass(frozen=True)
class Beginning:
    """A story that begins at `at` (epoch ms), at a place; `name` is different for each of them."""

    at: int
    place: Place
    name: str


@dataclass(frozen=True)
class Business:
    """A made-up business, the traffic of one pack.

    `tell` makes the items of one story, which has ended `longest` ms after its beginning, and what must be found too.
    `regular` makes those that come by the clock: it is asked for each minute (the run's name, epoch ms) what is due
    `lead` ms later, and whether nobody is there to send it. A first run begins `hours` ago. `like` is what records that
    can't be read look like: an event type, a key's name.
    """

    places: tuple[Place, ...]
    tell: Callable[[random.Random, Beginning], Iterable[Item]]
    like: tuple[str, str]
    longest: int
    hours: float = 24.0
    regular: Callable[[random.Random, str, int, bool], Iterable[Item]] | None = None
    lead: int = 0

    def begin(self, rng: random.Random, run: str, minute: int) -> Iterator[Item]:
        """The items of the stories that begin in that minute (minutes since 1970)."""
        for place in self.places:
            for number, at in enumerate(starts(rng, place, minute)):
                name = f"{run}-{place.name}-{minute % 1_000_000:06d}{number:02d}"
                yield from self.tell(rng, Beginning(at, place, name))
        if self.regular is not None:
            yield from self.regular(rng, run, minute * MINUTE_MS, False)


class Stream:
    """What runs emit, merged in time. Ask for ever later instants; nothing at or before `after` comes out."""

    def __init__(self, business: Business, runs: list[Run], after: int) -> None:
        self.business = business
        self.runs = runs
        self.clock = after
        self._waiting: list[tuple[int, int, Emission | Truth]] = []
        self._number = count()
        self._after = after
        self._minute = min(max(run.since, after - business.longest) for run in runs) // MINUTE_MS

    def until(self, instant: int) -> Iterator[Emission | Truth]:
        """Everything up to `instant` (epoch ms, inclusive) that has not come out yet, ordered by `at`."""
        while self._minute * MINUTE_MS <= instant:
            self._draw(self._minute)
            self._minute += 1
        while self._waiting and self._waiting[0][0] <= instant:
            yield heappop(self._waiting)[2]
        self.clock = max(self.clock, instant)

    def _draw(self, minute: int) -> None:
        for run in self.runs:
            for thing in happenings(self.business, run, minute):
                if thing.at > self._after:
                    heappush(self._waiting, (thing.at, next(self._number), thing))


def happenings(business: Business, run: Run, minute: int) -> Iterator[Emission | Truth]:
    """What the items that begin in that minute (minutes since 1970) lead to, sooner or later; not in order."""
    if (minute + 1) * MINUTE_MS <= run.since or (run.until is not None and minute * MINUTE_MS > run.until):
        return
    rng = random.Random(f"{run.seed}/{run.name}/{minute}")
    if minute == run.since // MINUTE_MS:
        yield from unsent(business, run)
    for item in business.begin(rng, run.name, minute):
        if _belongs(run, item.start):
            yield from item.emissions()
            yield from item.truths
    if rng.random() < GARBAGE * MINUTE_MS / (business.hours * HOUR):
        emission, truth = garbage(rng, *business.like, minute * MINUTE_MS + rng.randrange(MINUTE_MS))
        if _belongs(run, emission.at):
            yield emission
            yield truth
            if truth.rule == "bad_time":  # its key can be read: the job tells the item's workflow of it
                yield Truth(truth.at, "invalid", "clock", f"G-{emission.at}")


def unsent(business: Business, run: Run) -> Iterator[Truth]:
    """What is due when the run has begun, but should have been sent before. Whether it is found missing depends on
    whether an earlier run has sent it, and when the job began to wait for it."""
    if business.regular is None:
        return
    rng = random.Random(f"{run.seed}/{run.name}")
    for minute in range((run.since - business.lead) // MINUTE_MS, run.since // MINUTE_MS + 1):
        at = minute * MINUTE_MS
        if run.since - business.lead <= at < run.since:
            for item in business.regular(rng, run.name, at, True):
                yield from (truth._replace(certain=False) for truth in item.truths)


def _belongs(run: Run, at: int) -> bool:
    return at >= run.since and (run.until is None or at <= run.until)
