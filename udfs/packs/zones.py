"""From a time zone's name to the table that the core reads."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import cache

from udfs.core.zone import DAY, Zone, zone_of
from udfs.packs.times import EARLIEST, LATEST, read_zone

_MS = timedelta(milliseconds=1)


@cache
def compile_zone(name: str) -> Zone:
    """The zone of that name, from 1970 to 2200; before and after, the first and the last offset hold on. Raises
    ValueError with a suggestion.

    Python's zone tells offsets, not when they change; so the days are looked at one by one. (No clock has been moved
    and moved back within a week.)
    """
    rules = read_zone(name)
    changes: list[int] = []
    offsets = [_offset(rules, EARLIEST)]
    for day in range(EARLIEST + DAY, LATEST + 1, DAY):
        offset = _offset(rules, day)
        if offset != offsets[-1]:
            changes.append(_change(rules, day - DAY, day))
            offsets.append(offset)
    return zone_of(tuple(changes), tuple(offsets))


def _change(rules: tzinfo, before: int, after: int) -> int:
    """The first instant (epoch ms, whole seconds) in (before, after] with the offset that holds at `after`."""
    wanted = _offset(rules, after)
    while after - before > 1_000:
        middle = (before + after) // 2_000 * 1_000
        if _offset(rules, middle) == wanted:
            after = middle
        else:
            before = middle
    return after


def _offset(rules: tzinfo, instant: int) -> int:
    """Ms east of UTC at an instant (epoch ms, whole seconds)."""
    offset = datetime.fromtimestamp(instant // 1_000, rules).utcoffset()
    return 0 if offset is None else offset // _MS
