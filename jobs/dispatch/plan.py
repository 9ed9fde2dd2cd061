"""What is sent next, given notices, halts, outcomes and the time: pure, without clock, Kafka or network.

take(offset, record, now)   the log says something
start(channel, now)         which notice is to be sent now? From here on it is busy
confirm(pending, now)       the message is ready and the log has been read to its end: is it still to be sent?
end(pending, result, now)   what has come of it: the row to record
recorded(pending)           the row is safe: only now is the notice finished, and `floor` may pass it
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from jobs.dispatch.memory import Halts, Told, remember
from jobs.dispatch.outcomes import Result, back_off_ms, row_of
from jobs.dispatch.queues import Pending, Queue
from jobs.dispatch.records import CLOSING, FINAL, Applied, Delivery, Halt, Notify, Record, Retry, Test
from jobs.dispatch.sample import sample_notice

MINUTE_MS = 60_000
LONGEST_HOLD_MS = 60 * MINUTE_MS
TRIES = 12
GIVE_UP_MS = 24 * 60 * MINUTE_MS
TEST_MS = 5 * MINUTE_MS
DEAD = 1_000
"""So many dead letters are at hand when somebody wants them tried again; older ones are sought in the log."""


@dataclass(frozen=True, slots=True)
class Past:
    """What became of a notice so far: its last outcome and attempt, and when it was first tried."""

    outcome: str = ""
    attempt: int = 0
    begun: int | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be tried."""
        return self.outcome in FINAL


@dataclass(slots=True)
class Plan:
    """All that the dispatcher knows. Everything is kept by id, so what comes twice changes nothing."""

    position: int = 0
    queues: dict[str, Queue] = field(default_factory=lambda: defaultdict(Queue))
    sought: dict[str, int] = field(default_factory=dict)
    _open: dict[str, Pending] = field(default_factory=dict)
    _past: dict[str, Past] = field(default_factory=dict)
    _dead: dict[str, Notify] = field(default_factory=dict)
    _halts: Halts = field(default_factory=Halts)
    _told: Told = field(default_factory=Told)

    def recall(self, row: Delivery) -> None:
        """Take what an earlier run recorded. All such rows come before the first record."""
        if not row.attempt:  # the answer to a wish, and no attempt
            return
        past = self._past.get(row.id, Past())
        begun = row.at_ms if past.finished or past.begun is None else past.begun
        remember(self._past, row.id, Past(row.outcome, max(row.attempt, past.attempt), begun))
        self._told.note(row)

    def recall_record(self, record: Record) -> None:
        """Take a record that an earlier run has finished with: only halts still count."""
        if isinstance(record, Halt | Applied):
            self._halts.add(record.halt)

    def take(self, offset: int, record: Record, now: int) -> None:
        """Take the next record of the log, at `offset`."""
        self.position = offset + 1
        match record:
            case Notify():
                self._add(record, offset, now)
            case Halt() | Applied():
                self._halts.add(record.halt)
            case Retry():
                self._retry(record.id, offset, now)
            case Test() if now - record.at_ms < TEST_MS:
                self._add(sample_notice(record), offset, now, once=True)

    def found(self, id: str, notice: Notify | None, now: int) -> None:
        """A notice that was `sought`, since somebody wants it to be tried again; None: the log has it no more."""
        offset = self.sought.pop(id)
        if notice is not None:
            self._again(notice, offset, now)

    def start(self, channel: str, now: int) -> Pending | None:
        """The notice of this channel whose turn it is at `now`, or None. It is busy until its row is recorded."""
        if (pending := self.queues[channel].take(now)) is not None:
            pending.attempt += 1
        return pending

    def confirm(self, pending: Pending, now: int) -> Delivery | None:
        """None: send it, as `pending.notice` has it by now, without the alerts that have been halted.

        Otherwise a row to record in place of a send. Ask when the log has been read to where it ended after all that
        a send needs was ready, and again where that changes its notice.
        """
        if why := self._objection(pending.notice):
            return row_of(pending, *why, now)
        pending.notice = self._halts.without(pending.notice)
        pending.begun = now if pending.begun is None else pending.begun
        return None

    def end(self, pending: Pending, result: Result, began: int, now: int) -> Delivery:
        """What has come of a send that began at `began`: the row to record."""
        queue = self.queues[pending.notice.channel]
        back_off = back_off_ms(pending.notice.id, pending.attempt)
        if result.outcome in ("sent", "refused", "later"):
            pending.tries += result.outcome == "later"
            if queue.breaker.succeed():
                queue.hurry(now)
        elif result.outcome == "failed":
            pending.tries += not pending.probe
            queue.breaker.fail(now)
        if result.outcome == "busy" or result.wait_ms:
            queue.held_until = max(queue.held_until, now + min(result.wait_ms or back_off, LONGEST_HOLD_MS))
        pending.due = now + back_off
        outcome = self._verdict(pending, result, now)
        return row_of(pending, outcome, result.detail, now, result.status, now - began)

    def recorded(self, pending: Pending, row: Delivery) -> None:
        """The row is safe. The notice is finished, or waits for its next try."""
        notice = pending.notice
        if row.outcome == "retry":
            self.queues[notice.channel].put_back(pending, pending.due)
            return
        self.queues[notice.channel].remove(pending)
        self._open.pop(notice.id, None)
        remember(self._past, notice.id, Past(row.outcome, row.attempt, pending.begun))
        self._told.note(row)
        if row.outcome == "dead":
            remember(self._dead, notice.id, notice, DEAD)

    def sweep(self, now: int) -> list[tuple[Pending, Delivery]]:
        """Waiting notices that the halts since the last sweep have called off, busy from here on, with their rows."""
        if not self._halts.fresh:
            return []
        halted, self._halts.fresh = self._halts.fresh, set()
        found = []
        for queue in self.queues.values():
            for pending in queue.waiting():
                if pending.notice.revs.keys().isdisjoint(halted):
                    continue
                if why := self._objection(pending.notice, only_halts=True):
                    pending.busy = True
                    pending.attempt += 1
                    queue.busy += 1
                    found.append((pending, row_of(pending, *why, now)))
        return found

    def changed(self, channel: str, now: int) -> None:
        """The channel's settings are new: what waits for it is tried at once."""
        queue = self.queues[channel]
        queue.breaker.succeed()
        queue.held_until = 0
        queue.hurry(now)

    def next_time(self, channel: str) -> int | None:
        """When to ask `start` again (epoch ms) if nothing happens before; None: not until something happens."""
        return self.queues[channel].next_time()

    @property
    def floor(self) -> int:
        """The offset from which on a restart has to read: that of the oldest record that isn't finished."""
        return min([self.position, *(one.offset for one in self._open.values()), *self.sought.values()])

    @property
    def unfinished(self) -> int:
        """How many notices are on their way."""
        return len(self._open)

    def _add(self, notice: Notify, offset: int, now: int, *, once: bool = False) -> None:
        past = self._past.get(notice.id, Past())
        if notice.id in self._open or past.finished:
            return
        pending = Pending(notice, offset, now, past.attempt, 0, past.begun, once=once)
        self._open[notice.id] = pending
        self.queues[notice.channel].add(pending)

    def _retry(self, id: str, offset: int, now: int) -> None:
        if self._past.get(id, Past()).outcome == "sent" or id in self._open:
            return
        if (notice := self._dead.pop(id, None)) is None:
            self.sought.setdefault(id, offset)
        else:
            self._again(notice, offset, now)

    def _again(self, notice: Notify, offset: int, now: int) -> None:
        remember(self._past, notice.id, Past(attempt=self._past.get(notice.id, Past()).attempt))
        self._add(notice, offset, now)

    def _objection(self, notice: Notify, *, only_halts: bool = False) -> tuple[str, str] | None:
        """Outcome and reason why the notice is not to be sent, or None."""
        if notice.reason in CLOSING:
            is_untold = not only_halts and self._told.never(notice)
            return ("superseded", "it was over before it was told") if is_untold else None
        is_halted = self._halts.all_of(notice)
        return ("called_off", "acknowledged, suppressed or over before it was sent") if is_halted else None

    def _verdict(self, pending: Pending, result: Result, now: int) -> str:
        if result.outcome == "sent":
            return "sent"
        if pending.once:
            return "failed"
        spent = pending.tries >= TRIES or now - (pending.begun or now) >= GIVE_UP_MS
        return "dead" if result.outcome == "refused" or spent else "retry"
