"""Bank statements, their entries, and the ledger's open positions, for rules/bank_statement_reconciliation.

A story is a statement with the positions that its entries are about: they are opened first, and used and cleared by it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import holidays

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import DAY, HOUR, MINUTE, SECOND, By, Item, Limit
from jobs.traffic.office import Office
from jobs.traffic.stream import Beginning, Business

ECB = holidays.financial_holidays("XECB")
TARGET = Office("Europe/Amsterdam", holidays=ECB)
TREASURY = Office("Europe/Amsterdam", 8, 18, holidays=ECB)
INGEST = Limit("ingest", "receive", "ingest", 10 * MINUTE)
MATCH = Limit("match", "ingest", "match", 15 * MINUTE, warn=12 * MINUTE)
VALIDATE = Limit("validate", "match", "validate", 4 * HOUR, warn=3 * HOUR, tiers=(8 * HOUR,), office=TREASURY)
PUSH = Limit("push", "validate", "push", 30 * MINUTE)
POST = Limit("post", "push", "post", 10 * MINUTE)
ENTRY_MATCH = Limit("match", "book", "match", 30 * MINUTE)
REVIEW = Limit("review", "match", "confirm", 10 * HOUR, office=TREASURY)
ASSIGN = By("assign", "park", "assign", 18 * 60, TARGET, days=1, warn=4 * HOUR)
UNMATCHED = By("unmatched", "open", "use", 18 * 60, TARGET, days=2, warn=8 * HOUR)
CLEAR = By("clear", "use", "clear", 18 * 60, TARGET, days=1)
ACCOUNTS = ("NL-01/Aldermoor", "NL-01/Kessel", "DE-03/Kessel", "DE-03/Tidewater", "UK-07/Aldermoor", "UK-07/Tidewater")
LEAD = 2 * HOUR
STATEMENT = {
    step: f"statement.{word}"
    for step, word in (
        ("receive", "received"), ("ingest", "ingested"), ("match", "matched"), ("validate", "validated"),
        ("push", "pushed"), ("post", "posted"), ("refuse", "refused"),
    )
}  # fmt: skip
ENTRY = {
    "book": "entry.booked",
    "match": "entry.matched",
    "confirm": "entry.confirmed",
    "correct": "entry.corrected",
    "park": "entry.parked",
    "assign": "entry.assigned",
}
POSITION = {"open": "position.opened", "release": "position.released", "clear": "position.cleared"}
PLACES = (Place("NL-01", 6.0, 10.0, 0.05), Place("DE-03", 6.0, 10.0, 0.05), Place("UK-07", 7.0, 10.0, 0.04))
BANKS = ("Aldermoor Bank", "Kessel & Ruhr", "Tidewater Trust")
RULES = ("exact-reference", "amount-and-date", "name-similarity")
PAID_LATE = 0.04
"""The share of statements with payments that come three or four days after they were due."""


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A statement, its entries and their positions; some of them have a fault."""
    hours = rng.uniform(75, 100) if rng.random() < PAID_LATE else rng.uniform(6, 20)
    statement = spoil(statement_of(rng, begin, begin.at + int(hours * HOUR)), rng, FAULTS)
    entries = [
        spoil(entry_of(rng, statement, number), rng, ENTRY_FAULTS)
        for number in range(rng.randint(3, 6))
        if "ingest" in statement.times
    ]
    positions = [position_of(rng, statement, entry) for entry in entries]
    if len(entries) > 1 and rng.random() < 0.04:
        _use_twice(entries, positions)
    yield statement
    yield from entries
    for entry, position in zip(entries, positions, strict=True):
        _live(rng, statement, entry, position)
        yield position


def statement_of(rng: random.Random, begin: Beginning, received: int) -> Item:
    times = {"receive": received}
    after(times, "ingest", rng, 5, 200)
    after(times, "match", rng, 430, 700)
    after(times, "validate", rng, 6300, 9000)
    after(times, "push", rng, 30, 900)
    after(times, "post", rng, 5, 240)
    data = {"entity": begin.place.name, "bank": rng.choice(BANKS)}
    source = f"/reconciliation/{begin.place.name.lower()}"
    return Item(begin.at, "statement_id", f"S-{begin.name}", source, STATEMENT, data, times)


def entry_of(rng: random.Random, statement: Item, number: int) -> Item:
    """An entry that is matched to the position of its own number."""
    times = {"book": statement.times["ingest"] + rng.randint(1, 20) * SECOND}
    after(times, "match", rng, 10, 400)
    after(times, "confirm", rng, 120, 5600)
    data = statement.data | {"statement_id": statement.key, "amount": round(rng.lognormvariate(8, 1.3), 2)}
    payer = {"counterparty_iban": f"XX{rng.randint(10**15, 10**16)}", "remittance": f"your invoice {number + 1}"}
    position = statement.key.replace("S-", "P-", 1) + f"-{number}"
    details = {"book": payer, "match": {"position_id": position, "match_rule": rng.choice(RULES)}}
    key = statement.key.replace("S-", "E-", 1) + f"-{number}"
    ids = {"match": f"{position}/1"}
    return Item(statement.start, "entry_id", key, statement.source, ENTRY, data, times, details, ids)


def position_of(rng: random.Random, statement: Item, entry: Item) -> Item:
    """What the ledger expects, and the entry should pay."""
    data = {"entity": statement.data["entity"], "amount": entry.data["amount"]}
    times = {"open": statement.start + rng.randint(0, 3600) * SECOND}
    key = entry.details["match"]["position_id"]
    return Item(statement.start, "position_id", key, statement.source, POSITION, data, times)


def _use_twice(entries: list[Item], positions: list[Item]) -> None:
    """The second entry is matched to the first one's position; whoever reviews it sees that it is wrong."""
    first, second = entries[:2]
    if all("match" in one.times and "confirm" in one.times and not one.truths for one in (first, second)):
        second.details["match"] = first.details["match"]
        second.ids["match"] = first.ids["match"]
        second.times["correct"] = second.times.pop("confirm")
        used = max(first.times["match"], second.times["match"])
        positions[0].expect(used, "duplicate", "duplicates")


def _live(rng: random.Random, statement: Item, entry: Item, position: Item) -> None:
    """What becomes of a position, after all that its statement and its entry have gone through."""
    times = position.times
    if "match" not in entry.times or entry.details["match"]["position_id"] != position.key:
        position.breaks(UNMATCHED)
        return
    times["use"] = entry.times["match"]
    warned = UNMATCHED.warned(times["open"]) or 0
    if times["use"] > position.due(UNMATCHED):
        position.breaks(UNMATCHED)
        position.expect(times["use"], "late", UNMATCHED.rule)
    elif times["use"] > warned:
        position.expect(warned, "at_risk", UNMATCHED.rule)
    if "correct" in entry.times:
        times["release"] = entry.times["correct"] + rng.randint(1, 30) * SECOND
        return
    if "post" in statement.times:
        times["clear"] = statement.times["post"] + rng.randint(1, 60) * SECOND
    position.judge(CLEAR)


def daily(rng: random.Random, run: str, at: int, unsent: bool) -> Iterator[Item]:
    """The accounts' statements that are due LEAD behind this instant (epoch ms): nothing was booked on them."""
    if not TARGET.is_minute(at + LEAD, 7 * 60 + 30):
        return
    limit = at + LEAD + 15 * MINUTE
    for account in ACCOUNTS:
        owed = Item(at, "account_id", account, "", {}, {}, {})
        received, lot = at + rng.randint(1, 119) * MINUTE, 0 if unsent else rng.random()
        if lot < 0.2:
            owed.expect(limit, "missing", "daily")
        if 0.1 < lot < 0.2:
            received = limit + rng.randint(1, 300) * MINUTE
            owed.expect(received, "late", "daily")
        yield owed
        if lot > 0.1:
            place = Place(account[:5], 0, 0, 0)
            name = f"{run}-{account.replace('/', '-')}-{at // MINUTE % 1_000_000:06d}"
            statement = statement_of(rng, Beginning(at, place, name), received)
            statement.details["receive"] = {"account_id": account}
            yield statement


def refused(statement: Item, rng: random.Random) -> None:
    """No fault in the statement's own terms; but nothing that it used is cleared."""
    statement.times["refuse"] = statement.times.pop("post")


def pushed_unvalidated(statement: Item, rng: random.Random) -> None:
    """Somebody pushes before anybody has validated."""
    times = statement.times
    times["push"] = times["validate"]
    times["post"] = times["push"] + rng.randint(5, 60) * SECOND
    times["validate"] = times["post"] + rng.randint(60, 600) * SECOND
    statement.expect(times["post"], "unexpected", "unexpected")


def matched_unread(statement: Item, rng: random.Random) -> None:
    """The matcher tells that it is through before the reader does."""
    times = statement.times
    times["match"] = times["ingest"]
    times["ingest"] += rng.randint(1, 30) * SECOND
    statement.expect(times["ingest"], "out_of_order", "order")


def corrected(entry: Item, rng: random.Random) -> None:
    """No fault in the entry's own terms: the matcher was wrong, and a person put it right."""
    entry.times["correct"] = entry.times.pop("confirm")


def corrected_too(entry: Item, rng: random.Random) -> None:
    """One person confirms the match, another corrects it."""
    entry.times["correct"] = entry.times["confirm"] + rng.randint(60, 3000) * SECOND
    entry.expect(entry.times["correct"], "unexpected", "unexpected")


def parked(entry: Item, rng: random.Random) -> None:
    """No fault: the matcher finds nothing, a clerk does. The position that was meant stays open."""
    entry.cut("match")
    entry.times["park"] = entry.times["book"] + rng.randint(10, 400) * SECOND
    entry.times["assign"] = entry.times["park"] + rng.randint(10, 900) * MINUTE


def never_assigned(entry: Item, rng: random.Random) -> None:
    """Parked and forgotten."""
    parked(entry, rng)
    never(ASSIGN)(entry, rng)


def assigned_late(entry: Item, rng: random.Random) -> None:
    """Parked, and found by a clerk on the second day."""
    parked(entry, rng)
    late(ASSIGN, MINUTE, 10 * HOUR)(entry, rng)


FAULTS: Shares = (
    (refused, 0.02),
    (never(INGEST), 0.01),
    (late(INGEST, MINUTE, HOUR), 0.015),
    (late(MATCH, MINUTE, HOUR), 0.015),
    (slow(MATCH), 0.02),
    (never(VALIDATE), 0.01),
    (late(VALIDATE, 10 * MINUTE, 3 * HOUR), 0.02),
    (late(VALIDATE, 5 * HOUR, 9 * HOUR), 0.01),
    (slow(VALIDATE), 0.02),
    (late(PUSH, MINUTE, 4 * HOUR), 0.015),
    (never(POST), 0.01),
    (reported_late(POST, MINUTE, 3 * MINUTE), 0.015),
    (pushed_unvalidated, 0.015),
    (matched_unread, 0.015),
    (repeated("ingest", "match", "push"), 0.02),
)
ENTRY_FAULTS: Shares = (
    (corrected, 0.06),
    (corrected_too, 0.006),
    (parked, 0.03),
    (never_assigned, 0.006),
    (assigned_late, 0.006),
    (never(ENTRY_MATCH), 0.005),
    (late(ENTRY_MATCH, MINUTE, HOUR), 0.006),
    (never(REVIEW), 0.005),
    (late(REVIEW, MINUTE, 5 * HOUR), 0.006),
    (repeated("book", "confirm"), 0.01),
)

BUSINESS = Business(
    PLACES, tell, ("statement.ingested", "statement_id"), longest=12 * DAY, hours=96, regular=daily, lead=LEAD
)
