"""What waits for one channel: in order for each recipient and group, side by side for the rest. Pure: time is given."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from jobs.dispatch.breaker import Breaker
from jobs.dispatch.records import Notify

SIDE_BY_SIDE = 8


@dataclass(slots=True, eq=False)
class Pending:
    """A notice on its way. `offset` is the record that must not be committed before it is finished.

    `tries` are failures that count against the notice and not against its channel; `begun` is when it was first tried.
    """

    notice: Notify
    offset: int
    due: int
    attempt: int = 0
    tries: int = 0
    begun: int | None = None
    busy: bool = False
    probe: bool = False
    once: bool = False

    @property
    def line(self) -> tuple[str, str]:
        """Who must not be overtaken: notices with the same line leave in order."""
        notice = self.notice
        return f"{notice.person} {notice.address}", notice.group or notice.dedup_key or notice.id


@dataclass(slots=True)
class Queue:
    """One channel's notices. `held_until`: the receiver asked for nothing before that (Retry-After)."""

    breaker: Breaker = field(default_factory=Breaker)
    held_until: int = 0
    busy: int = 0
    _lines: dict[tuple[str, str], deque[Pending]] = field(default_factory=dict)
    _heads: list[tuple[int, int, Pending]] = field(default_factory=list)

    def add(self, pending: Pending) -> None:
        """Put a notice behind the others of its line."""
        line = self._lines.setdefault(pending.line, deque())
        line.append(pending)
        if len(line) == 1:
            self._push(pending)

    def take(self, now: int) -> Pending | None:
        """A notice whose turn it is at `now`, from here on busy; None if none may be sent now."""
        if self.busy >= SIDE_BY_SIDE or now < self.held_until or not self.breaker.admits(now):
            return None
        self._prune()
        if not self._heads or self._heads[0][0] > now:
            return None
        pending = heapq.heappop(self._heads)[2]
        pending.busy = True
        pending.probe = self.breaker.begin()
        self.busy += 1
        return pending

    def put_back(self, pending: Pending, due: int) -> None:
        """A busy notice waits again, until `due`."""
        self._free(pending)
        pending.due = due
        self._push(pending)

    def remove(self, pending: Pending) -> None:
        """A notice is finished, busy or not; the next of its line moves up."""
        self._free(pending)
        line = self._lines[pending.line]
        was_head = line[0] is pending
        line.remove(pending)
        if not line:
            del self._lines[pending.line]
        elif was_head:
            self._push(line[0])

    def hurry(self, now: int) -> None:
        """What waits for its next try is due at once: the channel works again, or has been changed."""
        self._heads.clear()
        for line in self._lines.values():
            if not line[0].busy:
                line[0].due = min(line[0].due, now)
                self._push(line[0])

    def next_time(self) -> int | None:
        """When a notice may be due (epoch ms), if nothing happens before; None: not before something happens."""
        self._prune()
        if not self._heads or self.busy >= SIDE_BY_SIDE or self.breaker.probing:
            return None
        opens = self.breaker.until if self.breaker.tripped else 0
        return max(self._heads[0][0], self.held_until, opens)

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def oldest(self) -> int | None:
        """The instant (epoch ms) of the oldest notice that is not finished; None if there is none."""
        return min((pending.notice.at_ms for line in self._lines.values() for pending in line), default=None)

    def waiting(self) -> list[Pending]:
        """The notices that are not busy, in the order of their lines."""
        return [pending for line in self._lines.values() for pending in line if not pending.busy]

    def _push(self, pending: Pending) -> None:
        heapq.heappush(self._heads, (pending.due, pending.offset, pending))

    def _free(self, pending: Pending) -> None:
        if pending.busy:
            pending.busy = False
            self.busy -= 1
        if pending.probe:
            pending.probe = False
            self.breaker.probing = False

    def _prune(self) -> None:
        """Forget entries of notices that are gone, busy, or due at another time than when they were put there."""
        while self._heads:
            due, _, pending = self._heads[0]
            line = self._lines.get(pending.line)
            if line and line[0] is pending and not pending.busy and pending.due == due:
                return
            heapq.heappop(self._heads)
