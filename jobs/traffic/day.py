"""The shape of a working day: how many items begin in which minute, at which place. All times are UTC.

Each place is busiest when it opens and when it closes, and nearly or entirely silent outside its hours.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

MINUTE_MS = 60_000
DAY_MINUTES = 1440
PEAK = 1.6
PEAK_WIDTH = 0.06


@dataclass(frozen=True)
class Place:
    """A market, an entity, a partner: open from `opens` for `hours` (hours of the day, UTC), where `per_minute` items
    begin in between, and `at_night` otherwise."""

    name: str
    opens: float
    hours: float
    per_minute: float
    at_night: float = 0.0


def rate(place: Place, minute: int) -> float:
    """How many items begin there in that minute (minutes since 1970), on average."""
    hour = minute % DAY_MINUTES / 60
    part = (hour - place.opens) % 24 / place.hours
    if part >= 1:
        return place.at_night
    peaks = math.exp(-part / PEAK_WIDTH) + math.exp(-(1 - part) / PEAK_WIDTH)
    return place.per_minute * (0.6 + PEAK * peaks)


def starts(rng: random.Random, place: Place, minute: int) -> list[int]:
    """The instants (epoch ms, ascending) at which items begin there in that minute."""
    mean, elapsed, found = rate(place, minute) / MINUTE_MS, 0.0, []
    while mean and (elapsed := elapsed + rng.expovariate(mean)) < MINUTE_MS:
        found.append(minute * MINUTE_MS + int(elapsed))
    return found
