"""The shape of a business day: how many trades begin in which minute, on which market. All times are UTC.

Each market is busiest when it opens and when it closes, and nearly silent at night.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

MINUTE_MS = 60_000
DAY_MINUTES = 1440


@dataclass(frozen=True)
class Market:
    """A market that is open from `opens` for `hours` (hours of the day, UTC) and trades `per_minute` in between."""

    name: str
    opens: float
    hours: float
    per_minute: float
    books: tuple[str, ...]
    currency: str


MARKETS = (
    Market("EU", 7.0, 8.5, 8.0, ("rates-1", "rates-2", "equity-1"), "EUR"),
    Market("US", 13.5, 6.5, 9.0, ("equity-2", "equity-3", "credit-1"), "USD"),
    Market("APAC", 0.0, 6.0, 5.0, ("fx-1", "equity-4"), "JPY"),
)
NIGHT_PER_MINUTE = 0.8
PEAK = 1.6
PEAK_WIDTH = 0.06


def rate(market: Market, minute: int) -> float:
    """How many trades begin on the market in that minute (minutes since 1970), on average."""
    hour = minute % DAY_MINUTES / 60
    part = (hour - market.opens) / market.hours
    if not 0 <= part < 1:
        return NIGHT_PER_MINUTE
    peaks = math.exp(-part / PEAK_WIDTH) + math.exp(-(1 - part) / PEAK_WIDTH)
    return market.per_minute * (0.6 + PEAK * peaks)


def starts(rng: random.Random, market: Market, minute: int) -> list[int]:
    """The instants (epoch ms, ascending) at which trades begin on the market in that minute."""
    mean, elapsed, found = rate(market, minute) / MINUTE_MS, 0.0, []
    while (elapsed := elapsed + rng.expovariate(mean)) < MINUTE_MS:
        found.append(minute * MINUTE_MS + int(elapsed))
    return found
