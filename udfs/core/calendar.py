"""Which days are business days, and when business is open on them.

Days are local days since 1970-01-01, times of day are ms on that day's wall clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from udfs.core.immutable import Immutable
from udfs.core.state import NEVER
from udfs.core.zone import DAY

THURSDAY: Final = 3
"""The weekday of 1970-01-01, where Monday is 0."""

LONGEST_PAUSE: Final = 400
"""So many days without business are the end of it."""


def weekday(day: int) -> int:
    """0 is Monday, 6 is Sunday."""
    return (day + THURSDAY) % 7


@dataclass(frozen=True)
class Calendar(Immutable):
    """The days of a business, and its hours.

    `weekend` has a bit for each weekday without business, Monday the lowest. `closed` are further days without
    business, `extra` days with business in spite of all that. `half_days` maps days to the time at which they close
    early, `shifts` to the time that deadlines and cut-offs of that day are moved to. `week` is when business opens and
    closes on each weekday, from Monday on.
    """

    weekend: int = 0
    closed: frozenset[int] = frozenset()
    extra: frozenset[int] = frozenset()
    half_days: dict[int, int] = field(default_factory=dict)
    shifts: dict[int, int] = field(default_factory=dict)
    week: tuple[tuple[int, int], ...] = ((0, DAY),) * 7

    def is_business(self, day: int) -> bool:
        """Whether there is business on that day."""
        return day in self.extra or not (self.weekend >> weekday(day) & 1 or day in self.closed)

    def next_business(self, day: int, n: int = 0) -> int:
        """The first business day at or after `day`, or the `n`-th one behind that. NEVER, if a year and more passes
        without any."""
        found = day - 1
        for _ in range(n + 1):
            found = self._following(found)
            if found == NEVER:
                return NEVER
        return found

    def _following(self, day: int) -> int:
        for later in range(day + 1, day + 1 + LONGEST_PAUSE):
            if self.is_business(later):
                return later
        return NEVER

    def hours(self, day: int) -> tuple[int, int]:
        """When business opens and closes; both are 0 on a day without business."""
        if not self.is_business(day):
            return 0, 0
        opens, closes = self.week[weekday(day)]
        return opens, max(opens, min(closes, self.half_days.get(day, DAY)))

    def moved(self, day: int, at: int) -> int:
        """The time of day of a deadline or cut-off that is at `at` on other days: what a shift says, else not after a
        half day's close."""
        return self.shifts.get(day, min(at, self.half_days.get(day, DAY)))
