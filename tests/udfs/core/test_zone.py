"""Wall clocks and instants, on the nights when the clock is moved and on all others."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from udfs.core import zone as core
from udfs.core.zone import DAY, Zone, zone_of
from udfs.packs.zones import compile_zone

MINUTE = 60_000
HOUR = 60 * MINUTE
EPOCH = datetime(1970, 1, 1)

NAMES = (
    "UTC",
    "Europe/Amsterdam",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Nuuk",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Pacific/Apia",
)
names = st.sampled_from(NAMES)
instants = st.integers(0, core.DAY * 84_000)
many = settings(max_examples=examples(400), deadline=None)  # the first use of a zone compiles it


def ms(text: str) -> int:
    """A local time, or an instant in UTC."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def wall(text: str, zone: str) -> str:
    """The wall clock at an instant in UTC."""
    return str(EPOCH + timedelta(milliseconds=compile_zone(zone).local(ms(text))))


CHANGES = [
    # zone, the last minute before the change, the first after it (UTC), and what the wall clock shows then
    ("Europe/Amsterdam", "2026-03-29 00:59", "2026-03-29 01:59:00", "2026-03-29 01:00", "2026-03-29 03:00:00"),
    ("Europe/Amsterdam", "2026-10-25 00:59", "2026-10-25 02:59:00", "2026-10-25 01:00", "2026-10-25 02:00:00"),
    ("America/New_York", "2026-03-08 06:59", "2026-03-08 01:59:00", "2026-03-08 07:00", "2026-03-08 03:00:00"),
    ("America/New_York", "2026-11-01 05:59", "2026-11-01 01:59:00", "2026-11-01 06:00", "2026-11-01 01:00:00"),
    ("Australia/Sydney", "2026-10-03 15:59", "2026-10-04 01:59:00", "2026-10-03 16:00", "2026-10-04 03:00:00"),
    ("Australia/Sydney", "2026-04-04 15:59", "2026-04-05 02:59:00", "2026-04-04 16:00", "2026-04-05 02:00:00"),
    ("America/Santiago", "2026-09-06 03:59", "2026-09-05 23:59:00", "2026-09-06 04:00", "2026-09-06 01:00:00"),
    ("America/Santiago", "2026-04-05 02:59", "2026-04-04 23:59:00", "2026-04-05 03:00", "2026-04-04 23:00:00"),
    ("Australia/Lord_Howe", "2026-10-03 15:29", "2026-10-04 01:59:00", "2026-10-03 15:30", "2026-10-04 02:30:00"),
    ("Australia/Lord_Howe", "2026-04-04 14:59", "2026-04-05 01:59:00", "2026-04-04 15:00", "2026-04-05 01:30:00"),
]


@pytest.mark.parametrize(("zone", "before", "shown_before", "after", "shown_after"), CHANGES)
def test_the_wall_clock_is_moved_at_the_instant_of_the_change(
    zone: str, before: str, shown_before: str, after: str, shown_after: str
) -> None:
    assert (wall(before, zone), wall(after, zone)) == (shown_before, shown_after)


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        # A gap: what doesn't exist is that much later.
        ("Europe/Amsterdam", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Amsterdam", "2026-03-29 02:30", "2026-03-29 01:30"),
        ("Europe/Amsterdam", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Amsterdam", "2026-03-29 03:30", "2026-03-29 01:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:30"),
        ("Australia/Sydney", "2026-10-04 02:30", "2026-10-03 16:30"),
        ("America/Santiago", "2026-09-06 00:00", "2026-09-06 04:00"),
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45"),
        # Twice: the first.
        ("Europe/Amsterdam", "2026-10-25 01:59", "2026-10-24 23:59"),
        ("Europe/Amsterdam", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("Europe/Amsterdam", "2026-10-25 03:00", "2026-10-25 02:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        ("Australia/Sydney", "2026-04-05 02:30", "2026-04-04 15:30"),
        ("America/Santiago", "2026-04-04 23:30", "2026-04-05 02:30"),
        ("America/Santiago", "2026-04-05 00:00", "2026-04-05 04:00"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        # Nothing special.
        ("Asia/Kathmandu", "2026-03-29 02:30", "2026-03-28 20:45"),
        ("Asia/Tokyo", "2024-02-29 00:00", "2024-02-28 15:00"),
        ("America/New_York", "2026-01-01 00:00", "2026-01-01 05:00"),
        ("UTC", "2026-12-31 23:59", "2026-12-31 23:59"),
    ],
)
def test_a_local_time_means_one_instant(zone: str, local: str, instant: str) -> None:
    assert compile_zone(zone).utc(ms(local)) == ms(instant)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-03-29 01:59", "2026-03-29 00:59"),
        ("2026-03-29 02:00", "2026-03-29 01:00"),
        ("2026-03-29 02:30", "2026-03-29 01:00"),
        ("2026-03-29 03:00", "2026-03-29 01:00"),
        ("2026-03-29 03:30", "2026-03-29 01:30"),
        ("2026-10-25 02:30", "2026-10-25 00:30"),
        ("2026-10-25 03:00", "2026-10-25 02:00"),
    ],
)
def test_a_time_in_the_gap_is_first_reached_where_the_gap_begins(local: str, instant: str) -> None:
    assert compile_zone("Europe/Amsterdam").first(ms(local)) == ms(instant)


@many
@given(name=names, instant=instants)
def test_the_table_tells_the_wall_clock_that_python_tells(name: str, instant: int) -> None:
    moment = datetime.fromtimestamp(instant / 1000, UTC).replace(microsecond=0).astimezone(ZoneInfo(name))
    instant = instant // 1000 * 1000
    assert compile_zone(name).local(instant) == (moment.replace(tzinfo=None) - EPOCH) // timedelta(milliseconds=1)


@many
@given(name=names, local=st.integers(DAY // 1000, 84 * DAY).map(lambda seconds: seconds * 1000))
def test_the_table_tells_the_instant_that_python_tells(name: str, local: int) -> None:
    moment = (EPOCH + timedelta(milliseconds=local)).replace(tzinfo=ZoneInfo(name))
    assert compile_zone(name).utc(local) == (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@pytest.mark.parametrize("name", sorted(available_timezones())[::30])
def test_a_zone_changes_when_python_says_so_and_at_no_other_time(name: str) -> None:
    rules = ZoneInfo(name)
    table = compile_zone(name)
    noons = range(DAY // 2, 84_000 * DAY, DAY)
    for instant in (*noons, *table.changes, *[change - 1000 for change in table.changes]):
        told = datetime.fromtimestamp(instant // 1000, rules).utcoffset()
        assert table.local(instant) - instant == told // timedelta(milliseconds=1)


@many
@given(name=names, instant=instants)
def test_there_and_back_is_the_same_instant_or_the_first_with_that_wall_clock(name: str, instant: int) -> None:
    zone = compile_zone(name)
    back = zone.utc(zone.local(instant))
    assert back <= instant
    assert zone.local(back) == zone.local(instant)


@many
@given(name=names, local=instants, more=st.integers(0, 3 * DAY))
def test_later_local_times_are_never_reached_earlier(name: str, local: int, more: int) -> None:
    zone = compile_zone(name)
    assert zone.first(local) <= zone.first(local + more)
    assert zone.first(local) <= zone.utc(local)


@many
@given(name=names, instant=instants)
def test_every_instant_lies_in_the_day_that_it_is_said_to_be_of(name: str, instant: int) -> None:
    zone = compile_zone(name)
    day = zone.day(instant)
    assert zone.first(day * DAY) <= instant < zone.first((day + 1) * DAY)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Amsterdam", "2026-03-29", 23),
        ("Europe/Amsterdam", "2026-10-25", 25),
        ("Europe/Amsterdam", "2024-02-29", 24),
        ("America/Santiago", "2026-09-06", 23),
        ("America/Santiago", "2026-04-04", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Pacific/Apia", "2011-12-30", 0),
        ("Asia/Tokyo", "2026-03-29", 24),
    ],
)
def test_a_day_has_the_hours_that_it_had(zone: str, day: str, hours: float) -> None:
    table = compile_zone(zone)
    assert table.first(ms(day) + DAY) - table.first(ms(day)) == hours * HOUR


def test_a_clock_put_back_over_midnight_does_not_bring_the_day_before_back() -> None:
    """St. John's did that until 2011: at 00:01 it was 23:01 again."""
    zone = compile_zone("America/St_Johns")
    change = ms("2010-11-07 02:31")
    sunday = ms("2010-11-07") // DAY
    assert [zone.local(instant) - sunday * DAY for instant in (change - 1, change)] == [MINUTE - 1, -59 * MINUTE]
    days = [zone.day(instant) - sunday for instant in (change - MINUTE - 1, change - MINUTE, change, change + DAY // 2)]
    assert days == [-1, 0, 0, 0]


def test_before_the_first_change_and_after_the_last_the_offsets_hold_on() -> None:
    zone = zone_of((0, 10 * DAY), (-HOUR, HOUR, 0))
    assert [zone.local(-DAY), zone.local(DAY), zone.local(99 * DAY)] == [-DAY - HOUR, DAY + HOUR, 99 * DAY]
    assert [zone.utc(-DAY), zone.utc(DAY), zone.utc(99 * DAY)] == [-DAY + HOUR, DAY - HOUR, 99 * DAY]
    assert [zone.first(-DAY), zone.first(DAY), zone.first(99 * DAY)] == [-DAY + HOUR, DAY - HOUR, 99 * DAY]


def test_a_zone_survives_the_way_to_another_process() -> None:
    zone = compile_zone("Europe/Amsterdam")
    assert pickle.loads(pickle.dumps(zone)) == zone  # noqa: S301
    assert isinstance(zone, Zone)
    assert compile_zone("UTC") == core.UTC
