"""Silences and maintenance windows: when they hold, what for, and when that changes."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.alerting.moments import DAY, HOUR, at
from udfs.alerting.policy import Policy
from udfs.packs.alertcompile import compile_policy, read_policy

AMSTERDAM, SYDNEY = "Europe/Amsterdam", "Australia/Sydney"
LABELS = {"workflow": "w", "severity": "high"}
MATCH = {"match": "workflow = w"}


def policy(**documents: dict[str, Any]) -> Policy:
    """Documents by `kind__name`; all of them are fit."""
    found, problems = read_policy({key.replace("__", "/"): MATCH | body for key, body in documents.items()})
    assert problems == []
    return found


def holds(found: Policy, edge: int) -> list[bool]:
    return [found.muted(LABELS, instant) is not None for instant in (edge - 1, edge, edge + 1)]


def test_a_silence_holds_from_its_first_instant_up_to_its_end() -> None:
    found = policy(silence__quiet={"from": "2026-03-02T08:00Z", "until": "2026-03-02T10:00Z", "by": "anna", "why": "x"})
    assert holds(found, at("2026-03-02 08:00")) == [False, True, True]
    assert holds(found, at("2026-03-02 10:00")) == [True, False, False]
    mute = found.muted(LABELS, at("2026-03-02 09:00"))
    assert mute == ("quiet", "silence", at("2026-03-02 10:00"), "anna", "x")
    assert found.muted(LABELS | {"workflow": "v"}, at("2026-03-02 09:00")) is None


def test_the_next_change_is_the_next_beginning_or_end() -> None:
    found = policy(
        silence__a={"from": "2026-03-02T08:00Z", "until": "2026-03-02T10:00Z"},
        silence__b={"from": "2026-03-02T09:00Z", "until": "2026-03-02T11:00Z"},
    )
    hours = [at(f"2026-03-02 {hour:02}:00") for hour in (8, 9, 10, 11)]
    assert [found.next_change(instant) for instant in (0, hours[0] - 1, *hours)] == [hours[0], *hours, None]


def test_of_several_the_maintenance_counts_and_else_the_one_that_ends_last() -> None:
    once = {"from": "2026-03-02T08:00Z"}
    found = policy(
        silence__long=once | {"until": "2026-03-09T00:00Z"},
        silence__short=once | {"until": "2026-03-02T12:00Z"},
        maintenance__release=once | {"until": "2026-03-02T10:00Z"},
    )
    muted = [found.muted(LABELS, at(f"2026-03-02 {hour}:00")) for hour in ("09", "11")]
    assert [mute and mute.id for mute in muted] == ["release", "long"]


def test_a_silence_is_on_the_wall_clock_of_its_zone() -> None:
    found = policy(silence__q={"from": "2026-07-01 08:00", "until": "2026-07-01 09:00", "zone": AMSTERDAM})
    assert holds(found, at("2026-07-01 06:00")) == [False, True, True]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (AMSTERDAM, "2026-03-29", 2),
        (AMSTERDAM, "2026-10-25", 4),
        (SYDNEY, "2026-10-04", 2),
        (SYDNEY, "2026-04-05", 4),
        (AMSTERDAM, "2026-06-07", 3),
    ],
)
def test_weekly_hours_are_on_the_wall_clock_also_when_it_is_moved(zone: str, day: str, hours: int) -> None:
    found = policy(maintenance__m={"weekly": {"sun": "01:00-04:00"}, "zone": zone})
    begin = at(f"{day} 01:00", zone)
    assert holds(found, begin) == [False, True, True]
    assert holds(found, begin + hours * HOUR) == [True, False, False]


@pytest.mark.parametrize(
    ("zone", "begins"),
    [
        (AMSTERDAM, "2026-03-29T01:30Z"),  # 02:30 doesn't exist: 03:30 summer time
        (AMSTERDAM, "2026-10-25T00:30Z"),  # exists twice: the first
        (SYDNEY, "2026-10-03T16:30Z"),
        (SYDNEY, "2026-04-04T15:30Z"),
    ],
)
def test_a_window_by_cron_lasts_as_long_as_it_says_when_the_clock_is_moved(zone: str, begins: str) -> None:
    found = policy(maintenance__m={"cron": "30 2 * * sun", "for": "3h", "zone": zone})
    assert holds(found, at(begins)) == [False, True, True]
    assert holds(found, at(begins) + 3 * HOUR) == [True, False, False]


def test_a_window_of_the_leap_day_comes_every_fourth_year() -> None:
    found = policy(maintenance__m={"cron": "0 0 29 2 *", "for": "1d", "zone": "UTC"})
    assert found.next_change(at("2026-03-01 00:00")) == at("2028-02-29 00:00")
    assert holds(found, at("2028-02-29 00:00")) == [False, True, True]
    assert holds(found, at("2028-03-01 00:00")) == [True, False, False]
    assert found.next_change(at("2028-03-01 00:00")) == at("2032-02-29 00:00")


def test_a_weekly_window_goes_past_midnight() -> None:
    found = policy(maintenance__m={"weekly": {"sat": "22:00-06:00"}, "zone": "UTC"})
    assert holds(found, at("2026-03-07 22:00")) == [False, True, True]
    assert holds(found, at("2026-03-08 00:00")) == [True, True, True]
    assert holds(found, at("2026-03-08 06:00")) == [True, False, False]


def test_stretches_that_touch_are_one() -> None:
    found = policy(maintenance__m={"weekly": {"fri": "22:00-24:00", "sat": "00:00-24:00"}, "zone": "UTC"})
    mute = found.muted(LABELS, at("2026-03-06 23:00"))
    assert mute is not None
    assert mute.until == at("2026-03-08 00:00")


def test_a_recurring_window_keeps_to_its_bounds() -> None:
    words = {"weekly": "10:00-12:00", "zone": "UTC", "from": "2026-03-02 11:00", "until": "2026-03-03 11:00"}
    found = policy(maintenance__m=words)
    assert holds(found, at("2026-03-02 11:00")) == [False, True, True]
    assert holds(found, at("2026-03-03 11:00")) == [True, False, False]
    changes = ["2026-03-02 11:00", "2026-03-02 12:00", "2026-03-03 10:00", "2026-03-03 11:00"]
    here: int | None = at("2026-03-01 00:00")
    for change in changes:
        here = found.next_change(here or 0)
        assert here == at(change)
    assert found.next_change(at("2026-03-03 11:00")) is None


def test_a_recurring_window_keeps_to_the_business_days_of_its_calendar() -> None:
    calendar = {"closed": ["2026-03-03"]}
    found = compile_policy(
        {
            "calendar/desk": calendar,
            "maintenance/m": MATCH | {"weekly": "10:00-12:00", "zone": "UTC", "calendar": "desk"},
            "maintenance/c": MATCH | {"cron": "0 14 * * *", "for": "1h", "zone": "UTC", "calendar": "desk"},
        }
    )
    muted = [found.muted(LABELS, at(f"2026-03-{day} {hour}:30")) for day in ("02", "03", "07") for hour in (10, 14)]
    assert [mute is not None for mute in muted] == [True, True, False, False, False, False]


def test_windows_that_overlap_themselves_hold_on() -> None:
    found = policy(maintenance__m={"cron": "0 * * * *", "for": "90m", "zone": "UTC"})
    assert holds(found, at("2026-03-02 10:30")) == [True, True, True]


ZONES = st.sampled_from([AMSTERDAM, SYDNEY, "America/New_York", "Pacific/Apia", "UTC"])
WINDOWS = st.one_of(
    st.builds(
        lambda zone, hour, span: {"cron": f"30 {hour} * * *", "for": f"{span}h", "zone": zone},
        ZONES,
        st.integers(0, 23),
        st.integers(1, 30),
    ),
    st.builds(lambda zone, hours: {"weekly": {"sat-sun": hours}, "zone": zone}, ZONES, st.just("22:30-06:00")),
    st.builds(
        lambda day, zone: {"from": f"2026-03-{day:02}", "until": "2026-11-02 03:00", "zone": zone},
        st.integers(1, 31),
        ZONES,
    ),
    st.builds(
        lambda zone: {"weekly": "02:30-03:30", "zone": zone, "from": "2026-03-01", "until": "2026-10-25 02:45"}, ZONES
    ),
)
INSTANTS = st.integers(at("2026-02-25 00:00"), at("2026-11-05 00:00"))


@given(st.lists(WINDOWS, min_size=1, max_size=3), INSTANTS, st.data())
@settings(deadline=None)
def test_nothing_changes_between_now_and_the_next_change(
    windows: list[dict[str, Any]], instant: int, data: st.DataObject
) -> None:
    found = policy(**{f"maintenance__m{index}": window for index, window in enumerate(windows)})
    change = found.next_change(instant)
    muted = found.muted(LABELS, instant)
    later = data.draw(st.integers(instant, (change or instant + DAY) - 1))
    fresh = pickle.loads(pickle.dumps(found))  # noqa: S301
    assert fresh.muted(LABELS, later) == muted
    if change is not None:
        assert change > instant
        assert muted is None or change <= muted.until


@given(st.lists(WINDOWS, min_size=1, max_size=3), st.lists(INSTANTS, min_size=2, max_size=5))
@settings(deadline=None)
def test_what_is_answered_does_not_depend_on_what_was_asked_before(
    windows: list[dict[str, Any]], instants: list[int]
) -> None:
    documents = {f"maintenance__m{index}": window for index, window in enumerate(windows)}
    found = policy(**documents)
    asked = [(found.muted(LABELS, one), found.next_change(one)) for one in instants]
    afresh = [(one.muted(LABELS, at), one.next_change(at)) for at in instants for one in [policy(**documents)]]
    assert asked == afresh


@pytest.mark.parametrize(("zone", "day"), [(AMSTERDAM, "2026-03-29"), (SYDNEY, "2026-10-04")])
def test_hours_inside_the_one_that_is_skipped_do_not_come_that_night(zone: str, day: str) -> None:
    found = policy(maintenance__m={"weekly": "02:10-02:50", "zone": zone})
    midnight = at(f"{day} 00:00", zone)
    begins = found.next_change(midnight)
    assert begins == at(f"{day} 02:10", zone) + 23 * HOUR
    assert not any(found.muted(LABELS, midnight + minutes * 60_000) for minutes in range(0, 300, 10))


def test_hours_that_never_end_are_told_to_end_in_weeks() -> None:
    found = policy(maintenance__m={"weekly": "00:00-24:00", "zone": "UTC"})
    now = at("2026-03-02 12:00")
    mute = found.muted(LABELS, now)
    assert mute is not None
    assert mute.until > now + 7 * DAY
    assert found.muted(LABELS, mute.until) is not None


def test_a_window_whose_calendar_has_no_days_never_changes() -> None:
    calendar = {"weekend": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    window = MATCH | {"weekly": "10:00-12:00", "zone": "UTC", "calendar": "never"}
    found = compile_policy({"calendar/never": calendar, "maintenance/m": window})
    assert found.next_change(at("2026-03-02 00:00")) is None
    assert found.muted(LABELS, at("2026-03-02 11:00")) is None
