"""From the calendars of a pack to those that the core reads.

A calendar says what is different from its base. Dates hold before weekends and lists of holidays, whichever calendar
says so; of dates, those of the nearest calendar; and there, a date before one of every year.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from udfs.core.calendar import Calendar
from udfs.core.zone import DAY
from udfs.packs import calendarmodel as language
from udfs.packs.daytime import WEEKDAYS, has_year, parse_days
from udfs.packs.publicholidays import listed_days

Sections = Mapping[str, language.Calendar]

EVERY_DAY = "every_day"
BUILT_IN: Sections = {EVERY_DAY: language.Calendar(weekend=[]), "business_days": language.Calendar()}
ALL_DAY = (0, DAY)


def known_calendars(sections: Sections) -> Sections:
    """Those that can be named: the built-in ones and a workflow's own."""
    return {**BUILT_IN, **sections}


def lineage(sections: Sections, name: str) -> list[language.Calendar]:
    """The calendar, its base, the base of that, and so on."""
    known = known_calendars(sections)
    found = [known[name]]
    while (base := found[-1].base) is not None:
        found.append(known[base])
    return found


def compile_calendar(sections: Sections, name: str) -> Calendar:
    """The calendar of that name, if `check_calendars` had nothing against it."""
    weekend = ["sat", "sun"]
    week = dict.fromkeys(range(7), ALL_DAY)
    closed: set[int] = set()
    extra: set[int] = set()
    half_days: dict[int, int] = {}
    listed_half_days: dict[int, int] = {}
    shifts: dict[int, int] = {}
    for own in reversed(lineage(sections, name)):
        weekend = weekend if own.weekend is None else [*own.weekend]
        week = week if own.hours is None else own.hours
        closed |= holidays_of(own)
        listed_half_days |= half_days_of(own)
        for exact in (False, True):
            shut = _days(own.closed, exact)
            closed |= shut
            extra = extra - shut | _days(own.open, exact)
            half_days |= _timed(own.half_days, exact)
            shifts |= _timed(own.shifts, exact)
    return Calendar(
        weekend=sum([1 << WEEKDAYS.index(day) for day in {*weekend}]),
        closed=frozenset(closed),
        extra=frozenset(extra),
        half_days=listed_half_days | half_days,
        shifts=shifts,
        week=tuple([week.get(day, (0, 0)) for day in range(7)]),
    )


def zone_name(sections: Sections, name: str) -> str | None:
    """The time zone that the calendar, or the nearest of its bases, names."""
    return next((own.zone for own in lineage(sections, name) if own.zone is not None), None)


def meaning(sections: Sections, name: str) -> list[dict[str, Any]]:
    """What the calendar's definition says, for content hashes: neither its name, nor the days that come out of it,
    since a newer list of holidays must not make another rule of it."""
    return [_said(own) for own in lineage(sections, name)]


def holidays_of(own: language.Calendar) -> frozenset[int]:
    """Days since 1970-01-01. Raises ValueError for a country, a market or a part of them that isn't known."""
    return _listed(own.holidays, "public")


def half_days_of(own: language.Calendar) -> dict[int, int]:
    """Days since 1970-01-01, and when they end. Raises ValueError where none are known."""
    said = own.holidays
    return {} if said is None or said.half_days is None else dict.fromkeys(_listed(said, "half_day"), said.half_days)


def _listed(said: language.Holidays | None, category: Literal["public", "half_day"]) -> frozenset[int]:
    if said is None:
        return frozenset()
    if said.market is not None:
        return listed_days("market", said.market, said.subdivision, category)
    return listed_days("country", said.country or "", said.subdivision, category)


def _days(dates: list[str], exact: bool) -> set[int]:
    return {day for text in dates if has_year(text) == exact for day in parse_days(text)}


def _timed(times: dict[str, int], exact: bool) -> dict[int, int]:
    return {day: at for text, at in times.items() if has_year(text) == exact for day in parse_days(text)}


def _said(own: language.Calendar) -> dict[str, Any]:
    said = own.model_dump(exclude={"description", "base"}, exclude_defaults=True)
    return said | {word: sorted({*said[word]}) for word in ("weekend", "closed", "open") if word in said}
