"""The language of calendars: business days, holidays, half days, hours and moved deadlines, each under a name."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.daytime import HOURS_SCHEMA, WEEKDAYS, TimeOfDay, parse_days, parse_span, parse_weekdays
from udfs.packs.sections import Name, Section, Text
from udfs.packs.times import ZoneName

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def _date(value: str) -> str:
    parse_days(value)
    return value


def _week(value: Any) -> dict[int, tuple[int, int]]:
    """The hours of each weekday that is named; a text names all of them."""
    if not isinstance(value, dict):
        return dict.fromkeys(range(7), parse_span(value))
    week: dict[int, tuple[int, int]] = {}
    for names, hours in value.items():
        for weekday in parse_weekdays(names):
            if weekday in week:
                raise ValueError(f"`{WEEKDAYS[weekday]}` has hours already; name each weekday once")
            week[weekday] = parse_span(hours)
    return week


DateText = Annotated[str, AfterValidator(_date)]
Week = Annotated[
    dict[int, tuple[int, int]],
    BeforeValidator(_week),
    WithJsonSchema({"anyOf": [HOURS_SCHEMA, {"type": "object", "additionalProperties": HOURS_SCHEMA}]}),
]


class Holidays(Section):
    """Whose holidays: those of a country or of a financial market, or a part of it; and when its half days end."""

    EXAMPLE: ClassVar[str] = "{country: NL}"
    country: Text | None = None
    subdivision: Text | None = None
    market: Text | None = None
    half_days: TimeOfDay | None = None


class Calendar(Section):
    """Business days and hours. What isn't said is as in `base`; without one, Saturday and Sunday are free, and business
    is open all day."""

    EXAMPLE: ClassVar[str] = "{weekend: [sat, sun], holidays: {country: NL}}"
    description: str = ""
    base: Text | None = None
    zone: ZoneName | None = None
    weekend: list[Weekday] | None = None
    holidays: Holidays | None = None
    closed: list[DateText] = []
    open: list[DateText] = []
    half_days: dict[DateText, TimeOfDay] = {}
    hours: Week | None = None
    shifts: dict[DateText, TimeOfDay] = {}


class CalendarFile(Section):
    """A pack's `calendars.yaml`: calendars that all of its workflows may name."""

    calendars: Annotated[dict[Name, Calendar], Field(min_length=1)]
