"""Times of day, weekdays and dates as people write them: `17:30`, `09:00-17:30`, `mon-fri`, `2026-12-24`, `12-24`.

Times of day are ms since the local day's 00:00, weekdays 0 (Monday) to 6, days are days since 1970-01-01.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from udfs.packs.problems import suggest

FIRST_YEAR = 1990
LAST_YEAR = 2100
"""For what returns every year: holidays, and dates without a year."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_TIME = re.compile(r"([0-9]{2}):([0-9]{2})")
_DATE = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})")
_EPOCH = date(1970, 1, 1).toordinal()
_LEAP_YEAR = 2000


def parse_time(value: object) -> int:
    """The time of day in ms; `24:00` is the end of the day. Raises ValueError with what would be right."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    hours, minutes = (int(found[1]), int(found[2])) if found else (99, 0)
    if minutes > 59 or hours * 60 + minutes > 24 * 60:
        raise ValueError(f"{_shown(value)} is not a time of day; write it like `08:00` or `17:30`, at most `24:00`")
    return (hours * 60 + minutes) * 60_000


def parse_span(value: object) -> tuple[int, int]:
    """From when to when, in ms: `09:00-17:30`. Raises ValueError with what would be right."""
    begin, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise ValueError(f"{_shown(value)} does not say from when to when; write it like `09:00-17:30`")
    span = parse_time(begin.strip()), parse_time(end.strip())
    if span[0] >= span[1]:
        raise ValueError(f"`{value}` ends before it begins; hours stay within one day, from `00:00` to `24:00`")
    return span


def parse_weekdays(value: str) -> list[int]:
    """The weekdays of `fri`, `mon-fri` or `sun-thu`. Raises ValueError with what would be right."""
    first, dash, last = (part.strip() for part in value.partition("-"))
    for name in (first, last) if dash else (first,):
        if name not in WEEKDAYS:
            raise ValueError(f"`{name}` is not a weekday{suggest(name, WEEKDAYS)}")
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last if dash else first)
    return [weekday % 7 for weekday in range(begin, begin + (end - begin) % 7 + 1)]


def parse_days(value: str) -> list[int]:
    """The day of a date, or of a date without a year in every year that has it, from 1990 to 2100. Raises ValueError
    with what would be right."""
    found = _DATE.fullmatch(value)
    if not found:
        raise ValueError(f"`{value}` is not a date; write it like `2026-12-24`, or `12-24` for every year")
    month, day = int(found[2]), int(found[3])
    try:
        if found[1]:
            return [day_of(date(int(found[1]), month, day))]
        date(_LEAP_YEAR, month, day)
    except ValueError as fault:
        raise ValueError(f"`{value}` is not a date: {fault}") from None
    years = [year for year in range(FIRST_YEAR, LAST_YEAR + 1) if (month, day) != (2, 29) or _is_leap(year)]
    return [day_of(date(year, month, day)) for year in years]


def has_year(value: str) -> bool:
    """Whether a date names its year."""
    return len(value) > len("12-24")


def show_time(at: int) -> str:
    """The time of day (ms) as `17:30`."""
    return f"{at // 3_600_000:02}:{at // 60_000 % 60:02}"


def day_of(value: date) -> int:
    """The day since 1970-01-01."""
    return value.toordinal() - _EPOCH


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def _shown(value: object) -> str:
    return f"`{value}`" if isinstance(value, str | int | float) else "this"


_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00"
TimeOfDay = Annotated[
    int,
    BeforeValidator(parse_time),
    WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK})$", "examples": ["17:30"]}),
]
HOURS_SCHEMA = {"type": "string", "pattern": rf"^\s*({_CLOCK})\s*-\s*({_CLOCK})\s*$", "examples": ["09:00-17:30"]}
Span = Annotated[tuple[int, int], BeforeValidator(parse_span), WithJsonSchema(HOURS_SCHEMA)]
