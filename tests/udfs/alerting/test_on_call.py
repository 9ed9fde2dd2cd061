"""Who is on call: rotations, restrictions, overrides, gaps, and the nights when the clock is moved."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.alerting.moments import DAY, HOUR, at
from udfs.alerting.rotation import OnCall, Shift
from udfs.packs.alertcompile import on_call
from udfs.packs.alertmodel import OnCall as Section

AMSTERDAM, SYDNEY = "Europe/Amsterdam", "Australia/Sydney"


def schedule(zone: str, *layers: dict[str, Any], overrides: list[dict[str, Any]] | None = None) -> OnCall:
    return on_call(Section.model_validate({"zone": zone, "layers": [*layers], "overrides": overrides or []}))


def daily(zone: str, handover: str = "09:00", **words: Any) -> dict[str, Any]:
    return {"people": ["anna", "ben"], "every": "1d", "handover": handover, "from": "2026-01-01"} | words


def around(edge: int, found: OnCall) -> list[tuple[str, ...]]:
    return [found.who(edge - 1), found.who(edge), found.who(edge + 1)]


def test_a_week_is_handed_over_at_its_time_and_weekday() -> None:
    found = schedule(AMSTERDAM, {"people": ["anna", "ben"], "every": "1w", "from": "2026-01-05"})
    edge = at("2026-01-12 09:00", AMSTERDAM)
    assert around(edge, found) == [("anna",), ("ben",), ("ben",)]
    assert around(at("2026-01-19 09:00", AMSTERDAM), found) == [("ben",), ("anna",), ("anna",)]


def test_nobody_is_on_call_before_the_first_handover() -> None:
    found = schedule("UTC", {"people": ["anna"], "every": "1w", "from": "2026-01-05"})
    assert around(at("2026-01-05 09:00"), found) == [(), ("anna",), ("anna",)]
    assert found.next_change(at("2025-06-01 00:00")) == at("2026-01-05 09:00")


def test_nobody_is_on_call_from_the_end_of_a_layer_on() -> None:
    found = schedule("UTC", {"people": ["anna"], "every": "1d", "from": "2026-01-05", "until": "2026-02-01 12:00"})
    assert around(at("2026-02-01 12:00"), found) == [("anna",), (), ()]
    assert found.next_change(at("2026-02-01 12:00")) is None


def test_every_three_days_goes_on_over_the_leap_day() -> None:
    people = ["anna", "ben", "cem"]
    found = schedule("UTC", {"people": people, "every": "3d", "from": "2028-02-26"})
    assert around(at("2028-02-29 09:00"), found) == [("anna",), ("ben",), ("ben",)]
    assert around(at("2028-03-03 09:00"), found) == [("ben",), ("cem",), ("cem",)]


def test_a_rotation_may_begin_on_a_leap_day() -> None:
    found = schedule("UTC", {"people": ["anna", "ben"], "every": "1d", "from": "2028-02-29", "handover": "00:00"})
    assert around(at("2028-02-29 00:00"), found) == [(), ("anna",), ("anna",)]
    assert around(at("2028-03-01 00:00"), found) == [("anna",), ("ben",), ("ben",)]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (AMSTERDAM, "2026-03-28", 23),
        (AMSTERDAM, "2026-10-24", 25),
        (SYDNEY, "2026-10-03", 23),
        (SYDNEY, "2026-04-04", 25),
        (AMSTERDAM, "2026-06-01", 24),
    ],
)
def test_a_shift_over_a_night_when_the_clock_is_moved_is_an_hour_off(zone: str, day: str, hours: int) -> None:
    found = schedule(zone, daily(zone))
    begin = at(f"{day} 09:00", zone)
    end = found.next_change(begin)
    assert end == begin + hours * HOUR
    assert around(begin, found)[1:] != around(end, found)[1:]
    assert found.who(end - 1) == found.who(begin)


@pytest.mark.parametrize(
    ("zone", "edge"),
    [
        (AMSTERDAM, "2026-03-29T01:00Z"),  # 02:30 is skipped: when the clock jumps from 02:00 to 03:00
        (AMSTERDAM, "2026-10-25T00:30Z"),  # 02:30 comes twice: the first
        (SYDNEY, "2026-10-03T16:00Z"),
        (SYDNEY, "2026-04-04T15:30Z"),
    ],
)
def test_a_handover_in_the_hour_that_is_moved(zone: str, edge: str) -> None:
    found = schedule(zone, daily(zone, "02:30"))
    before, then, after = around(at(edge), found)
    assert before != then == after
    assert found.next_change(at(edge) - 1) == at(edge)


def test_a_layer_with_hours_leaves_the_rest_to_the_next() -> None:
    found = schedule(
        AMSTERDAM,
        {"people": "anna", "every": "1w", "from": "2026-01-05", "hours": {"mon-fri": "09:00-17:00"}},
        {"people": "ben", "every": "1w", "from": "2026-01-05"},
    )
    assert around(at("2026-03-02 09:00", AMSTERDAM), found) == [("ben",), ("anna",), ("anna",)]
    assert around(at("2026-03-02 17:00", AMSTERDAM), found) == [("anna",), ("ben",), ("ben",)]
    assert found.who(at("2026-03-07 12:00", AMSTERDAM)) == ("ben",)


def test_nights_go_past_midnight() -> None:
    found = schedule("UTC", {"people": "anna", "every": "1w", "from": "2026-01-05", "hours": {"fri": "18:00-08:00"}})
    assert around(at("2026-01-09 18:00"), found) == [(), ("anna",), ("anna",)]
    assert around(at("2026-01-10 08:00"), found) == [("anna",), (), ()]
    assert found.who(at("2026-01-09 07:00")) == ()


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (AMSTERDAM, "2026-03-28", 9),
        (AMSTERDAM, "2026-10-24", 11),
        (SYDNEY, "2026-10-03", 9),
        (SYDNEY, "2026-04-04", 11),
    ],
)
def test_a_night_shift_is_an_hour_off_when_the_clock_is_moved(zone: str, day: str, hours: int) -> None:
    found = schedule(zone, daily(zone, hours="20:00-06:00"))
    begin = at(f"{day} 20:00", zone)
    assert found.who(begin - 1) == ()
    assert found.who(begin) == found.who(begin + hours * HOUR - 1) != ()
    assert found.who(begin + hours * HOUR) == ()


def test_an_override_holds_from_its_first_instant_up_to_its_end() -> None:
    found = schedule(
        "UTC",
        daily("UTC", people=["anna"]),
        overrides=[{"from": "2026-03-02 10:00", "until": "2026-03-02 12:00", "people": ["ben", "cem"]}],
    )
    assert around(at("2026-03-02 10:00"), found) == [("anna",), ("ben", "cem"), ("ben", "cem")]
    assert around(at("2026-03-02 12:00"), found) == [("ben", "cem"), ("anna",), ("anna",)]


def test_of_two_overrides_the_later_one_in_the_list_holds() -> None:
    whole = {"from": "2026-03-02 10:00", "until": "2026-03-02 14:00", "people": "ben"}
    part = {"from": "2026-03-02 11:00", "until": "2026-03-02 12:00", "people": "cem"}
    found = schedule("UTC", daily("UTC"), overrides=[whole, part])
    assert [found.who(at(f"2026-03-02 {hour}:30")) for hour in (10, 11, 12)] == [("ben",), ("cem",), ("ben",)]


def test_an_override_fills_a_gap() -> None:
    found = schedule(
        "UTC",
        daily("UTC", hours="09:00-17:00"),
        overrides=[{"from": "2026-03-02 20:00", "until": "2026-03-02 21:00", "people": "cem"}],
    )
    assert around(at("2026-03-02 20:00"), found) == [(), ("cem",), ("cem",)]


def test_shifts_follow_each_other_without_a_hole_and_gaps_are_told() -> None:
    found = schedule("UTC", daily("UTC", people=["anna"], hours="09:00-17:00"))
    begin = at("2026-03-02 12:00")
    assert list(found.shifts(begin, begin + DAY)) == [
        Shift(begin, at("2026-03-02 17:00"), ("anna",)),
        Shift(at("2026-03-02 17:00"), at("2026-03-03 09:00"), ()),
        Shift(at("2026-03-03 09:00"), at("2026-03-03 17:00"), ("anna",)),
    ]


def test_a_shift_of_the_same_person_goes_on_over_handovers() -> None:
    found = schedule("UTC", daily("UTC", people=["anna"]))
    begin = at("2026-03-02 12:00")
    (only,) = found.shifts(begin, begin + 3 * DAY)
    assert only.people == ("anna",)
    assert only.end is not None
    assert only.end >= begin + 3 * DAY


def test_a_schedule_that_ends_leaves_nobody_for_good() -> None:
    found = schedule("UTC", daily("UTC", people=["anna"], until="2026-03-03 00:00"))
    begin = at("2026-03-02 12:00")
    assert list(found.shifts(begin, begin + 400 * DAY)) == [
        Shift(begin, at("2026-03-03 00:00"), ("anna",)),
        Shift(at("2026-03-03 00:00"), None, ()),
    ]


ZONES = st.sampled_from([AMSTERDAM, SYDNEY, "America/New_York", "Pacific/Apia", "Asia/Kolkata", "UTC"])
HANDOVERS = st.integers(0, 24 * 4 - 1).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")
STRETCHES = st.sampled_from(["18:00-08:00", "09:00-17:00", "02:00-03:00", "00:00-24:00"])
INSTANTS = st.integers(at("2026-01-03 00:00"), at("2029-12-31 00:00"))


@given(ZONES, HANDOVERS, st.integers(1, 30), st.integers(1, 5), INSTANTS)
@settings(deadline=None)
def test_without_hours_a_layer_has_exactly_one_person_at_each_instant(
    zone: str, handover: str, days: int, count: int, instant: int
) -> None:
    people = [f"p{number}" for number in range(count)]
    layer = {"people": people, "every": f"{days}d", "handover": handover, "from": "2026-01-01"}
    found = schedule(zone, layer)
    who = found.who(instant)
    assert len(who) == 1
    change = found.next_change(instant)
    assert change is not None
    assert found.who(change - 1) == who
    following = people[(people.index(who[0]) + 1) % count]
    assert found.who(change) == (following,)


@given(ZONES, HANDOVERS, STRETCHES, INSTANTS, st.data())
@settings(deadline=None)
def test_nothing_changes_between_one_change_and_the_next(
    zone: str, handover: str, hours: str, instant: int, data: st.DataObject
) -> None:
    override = {"from": "2026-02-01 09:00", "until": "2029-06-01 09:00", "people": "cem"}
    overrides = data.draw(st.sampled_from([[], [override]]))
    found = schedule(zone, daily(zone, handover, hours={"mon-thu": hours}), overrides=overrides)
    change = found.next_change(instant)
    assert change is not None
    assert change > instant
    assert found.who(data.draw(st.integers(instant, change - 1))) == found.who(instant)


def test_of_a_layer_that_has_ended_nothing_changes_any_more_and_the_next_one_goes_on() -> None:
    found = schedule(
        "UTC", daily("UTC", people=["anna"], until="2026-02-01 09:00"), daily("UTC", people=["ben", "cem"])
    )
    later = at("2026-03-02 12:00")
    assert found.next_change(later) == at("2026-03-03 09:00")
    assert len(found.who(later)) == 1


def test_a_handover_at_the_end_of_a_day_is_the_next_days_midnight() -> None:
    found = schedule(AMSTERDAM, daily(AMSTERDAM, "24:00"))
    before, then, after = around(at("2026-03-29 00:00", AMSTERDAM), found)
    assert before != then == after
