"""Who is on call: layers of rotations, and overrides.

A shift begins when the zone's wall clock first shows the handover's time or a later one on its day, and lasts until the
next begins. So on the nights when the clock is moved a shift is an hour shorter or longer, and there is neither a gap
nor an overlap. A handover at 02:30 in a night without that hour is when the hour is skipped; where the hour comes
twice, it is the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from udfs.alerting.hours import Hours
from udfs.core.immutable import Immutable
from udfs.core.zone import DAY, Zone


class Shift(NamedTuple):
    """From `begin` up to `end` (None: for good) these people are on call; nobody, where there are none."""

    begin: int
    end: int | None
    people: tuple[str, ...]


@dataclass(frozen=True)
class Layer(Immutable):
    """One after the other for `days` days each, from the handover (ms of the local day) on the local day `start` on, up
    to `end` (epoch ms; None: for good), and where there are `hours`, only then."""

    zone: Zone
    people: tuple[str, ...]
    start: int
    days: int
    handover: int
    end: int | None = None
    hours: Hours | None = None

    def who(self, at: int) -> tuple[str, ...]:
        """One person, or none."""
        turn = self._turn(at)
        if turn < 0 or not self.people or (self.end is not None and at >= self.end):
            return ()
        if self.hours is not None and self.hours.until(at) is None:
            return ()
        return (self.people[turn % len(self.people)],)

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which it may be somebody else; None: it won't be."""
        if self.end is not None and at >= self.end:
            return None
        edges = [self._begin(max(0, self._turn(at) + 1)), self.end]
        if self.hours is not None:
            edges.append(self.hours.next_change(at))
        return min(edge for edge in edges if edge is not None)

    def _turn(self, at: int) -> int:
        """Whose turn it is: 0 the first; below 0: it has not begun."""
        turn = (self.zone.day(at) - self.start) // self.days
        return turn - 1 if self._begin(turn) > at else turn

    def _begin(self, turn: int) -> int:
        return self.zone.first((self.start + turn * self.days) * DAY + self.handover)


@dataclass(frozen=True)
class Override(Immutable):
    """These people instead of whoever it would be, from `begin` up to `end` (epoch ms)."""

    begin: int
    end: int
    people: tuple[str, ...]


@dataclass(frozen=True)
class OnCall(Immutable):
    """The last override that holds says who it is, else the first layer that has somebody."""

    layers: tuple[Layer, ...] = ()
    overrides: tuple[Override, ...] = ()

    def who(self, at: int) -> tuple[str, ...]:
        """The people on call; none in a gap."""
        for override in reversed(self.overrides):
            if override.begin <= at < override.end:
                return override.people
        return next((found for layer in self.layers if (found := layer.who(at))), ())

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which it may be somebody else; None: it won't be."""
        edges = [layer.next_change(at) for layer in self.layers]
        edges += [edge for one in self.overrides for edge in (one.begin, one.end) if edge > at]
        return min((edge for edge in edges if edge is not None), default=None)

    def shifts(self, begin: int, end: int) -> Iterator[Shift]:
        """Who is on call from `begin` on, up to `end`, gaps included; the last shift may end later."""
        people = self.who(begin)
        at: int | None = begin
        while begin < end:
            at = self.next_change(at) if at is not None else None
            if at is None:
                yield Shift(begin, None, people)
                return
            if (now := self.who(at)) != people:
                yield Shift(begin, at, people)
                begin, people = at, now
            elif at >= end:
                yield Shift(begin, at, people)
                return
