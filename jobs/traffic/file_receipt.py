"""Files that partners send, for rules/file_receipt: a window opens, the file is received, verified and loaded. Those of
the daily feeds come without a window."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from jobs.traffic.daily_feeds import LEAD, TYPES, daily
from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, early, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import HOUR, MINUTE, SECOND, Item, Limit
from jobs.traffic.stream import Beginning, Business

ARRIVAL = Limit("arrival", "open", "receive", 30 * MINUTE, warn=24 * MINUTE, floor=MINUTE, tiers=(HOUR,))
SLOW_PARTNER = "Meridian Custody"
SLOW_ARRIVAL = Limit("arrival", "open", "receive", HOUR, warn=48 * MINUTE, floor=MINUTE, tiers=(2 * HOUR,))
VERIFY = Limit("verify", "receive", "verify", 5 * MINUTE)
LOAD = Limit("load", "verify", "load", 20 * MINUTE, warn=15 * MINUTE)
RESEND = Limit("resend", "reject", "resend", 2 * HOUR)
REVERIFY = Limit("reverify", "resend", "verify", 5 * MINUTE)
PLACES = (
    Place("HAL", 5.0, 13.0, 0.15, 0.02),
    Place("NGC", 7.0, 11.0, 0.15, 0.02),
    Place("BWC", 0.0, 24.0, 0.1),
    Place("MER", 18.0, 8.0, 0.2, 0.02),
)
PARTNERS = {"HAL": "Halden Bank", "NGC": "Northgate Clearing", "BWC": "Brightwater Cards", "MER": SLOW_PARTNER}
FEEDS = {
    "HAL": ("cash-balances", "payments"),
    "NGC": ("trades", "margins", "fees"),
    "BWC": ("authorisations", "chargebacks"),
    "MER": ("positions", "corporate-actions"),
}


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A window and its file; some in a hundred have a fault."""
    partner, feed = PARTNERS[begin.place.name], rng.choice(FEEDS[begin.place.name])
    times = {"open": begin.at}
    after(times, "receive", rng, 120, 2400 if partner == SLOW_PARTNER else 1300)
    after(times, "verify", rng, 5, 240)
    after(times, "load", rng, 30, 800)
    lines = rng.randint(200, 90_000)
    data = {"partner": partner, "feed": feed, "file_name": f"{feed}_{begin.name.lower()}.csv"}
    arrived = {"lines": lines, "bytes": lines * rng.randint(80, 240), "control_total": round(lines * 131.7, 2)}
    contact = {"sender_contact": f"transfers@{partner.split()[0].lower()}.example"}
    details: dict[str, dict[str, Any]] = {"open": contact, "receive": arrived, "resend": arrived}
    details["load"] = {"lines": lines}
    source = f"/transfer/{begin.place.name.lower()}"
    file = Item(begin.at, "file_id", f"F-{begin.name}", source, TYPES, data, times, details)
    yield spoil(file, rng, faults(SLOW_ARRIVAL if partner == SLOW_PARTNER else ARRIVAL))


def waived(file: Item, rng: random.Random) -> None:
    """No fault: the partner says that there is nothing to send today."""
    file.cut("receive")
    file.times["waive"] = file.times["open"] + rng.randint(2, 20) * MINUTE


def rejected(file: Item, rng: random.Random) -> None:
    """No fault of ours: the checks refuse the file, and the partner sends it again in time."""
    file.times["reject"] = file.times["receive"] + rng.randint(10, 200) * SECOND
    file.without("verify", "load")
    file.times["resend"] = file.times["reject"] + rng.randint(10, 100) * MINUTE
    file.times["verify"] = file.times["resend"] + rng.randint(5, 240) * SECOND
    file.times["load"] = file.times["verify"] + rng.randint(30, 800) * SECOND


def never_resent(file: Item, rng: random.Random) -> None:
    """Refused, and the partner does nothing."""
    rejected(file, rng)
    never(RESEND)(file, rng)


def verified_late(file: Item, rng: random.Random) -> None:
    """Refused and sent again, but nobody checks that one for a while."""
    rejected(file, rng)
    late(REVERIFY, MINUTE, HOUR)(file, rng)


def loaded_in_spite(file: Item, rng: random.Random) -> None:
    """Refused, and loaded all the same."""
    file.without("verify")
    file.times["reject"] = file.times["receive"] + 5 * SECOND
    file.expect(file.times["load"], "unexpected", "unexpected")


def loaded_unverified(file: Item, rng: random.Random) -> None:
    """Loaded first and checked afterwards."""
    times = file.times
    times["verify"], times["load"] = times["load"], times["verify"]
    file.expect(file.times["load"], "unexpected", "unexpected")


def checked_unreceived(file: Item, rng: random.Random) -> None:
    """The checker tells of the file before the gateway does."""
    file.times["verify"] = file.times["receive"]
    file.times["receive"] += rng.randint(1, 4) * SECOND
    file.expect(file.times["receive"], "out_of_order", "order")


def faults(arrival: Limit) -> Shares:
    """What goes wrong with the files of a partner."""
    return (
        (waived, 0.03),
        (rejected, 0.03),
        (never(arrival), 0.012),
        (late(arrival, 20 * SECOND, 20 * MINUTE), 0.015),
        (late(arrival, 65 * MINUTE, 2 * HOUR), 0.006),
        (early(arrival), 0.01),
        (slow(arrival), 0.01),
        (never(VERIFY), 0.006),
        (late(VERIFY, 10 * SECOND, 30 * MINUTE), 0.008),
        (never(LOAD), 0.006),
        (late(LOAD, 10 * SECOND, HOUR), 0.008),
        (never_resent, 0.008),
        (verified_late, 0.006),
        (reported_late(VERIFY, 30 * SECOND, 5 * MINUTE), 0.006),
        (repeated("receive", "verify"), 0.01),
        (loaded_in_spite, 0.006),
        (loaded_unverified, 0.006),
        (checked_unreceived, 0.006),
    )


BUSINESS = Business(PLACES, tell, ("file.received", "file_id"), longest=9 * HOUR, hours=120, regular=daily, lead=LEAD)
