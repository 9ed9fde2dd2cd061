"""Times in alerting documents: moments, hours of the week that may go past midnight, rotations in whole days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from udfs.alerting.hours import Hours, Week
from udfs.core.calendar import Calendar, weekday
from udfs.core.plan import EPOCH
from udfs.core.zone import DAY, Zone
from udfs.packs.daytime import HOURS_SCHEMA, WEEKDAYS, has_year, parse_days, parse_time, parse_weekdays, show_time
from udfs.packs.durations import parse_duration

MOMENT = "`2026-03-02 09:00` (on the wall clock of `zone`) or `2026-03-02T08:00:00Z`"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_moment(text: str, zone: Zone | None) -> int:
    """Epoch ms. A local time that doesn't exist is that much later, of one that exists twice it is the first. Raises
    ValueError with what would be right."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is not a moment; write it like {MOMENT}") from None
    if read.tzinfo is None and zone is None:
        raise ValueError(f"`{text}` is on nobody's wall clock; add `zone`, or write it like `2026-03-02T08:00:00Z`")
    span = (read if read.tzinfo else read.replace(tzinfo=UTC)) - _EPOCH
    instant = (span.days * 86_400 + span.seconds) * 1_000 + span.microseconds // 1_000
    return instant if read.tzinfo or zone is None else zone.utc(instant)


def show_local(zone: Zone, at: int) -> str:
    """The instant on the zone's wall clock: `Mon 2026-03-02 09:00`."""
    day, time = divmod(zone.local(at), DAY)
    return f"{WEEKDAYS[weekday(day)].capitalize()} {date.fromordinal(EPOCH + day)} {show_time(time)}"


def parse_week(value: Any) -> Week:
    """`18:00-08:00` on every day, or on those of `{mon-fri: "18:00-08:00", sat-sun: ["00:00-12:00", …]}`. Raises
    ValueError with what would be right."""
    said = value if isinstance(value, dict) else {"mon-sun": value}
    week: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for names, stretches in said.items():
        for day in parse_weekdays(names):
            for stretch in stretches if isinstance(stretches, list) else [stretches]:
                week[day].append(_stretch(stretch))
    if not any(week):
        raise ValueError('there are no hours in it; write them like `{mon-fri: "09:00-17:30"}`')
    return tuple(tuple(sorted(stretches)) for stretches in week)


def hours_of(week: Week, zone: Zone, calendar: Calendar | None = None) -> Hours:
    """The hours of a week in a zone, on the business days of a calendar."""
    return Hours(zone, week, calendar or Calendar())


def _stretch(value: Any) -> tuple[int, int]:
    begin, dash, end = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise ValueError(f"`{value}` does not say from when to when; write it like `09:00-17:30` or `18:00-08:00`")
    opens, closes = parse_time(begin.strip()), parse_time(end.strip())
    if opens in (closes, DAY):
        raise ValueError(f"`{value}` is no stretch of time; write it like `09:00-17:30`, or `00:00-24:00` for all day")
    return opens, closes if closes > opens else closes + DAY


def _days(value: object) -> int:
    span = parse_duration(value)
    if span == 0 or span % DAY:
        raise ValueError(f"`{value}` is not a number of days; write it like `1d`, `1w` or `10d`")
    return span // DAY


def _moment(value: str) -> str:
    parse_moment(value, Zone((), (0,), ()))
    return value


def _date(value: str) -> str:
    if not has_year(value):
        raise ValueError(f"`{value}` is not a date with its year; write it like `2026-01-05`")
    parse_days(value)
    return value


_STRETCHES = {"anyOf": [HOURS_SCHEMA, {"type": "array", "items": HOURS_SCHEMA}]}
Moment = Annotated[str, AfterValidator(_moment)]
DateText = Annotated[str, AfterValidator(_date)]
WeekHours = Annotated[
    tuple[tuple[tuple[int, int], ...], ...],
    BeforeValidator(parse_week),
    WithJsonSchema({"anyOf": [*_STRETCHES["anyOf"], {"type": "object", "additionalProperties": _STRETCHES}]}),
]
Days = Annotated[
    int,
    BeforeValidator(_days),
    WithJsonSchema({"type": "string", "pattern": r"^\s*([0-9]+\s*[dw]\s*)+$", "examples": ["1d", "1w"]}),
]
