"""Supplier invoices and their payments, for rules/invoice_intake: from the mailbox to the bank's confirmation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, early, late, never, repeated, reported_late, slow, spoil
from jobs.traffic.item import DAY, HOUR, MINUTE, SECOND, By, Item, Limit
from jobs.traffic.office import Office
from jobs.traffic.stream import Beginning, Business

OFFICE = Office("Europe/Amsterdam", 9, 17, ("01-01", "12-25", "12-26"))
EXTRACT = Limit("extract", "upload", "extract", 10 * MINUTE)
VALIDATE = Limit("validate", "extract", "validate", 15 * MINUTE)
READY = Limit("ready", "validate", "ready", 4 * HOUR, office=OFFICE)
EXCEPTION = By("exception", "exception", "resolve", 17 * 60, OFFICE, days=1, warn=4 * HOUR)
APPROVE = Limit("approve", "ready", "approve", 16 * HOUR, 12 * HOUR, 20 * SECOND, (32 * HOUR,), OFFICE)
SMALL_ENTITY = "IE-02"
SLOW_APPROVE = Limit("approve", "ready", "approve", 24 * HOUR, 18 * HOUR, 20 * SECOND, (48 * HOUR,), OFFICE)
PAY = By("pay", "approve", "pay", 17 * 60, OFFICE, days=3, warn=8 * HOUR)
CONFIRMED = By("confirmed", "pay", "confirm", 17 * 60, OFFICE, days=1)
TYPES = {
    "upload": "invoice.uploaded",
    "extract": "invoice.extracted",
    "validate": "invoice.validated",
    "exception": "exception.raised",
    "resolve": "exception.resolved",
    "ready": "invoice.ready",
    "approve": "invoice.approved",
    "reject": "invoice.rejected",
    "pay": "invoice.paid",
}
PAYMENT = {"confirm": "payment.confirmed", "bounce": "payment.bounced"}
PLACES = (
    Place("NL-01", 6.0, 11.0, 0.2, 0.01),
    Place("DE-03", 6.0, 11.0, 0.2, 0.01),
    Place(SMALL_ENTITY, 8.0, 9.0, 0.08),
)
COST_CENTRES = ("4100-facilities", "4200-travel", "4300-software", "4400-marketing", "5100-freight")
SUPPLIERS = ("Ashby Paper", "Copperline IT", "Delmar Freight", "Ingleby Catering", "Oakhurst Energy", "Pell & Sons")
REASONS = ("no-order-number", "tax-rate", "supplier-blocked", "amount-above-order")
SENT_TWICE = 0.012
"""The share of papers that come by mail and once more as a scan, and are paid twice."""


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """An invoice and its payment; some have a fault. A paper that was sent twice is two invoices."""
    supplier = rng.choice(SUPPLIERS)
    paper = f"{supplier.split()[0].upper()}/{begin.name}"
    data: dict[str, Any] = {"entity": begin.place.name, "cost_centre": rng.choice(COST_CENTRES), "supplier": supplier}
    data["amount"] = round(rng.lognormvariate(6.5, 1.4), 2)
    invoice = invoice_of(rng, begin, f"I-{begin.name}", data, paper)
    if rng.random() < SENT_TWICE:
        again = invoice_of(rng, begin, f"I-{begin.name}-scan", data, paper)
        first, second = sorted((invoice, again), key=lambda one: one.times["pay"])
        payment = payment_of(rng, first, paper)
        payment.expect(second.times["pay"], "duplicate", "duplicates")
        yield from (first, second, payment)
        return
    yield spoil(invoice, rng, faults(SLOW_APPROVE if begin.place.name == SMALL_ENTITY else APPROVE))
    if "pay" in invoice.times:
        yield spoil(payment_of(rng, invoice, paper), rng, PAYMENT_FAULTS)


def invoice_of(rng: random.Random, begin: Beginning, key: str, data: dict[str, Any], paper: str) -> Item:
    """An invoice that goes through within a few days."""
    times = {"upload": begin.at}
    after(times, "extract", rng, 5, 300)
    after(times, "validate", rng, 5, 400)
    after(times, "ready", rng, 60, 3 * 3600)
    after(times, "approve", rng, 600, 26 * 3600)
    after(times, "pay", rng, 3600, 50 * 3600)
    approver = f"{rng.choice('abcdefgh')}.{rng.choice(('moor', 'stern', 'vale'))}@{begin.place.name.lower()}.example"
    details = {
        "upload": {"channel": rng.choice(("mail", "portal", "scan"))},
        "exception": {"reason": rng.choice(REASONS)},
        "approve": {"approver": approver},
        "pay": {"supplier_invoice": paper, "supplier_iban": f"XX{rng.randint(10**15, 10**16)}"},
    }
    source = f"/invoices/{begin.place.name.lower()}"
    return Item(begin.at, "invoice_id", key, source, TYPES, dict(data), times, details)


def payment_of(rng: random.Random, invoice: Item, paper: str) -> Item:
    """What the bank says of it: the payment itself is told by the invoice's record."""
    times = {"pay": invoice.times["pay"]}
    after(times, "confirm", rng, 600, 20 * 3600)
    data = {"entity": invoice.data["entity"], "amount": invoice.data["amount"]}
    return Item(invoice.start, "supplier_invoice", paper, invoice.source, PAYMENT, data, times)


def bounced(payment: Item, rng: random.Random) -> None:
    """No fault of ours: the supplier's account is closed."""
    payment.times["bounce"] = payment.times.pop("confirm")


def rejected(invoice: Item, rng: random.Random) -> None:
    """No fault: the approver says no."""
    invoice.cut("approve")
    invoice.times["reject"] = invoice.times["ready"] + rng.randint(1, 24) * HOUR


def exception(invoice: Item, rng: random.Random) -> None:
    """No fault yet: something must be put right first, and is."""
    raised = invoice.times["validate"] + rng.randint(10, 200) * SECOND
    ready = raised + rng.randint(2, 17) * HOUR
    invoice.move("ready", ready)
    invoice.times |= {"exception": raised, "resolve": ready - rng.randint(2, 100) * MINUTE}


def never_resolved(invoice: Item, rng: random.Random) -> None:
    """An exception that nobody takes up."""
    exception(invoice, rng)
    never(EXCEPTION)(invoice, rng)


def resolved_late(invoice: Item, rng: random.Random) -> None:
    """An exception that is put right on the second day."""
    exception(invoice, rng)
    late(EXCEPTION, HOUR, DAY)(invoice, rng)


def resolved_in_vain(invoice: Item, rng: random.Random) -> None:
    """An exception that is put right, and the invoice is left lying all the same. The clock stood still meanwhile."""
    exception(invoice, rng)
    invoice.cut("ready")
    used = OFFICE.between(invoice.times["validate"], invoice.times["exception"])
    invoice.expect(OFFICE.add(invoice.times["resolve"], READY.within - used), "missing", "ready")


def paid_unapproved(invoice: Item, rng: random.Random) -> None:
    """Paid before it was approved."""
    times = invoice.times
    times["pay"], times["approve"] = times["approve"], times["approve"] + rng.randint(1, 5) * HOUR
    invoice.expect(times["pay"], "unexpected", "unexpected")


def paid_in_spite(invoice: Item, rng: random.Random) -> None:
    """Rejected, and paid all the same."""
    rejected(invoice, rng)
    invoice.times["pay"] = invoice.times["reject"] + rng.randint(1, 20) * HOUR
    invoice.expect(invoice.times["pay"], "unexpected", "unexpected")


def validated_unread(invoice: Item, rng: random.Random) -> None:
    """Validated a moment before it was extracted."""
    times = invoice.times
    times["validate"] = times["extract"]
    times["extract"] += rng.randint(1, 30) * SECOND
    invoice.expect(times["extract"], "out_of_order", "order")


def faults(approve: Limit) -> Shares:
    """What goes wrong with the invoices of an entity."""
    return (
        (rejected, 0.03),
        (exception, 0.06),
        (never_resolved, 0.01),
        (resolved_late, 0.012),
        (resolved_in_vain, 0.008),
        (never(EXTRACT), 0.008),
        (late(EXTRACT, MINUTE, HOUR), 0.01),
        (late(VALIDATE, MINUTE, HOUR), 0.01),
        (never(READY), 0.008),
        (never(approve), 0.01),
        (late(approve, HOUR, DAY), 0.015),
        (slow(approve), 0.02),
        (early(approve), 0.012),
        (never(PAY), 0.008),
        (late(PAY, HOUR, DAY), 0.01),
        (reported_late(VALIDATE, MINUTE, 20 * MINUTE), 0.008),
        (paid_unapproved, 0.008),
        (paid_in_spite, 0.006),
        (validated_unread, 0.008),
        (repeated("extract", "ready", "approve"), 0.012),
    )


PAYMENT_FAULTS: Shares = ((bounced, 0.01), (never(CONFIRMED), 0.01), (late(CONFIRMED, HOUR, DAY), 0.01))

BUSINESS = Business(PLACES, tell, ("invoice.uploaded", "invoice_id"), longest=22 * DAY, hours=240)
