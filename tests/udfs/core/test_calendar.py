"""Business days, half days, hours and shifts."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from udfs.core.calendar import LONGEST_PAUSE, Calendar, weekday
from udfs.core.state import NEVER
from udfs.core.zone import DAY

HOUR = 3_600_000
SAT_SUN = 0b1100000


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


CHRISTMAS = Calendar(
    weekend=SAT_SUN,
    closed=frozenset([day("2026-12-25"), day("2027-01-01"), day("2026-12-12")]),
    extra=frozenset([day("2026-12-12"), day("2026-12-19")]),
    half_days={day("2026-12-24"): 13 * HOUR},
    shifts={day("2026-12-31"): 12 * HOUR},
    week=((9 * HOUR, 17 * HOUR),) * 5 + ((10 * HOUR, 14 * HOUR), (0, 0)),
)


@pytest.mark.parametrize("text", ["1970-01-01", "2024-02-29", "2026-12-31", "2027-01-01", "1969-12-31"])
def test_weekdays_are_those_of_the_calendar_on_the_wall(text: str) -> None:
    assert weekday(day(text)) == date.fromisoformat(text).weekday()


@pytest.mark.parametrize(
    ("text", "business"),
    [
        ("2026-12-11", True),  # Friday
        ("2026-12-12", True),  # Saturday, a holiday, and open in spite of both
        ("2026-12-13", False),  # Sunday
        ("2026-12-19", True),  # Saturday, open
        ("2026-12-24", True),  # half
        ("2026-12-25", False),  # closed
        ("2026-12-26", False),  # Saturday
    ],
)
def test_a_day_is_a_business_day_or_not(text: str, business: bool) -> None:
    assert CHRISTMAS.is_business(day(text)) is business


@pytest.mark.parametrize(
    ("text", "n", "found"),
    [
        ("2026-12-23", 0, "2026-12-23"),
        ("2026-12-23", 1, "2026-12-24"),
        ("2026-12-23", 2, "2026-12-28"),
        ("2026-12-25", 0, "2026-12-28"),
        ("2026-12-25", 1, "2026-12-29"),
        ("2026-12-31", 1, "2027-01-04"),  # over the year's end
        ("2024-02-28", 1, "2024-02-29"),  # a leap day
        ("2023-02-28", 1, "2023-03-01"),
    ],
)
def test_the_nth_business_day_at_or_after_a_day(text: str, n: int, found: str) -> None:
    assert CHRISTMAS.next_business(day(text), n) == day(found)


def test_without_any_business_day_the_next_one_never_comes() -> None:
    assert Calendar(weekend=0b1111111).next_business(0) == NEVER
    assert Calendar(weekend=0b1111111).next_business(0, 5) == NEVER


def test_a_business_day_is_looked_for_a_year_and_more() -> None:
    last = Calendar(weekend=0b1111111, extra=frozenset([LONGEST_PAUSE - 1, LONGEST_PAUSE]))
    assert last.next_business(0) == LONGEST_PAUSE - 1
    assert last.next_business(0, 1) == LONGEST_PAUSE
    assert last.next_business(0, 2) == NEVER
    assert Calendar(weekend=0b1111111, extra=frozenset([LONGEST_PAUSE])).next_business(0) == NEVER


@pytest.mark.parametrize(
    ("text", "opens", "closes"),
    [
        ("2026-12-23", 9, 17),
        ("2026-12-24", 9, 13),  # half
        ("2026-12-25", 0, 0),  # closed
        ("2026-12-19", 10, 14),  # Saturday, open
        ("2026-12-31", 9, 17),  # a shift moves deadlines, not the hours
    ],
)
def test_business_is_open_from_when_to_when(text: str, opens: int, closes: int) -> None:
    assert CHRISTMAS.hours(day(text)) == (opens * HOUR, closes * HOUR)


def test_a_half_day_that_closes_before_it_opens_has_no_hours() -> None:
    odd = Calendar(half_days={0: 8 * HOUR}, week=((9 * HOUR, 17 * HOUR),) * 7)
    assert odd.hours(0) == (9 * HOUR, 9 * HOUR)


@pytest.mark.parametrize(
    ("text", "at", "moved"),
    [
        ("2026-12-23", 18, 18),
        ("2026-12-24", 18, 13),  # half: not after its close
        ("2026-12-24", 11, 11),
        ("2026-12-31", 18, 12),  # shifted
        ("2026-12-31", 9, 12),  # also to later
    ],
)
def test_half_days_and_shifts_move_a_time_of_day(text: str, at: int, moved: int) -> None:
    assert CHRISTMAS.moved(day(text), at * HOUR) == moved * HOUR


def test_a_shift_says_more_than_a_half_day() -> None:
    assert Calendar(half_days={0: 13 * HOUR}, shifts={0: 15 * HOUR}).moved(0, 18 * HOUR) == 15 * HOUR


def test_by_default_every_day_is_a_business_day_all_day() -> None:
    assert [Calendar().is_business(one) for one in range(7)] == [True] * 7
    assert [Calendar().hours(one) for one in range(7)] == [(0, DAY)] * 7


def test_a_calendar_survives_the_way_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(CHRISTMAS)) == CHRISTMAS  # noqa: S301
