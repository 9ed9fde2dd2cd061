"""The files that come every business day, for rules/file_receipt: no window is opened for them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import holidays

from jobs.traffic.faults import after
from jobs.traffic.item import HOUR, MINUTE, Item
from jobs.traffic.office import Office

TYPES = {
    "open": "window.opened",
    "receive": "file.received",
    "verify": "file.verified",
    "load": "file.loaded",
    "reject": "file.rejected",
    "resend": "file.resent",
    "waive": "window.waived",
}
LEAD = 3 * HOUR
"""How long before it is due what becomes of a file is drawn, and it may come."""


@dataclass(frozen=True)
class Feed:
    """Files that are due at a minute of the business day: `rule` expects `least` to `most` of them."""

    rule: str
    place: str
    partner: str
    names: tuple[str, ...]
    office: Office
    minute: int
    grace: int = 0
    opens: int = 0
    least: int = 1
    most: int = 0


DAILY = (
    Feed(
        "london",
        "HAL",
        "Halden Bank",
        ("balances", "statements", "fx-rates"),
        Office("Europe/London", holidays=holidays.country_holidays("GB", subdiv="ENG")),
        7 * 60,
        grace=5 * MINUTE,
        opens=2 * HOUR,
    ),
    Feed(
        "new_york",
        "NGC",
        "Northgate Clearing",
        ("trades", "margins", "fees"),
        Office("America/New_York", holidays=holidays.financial_holidays("XNYS")),
        19 * 60,
        grace=10 * MINUTE,
    ),
    Feed(
        "cards",
        "BWC",
        "Brightwater Cards",
        ("authorisations", "chargebacks", "settlements"),
        Office("Europe/Madrid", weekend=()),
        6 * 60,
        least=3,
        most=5,
    ),
)


def daily(rng: random.Random, run: str, at: int, unsent: bool) -> Iterator[Item]:
    """The files of the feeds that are due LEAD behind this instant (epoch ms)."""
    for feed in DAILY:
        if feed.office.is_minute(at + LEAD, feed.minute):
            for name in feed.names:
                yield from _delivered(rng, run, at, feed, name, unsent)


def _delivered(rng: random.Random, run: str, at: int, feed: Feed, name: str, unsent: bool) -> Iterator[Item]:
    due, limit = at + LEAD, at + LEAD + feed.grace
    count = rng.randint(feed.least, feed.most or 1)
    arrivals = sorted(due - rng.randint(1, 110) * MINUTE for _ in range(count))
    owed = Item(at, "feed_id", f"{feed.place}/{name}", "", {}, {}, {})
    lot = 0 if unsent else rng.random()
    if lot < 0.12:
        arrivals = arrivals[: feed.least - 1]
        owed.expect(limit, "missing", feed.rule)
    elif lot < 0.24:
        told = limit + rng.randint(1, 120) * MINUTE
        arrivals = [*arrivals[: feed.least - 1], told]
        owed.expect(limit, "missing", feed.rule)
        owed.expect(told, "late", feed.rule)
    elif lot < 0.34 and feed.most:
        arrivals = sorted(due - number * MINUTE for number in rng.sample(range(1, 110), feed.most + 1))
        owed.expect(arrivals[-1], "unexpected", feed.rule)
    elif lot < 0.34 and feed.opens:
        arrivals = [due - feed.opens - rng.randint(1, 50) * MINUTE]
        owed.expect(arrivals[0], "early", feed.rule)
    yield owed
    for number, arrival in enumerate(arrivals):
        times = {"receive": arrival}
        after(times, "verify", rng, 5, 240)
        after(times, "load", rng, 30, 800)
        data = {"partner": feed.partner, "feed": name}
        details = {"receive": {"feed_id": owed.key, "lines": rng.randint(200, 90_000)}}
        key = f"F-{run}-{feed.place}-{name}-{due // MINUTE % 1_000_000:06d}{number:02d}"
        yield Item(at, "file_id", key, f"/transfer/{feed.place.lower()}", TYPES, data, times, details)
