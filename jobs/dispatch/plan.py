"""What is sent next, given notices, halts, outcomes and the time: pure, without clock, Kafka or network.

take(offset, record, now)   the log says something
start(channel, now)         which notice is to be sent now? From here on it is busy
confirm(pending, now)       the log has been read to its end meanwhile: is it still to be sent?
end(pending, result, now)   what has come of it: the row to record
recorded(pending)           the row is safe: only now is the notice finished, and `floor` may pass it
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Literal, TypeVar

import msgspec

from jobs.dispatch.queues import Pending, Queue
from jobs.dispatch.records import CLOSING, FINAL, RESOLVED, Applied, Delivery, Halt, Notify, Record, Retry, Test, masked
from jobs.dispatch.sample import sample_notice

K = TypeVar("K")
V = TypeVar("V")

MINUTE_MS = 60_000
FIRST_WAIT_MS = 1_000
LONGEST_WAIT_MS = 5 * MINUTE_MS
LONGEST_HOLD_MS = 60 * MINUTE_MS
TRIES = 12
GIVE_UP_MS = 24 * 60 * MINUTE_MS
TEST_MS = 5 * MINUTE_MS
LISTED = 1_000
"""Alerts that a row names: a notice may be about ten thousand, and a record of Kafka holds a megabyte."""

REMEMBERED = 200_000
"""How many notices, halted alerts and recipients told are remembered: what of them comes again does no harm."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a channel says of one try. `refused`: it will never take this one, though the channel works.

    `busy`: the receiver asks for patience, which is nobody's fault. `wait_ms`: how long it wants to be left alone.
    """

    outcome: Literal["sent", "failed", "refused", "busy"]
    detail: str = ""
    status: int | None = None
    wait_ms: int = 0


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
    _halted: dict[str, int] = field(default_factory=dict)
    _told: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    _unswept: set[str] = field(default_factory=set)

    def recall(self, row: Delivery) -> None:
        """Take what an earlier run recorded. All such rows come before the first record."""
        past = self._past.get(row.id, Past())
        begun = row.at_ms if past.finished or past.begun is None else past.begun
        _remember(self._past, row.id, Past(row.outcome, max(row.attempt, past.attempt), begun))
        self._note(row)

    def recall_record(self, record: Record) -> None:
        """Take a record that an earlier run has finished with: only halts still count."""
        if isinstance(record, Halt | Applied):
            self._halt(record.halt)

    def take(self, offset: int, record: Record, now: int) -> None:
        """Take the next record of the log, at `offset`."""
        self.position = offset + 1
        match record:
            case Notify():
                self._add(record, offset, now)
            case Halt() | Applied():
                self._halt(record.halt)
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
        return self.queues[channel].take(now)

    def confirm(self, pending: Pending, now: int) -> Delivery | None:
        """None: send it, as `pending.notice` has it by now, without the alerts that have been halted.

        Otherwise a row to record in place of a send. Ask when the log has been read to where it ended after `start`.
        """
        pending.attempt += 1
        if why := self._objection(pending.notice):
            return self._row(pending, *why, now)
        pending.notice = self._without_halted(pending.notice)
        pending.begun = now if pending.begun is None else pending.begun
        return None

    def end(self, pending: Pending, result: Result, began: int, now: int) -> Delivery:
        """What has come of a send that began at `began`: the row to record."""
        queue = self.queues[pending.notice.channel]
        back_off = _back_off_ms(pending.notice.id, pending.attempt)
        if result.outcome in ("sent", "refused"):
            if queue.breaker.succeed():
                queue.hurry(now)
        elif result.outcome == "failed":
            pending.tries += not pending.probe
            queue.breaker.fail(now)
        if result.outcome == "busy" or result.wait_ms:
            queue.held_until = max(queue.held_until, now + min(result.wait_ms or back_off, LONGEST_HOLD_MS))
        pending.due = now + back_off
        outcome = self._verdict(pending, result, now)
        return self._row(pending, outcome, result.detail, now, result.status, now - began)

    def recorded(self, pending: Pending, row: Delivery) -> None:
        """The row is safe. The notice is finished, or waits for its next try."""
        notice = pending.notice
        if row.outcome == "retry":
            self.queues[notice.channel].put_back(pending, pending.due)
            return
        self.queues[notice.channel].remove(pending)
        self._open.pop(notice.id, None)
        _remember(self._past, notice.id, Past(row.outcome, row.attempt, pending.begun))
        self._note(row)
        if row.outcome == "dead":
            _remember(self._dead, notice.id, notice, 1_000)

    def sweep(self, now: int) -> list[tuple[Pending, Delivery]]:
        """Waiting notices that the halts since the last sweep have called off, busy from here on, with their rows."""
        if not self._unswept:
            return []
        halted, self._unswept = self._unswept, set()
        found = []
        for queue in self.queues.values():
            for pending in queue.waiting():
                if pending.notice.revs.keys().isdisjoint(halted):
                    continue
                if why := self._objection(pending.notice, only_halts=True):
                    pending.busy = True
                    pending.attempt += 1
                    queue.busy += 1
                    found.append((pending, self._row(pending, *why, now)))
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
        _remember(self._past, notice.id, Past(attempt=self._past.get(notice.id, Past()).attempt))
        self._add(notice, offset, now)

    def _halt(self, halt: dict[str, int]) -> None:
        for alert, rev in halt.items():
            _remember(self._halted, alert, max(rev, self._halted.get(alert, rev)))
        self._unswept.update(halt)

    def _objection(self, notice: Notify, *, only_halts: bool = False) -> tuple[str, str] | None:
        """Outcome and reason why the notice is not to be sent, or None."""
        if notice.reason in CLOSING:
            recipient = notice.person + masked(notice.address)
            told = [self._told.get((notice.channel, recipient, alert)) for alert in _alerts(notice)]
            untold = bool(told) and all(one is False for one in told)
            return ("superseded", "it was over before it was told") if untold and not only_halts else None
        halted = bool(notice.revs) and all(self._is_halted(alert, rev) for alert, rev in notice.revs.items())
        return ("called_off", "acknowledged, suppressed or over before it was sent") if halted else None

    def _is_halted(self, alert: str, rev: int) -> bool:
        return rev <= self._halted.get(alert, -1)

    def _without_halted(self, notice: Notify) -> Notify:
        gone = {alert for alert, rev in notice.revs.items() if self._is_halted(alert, rev)}
        if not gone or notice.reason in CLOSING:
            return notice
        revs = {alert: rev for alert, rev in notice.revs.items() if alert not in gone}
        alerts = [row for row in notice.alerts if row.get("id") not in gone]
        return msgspec.structs.replace(notice, revs=revs, alerts=alerts, count=max(len(revs), notice.count - len(gone)))

    def _verdict(self, pending: Pending, result: Result, now: int) -> str:
        if result.outcome == "sent":
            return "sent"
        if pending.once:
            return "failed"
        spent = pending.tries >= TRIES or now - (pending.begun or now) >= GIVE_UP_MS
        return "dead" if result.outcome == "refused" or spent else "retry"

    def _note(self, row: Delivery) -> None:
        """Remember who was told of which alert, so that nobody hears the end of what he never heard of."""
        for alert in row.alerts:
            key = (row.channel, row.person + row.address, alert)
            if row.reason == RESOLVED:
                self._told.pop(key, None)
            elif row.reason in CLOSING:
                continue  # that somebody is at it doesn't change who knows of it
            elif row.outcome != "called_off" or row.attempt > 1:  # a try that failed may have arrived
                _remember(self._told, key, True)
            elif key not in self._told:
                _remember(self._told, key, False)

    def _row(
        self, pending: Pending, outcome: str, detail: str, now: int, status: int | None = None, took_ms: int = 0
    ) -> Delivery:
        notice = pending.notice
        return Delivery(
            id=notice.id,
            attempt=pending.attempt,
            at_ms=now,
            took_ms=took_ms,
            channel=notice.channel,
            type="",
            person=notice.person,
            address=masked(notice.address),
            outcome=outcome,
            status=status,
            detail=detail[:500],
            alerts=_alerts(notice)[:LISTED],
            reason=notice.reason,
            lane=notice.lane,
        )


def _alerts(notice: Notify) -> list[str]:
    return list(notice.revs) or [str(row["id"]) for row in notice.alerts if row.get("id")]


def _back_off_ms(id: str, attempt: int) -> int:
    """Twice as long after each try, half of it by chance: those that failed together don't come back together.

    The chance is a hash, so that the same try of the same notice always waits equally long.
    """
    longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS << min(attempt - 1, 20))
    chance = int.from_bytes(blake2b(f"{id} {attempt}".encode(), digest_size=4).digest(), "big") / 2**32
    return int(longest * (0.5 + chance / 2))


def _remember(memory: dict[K, V], key: K, value: V, most: int = REMEMBERED) -> None:
    """Put an entry last, and let go of the oldest beyond `most`."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > most:
        del memory[next(iter(memory))]
