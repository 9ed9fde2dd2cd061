"""Schedules: what is expected by when, and what is said just before, at and just after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from tests.udfs.core.build import workflow
from udfs.core import schedule as machine
from udfs.core.calendar import Calendar
from udfs.core.clock import ByTime
from udfs.core.codec import UnknownFormat
from udfs.core.effects import Effect, Finding
from udfs.core.plan import Cron, Daily, Every, Plan, Schedule, instant_text
from udfs.core.schedulestate import Arrival, Watch, decode, encode
from udfs.core.state import NEVER
from udfs.core.zone import UTC as ALWAYS
from udfs.packs.cron import compile_cron
from udfs.packs.zones import compile_zone

SPEC = workflow("AB", remember=86_400_000)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WEEKDAYS = Calendar(weekend=0b1100000)


def ms(text: str) -> int:
    """The instant, epoch ms; the text is UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def daily(at: int = 8 * HOUR, zone: str = "UTC", calendar: Calendar | None = None, opens: int | None = None) -> Daily:
    return Daily(ByTime(compile_zone(zone), calendar or Calendar(), at), opens)


def schedule(plan: Plan | None = None, **more: object) -> Schedule:
    return Schedule("feed", "h", 0, frozenset({"K"}), plan or daily(), **more)  # type: ignore[arg-type]


class Watcher:
    """One key of a schedule, from an instant on; remembers all that was said."""

    def __init__(self, rule: Schedule, begin: str = "2026-03-02T00:00") -> None:
        self.rule = rule
        self.now = ms(begin) - 1
        self.watch = Watch(SPEC.hash, rule.hash, "K")
        self.said: list[Finding] = []
        assert machine.arm(rule, self.watch, self.now)

    def see(self, *times: str, id: str = "") -> Watcher:
        for time in times:
            arrival = Arrival(ms(time), "s", id or time, ms(time))
            self._note(machine.on_event(SPEC, self.rule, self.watch, arrival, self.now))
        return self

    def time(self, to: str | int) -> Watcher:
        self.now = ms(to) if isinstance(to, str) else to
        if machine.next_deadline(self.rule, self.watch) <= self.now:
            self._note(machine.on_time(SPEC, self.rule, self.watch, self.now))
        return self

    def _note(self, effects: list[Effect]) -> None:
        self.watch = decode(encode(self.watch))
        self.said += [one for one in effects if isinstance(one, Finding)]

    def kinds(self) -> list[tuple[str, str]]:
        return [(one.kind, one.occurrence) for one in self.said]


def dues(plan: Plan, after: str, number: int) -> list[str]:
    found = []
    instant = ms(after)
    for _ in range(number):
        due = plan.after(instant)
        assert due is not None
        assert plan.before(due.at) == due
        assert plan.before(due.at - 1) != due
        instant = due.at
        found.append(instant_text(instant))
    return found


def test_nothing_is_said_just_before_the_limit_and_missing_at_it() -> None:
    here = Watcher(schedule(grace=5 * MINUTE)).time("2026-03-02T08:04:59.999")
    assert here.said == []
    (missing,) = here.time("2026-03-02T08:05").said
    assert (missing.kind, missing.occurrence, missing.deadline, missing.at, missing.rule) == (
        "missing",
        "2026-03-02",
        ms("2026-03-02T08:00"),
        None,
        "feed",
    )


@pytest.mark.parametrize("at", ["08:00", "08:04:59.999", "08:05"])
def test_what_happens_up_to_the_grace_is_in_time(at: str) -> None:
    assert Watcher(schedule(grace=5 * MINUTE)).see(f"2026-03-02T{at}").time("2026-03-02T20:00").said == []


def test_what_happens_after_the_grace_is_late_for_its_business_date() -> None:
    here = Watcher(schedule(grace=5 * MINUTE)).see("2026-03-02T08:05:00.001").time("2026-03-02T12:00")
    assert here.kinds() == [("missing", "2026-03-02"), ("late", "2026-03-02")]
    late = here.said[1]
    assert (late.delta, late.deadline) == (5 * MINUTE + 1, ms("2026-03-02T08:00"))


def test_what_had_happened_in_time_and_is_reported_afterwards_is_reported_late() -> None:
    here = Watcher(schedule()).time("2026-03-02T09:00").see("2026-03-02T07:58")
    assert here.kinds() == [("missing", "2026-03-02"), ("reported_late", "2026-03-02")]
    assert here.said[1].delta == -2 * MINUTE


def test_what_is_reported_hours_later_still_settles_its_day_and_not_the_next() -> None:
    here = Watcher(schedule()).time("2026-03-03T07:00").see("2026-03-02T07:58").time("2026-03-03T08:00")
    assert here.kinds() == [("missing", "2026-03-02"), ("reported_late", "2026-03-02"), ("missing", "2026-03-03")]


def test_a_late_arrival_is_not_taken_for_the_next_day() -> None:
    here = Watcher(schedule()).see("2026-03-02T10:00").time("2026-03-03T08:00")
    assert here.kinds() == [("missing", "2026-03-02"), ("late", "2026-03-02"), ("missing", "2026-03-03")]


def test_an_arrival_past_half_of_the_way_is_for_the_next_day() -> None:
    before = Watcher(schedule()).see("2026-03-02T20:00").time("2026-03-03T08:00")
    assert before.kinds()[1:] == [("late", "2026-03-02"), ("missing", "2026-03-03")]
    behind = Watcher(schedule()).see("2026-03-02T20:00:00.001").time("2026-03-03T08:00")
    assert behind.kinds() == [("missing", "2026-03-02")]


def test_how_long_it_may_come_late_can_be_said() -> None:
    rule = schedule(until=HOUR)
    assert Watcher(rule).see("2026-03-02T09:00").time("2026-03-03T07:59").kinds()[1:] == [("late", "2026-03-02")]
    here = Watcher(rule).see("2026-03-02T09:00:00.001").time("2026-03-03T08:00")
    assert here.kinds() == [("missing", "2026-03-02")], "it is taken for the next day's"


def test_the_oldest_of_two_missing_ones_is_answered_first() -> None:
    rule = schedule(until=3 * DAY)
    here = Watcher(rule).see("2026-03-03T10:00", "2026-03-03T11:00", "2026-03-03T12:00").time("2026-03-04T09:00")
    assert here.kinds() == [
        ("missing", "2026-03-02"),
        ("missing", "2026-03-03"),
        ("late", "2026-03-02"),
        ("late", "2026-03-03"),
    ]
    assert [one.delta for one in here.said[2:]] == [26 * HOUR, 3 * HOUR]


def test_a_second_arrival_before_the_limit_is_not_taken_for_the_next_day() -> None:
    here = Watcher(schedule()).see("2026-03-02T07:00", "2026-03-02T07:30").time("2026-03-03T08:00")
    assert here.kinds() == [("missing", "2026-03-03")]


def test_what_comes_after_a_settled_one_counts_for_the_next() -> None:
    here = Watcher(schedule()).see("2026-03-02T07:00", "2026-03-02T18:00").time("2026-03-03T08:00")
    assert here.said == []


def test_sooner_than_the_floor_is_early_and_exactly_at_it_is_not() -> None:
    rule = schedule(not_before=2 * HOUR)
    here = Watcher(rule).see("2026-03-02T05:59:59.999").time("2026-03-02T09:00")
    (early,) = here.said
    assert (early.kind, early.delta, early.deadline) == ("early", -1, ms("2026-03-02T06:00"))
    assert Watcher(rule).see("2026-03-02T06:00").time("2026-03-02T09:00").said == []


def test_with_a_floor_a_late_one_counts_until_the_next_window_opens() -> None:
    rule = schedule(not_before=2 * HOUR)
    late = Watcher(rule).see("2026-03-03T05:59:59.999").time("2026-03-03T08:00")
    assert late.kinds() == [("missing", "2026-03-02"), ("late", "2026-03-02"), ("missing", "2026-03-03")]
    assert Watcher(rule).see("2026-03-03T06:00").time("2026-03-03T08:00").kinds() == [("missing", "2026-03-02")]


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (2, [("missing", "2 of 3")]),
        (3, []),
        (5, []),
        (6, [("unexpected", "6 of at most 5")]),
        (7, [("unexpected", "6 of at most 5"), ("unexpected", "7 of at most 5")]),
    ],
)
def test_counts_are_right_from_the_least_to_the_most(number: int, said: list[tuple[str, str]]) -> None:
    rule = schedule(daily(opens=6 * HOUR), least=3, most=5)
    here = Watcher(rule)
    for n in range(number):
        here.see(f"2026-03-02T06:0{n}")
    here.time("2026-03-02T08:00")
    assert [(one.kind, one.because) for one in here.said] == said
    assert len({one.id for one in here.said}) == (1 if said else 0)


def test_what_comes_before_the_window_opens_does_not_count() -> None:
    rule = schedule(daily(opens=6 * HOUR), least=2)
    here = Watcher(rule).see("2026-03-02T05:59:59.999", "2026-03-02T06:00").time("2026-03-02T08:00")
    assert [(one.kind, one.because) for one in here.said] == [("missing", "1 of 2")]


def test_a_count_that_is_filled_late_is_late_by_its_last() -> None:
    rule = schedule(daily(opens=6 * HOUR), least=3)
    here = Watcher(rule).see("2026-03-02T07:00", "2026-03-02T08:10", "2026-03-02T08:20", "2026-03-02T08:30")
    here.time("2026-03-02T12:00")
    assert [(one.kind, one.delta) for one in here.said] == [("missing", None), ("late", 20 * MINUTE)]


def test_at_most_needs_none_at_all() -> None:
    rule = schedule(least=0, most=1)
    assert Watcher(rule).time("2026-03-05T00:00").said == []
    assert len(Watcher(rule).see("2026-03-02T07:00", "2026-03-02T07:01").time("2026-03-02T08:00").said) == 1


def test_a_beat_is_missing_once_its_grace_is_over() -> None:
    rule = schedule(Every(5 * MINUTE), grace=30_000)
    here = Watcher(rule, "2026-03-02T10:00:01").see("2026-03-02T10:03", "2026-03-02T10:10:30")
    assert here.time("2026-03-02T10:10:29.999").said == []
    assert here.time("2026-03-02T10:15:29.999").said == []
    assert here.time("2026-03-02T10:15:30").kinds() == [("missing", "2026-03-02T10:15Z")]


def test_a_beat_behind_a_missing_one_is_of_its_own_span_unless_an_until_is_given() -> None:
    rule = schedule(Every(5 * MINUTE), grace=30_000)
    beats = ("2026-03-02T10:06", "2026-03-02T10:11", "2026-03-02T10:16")
    here = Watcher(rule, "2026-03-02T10:00:01").see(*beats).time("2026-03-02T10:20:29")
    assert here.kinds() == [("missing", "2026-03-02T10:05Z")]
    until = Watcher(replace(rule, until=2 * MINUTE), "2026-03-02T10:00:01").see(*beats[:1]).time("2026-03-02T10:07")
    assert until.said[-1].delta == MINUTE


def test_copies_count_once_at_the_earlier_of_their_times() -> None:
    rule = schedule(daily(opens=6 * HOUR), least=2)
    here = Watcher(rule).see("2026-03-02T05:10").see("2026-03-02T07:00", id="a").see("2026-03-02T06:30", id="a")
    here.time("2026-03-02T07:30")
    here.see("2026-03-02T07:40", id="a").time("2026-03-02T08:00")
    assert [(one.kind, one.because) for one in here.said] == [("missing", "1 of 2")]


def test_a_copy_with_a_later_time_changes_nothing() -> None:
    here = Watcher(schedule()).see("2026-03-02T07:00", id="a").see("2026-03-02T08:30", id="a").time("2026-03-02T09:00")
    assert here.said == []


def test_what_was_due_before_the_beginning_is_nobodys_fault() -> None:
    assert Watcher(schedule(), "2026-03-02T08:00:00.001").time("2026-03-03T07:59:59.999").said == []
    assert Watcher(schedule(), "2026-03-02T08:00").time("2026-03-02T08:00").kinds() == [("missing", "2026-03-02")]


def test_what_came_before_the_schedule_was_armed_counts_for_its_window() -> None:
    rule = schedule()
    watch = Watch(SPEC.hash, rule.hash, "K")
    for time in ("2026-03-01T07:00", "2026-03-02T07:00"):
        machine.on_event(SPEC, rule, watch, Arrival(ms(time), "s", time, 0), -NEVER)
    assert machine.next_deadline(rule, watch) == NEVER
    assert machine.on_time(SPEC, rule, watch, ms("2026-03-02T07:30")) == []
    machine.arm(rule, watch, ms("2026-03-02T07:30"))
    assert machine.on_time(SPEC, rule, watch, ms("2026-03-02T08:00")) == []
    assert watch.next is not None
    assert watch.next.name == "2026-03-03"


def test_a_watch_that_is_not_armed_keeps_the_last_arrivals_only() -> None:
    rule = schedule()
    watch = Watch(SPEC.hash, rule.hash, "K")
    for n in range(400):
        machine.on_event(SPEC, rule, watch, Arrival(n, "s", str(n), 0), -NEVER)
    assert len(watch.pending) == machine.KEPT + 1
    assert watch.pending[-1].time == 399


def test_a_plan_without_a_future_is_not_armed_and_ends() -> None:
    never = replace(daily(calendar=Calendar(weekend=0b1111111)), opens=None)
    assert not machine.arm(schedule(never), Watch("", "", "K"), 0)
    once = daily(calendar=Calendar(weekend=0b1111111, extra=frozenset({ms("2026-03-02T00:00") // DAY})))
    here = Watcher(schedule(once)).time("2026-03-06T00:00")
    assert here.kinds() == [("missing", "2026-03-02")]
    assert here.watch.next is None
    ended = Watcher(schedule(once)).see("2026-03-05T07:00", "2026-03-06T07:00").time(NEVER)
    assert ended.kinds() == [("missing", "2026-03-02")]
    assert ended.watch.next is None


def test_at_the_end_of_time_the_next_occurrence_is_judged_and_no_further_one() -> None:
    assert Watcher(schedule()).time(NEVER).kinds() == [("missing", "2026-03-02")]
    here = Watcher(schedule()).see("2026-03-04T07:00").time(NEVER)
    assert here.kinds() == [("missing", "2026-03-02"), ("missing", "2026-03-03")]
    assert here.watch.next is None


def test_missing_occurrences_are_forgotten_in_the_end() -> None:
    rule = schedule(Every(MINUTE))
    here = Watcher(rule).time("2026-03-02T12:00")
    assert len(here.watch.missed) == machine.MOST_MISSED
    here = Watcher(schedule()).time("2026-03-30T12:00")
    assert len(here.watch.missed) <= 2


def test_state_of_a_newer_daymark_is_refused() -> None:
    with pytest.raises(UnknownFormat, match="newer"):
        decode(msgspec.msgpack.encode((2, "", "", "", False, [], [], [])))


@pytest.mark.parametrize(
    ("zone", "after", "expected"),
    [
        ("Europe/Amsterdam", "2026-03-27T12:00", ["2026-03-28T07:00Z", "2026-03-29T06:00Z", "2026-03-30T06:00Z"]),
        ("Europe/Amsterdam", "2026-10-23T12:00", ["2026-10-24T06:00Z", "2026-10-25T07:00Z"]),
        ("America/New_York", "2026-03-06T14:00", ["2026-03-07T13:00Z", "2026-03-08T12:00Z"]),
        ("Australia/Sydney", "2026-04-03T12:00", ["2026-04-03T21:00Z", "2026-04-04T22:00Z"]),
        ("Australia/Sydney", "2026-10-02T12:00", ["2026-10-02T22:00Z", "2026-10-03T21:00Z"]),
        ("UTC", "2028-02-28T09:00", ["2028-02-29T08:00Z", "2028-03-01T08:00Z"]),
        ("Asia/Tokyo", "2026-12-30T12:00", ["2026-12-30T23:00Z", "2026-12-31T23:00Z", "2027-01-01T23:00Z"]),
    ],
)
def test_a_time_of_day_keeps_to_the_wall_clock(zone: str, after: str, expected: list[str]) -> None:
    assert dues(daily(zone=zone), after, len(expected)) == expected


def test_a_time_in_the_gap_is_due_that_much_later_and_one_in_the_overlap_once() -> None:
    at = daily(2 * HOUR + 30 * MINUTE, "Europe/Amsterdam")
    assert dues(at, "2026-03-28T12:00", 2) == ["2026-03-29T01:30Z", "2026-03-30T00:30Z"]
    assert dues(at, "2026-10-24T12:00", 2) == ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]


def test_business_dates_are_those_of_the_calendar_and_half_days_and_shifts_move_the_time() -> None:
    day = ms("2026-12-24T00:00") // DAY
    calendar = Calendar(
        weekend=0b1100000, closed=frozenset({day + 1}), half_days={day: 7 * HOUR}, shifts={day + 7: 9 * HOUR}
    )
    found = dues(daily(calendar=calendar), "2026-12-23T12:00", 6)
    assert found[:2] == ["2026-12-24T07:00Z", "2026-12-28T08:00Z"]
    assert found[4:] == ["2026-12-31T09:00Z", "2027-01-01T08:00Z"]


def test_a_window_whose_end_was_moved_before_it_opens_takes_what_comes_before() -> None:
    day = ms("2026-03-02T00:00") // DAY
    plan = daily(opens=6 * HOUR, calendar=Calendar(shifts={day: 5 * HOUR}))
    assert Watcher(schedule(plan)).see("2026-03-02T04:00").time("2026-03-02T12:00").said == []


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        ("0 18 * * mon-fri", "Europe/London", "2026-03-27T12:00", ["2026-03-27T18:00Z", "2026-03-30T17:00Z"]),
        ("*/20 2 * * *", "Europe/Amsterdam", "2026-03-29T00:00", ["2026-03-29T01:00Z", "2026-03-29T01:20Z"]),
        ("30 2 * * *", "Europe/Amsterdam", "2026-10-25T00:00", ["2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("0 0 L * *", "UTC", "2028-02-01T00:00", ["2028-02-29T00:00Z", "2028-03-31T00:00Z"]),
        ("0 0 29 2 *", "UTC", "2026-01-01T00:00", ["2028-02-29T00:00Z", "2032-02-29T00:00Z"]),
        ("0 0 13 * fri", "UTC", "2026-03-01T00:00", ["2026-03-06T00:00Z", "2026-03-13T00:00Z", "2026-03-20T00:00Z"]),
        ("0 0 * * 7", "UTC", "2026-03-02T00:00", ["2026-03-08T00:00Z"]),
    ],
)
def test_cron_expressions_are_due_when_they_say(expression: str, zone: str, after: str, expected: list[str]) -> None:
    assert dues(compile_cron(expression, compile_zone(zone), Calendar()), after, len(expected)) == expected


def test_a_cron_expression_can_be_kept_to_business_days() -> None:
    plan = compile_cron("0 9 1 * *", ALWAYS, WEEKDAYS)
    assert dues(plan, "2026-01-02T00:00", 2) == ["2026-04-01T09:00Z", "2026-05-01T09:00Z"]


def test_a_cron_expression_that_never_fits_is_never_due() -> None:
    plan = Cron(ALWAYS, Calendar(), (0,), 1 << 31, 1 << 2, 0b1111111, False)
    assert plan.after(0) is None
    assert plan.before(10 * DAY) is None


def test_instants_are_named_as_short_as_they_are_exact() -> None:
    assert [instant_text(n) for n in (0, 61_000, 1)] == [
        "1970-01-01T00:00Z",
        "1970-01-01T00:01:01Z",
        "1970-01-01T00:00:00.001Z",
    ]
