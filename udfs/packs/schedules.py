"""From the schedules of a workflow to those that the core reads, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from udfs.core.calendar import Calendar
from udfs.core.clock import ByTime
from udfs.core.plan import Daily, Every, Plan, Schedule
from udfs.core.zone import UTC
from udfs.packs import schedulemodel as language
from udfs.packs.calendars import Sections, compile_calendar, known_calendars, meaning, zone_name
from udfs.packs.cron import compile_cron
from udfs.packs.durations import show_duration
from udfs.packs.problems import Loc, Problem, suggest
from udfs.packs.schedulemodel import WHEN
from udfs.packs.yamlfile import Document
from udfs.packs.zones import compile_zone

EVERY_DAY = "every_day"


def compile_schedules(
    rules: list[language.Schedule],
    steps: list[str],
    calendars: Sections,
    zone: str,
    hashed: Callable[[dict[str, Any]], str],
) -> tuple[Schedule, ...]:
    """The compiled schedules. `zone` is for those that name none, `hashed` makes a content hash of what one means."""
    return tuple(
        Schedule(
            id=rule.id,
            hash=hashed(schedule_meaning(rule, calendars, zone)),
            step=steps.index(rule.expect),
            keys=frozenset(rule.key),
            plan=_plan(rule, calendars, zone),
            grace=rule.grace,
            not_before=rule.not_before,
            until=rule.until,
            least=_least(rule),
            most=rule.count.max if rule.count else None,
            severity=rule.severity,
            runbook=rule.runbook,
        )
        for rule in rules
    )


def schedule_meaning(rule: language.Schedule, calendars: Sections, zone: str) -> dict[str, Any]:
    """What is said of one key: neither which keys there are, nor what only people read."""
    said = rule.model_dump(exclude={"key", "runbook", "zone", "calendar"}, exclude_defaults=True)
    if rule.every is not None:
        return said
    return said | {"zone": _zone(rule, calendars, zone), "calendar": meaning(calendars, rule.calendar or EVERY_DAY)}


def _plan(rule: language.Schedule, calendars: Sections, default: str) -> Plan:
    if rule.every is not None:
        return Every(rule.every)
    name = _zone(rule, calendars, default)
    zone = UTC if name == "UTC" else compile_zone(name)
    calendar = compile_calendar(calendars, rule.calendar) if rule.calendar else Calendar()
    if rule.cron is not None:
        return compile_cron(rule.cron, zone, calendar)
    if rule.between is not None:
        return Daily(ByTime(zone, calendar, rule.between[1]), rule.between[0])
    return Daily(ByTime(zone, calendar, rule.by or 0))


def _zone(rule: language.Schedule, calendars: Sections, default: str) -> str:
    """Its own zone, or its calendar's, or the workflow's."""
    return rule.zone or (rule.calendar and zone_name(calendars, rule.calendar)) or default


def _least(rule: language.Schedule) -> int:
    if rule.count is None:
        return 1
    return (0 if rule.count.max is not None else 1) if rule.count.min is None else rule.count.min


def check_schedules(document: Document, rules: list[language.Schedule], calendars: Sections) -> Iterator[Problem]:
    """What is wrong with schedules whose form and names are right."""
    for index, rule in enumerate(rules):
        loc: Loc = ("schedules", index)
        yield from _when(document, loc, rule)
        yield from _spans(document, loc, rule)
        yield from _count(document, loc, rule)
        for number, key in enumerate(rule.key):
            if key in rule.key[:number]:
                yield document.problem((*loc, "key", number), f"`{key}` is named twice; remove one")
        known = known_calendars(calendars)
        if rule.calendar is not None and rule.calendar not in known:
            text = f"there is no calendar `{rule.calendar}`{suggest(rule.calendar, known)}"
            yield document.problem((*loc, "calendar"), text)


def _when(document: Document, loc: Loc, rule: language.Schedule) -> Iterator[Problem]:
    said = [word for word in WHEN if getattr(rule, word) is not None]
    if not said:
        yield document.problem(
            loc, 'doesn\'t say when it is due; add one of `by: "08:00"`, `between`, `cron` or `every`'
        )
    elif len(said) > 1:
        named = " and ".join(f"`{word}`" for word in said)
        yield document.problem((*loc, said[1]), f"{named} both say when it is due; keep one, or write two schedules")
    if rule.every is None:
        return
    if rule.every < 1_000:
        yield document.problem((*loc, "every"), f"{show_duration(rule.every)} is too often; write `1s` or more")
    for word in ("zone", "calendar"):
        if getattr(rule, word) is not None:
            text = f"`every` goes on day and night, the same everywhere; leave out `{word}`, or write a `cron`"
            yield document.problem((*loc, word), text)


def _spans(document: Document, loc: Loc, rule: language.Schedule) -> Iterator[Problem]:
    if rule.every:
        for word in ("grace", "not_before"):
            span = getattr(rule, word)
            if span is not None and span >= rule.every:
                text = f"{show_duration(span)} is not shorter than `every`, {show_duration(rule.every)}"
                yield document.problem((*loc, word), f"{text}; write a shorter one")
    if rule.until is not None and rule.until < rule.grace:
        text = f"{show_duration(rule.until)} is shorter than the `grace`, {show_duration(rule.grace)}"
        yield document.problem((*loc, "until"), f"{text}; nothing could be late")
    if rule.between is not None and rule.not_before is not None:
        yield document.problem((*loc, "not_before"), "`between` says already from when on it counts; leave this out")


def _count(document: Document, loc: Loc, rule: language.Schedule) -> Iterator[Problem]:
    count = rule.count
    if count is None:
        return
    if count.min is None and count.max is None:
        yield document.problem((*loc, "count"), "says nothing; write `{min: 20}`, `{max: 40}` or both")
    elif count.max is not None and count.min is not None and count.max < count.min:
        yield document.problem((*loc, "count", "max"), f"{count.max} is less than `min`, {count.min}; swap them")
