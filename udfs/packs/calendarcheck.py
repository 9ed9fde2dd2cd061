"""What is wrong with calendars whose form is right: names and bases, holidays, days without hours."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from udfs.core.calendar import Calendar, weekday
from udfs.packs import calendarmodel as language
from udfs.packs.calendars import BUILT_IN, Sections, compile_calendar, half_days_of, holidays_of, known_calendars
from udfs.packs.daytime import WEEKDAYS, has_year, parse_days, show_time
from udfs.packs.problems import WARNING, Loc, Problem, suggest
from udfs.packs.yamlfile import Document

SECTION = "calendars"


def check_calendars(document: Document, sections: Sections, shared: Collection[str] = ()) -> list[Problem]:
    """Everything at once; what follows from another fault isn't said as well. `shared` are the names of those that were
    checked already, in a file of their own."""
    problems: list[Problem] = []
    unsound: set[str] = set()
    for name, own in sections.items():
        loc: Loc = (SECTION, name)
        faults = [*_name(document, loc, sections, name), *_holidays(document, loc, own), *_both(document, loc, own)]
        problems += faults
        if faults:
            unsound.add(name)
    for name, own in sections.items():
        if name not in shared and not unsound.intersection(_ancestry(sections, name)):
            problems += _days(document, (SECTION, name), own, compile_calendar(sections, name))
    return problems


def _ancestry(sections: Sections, name: str) -> list[str]:
    """The calendar's name and those of its bases, up to one that is unknown or has been named before."""
    known = known_calendars(sections)
    names: list[str] = []
    base: str | None = name
    while base is not None and base in known and base not in names:
        names.append(base)
        base = known[base].base
    return names if base is None else [*names, base]


def _name(document: Document, loc: Loc, sections: Sections, name: str) -> Iterator[Problem]:
    if name in BUILT_IN:
        yield document.problem(loc, f"`{name}` is built in; choose another name")
    base = sections[name].base
    known = known_calendars(sections)
    if base is None:
        return
    if base not in known:
        yield document.problem((*loc, "base"), f"there is no calendar `{base}`{suggest(base, known)}")
    elif _ancestry(sections, name)[-1] == name:
        chain = " -> ".join(f"`{one}`" for one in _ancestry(sections, name))
        yield document.problem((*loc, "base"), f"the calendar is based on itself: {chain}; remove one `base`")


def _holidays(document: Document, loc: Loc, own: language.Calendar) -> Iterator[Problem]:
    said = own.holidays
    if said is None:
        return
    loc = (*loc, "holidays")
    if (said.country is None) == (said.market is None):
        text = "name a country or a market, like `{country: NL}` or `{market: XNYS}`"
        yield document.problem(loc, f"{text}; for both, let one calendar be the `base` of another")
    else:
        try:
            holidays_of(own)
            half_days_of(own)
        except ValueError as fault:
            yield document.problem(loc, str(fault))


def _both(document: Document, loc: Loc, own: language.Calendar) -> Iterator[Problem]:
    for index, day in enumerate(own.open):
        if day in own.closed:
            yield document.problem((*loc, "open", index), f"`{day}` is in `closed` too; remove one")


def _days(document: Document, loc: Loc, own: language.Calendar, calendar: Calendar) -> Iterator[Problem]:
    if calendar.weekend == 0b1111111 and not calendar.extra:
        yield document.problem((*loc, "weekend"), "every weekday is free, so there is no business day; leave one out")
    yield from _hours(document, loc, own, calendar)
    for text, closes in own.half_days.items():
        opens = [calendar.hours(day)[0] for day in parse_days(text) if calendar.is_business(day)]
        if opens and max(opens) >= closes:
            message = f"closes at {show_time(closes)}, but opens at {show_time(max(opens))} only; write a later time"
            yield document.problem((*loc, "half_days", text), message)
    for word, days in (("half_days", own.half_days), ("shifts", own.shifts)):
        for text in days:
            if has_year(text) and not calendar.is_business(parse_days(text)[0]):
                name = WEEKDAYS[weekday(parse_days(text)[0])]
                message = f"`{text}`, a `{name}`, is no business day, so this changes nothing; correct the date"
                yield document.problem((*loc, word, text), message, WARNING)


def _hours(document: Document, loc: Loc, own: language.Calendar, calendar: Calendar) -> Iterator[Problem]:
    """Weekdays with business, but without hours; said where the calendar itself brought that about."""
    business = {day for day in range(7) if not calendar.weekend >> day & 1} | {weekday(day) for day in calendar.extra}
    silent = [WEEKDAYS[day] for day in sorted(business) if calendar.week[day] == (0, 0)]
    word = next((word for word in ("hours", "weekend", "open") if getattr(own, word)), None)
    if silent and word:
        names = ", ".join(f"`{name}`" for name in silent)
        text = f"there is business on {names}, but `hours` doesn't say when; add it there, or close that day"
        yield document.problem((*loc, word), text)
