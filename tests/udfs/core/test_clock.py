"""When something is due by a time of day, and within business hours."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime, ByTime
from udfs.core.state import NEVER
from udfs.core.zone import DAY
from udfs.core.zone import UTC as UTC_ZONE
from udfs.packs.zones import compile_zone

MINUTE = 60_000
HOUR = 60 * MINUTE
SAT_SUN = 0b1100000
AMSTERDAM = "Europe/Amsterdam"
ZONES = ("UTC", AMSTERDAM, "America/New_York", "America/St_Johns", "America/Nuuk", "America/Santiago")
ZONES += ("Australia/Sydney", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def at(text: str, zone: str = "UTC") -> int:
    """The instant of a wall clock's time, the first if there are two."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def shown(instant: int, zone: str) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone)).isoformat(" ", "minutes")


DESK = Calendar(
    weekend=SAT_SUN,
    closed=frozenset([day("2026-12-25"), day("2027-01-01")]),
    half_days={day("2026-12-24"): 13 * HOUR},
    shifts={day("2026-12-31"): 12 * HOUR, day("2026-12-30"): 20 * HOUR},
    week=((9 * HOUR, 17 * HOUR),) * 7,
)


def by(hour: float, days: int = 0, cut_off: float | None = None, zone: str = AMSTERDAM) -> ByTime:
    return ByTime(
        compile_zone(zone), DESK, round(hour * HOUR), days, None if cut_off is None else round(cut_off * HOUR)
    )


@pytest.mark.parametrize(
    ("since", "due"),
    [
        # Three instants around the cut-off, which is the deadline itself.
        ("2026-12-22 17:59:59.999", "2026-12-22 18:00"),
        ("2026-12-22 18:00:00.000", "2026-12-22 18:00"),
        ("2026-12-22 18:00:00.001", "2026-12-23 18:00"),
        # A weekend, a holiday, the year's end.
        ("2026-12-18 18:00:00.001", "2026-12-21 18:00"),
        ("2026-12-19 03:00", "2026-12-21 18:00"),
        ("2026-12-25 10:00", "2026-12-28 18:00"),
        ("2026-12-31 13:00", "2027-01-04 18:00"),
        # A half day ends at its close …
        ("2026-12-23 19:00", "2026-12-24 13:00"),
        ("2026-12-24 12:59:59.999", "2026-12-24 13:00"),
        ("2026-12-24 13:00:00.000", "2026-12-24 13:00"),
        ("2026-12-24 13:00:00.001", "2026-12-28 18:00"),
        # … and a shift moves the deadline, to earlier or to later.
        ("2026-12-30 19:59", "2026-12-30 20:00"),
        ("2026-12-31 12:00:00.000", "2026-12-31 12:00"),
        ("2026-12-31 12:00:00.001", "2027-01-04 18:00"),
        # A leap day.
        ("2024-02-28 19:00", "2024-02-29 18:00"),
    ],
)
def test_due_by_six_on_the_business_day_that_it_belongs_to(since: str, due: str) -> None:
    assert by(18).due(at(since, AMSTERDAM)) == at(due, AMSTERDAM)


@pytest.mark.parametrize(
    ("since", "due"),
    [
        ("2026-12-15 15:59:59.999", "2026-12-17 09:00"),
        ("2026-12-15 16:00:00.000", "2026-12-17 09:00"),
        ("2026-12-15 16:00:00.001", "2026-12-18 09:00"),
        ("2026-12-17 12:00", "2026-12-21 09:00"),
        ("2026-12-19 12:00", "2026-12-23 09:00"),
        ("2026-12-23 12:00", "2026-12-28 09:00"),
        # The cut-off of a half day is at its close, that of a shift where the shift says.
        ("2026-12-24 13:00:00.000", "2026-12-29 09:00"),
        ("2026-12-24 13:00:00.001", "2026-12-30 20:00"),
        ("2026-12-30 20:00:00.000", "2027-01-04 09:00"),
        ("2026-12-30 20:00:00.001", "2027-01-05 09:00"),
    ],
)
def test_due_two_business_days_after_the_one_whose_cut_off_was_met(since: str, due: str) -> None:
    assert by(9, days=2, cut_off=16).due(at(since, AMSTERDAM)) == at(due, AMSTERDAM)


def test_a_cut_off_before_the_deadline_of_the_same_day() -> None:
    rule = by(18, cut_off=16)
    sinces = ("2026-12-15 16:00:00.000", "2026-12-15 16:00:00.001")
    assert [rule.due(at(since, AMSTERDAM)) for since in sinces] == [
        at("2026-12-15 18:00", AMSTERDAM),
        at("2026-12-16 18:00", AMSTERDAM),
    ]


def test_on_the_same_day_the_cut_off_is_never_after_the_deadline() -> None:
    rule = by(18, cut_off=20)
    assert rule.due(at("2026-12-15 18:00:00.001", AMSTERDAM)) == at("2026-12-16 18:00", AMSTERDAM)


def test_the_business_date_is_the_day_that_an_instant_belongs_to() -> None:
    rule = by(9, days=2, cut_off=16)
    sinces = ("2026-12-18 16:00:00.000", "2026-12-18 16:00:00.001", "2026-12-20 10:00")
    dates = [rule.business_date(at(since, AMSTERDAM)) for since in sinces]
    assert dates == [day("2026-12-18"), day("2026-12-21"), day("2026-12-21")]


def test_at_the_end_of_the_day_is_midnight() -> None:
    assert by(24).due(at("2026-12-15 23:59", AMSTERDAM)) == at("2026-12-16 00:00", AMSTERDAM)
    assert by(24).due(at("2026-12-16 00:00", AMSTERDAM)) == at("2026-12-17 00:00", AMSTERDAM)


def test_the_day_is_that_of_the_zone() -> None:
    since = at("2026-12-15 23:30")  # the 16th in Amsterdam
    assert by(18).due(since) == at("2026-12-16 18:00", AMSTERDAM)
    assert by(18, zone="America/New_York").due(since) == at("2026-12-16 18:00", "America/New_York")


@pytest.mark.parametrize(
    ("zone", "hour", "since", "due"),
    [
        # In spring 02:30 is an hour later, in autumn the first of two.
        (AMSTERDAM, 2.5, "2026-03-28 23:00", "2026-03-29 03:30+02:00"),
        (AMSTERDAM, 2.5, "2026-10-24 22:30", "2026-10-25 02:30+02:00"),
        ("America/New_York", 2.5, "2026-03-08 05:30", "2026-03-08 03:30-04:00"),
        ("America/New_York", 1.5, "2026-11-01 05:00", "2026-11-01 01:30-04:00"),
        ("Australia/Sydney", 2.5, "2026-10-03 15:00", "2026-10-04 03:30+11:00"),
        ("Australia/Sydney", 2.5, "2026-04-04 14:00", "2026-04-05 02:30+11:00"),
        ("America/Santiago", 0.5, "2026-09-05 05:00", "2026-09-06 01:30-03:00"),
        ("America/Santiago", 23.5, "2026-04-04 05:00", "2026-04-04 23:30-03:00"),
        ("Australia/Lord_Howe", 2.25, "2026-10-03 15:00", "2026-10-04 02:45+11:00"),
        ("Australia/Lord_Howe", 1.75, "2026-04-04 14:00", "2026-04-05 01:45+11:00"),
        # The hour before midnight that Nuuk skips: the end of the day.
        ("America/Nuuk", 23.5, "2026-03-28 22:00", "2026-03-29 00:00-01:00"),
    ],
)
def test_on_the_nights_when_the_clock_is_moved(zone: str, hour: float, since: str, due: str) -> None:
    assert shown(ByTime(compile_zone(zone), Calendar(), round(hour * HOUR)).due(at(since)), zone) == due


def test_what_happens_in_the_second_of_two_hours_is_past_the_cut_off_in_the_first() -> None:
    rule = ByTime(compile_zone(AMSTERDAM), Calendar(), round(2.5 * HOUR))
    assert [shown(rule.due(at(since)), AMSTERDAM) for since in ("2026-10-25 00:30", "2026-10-25 01:10")] == [
        "2026-10-25 02:30+02:00",
        "2026-10-26 02:30+01:00",
    ]


def test_without_business_days_nothing_is_ever_due() -> None:
    never = Calendar(weekend=0b1111111)
    rule = ByTime(UTC_ZONE, never, 0, 2)
    assert [rule.due(0), rule.business_date(0), rule.on(NEVER)] == [NEVER] * 3
    assert BusinessTime(UTC_ZONE, never).add(0, 1) == NEVER
    assert BusinessTime(UTC_ZONE, never).between(0, 9 * DAY) == 0


days = st.integers(day("2026-01-01"), day("2026-12-31"))
times = st.integers(0, 24 * 4).map(lambda quarter: quarter * 15 * MINUTE)
hours = st.lists(times, min_size=2, max_size=2, unique=True).map(sorted).map(tuple)
zones = st.sampled_from(ZONES).map(compile_zone)
moments = st.one_of(
    st.integers(at("2026-01-01"), at("2026-12-31")),
    st.sampled_from([compile_zone(name) for name in ZONES])
    .filter(lambda zone: zone.changes)
    .flatmap(lambda zone: st.sampled_from(zone.changes))
    .flatmap(lambda change: st.integers(-DAY, DAY).map(lambda by: change + by)),
)
calendars = st.builds(
    Calendar,
    weekend=st.integers(0, 0b0111111),
    closed=st.frozensets(days, max_size=20),
    extra=st.frozensets(days, max_size=5),
    half_days=st.dictionaries(days, times, max_size=20),
    shifts=st.dictionaries(days, times, max_size=20),
    week=st.tuples(*[hours] * 7),
)
rules = st.builds(ByTime, zones, calendars, times, st.integers(0, 5), st.none() | times)
clocks = st.builds(BusinessTime, zones, calendars)


@settings(deadline=None)
@given(rules, moments, st.integers(0, 3 * DAY))
def test_what_happens_later_is_never_due_earlier_nor_before_it_happens(rule: ByTime, since: int, more: int) -> None:
    assert since <= rule.due(since) <= rule.due(since + more)
    assert rule.business_date(since) <= rule.business_date(since + more)


@settings(deadline=None)
@given(rules, moments)
def test_it_is_due_on_a_business_day_as_many_after_its_business_date_as_the_rule_says(rule: ByTime, since: int) -> None:
    first = rule.business_date(since)
    last = rule.calendar.next_business(first, rule.days)
    assert rule.calendar.is_business(first)
    assert rule.calendar.is_business(last)
    assert sum([rule.calendar.is_business(one) for one in range(first, last)]) == rule.days
    assert rule.zone.first(last * DAY) <= rule.due(since) <= rule.zone.first((last + 1) * DAY)


def office(zone: str = AMSTERDAM) -> BusinessTime:
    return BusinessTime(compile_zone(zone), DESK)


@pytest.mark.parametrize(
    ("since", "span", "due"),
    [
        ("2026-12-15 10:00", 4 * HOUR, "2026-12-15 14:00"),
        # Three instants around the close.
        ("2026-12-15 14:00", 3 * HOUR - 1, "2026-12-15 16:59:59.999"),
        ("2026-12-15 14:00", 3 * HOUR, "2026-12-15 17:00"),
        ("2026-12-15 14:00", 3 * HOUR + 1, "2026-12-16 09:00:00.001"),
        # Before it opens, at its opening, at its close, after it.
        ("2026-12-15 08:00", HOUR, "2026-12-15 10:00"),
        ("2026-12-15 09:00", HOUR, "2026-12-15 10:00"),
        ("2026-12-15 17:00", HOUR, "2026-12-16 10:00"),
        ("2026-12-15 23:00", HOUR, "2026-12-16 10:00"),
        # A weekend, a half day with a holiday and a weekend behind it, the year's end, which a shift doesn't close.
        ("2026-12-18 16:00", 2 * HOUR, "2026-12-21 10:00"),
        ("2026-12-19 12:00", 2 * HOUR, "2026-12-21 11:00"),
        ("2026-12-24 12:00", HOUR, "2026-12-24 13:00"),
        ("2026-12-24 12:00", HOUR + 1, "2026-12-28 09:00:00.001"),
        ("2026-12-31 16:00", 2 * HOUR, "2027-01-04 10:00"),
        # Many days; none at all.
        ("2026-11-02 09:00", 80 * HOUR, "2026-11-13 17:00"),
        ("2026-12-19 12:00", 0, "2026-12-19 12:00"),
    ],
)
def test_business_time_passes_while_business_is_open(since: str, span: int, due: str) -> None:
    assert office().add(at(since, AMSTERDAM), span) == at(due, AMSTERDAM)


@pytest.mark.parametrize(
    ("begin", "end", "passed"),
    [
        ("2026-12-15 10:00", "2026-12-15 10:00", 0),
        ("2026-12-15 12:00", "2026-12-15 10:00", 0),
        ("2026-12-17 12:00", "2026-12-15 10:00", 0),
        ("2026-12-15 10:00", "2026-12-15 12:00", 2),
        ("2026-12-15 08:00", "2026-12-15 19:00", 8),
        ("2026-12-15 16:00", "2026-12-16 10:00", 2),
        ("2026-12-18 16:00", "2026-12-21 10:00", 2),
        ("2026-12-19 10:00", "2026-12-20 10:00", 0),
        ("2026-12-24 09:00", "2026-12-28 17:00", 12),
    ],
)
def test_as_much_business_time_is_between_two_instants(begin: str, end: str, passed: int) -> None:
    assert office().between(at(begin, AMSTERDAM), at(end, AMSTERDAM)) == passed * HOUR


@pytest.mark.parametrize(
    ("zone", "opens", "closes", "on", "passed"),
    [
        (AMSTERDAM, 0, 24, "2026-03-29", 23),
        (AMSTERDAM, 0, 24, "2026-10-25", 25),
        (AMSTERDAM, 2, 3, "2026-03-29", 0),
        (AMSTERDAM, 2.5, 4, "2026-03-29", 1),
        (AMSTERDAM, 2, 4, "2026-10-25", 3),
        (AMSTERDAM, 9, 17, "2026-03-29", 8),
        ("America/New_York", 0, 24, "2026-03-08", 23),
        ("America/New_York", 0, 24, "2026-11-01", 25),
        ("Australia/Sydney", 0, 24, "2026-10-04", 23),
        ("Australia/Sydney", 0, 24, "2026-04-05", 25),
        ("America/Santiago", 0, 24, "2026-09-06", 23),
        ("America/Santiago", 0, 24, "2026-04-04", 25),
        ("Australia/Lord_Howe", 0, 24, "2026-10-04", 23.5),
        ("Australia/Lord_Howe", 0, 24, "2026-04-05", 24.5),
    ],
)
def test_on_the_nights_when_the_clock_is_moved_real_time_passes(
    zone: str, opens: float, closes: float, on: str, passed: float
) -> None:
    week = ((round(opens * HOUR), round(closes * HOUR)),) * 7
    clock = BusinessTime(compile_zone(zone), Calendar(week=week))
    begin, end = [clock.zone.first(one * DAY) for one in (day(on), day(on) + 1)]
    assert clock.between(begin, end) == round(passed * HOUR)


@settings(deadline=None)
@given(clocks, moments, st.integers(0, 20 * HOUR))
def test_between_is_the_inverse_of_add(clock: BusinessTime, since: int, span: int) -> None:
    due = clock.add(since, span)
    assert since <= due
    assert clock.between(since, due) == span
    assert span == 0 or clock.between(since, due - 1) == span - 1


@settings(deadline=None)
@given(clocks, moments, st.integers(0, 10 * HOUR), st.integers(0, 3 * DAY), st.integers(0, 10 * HOUR))
def test_business_time_never_runs_backwards(clock: BusinessTime, since: int, span: int, later: int, more: int) -> None:
    assert clock.add(since, span) <= clock.add(since + later, span)
    assert clock.add(since, span) <= clock.add(since, span + more)
    assert clock.between(since, since + later) <= clock.between(since, since + later + more)


@settings(deadline=None)
@given(clocks, moments, st.integers(0, 5 * DAY), st.integers(0, 5 * DAY))
def test_business_time_adds_up(clock: BusinessTime, begin: int, first: int, second: int) -> None:
    middle, end = begin + first, begin + first + second
    assert clock.between(begin, middle) + clock.between(middle, end) == clock.between(begin, end)


def test_more_than_a_century_of_business_time_is_never_over() -> None:
    assert office().add(0, 9_000_000 * HOUR) == NEVER


def test_clocks_survive_the_way_to_another_process() -> None:
    for clock in (by(18, 2, 16), office()):
        assert pickle.loads(pickle.dumps(clock)) == clock  # noqa: S301
