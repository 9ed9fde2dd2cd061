"""From when something happened to when something else is due: by a time of day on business days, or within business
hours. All instants are epoch ms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from udfs.core.calendar import Calendar
from udfs.core.immutable import Immutable
from udfs.core.state import NEVER
from udfs.core.zone import DAY, Zone

LONGEST_WAIT: Final = 40_000
"""So many days (more than a century) are looked ahead for business hours."""


@dataclass(frozen=True)
class ByTime(Immutable):
    """Due at a time of day, `at` (ms of the local day), on a business day of the calendar.

    What happens on a business day up to its cut-off belongs to that day, all else to the next business day: that is its
    business date. Due is `days` business days after it. The cut-off is `cut_off` (ms of the local day), or where there
    is none, `at` itself; where `days` is 0 it is never later than `at`. Shifts and half days of the calendar move both.
    """

    zone: Zone
    calendar: Calendar
    at: int
    days: int = 0
    cut_off: int | None = None

    def due(self, since: int) -> int:
        """When it is due, if what starts it happened at `since`: never earlier than that. NEVER, if no business day
        comes."""
        day = self.business_date(since)
        return NEVER if day == NEVER else self.on(self.calendar.next_business(day, self.days))

    def business_date(self, since: int) -> int:
        """The local day to which an instant belongs. NEVER, if no business day comes."""
        day = self.zone.day(since)
        if self.calendar.is_business(day) and since <= self._last(day):
            return day
        return self.calendar.next_business(day + 1)

    def on(self, day: int) -> int:
        """When it is due on a business day; what belongs to the day is due `days` later."""
        return NEVER if day == NEVER else self._instant(day, self.at)

    def _last(self, day: int) -> int:
        """The last instant that belongs to a business day."""
        if self.cut_off is None:
            return self._instant(day, self.at)
        last = self._instant(day, self.cut_off)
        return last if self.days else min(last, self._instant(day, self.at))

    def _instant(self, day: int, at: int) -> int:
        """Inside the day, also where `at` is in a gap that ends it."""
        instant = self.zone.utc(day * DAY + self.calendar.moved(day, at))
        return min(instant, self.zone.first((day + 1) * DAY))


@dataclass(frozen=True)
class BusinessTime(Immutable):
    """Time that passes only while business is open: real elapsed ms, so that the business day of 00:00 to 24:00 has 23
    hours on the day when the clock is put forward."""

    zone: Zone
    calendar: Calendar

    def add(self, since: int, span: int) -> int:
        """The first instant at which `span` ms of business time have passed since `since`. One that ends exactly when
        business closes ends then, not when it opens again. NEVER, if that would take longer than a century."""
        if span <= 0:
            return since
        day = self.zone.day(since)
        last = day + LONGEST_WAIT
        day = self.calendar.next_business(day)
        while day < last:
            opens, closes = self._window(day)
            begin = max(opens, since)
            if begin + span <= closes:
                return begin + span
            span -= max(0, closes - begin)
            day = self.calendar.next_business(day + 1)
        return NEVER

    def between(self, begin: int, end: int) -> int:
        """How many ms of business time pass from one instant to another; 0 if that is not later."""
        passed = 0
        last = self.zone.day(end)
        day = self.calendar.next_business(self.zone.day(begin))
        while day <= last:
            opens, closes = self._window(day)
            passed += max(0, min(closes, end) - max(opens, begin))
            day = self.calendar.next_business(day + 1)
        return passed

    def _window(self, day: int) -> tuple[int, int]:
        """When business opens and closes on a business day."""
        opens, closes = self.calendar.hours(day)
        return self.zone.first(day * DAY + opens), self.zone.first(day * DAY + closes)
