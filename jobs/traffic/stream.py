"""All that happens in one run of the made-up business, in the order in which it reaches Kafka.

Each minute is drawn from (seed, run, minute) alone, so that a run can be continued at any instant without a memory.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from jobs.traffic import trade
from jobs.traffic.day import MARKETS, MINUTE_MS, starts
from jobs.traffic.trade import Emission, Truth

GARBAGE_PER_MINUTE = 0.012
LONGEST_TRADE_MS = 3 * 60 * MINUTE_MS
DEAD_LETTER = "dead_letter"


@dataclass(frozen=True)
class Run:
    """Trades that begin from `since` until `until` (epoch ms; None: without end). `name` is in every trade's key."""

    name: str
    seed: int
    since: int
    until: int | None = None


class Stream:
    """What runs emit, merged in time. Ask for ever later instants; nothing at or before `after` comes out."""

    def __init__(self, runs: list[Run], after: int) -> None:
        self.runs = runs
        self.clock = after
        self._waiting: list[tuple[int, int, Emission | Truth]] = []
        self._number = count()
        self._after = after
        self._minute = min(max(run.since, after - LONGEST_TRADE_MS) for run in runs) // MINUTE_MS

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
            for thing in happenings(run, minute):
                if thing.at > self._after:
                    heappush(self._waiting, (thing.at, next(self._number), thing))


def happenings(run: Run, minute: int) -> Iterator[Emission | Truth]:
    """What the trades that begin in that minute (minutes since 1970) lead to, sooner or later; not in order."""
    rng = random.Random(f"{run.seed}/{run.name}/{minute}")
    for market in MARKETS:
        for number, start in enumerate(starts(rng, market, minute)):
            key = f"T-{run.name}-{market.name}-{minute % 1_000_000:06d}{number:02d}"
            made = trade.make(rng, key, market, start)
            if start >= run.since and (run.until is None or start <= run.until):
                yield from made.emissions()
                yield from made.truths
    if rng.random() < GARBAGE_PER_MINUTE:
        at = minute * MINUTE_MS + rng.randrange(MINUTE_MS)
        reason, value = garbage(rng, at)
        if at >= run.since and (run.until is None or at <= run.until):
            yield Emission(at, "", value)
            yield Truth(at, DEAD_LETTER, reason, "")


def garbage(rng: random.Random, at: int) -> tuple[str, bytes]:
    """A record that can't be read, and the reason that its dead letter must give."""
    name = f"G-{at}"
    good = {"specversion": "1.0", "id": name, "source": "/trading/eu", "type": "trade.sent", "time": trade.iso(at)}
    keyed = {"data": {"trade_id": name}}
    return rng.choice(
        [
            ("not_json", f"<trade><id>{name}</id></trade>".encode()),
            ("not_json", json.dumps(good | keyed).encode()[:-9]),
            ("not_an_object", json.dumps(["trade.sent", name]).encode()),
            ("no_key", json.dumps(good | {"data": {"market": "EU"}}).encode()),
            ("bad_time", json.dumps(good | keyed | {"time": "yesterday"}).encode()),
        ]
    )
