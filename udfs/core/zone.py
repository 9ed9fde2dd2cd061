"""A time zone as a table: which wall clock an instant has, and which instant a wall clock means.

Local times are ms since 1970-01-01T00:00 on the zone's wall clock; local days are whole days since then. On the nights
when the clock is moved:

- a local time that exists twice (the clock was put back) means the first of the two;
- one that doesn't exist (the clock was put forward) means the instant that much later: 02:30 in a gap from 02:00 to
  03:00 is 03:30 summer time;
- a day begins when its wall clock is first reached, and lasts until that of the next: 23, 24 or 25 hours. So a clock
  that is put back over midnight does not bring the day before back.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

from udfs.core.immutable import Immutable

DAY: Final = 86_400_000
"""Ms of a day on the wall clock."""


@dataclass(frozen=True)
class Zone(Immutable):
    """The offset from UTC is `offsets[i]` (ms) before the instant `changes[i]` (epoch ms, ascending), and the last of
    the offsets after all of them. `walls[i]` is the local time from which on the offset behind `changes[i]` holds, for
    local times that exist twice only the second time. Make it by `zone_of`."""

    changes: tuple[int, ...]
    offsets: tuple[int, ...]
    walls: tuple[int, ...]

    def local(self, utc: int) -> int:
        """The local time (ms) at an instant (epoch ms)."""
        return utc + self.offsets[bisect_right(self.changes, utc)]

    def utc(self, local: int) -> int:
        """The instant (epoch ms) that a local time (ms) means."""
        return local - self.offsets[bisect_right(self.walls, local)]

    def first(self, local: int) -> int:
        """The first instant (epoch ms) at which the clock shows this local time (ms) or a later one.

        Other than by `utc`, what lies in a gap comes at the gap: later local times never come earlier.
        """
        index = bisect_right(self.walls, local)
        instant = local - self.offsets[index]
        if index < len(self.changes) and instant > self.changes[index]:
            return self.changes[index]
        return instant

    def day(self, utc: int) -> int:
        """The local day of an instant (epoch ms)."""
        day = self.local(utc) // DAY
        return day + 1 if self.first((day + 1) * DAY) <= utc else day


def zone_of(changes: tuple[int, ...], offsets: tuple[int, ...]) -> Zone:
    """The zone with these offsets (ms), each valid up to the change (epoch ms) at its place; the last has none."""
    walls = [change + max(offsets[index], offsets[index + 1]) for index, change in enumerate(changes)]
    return Zone(changes, offsets, tuple(walls))


UTC: Final = zone_of((), (0,))
