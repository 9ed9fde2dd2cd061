"""Card clearing, for rules/sequenced_batches: batches of four numbered parts, and the parts one by one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import HOUR, MINUTE, SECOND, Item, Limit
from jobs.traffic.stream import Beginning, Business

PARTS = ("part_1", "part_2", "part_3", "part_4")
EXTRA = "part_5"
"""One more than the header announces."""
PART_LIMITS = (
    Limit("part_1", "open", "part_1", 15 * MINUTE),
    *(Limit(two, one, two, 10 * MINUTE) for one, two in pairwise(PARTS)),
)
PART_1, PART_2, PART_3, PART_4 = PART_LIMITS
COMPLETE = Limit("complete", "open", "parts", HOUR)
CLOSE = Limit("close", "part_4", "close", 5 * MINUTE)
BALANCE = Limit("balance", "close", "balance", 15 * MINUTE, warn=12 * MINUTE)
POST = Limit("post", "balance", "post", 30 * MINUTE, warn=24 * MINUTE)
DECODE = Limit("decode", "receive", "decode", 2 * MINUTE)
APPLY = Limit("apply", "decode", "apply", 10 * MINUTE, warn=8 * MINUTE)
TYPES = {
    "open": "batch.opened",
    **dict.fromkeys((*PARTS, EXTRA), "batch.part_received"),
    "close": "batch.closed",
    "balance": "batch.balanced",
    "post": "batch.posted",
    "abandon": "batch.abandoned",
}
PART_TYPES = {"decode": "part.decoded", "apply": "part.applied", "refuse": "part.refused"}
PLACES = (Place("VELA", 0.0, 24.0, 0.12), Place("ORBIS", 5.0, 18.0, 0.12, 0.03), Place("KITE", 9.0, 12.0, 0.12))
CYCLES = ("purchases", "refunds", "fees")


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A batch and its parts; some have a fault."""
    times = {"open": begin.at}
    for step in PARTS:
        after(times, step, rng, 20, 500)
    after(times, "close", rng, 5, 200)
    after(times, "balance", rng, 20, 600)
    after(times, "post", rng, 60, 1200)
    key = f"B-{begin.name}"
    amounts = [round(rng.lognormvariate(10, 1), 2) for _ in (*PARTS, EXTRA)]
    details = {
        step: {"sequence": number, "part_id": f"{key}-{number}", "amount": amount}
        for number, (step, amount) in enumerate(zip((*PARTS, EXTRA), amounts, strict=True), 1)
    }
    details["open"] = {"parts": len(PARTS)}
    details["close"] = {"parts": len(PARTS), "amount": round(sum(amounts[: len(PARTS)]), 2)}
    data = {"processor": begin.place.name, "cycle": rng.choice(CYCLES)}
    source = f"/clearing/{begin.place.name.lower()}"
    batch = spoil(Item(begin.at, "batch_id", key, source, TYPES, data, times, details), rng, FAULTS)
    yield batch
    yield whole_of(batch)
    for step in (*PARTS, EXTRA):
        if step in batch.times:
            yield part_of(rng, batch, step)


def whole_of(batch: Item) -> Item:
    """The batch as a whole: complete when the last of its parts has come. It has no records of its own."""
    whole = Item(batch.start, "batch_id", batch.key, batch.source, {}, {}, {"open": batch.times["open"]})
    parts = [batch.times[step] for step in PARTS if step in batch.times]
    if len(parts) == len(PARTS):
        whole.times["parts"] = max(parts)
    if EXTRA in batch.times:
        whole.expect(batch.times[EXTRA], "unexpected", "unexpected")
    if len(parts) < len(PARTS) and "balance" in batch.times:
        whole.expect(batch.times["balance"], "unexpected", "unexpected")
    elif "abandon" not in batch.times:
        whole.judge(COMPLETE)
    return whole


def part_of(rng: random.Random, batch: Item, step: str) -> Item:
    """A part, from the batch's record of its receipt on."""
    key = batch.details[step]["part_id"]
    times = {"receive": batch.times[step]}
    after(times, "decode", rng, 2, 60)
    after(times, "apply", rng, 10, 400)
    data = {"processor": batch.data["processor"], "batch": batch.key, "amount": batch.details[step]["amount"]}
    part = Item(batch.start, "part_id", key, batch.source, PART_TYPES, data, times)
    for repeated_step, arrival in batch.repeats:
        if repeated_step == step:
            part.expect(arrival, "duplicate", "duplicates")
            return part
    return spoil(part, rng, PART_FAULTS)


def gap(batch: Item, rng: random.Random) -> None:
    """The third part never comes; the batch is closed all the same and can't be balanced."""
    batch.cut("balance")
    batch.without("part_3")
    batch.breaks(PART_3)
    batch.breaks(BALANCE)


def filled_late(batch: Item, rng: random.Random) -> None:
    """The third part is left out and comes when all others are there; then the batch balances."""
    told = batch.due(PART_3) + rng.randint(1, 20) * MINUTE
    batch.times["part_4"] = batch.times["part_2"] + rng.randint(30, 300) * SECOND
    batch.times["close"] = batch.times["part_4"] + rng.randint(10, 100) * SECOND
    batch.times["part_3"] = told
    batch.times["balance"] = told + rng.randint(5, 60) * SECOND
    batch.times["post"] = batch.times["balance"] + rng.randint(2, 15) * MINUTE
    batch.breaks(PART_3)
    batch.expect(told, "late", "part_3")
    batch.expect(told, "out_of_order", "order")
    if batch.times["balance"] > batch.times["close"] + (BALANCE.warn or 0):
        batch.expect(batch.times["close"] + (BALANCE.warn or 0), "at_risk", "balance")
    if batch.times["balance"] > batch.due(BALANCE):
        batch.expect(batch.due(BALANCE), "missing", "balance")
        batch.expect(batch.times["balance"], "late", "balance")


def balanced_in_spite(batch: Item, rng: random.Random) -> None:
    """The third part never comes, and the batch is balanced and posted all the same."""
    batch.without("part_3")
    batch.breaks(PART_3)
    told = batch.due(PART_3) + rng.randint(60, 100) * SECOND
    batch.move("balance", max(batch.times["balance"], told))


def one_too_many(batch: Item, rng: random.Random) -> None:
    """A fifth part of four."""
    batch.times[EXTRA] = batch.times["part_4"] + 3 * SECOND


def abandoned(batch: Item, rng: random.Random) -> None:
    """No fault of ours: the processor withdraws the batch after its second part."""
    batch.cut("part_3")
    batch.times["abandon"] = batch.times["part_2"] + rng.randint(60, 500) * SECOND


def refused(part: Item, rng: random.Random) -> None:
    """No fault of ours: a part that can't be decoded goes back."""
    part.cut("decode")
    part.times["refuse"] = part.times["receive"] + rng.randint(2, 60) * SECOND


FAULTS: Shares = (
    (abandoned, 0.03),
    (gap, 0.03),
    (filled_late, 0.03),
    (balanced_in_spite, 0.02),
    (one_too_many, 0.02),
    (never(PART_1), 0.01),
    (late(PART_2, 30 * SECOND, 20 * MINUTE), 0.02),
    (late(PART_4, 30 * SECOND, 20 * MINUTE), 0.02),
    (reported_late(CLOSE, MINUTE, 5 * MINUTE), 0.015),
    (never(CLOSE), 0.015),
    (never(BALANCE), 0.015),
    (slow(BALANCE), 0.02),
    (never(POST), 0.01),
    (late(POST, MINUTE, HOUR), 0.015),
    (repeated(*PARTS), 0.03),
)
PART_FAULTS: Shares = (
    (refused, 0.01),
    (never(DECODE), 0.004),
    (never(APPLY), 0.004),
    (late(APPLY, MINUTE, 30 * MINUTE), 0.006),
    (slow(APPLY), 0.006),
)

BUSINESS = Business(PLACES, tell, ("batch.closed", "batch_id"), longest=8 * HOUR)
