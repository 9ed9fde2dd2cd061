"""A plan driven step by step, in memory: what the tests of the plan are written in."""

from __future__ import annotations

from jobs.dispatch.outcomes import Result
from jobs.dispatch.plan import Plan
from jobs.dispatch.queues import Pending
from jobs.dispatch.records import Delivery, Halt, Notify, Record

SENT = Result("sent", status=200)
DOWN = Result("failed", "connection refused")
LATER = Result("later", "1 of 1 recipients were refused: 452 the mailbox is full", 452)
REFUSED = Result("refused", "no such address", 400)


def notice(id: str, channel: str = "mail", *, alerts: dict[str, int] | None = None, **more: object) -> Notify:
    revs = {f"alert-{id}": 1} if alerts is None else alerts
    rows = [{"id": alert, "severity": "high"} for alert in revs]
    return Notify(**({"id": id, "channel": channel, "revs": revs, "alerts": rows, "count": len(revs)} | more))


class Bench:
    """Takes records at the offsets at which they come, and sends by hand. `sent` are the notices that went out."""

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self.now = 1_000_000
        self.sent: list[Notify] = []
        self.rows: list[Delivery] = []

    def log(self, *records: Record) -> None:
        for record in records:
            self.plan.take(self.plan.position, record, self.now)

    def halt(self, **revs: int) -> None:
        self.log(Halt(revs))

    def sweep(self) -> list[Delivery]:
        rows = []
        for pending, row in self.plan.sweep(self.now):
            self.plan.recorded(pending, row)
            rows.append(row)
        self.rows += rows
        return rows

    def send(self, channel: str = "mail", result: Result = SENT) -> Delivery | None:
        """One notice, if one is due: its row, or None."""
        if (pending := self.plan.start(channel, self.now)) is None:
            return None
        if (row := self.plan.confirm(pending, self.now)) is None:
            if result.outcome == "sent":
                self.sent.append(pending.notice)
            row = self.plan.end(pending, result, self.now, self.now)
        self.plan.recorded(pending, row)
        self.rows.append(row)
        return row

    def begin(self, channel: str = "mail") -> Pending:
        """A notice that is being sent."""
        pending = self.plan.start(channel, self.now)
        assert pending is not None
        assert self.plan.confirm(pending, self.now) is None
        return pending

    def wait(self, channel: str = "mail") -> int:
        """Go to when the channel is next to be asked; how long that took, in ms."""
        due = self.plan.next_time(channel)
        assert due is not None
        passed = max(0, due - self.now)
        self.now += passed
        return passed

    def drain(self, channel: str = "mail") -> list[str]:
        """Send all that can be sent now; the ids."""
        rows = iter(lambda: self.send(channel), None)
        return [row.id for row in rows if row.outcome == "sent"]
