"""The life of one made-up trade: the records it gives, and the findings that its fault must lead to.

A trade is ingested, verified, sent, replied to and settled, well within the deadlines of rules/trade_lifecycle,
unless something is wrong with it. The limits are repeated here on purpose: what is expected is not computed by what is
tested.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jobs.traffic.day import Market

SECOND, MINUTE = 1000, 60_000
VERIFY_WITHIN, REPLY_WITHIN, SETTLE_WITHIN = 2 * MINUTE, 5 * MINUTE, 30 * MINUTE
REPLY_WARN = 4 * MINUTE
STEPS = ("ingested", "verified", "sent", "replied", "settled")
CLIENTS = ("Aldgate Capital", "Birkdale Funds", "Corvina Bank", "Dunmore Life", "Eastholm Pensions", "Fjordal Trust")


class Emission(NamedTuple):
    """A record that reaches Kafka at `at` (epoch ms). `key` is the Kafka key."""

    at: int
    key: str
    value: bytes


class Truth(NamedTuple):
    """A finding that must be there once the lane's clock has passed `at` (epoch ms).

    `certain` is False where the finding depends on which came first, the record or its lane's clock. Played fast, ticks
    are taken in by the handful, and a record that is behind the clock in the log may still come in time.
    """

    at: int
    kind: str
    rule: str
    key: str
    certain: bool = True


@dataclass
class Trade:
    """What happens to a trade. `times` holds the event time of each step that happens (epoch ms)."""

    id: str
    market: Market
    book: str
    amount: float
    client: str
    times: dict[str, int]
    arrivals: dict[str, int] = field(default_factory=dict)
    truths: list[Truth] = field(default_factory=list)
    repeats: list[tuple[str, int]] = field(default_factory=list)

    def expect(self, at: int, kind: str, rule: str, certain: bool = True) -> None:
        """Note a finding that this trade's fault leads to."""
        self.truths.append(Truth(at, kind, rule, self.id, certain))

    def without(self, *steps: str) -> None:
        """These steps never happen."""
        for step in steps:
            self.times.pop(step, None)

    def delay(self, step: str, by: int) -> None:
        """The step and all behind it happen `by` ms later."""
        behind = STEPS[STEPS.index(step) :]
        self.times = {name: at + by if name in behind else at for name, at in self.times.items()}

    def emissions(self) -> Iterable[Emission]:
        """The trade's records, not in order."""
        for step, at in self.times.items():
            yield self._emission(step, self.arrivals.get(step, at))
        for step, arrival in self.repeats:
            yield self._emission(step, arrival)

    def _emission(self, step: str, arrival: int) -> Emission:
        data: dict[str, Any] = {"trade_id": self.id, "market": self.market.name, "book": self.book}
        data |= {"amount": self.amount, "currency": self.market.currency, "counterparty": self.client}
        if step == "ingested":
            data["counterparty_contact"] = f"desk@{self.client.split()[0].lower()}.example"
        if step == "sent":
            data["target"] = "S3"
        event = {
            "specversion": "1.0",
            "id": f"{self.id}-{step}",
            "source": f"/trading/{self.market.name.lower()}",
            "type": f"trade.{step}",
            "time": iso(self.times[step]),
            "subject": self.id,
            "datacontenttype": "application/json",
            "data": data,
        }
        return Emission(arrival, self.id, json.dumps(event).encode())


def make(rng: random.Random, key: str, market: Market, start: int) -> Trade:
    """A trade that begins at `start` (epoch ms); a few in a hundred have a fault."""
    times = {"ingested": start}
    for step, shortest, longest in (("verified", 2, 60), ("sent", 3, 45), ("replied", 4, 200), ("settled", 40, 1500)):
        times[step] = list(times.values())[-1] + int(rng.triangular(shortest, longest, shortest * 2) * SECOND)
    book, client = rng.choice(market.books), rng.choice(CLIENTS)
    trade = Trade(key, market, book, round(rng.lognormvariate(11, 1.2), 2), client, times)
    lot = rng.random()
    for fault, share in FAULTS:
        if lot < share:
            fault(trade, rng)
            break
        lot -= share
    return trade


def verify_missing(trade: Trade, rng: random.Random) -> None:
    trade.without("verified", "sent", "replied", "settled")
    trade.expect(trade.times["ingested"] + VERIFY_WITHIN, "missing", "verify")


def reply_missing(trade: Trade, rng: random.Random) -> None:
    trade.without("replied", "settled")
    _expect_no_reply(trade)


def settle_missing(trade: Trade, rng: random.Random) -> None:
    trade.without("settled")
    trade.expect(trade.times["replied"] + SETTLE_WITHIN, "missing", "settle")


def verify_late(trade: Trade, rng: random.Random) -> None:
    due = trade.times["ingested"] + VERIFY_WITHIN
    trade.delay("verified", due - trade.times["verified"] + rng.randint(5, 400) * SECOND)
    trade.expect(due, "missing", "verify")
    trade.expect(trade.times["verified"], "late", "verify")


def reply_late(trade: Trade, rng: random.Random) -> None:
    due = trade.times["sent"] + REPLY_WITHIN
    trade.delay("replied", due - trade.times["replied"] + rng.randint(5, 900) * SECOND)
    _expect_no_reply(trade)
    trade.expect(trade.times["replied"], "late", "reply")


def settle_late(trade: Trade, rng: random.Random) -> None:
    due = trade.times["replied"] + SETTLE_WITHIN
    trade.times["settled"] = due + rng.randint(10, 3600) * SECOND
    trade.expect(due, "missing", "settle")
    trade.expect(trade.times["settled"], "late", "settle")


def reply_slow(trade: Trade, rng: random.Random) -> None:
    """In time, but only just: the warning goes out, nothing else."""
    trade.delay("replied", trade.times["sent"] - trade.times["replied"] + rng.randint(250, 290) * SECOND)
    trade.expect(trade.times["sent"] + REPLY_WARN, "at_risk", "reply")


def reply_reported_late(trade: Trade, rng: random.Random) -> None:
    """The reply happened in time, but nobody heard of it before the deadline had gone by."""
    arrival = trade.times["sent"] + REPLY_WITHIN + rng.randint(20, 120) * SECOND
    trade.arrivals["replied"] = arrival
    trade.times["settled"] = max(trade.times["settled"], arrival + 30 * SECOND)
    _expect_no_reply(trade, certain=False)
    trade.expect(arrival, "reported_late", "reply", certain=False)


def repeated(trade: Trade, rng: random.Random) -> None:
    """A record is sent twice."""
    step = rng.choice(STEPS[1:])
    trade.repeats.append((step, trade.times[step] + rng.randint(1, 20) * SECOND))
    trade.expect(trade.repeats[-1][1], "duplicate", "duplicates")


def swapped(trade: Trade, rng: random.Random) -> None:
    """Sent before it was verified."""
    times = trade.times
    times["sent"], times["verified"] = times["verified"], max(times["sent"], times["verified"] + 10 * SECOND)
    times["replied"] = min(times["replied"], times["sent"] + REPLY_WARN - 10 * SECOND)
    trade.expect(times["verified"], "out_of_order", "order")


def rejected(trade: Trade, rng: random.Random) -> None:
    """No fault: the counterparty was refused, and the trade ends there."""
    trade.times["rejected"] = trade.times["sent"]
    trade.without("sent", "replied", "settled")


def _expect_no_reply(trade: Trade, certain: bool = True) -> None:
    trade.expect(trade.times["sent"] + REPLY_WARN, "at_risk", "reply", certain)
    trade.expect(trade.times["sent"] + REPLY_WITHIN, "missing", "reply", certain)


FAULTS: tuple[tuple[Callable[[Trade, random.Random], None], float], ...] = (
    (rejected, 0.02),
    (reply_missing, 0.005),
    (verify_missing, 0.003),
    (settle_missing, 0.004),
    (reply_late, 0.005),
    (verify_late, 0.003),
    (settle_late, 0.003),
    (reply_slow, 0.006),
    (reply_reported_late, 0.002),
    (repeated, 0.005),
    (swapped, 0.003),
)


def iso(instant: int) -> str:
    """Epoch ms as RFC 3339 text with milliseconds."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
