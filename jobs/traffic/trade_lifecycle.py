"""Trades of three markets, for rules/trade_lifecycle: ingested, verified, sent, replied to and settled."""

from __future__ import annotations

import random
from collections.abc import Iterator

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import HOUR, MINUTE, SECOND, Item, Limit
from jobs.traffic.stream import Beginning, Business

VERIFY = Limit("verify", "ingest", "verify", 2 * MINUTE)
REPLY = Limit("reply", "send", "reply", 5 * MINUTE, warn=4 * MINUTE)
SETTLE = Limit("settle", "reply", "settle", 30 * MINUTE)
TYPES = {
    "ingest": "trade.ingested",
    "verify": "trade.verified",
    "send": "trade.sent",
    "reply": "trade.replied",
    "reject": "trade.rejected",
    "settle": "trade.settled",
}
CLIENTS = ("Aldgate Capital", "Birkdale Funds", "Corvina Bank", "Dunmore Life", "Eastholm Pensions", "Fjordal Trust")


MARKETS = (Place("EU", 7.0, 8.5, 8.0, 0.8), Place("US", 13.5, 6.5, 9.0, 0.8), Place("APAC", 0.0, 6.0, 5.0, 0.8))
BOOKS = {
    "EU": ("rates-1", "rates-2", "equity-1"),
    "US": ("equity-2", "equity-3", "credit-1"),
    "APAC": ("fx-1", "equity-4"),
}
CURRENCIES = {"EU": "EUR", "US": "USD", "APAC": "JPY"}


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A trade; a few in a hundred have a fault."""
    market = begin.place.name
    times = {"ingest": begin.at}
    for step, shortest, longest in (("verify", 2, 60), ("send", 3, 45), ("reply", 4, 200), ("settle", 40, 1500)):
        after(times, step, rng, shortest, longest)
    client = rng.choice(CLIENTS)
    data = {"market": market, "book": rng.choice(BOOKS[market]), "amount": round(rng.lognormvariate(11, 1.2), 2)}
    data |= {"currency": CURRENCIES[market], "counterparty": client}
    details = {
        "ingest": {"counterparty_contact": f"desk@{client.split()[0].lower()}.example"},
        "send": {"target": "S3"},
    }
    source = f"/trading/{market.lower()}"
    yield spoil(Item(begin.at, "trade_id", f"T-{begin.name}", source, TYPES, data, times, details), rng, FAULTS)


def swapped(trade: Item, rng: random.Random) -> None:
    """Sent before it was verified."""
    times = trade.times
    times["send"], times["verify"] = times["verify"], max(times["send"], times["verify"] + 10 * SECOND)
    times["reply"] = min(times["reply"], times["send"] + 230 * SECOND)
    trade.expect(times["verify"], "out_of_order", "order")


def rejected(trade: Item, rng: random.Random) -> None:
    """No fault: the counterparty was refused, and the trade ends there."""
    trade.times["reject"] = trade.times["send"]
    trade.without("send", "reply", "settle")


FAULTS: Shares = (
    (rejected, 0.02),
    (never(REPLY), 0.005),
    (never(VERIFY), 0.003),
    (never(SETTLE), 0.004),
    (late(REPLY, 5 * SECOND, 15 * MINUTE), 0.005),
    (late(VERIFY, 5 * SECOND, 7 * MINUTE), 0.003),
    (late(SETTLE, 10 * SECOND, HOUR), 0.003),
    (slow(REPLY), 0.006),
    (reported_late(REPLY, 20 * SECOND, 2 * MINUTE), 0.002),
    (repeated("verify", "send", "reply", "settle"), 0.005),
    (swapped, 0.003),
)

BUSINESS = Business(MARKETS, tell, ("trade.sent", "trade_id"), longest=3 * HOUR)
