"""What goes wrong with made-up items: the usual faults, and the drawing of lots for them.

A fault changes an item that is all right and notes what must be found because of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from jobs.traffic.item import SECOND, Deadline, Item

Fault = Callable[[Item, random.Random], None]
Shares = Sequence[tuple[Fault, float]]
"""Faults with the share of items that get each; most items get none."""

TELLING_MS = 30 * SECOND
"""How long after a record that was reported late the next step happens, so that only the one is out of time."""


def spoil(item: Item, rng: random.Random, shares: Shares) -> Item:
    """The item, with the fault that falls to its lot, if any."""
    lot = rng.random()
    for fault, share in shares:
        if lot < share:
            fault(item, rng)
            break
        lot -= share
    return item


def after(times: dict[str, int], step: str, rng: random.Random, shortest: float, longest: float) -> None:
    """Add a step some seconds behind the latest one: mostly soon after the shortest time, seldom at the longest."""
    usual = min(shortest * 2, (shortest + longest) / 2)
    times[step] = max(times.values()) + int(rng.triangular(shortest, longest, usual) * SECOND)


def never(limit: Deadline) -> Fault:
    """What is expected, and all behind it, never happens."""

    def fault(item: Item, rng: random.Random) -> None:
        item.cut(limit.expect)
        item.breaks(limit)

    return fault


def late(limit: Deadline, shortest: int, longest: int) -> Fault:
    """It happens, but so many ms behind its deadline."""

    def fault(item: Item, rng: random.Random) -> None:
        item.move(limit.expect, item.due(limit) + rng.randint(shortest, longest))
        item.breaks(limit)
        item.expect(item.times[limit.expect], "late", limit.rule)

    return fault


def slow(limit: Deadline) -> Fault:
    """It happens in time, but only just: the warning goes out, nothing else."""

    def fault(item: Item, rng: random.Random) -> None:
        since = item.times[limit.after]
        warned = limit.warned(since) or since
        item.move(limit.expect, rng.randint(warned + 1, item.due(limit)))
        item.expect(warned, "at_risk", limit.rule)

    return fault


def early(limit: Deadline) -> Fault:
    """It happens sooner than it can have been done."""

    def fault(item: Item, rng: random.Random) -> None:
        item.move(limit.expect, item.times[limit.after] + rng.randint(1, limit.floor - 1))
        item.expect(item.times[limit.expect], "early", limit.rule)

    return fault


def reported_late(limit: Deadline, shortest: int, longest: int) -> Fault:
    """It happened in time, but nobody heard of it until so many ms after the deadline."""

    def fault(item: Item, rng: random.Random) -> None:
        arrival = item.due(limit) + rng.randint(shortest, longest)
        behind = [at for at in item.times.values() if at > item.times[limit.expect]]
        if behind and min(behind) < arrival + TELLING_MS:
            happened = item.times[limit.expect]
            item.move(limit.expect, happened + arrival + TELLING_MS - min(behind))
            item.times[limit.expect] = happened
        item.arrivals[limit.expect] = arrival
        item.breaks(limit, certain=False)
        item.expect(arrival, "reported_late", limit.rule, certain=False)

    return fault


def repeated(*steps: str) -> Fault:
    """The record of one of these steps is sent twice."""

    def fault(item: Item, rng: random.Random) -> None:
        step = rng.choice(steps)
        item.repeats.append((step, item.times[step] + rng.randint(1, 20) * SECOND))
        item.expect(item.repeats[-1][1], "duplicate", "duplicates")

    return fault


def swapped(first: str, second: str) -> Fault:
    """Two steps happen the wrong way round."""

    def fault(item: Item, rng: random.Random) -> None:
        item.times[first], item.times[second] = item.times[second], item.times[first]
        item.expect(item.times[first], "out_of_order", "order")

    return fault
