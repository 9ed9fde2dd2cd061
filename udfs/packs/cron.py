"""Cron expressions: cronsim reads them as Debian's cron does; what they say becomes masks that the core evaluates."""

from __future__ import annotations

from datetime import datetime

from cronsim import CronSim, CronSimError

from udfs.core.calendar import Calendar
from udfs.core.plan import LAST_OF_MONTH, Cron
from udfs.core.zone import Zone

EXAMPLE = "`0 18 * * mon-fri`"


def read_cron(value: str) -> CronSim:
    """Raises ValueError with what would be right."""
    fields = value.split()
    if len(fields) != 5:
        text = "minute, hour, day of the month, month, weekday"
        raise ValueError(f"`{value}` has {len(fields)} fields; a cron expression has five ({text}), like {EXAMPLE}")
    try:
        read = CronSim(value, datetime(2026, 1, 1))
    except (CronSimError, AssertionError, ValueError) as fault:
        reason = str(fault) or "it can't be read"
        raise ValueError(f"`{value}` is not a cron expression ({reason}); write it like {EXAMPLE}") from None
    if CronSim.LAST_WEEKDAY in read.days or any(not isinstance(day, int) for day in read.weekdays):
        raise ValueError(f"`{value}` counts weekdays of a month (`LW`, `5L`, `1#2`), which this version doesn't know")
    return read


def compile_cron(value: str, zone: Zone, calendar: Calendar) -> Cron:
    """The expression, on the zone's wall clock, on business days of the calendar only. Raises ValueError."""
    read = read_cron(value)
    times = [(hour * 60 + minute) * 60_000 for hour in sorted(read.hours) for minute in sorted(read.minutes)]
    return Cron(
        zone=zone,
        calendar=calendar,
        times=tuple(times),
        days=sum(LAST_OF_MONTH if day == CronSim.LAST else 1 << day for day in read.days),
        months=sum(1 << month for month in read.months),
        weekdays=sum({1 << (day + 6) % 7 for day in read.weekdays if isinstance(day, int)}),
        either=not read.day_and,
    )
