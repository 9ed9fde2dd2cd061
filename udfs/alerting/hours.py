"""Hours of the week on a zone's wall clock: when a layer of an on-call schedule holds, or a window is open.

From 18:00 to 08:00 begins on the weekday it is said of and ends on the next. On the nights when the clock is moved, a
stretch begins and ends when the clock first shows that time or a later one: it is then an hour shorter or longer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from udfs.core.calendar import LONGEST_PAUSE, Calendar, weekday
from udfs.core.immutable import Immutable
from udfs.core.zone import DAY, Zone

LONGEST_STRETCH: Final = 14
"""So many stretches that touch each other are taken together when it is asked how long one lasts."""

Week = tuple[tuple[tuple[int, int], ...], ...]
"""For each weekday from Monday on, from when to when: ms since its 00:00; what ends past midnight ends above a day."""


@dataclass(frozen=True)
class Hours(Immutable):
    """The stretches of `week` that begin on a business day of `calendar` (without one: on any day)."""

    zone: Zone
    week: Week
    calendar: Calendar = field(default_factory=Calendar)

    def until(self, at: int) -> int | None:
        """When the stretch ends that `at` lies in, those that follow at once included; None, if it lies in none."""
        end = self._end(at)
        for _ in range(LONGEST_STRETCH):
            further = None if end is None else self._end(end)
            if further is None:
                return end
            end = further
        return end

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which a stretch begins or ends; None, if none does for more than a year."""
        day = self.zone.day(at)
        found: int | None = None
        for later in range(day - 2, day + LONGEST_PAUSE):
            for edge in (edge for stretch in self.on(later) for edge in stretch if edge > at):
                found = edge if found is None else min(found, edge)
            if found is not None and later > day + 1:
                break
        return found

    def on(self, day: int) -> Iterator[tuple[int, int]]:
        """The stretches that begin on a local day: instants; none of no length, as in a night without that hour."""
        if self.calendar.is_business(day):
            for opens, closes in self.week[weekday(day)]:
                begin, end = self.zone.first(day * DAY + opens), self.zone.first(day * DAY + closes)
                if begin < end:
                    yield begin, end

    def _end(self, at: int) -> int | None:
        day = self.zone.day(at)
        ends = [end for one in range(day - 2, day + 2) for begin, end in self.on(one) if begin <= at < end]
        return max(ends, default=None)
