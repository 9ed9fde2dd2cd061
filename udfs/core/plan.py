"""When something is expected though no event announces it: at a time of day on business days, by a cron expression, or
every so often. Instants are epoch ms, times of day ms on the local day's wall clock.

A local time that doesn't exist is due that much later, one that exists twice is due the first time (see `zone`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from udfs.core.calendar import Calendar, weekday
from udfs.core.clock import ByTime
from udfs.core.immutable import Immutable
from udfs.core.zone import DAY, Zone

LONGEST_SEARCH: Final = 3_000
"""Days that are looked at for the next occurrence: more than from one leap day to the next but one."""

EPOCH: Final = 719_163
"""1970-01-01 as `date` counts days."""

LAST_OF_MONTH: Final = 1
"""The bit of `Cron.days` for the last day of a month, whichever it is."""


class Due(NamedTuple):
    """One occurrence: when it is due, from when on things count for it (None: since the one before), and its name: the
    business date, or the instant itself."""

    at: int
    opens: int | None
    name: str


@dataclass(frozen=True)
class Daily(Immutable):
    """Once on each business day. `opens` is the time of day from which on things count, None: any."""

    by: ByTime
    opens: int | None = None

    def on(self, day: int) -> list[Due]:
        """What is due on a local day."""
        if not self.by.calendar.is_business(day):
            return []
        at = self.by.on(day)
        opens = None if self.opens is None else self.by.zone.utc(day * DAY + self.opens)
        if opens is not None and opens >= at:
            opens = None  # a shift has moved the end before it
        return [Due(at, opens, date.fromordinal(EPOCH + day).isoformat())]

    def after(self, instant: int) -> Due | None:
        """The first that is due after an instant; None, if none is for years."""
        return _after(self, self.by.zone.day(instant), instant)

    def before(self, instant: int) -> Due | None:
        """The last that is due at or before an instant; None, if none was for years."""
        return _before(self, self.by.zone.day(instant), instant)


@dataclass(frozen=True)
class Cron(Immutable):
    """At some times of day, on some days: those of which month, day of the month and weekday fit, each a bit mask.

    `days` has bits 1 to 31, and the lowest for the last of the month; `months` 1 to 12; `weekdays` Monday the lowest.
    `either` tells that one of day and weekday is enough, as cron has it where both are named. The day must also be a
    business day of the calendar.
    """

    zone: Zone
    calendar: Calendar
    times: tuple[int, ...]
    days: int
    months: int
    weekdays: int
    either: bool

    def on(self, day: int) -> list[Due]:
        """What is due on a local day."""
        if not self._fits(day) or not self.calendar.is_business(day):
            return []
        instants = sorted({self.zone.utc(day * DAY + time) for time in self.times})
        return [Due(at, None, instant_text(at)) for at in instants]

    def after(self, instant: int) -> Due | None:
        """The first that is due after an instant; None, if none is for years."""
        return _after(self, self.zone.day(instant), instant)

    def before(self, instant: int) -> Due | None:
        """The last that is due at or before an instant; None, if none was for years."""
        return _before(self, self.zone.day(instant), instant)

    def _fits(self, day: int) -> bool:
        here = date.fromordinal(EPOCH + day)
        if not self.months >> here.month & 1:
            return False
        last = self.days & LAST_OF_MONTH and date.fromordinal(EPOCH + day + 1).month != here.month
        by_day = bool(self.days >> here.day & 1 or last)
        by_weekday = bool(self.weekdays >> weekday(day) & 1)
        return by_day or by_weekday if self.either else by_day and by_weekday


@dataclass(frozen=True)
class Every(Immutable):
    """Whenever `span` ms have passed, counted from the beginning of 1970, UTC: every hour is on the hour."""

    span: int

    def after(self, instant: int) -> Due | None:
        """The first that is due after an instant."""
        return self._at(instant // self.span + 1)

    def before(self, instant: int) -> Due | None:
        """The last that is due at or before an instant."""
        return self._at(instant // self.span)

    def _at(self, number: int) -> Due:
        at = number * self.span
        return Due(at, None, instant_text(at))


Plan = Daily | Cron | Every


@dataclass(frozen=True)
class Schedule(Immutable):
    """What is expected when: the step (an index into Spec.steps) for each of the `keys`, at least `least` and at most
    `most` times (None: any number) by each instant of the plan.

    Spans are ms, counted from the due instant: up to `grace` later is in time, sooner than `not_before` before it is
    early (None: nothing is), and up to `until` later what comes counts for it (None: see `schedule`). `hash` is the
    content hash of the rule.
    """

    id: str
    hash: str
    step: int
    keys: frozenset[str]
    plan: Plan
    grace: int = 0
    not_before: int | None = None
    until: int | None = None
    least: int = 1
    most: int | None = None
    severity: str = "high"
    runbook: str = ""


def instant_text(instant: int) -> str:
    """The instant in ISO 8601, UTC, as short as it is exact: `2026-03-02T08:00Z`."""
    day, time = divmod(instant, DAY)
    minutes, rest = divmod(time, 60_000)
    seconds = f":{rest // 1000:02d}" if rest else ""
    fraction = f".{rest % 1000:03d}" if rest % 1000 else ""
    return f"{date.fromordinal(EPOCH + day)}T{minutes // 60:02d}:{minutes % 60:02d}{seconds}{fraction}Z"


def _after(plan: Daily | Cron, day: int, instant: int) -> Due | None:
    for later in range(day - 1, day + LONGEST_SEARCH):
        for due in plan.on(later):
            if due.at > instant:
                return due
    return None


def _before(plan: Daily | Cron, day: int, instant: int) -> Due | None:
    for earlier in range(day + 1, day - LONGEST_SEARCH, -1):
        for due in reversed(plan.on(earlier)):
            if due.at <= instant:
                return due
    return None
