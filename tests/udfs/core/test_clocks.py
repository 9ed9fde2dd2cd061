"""Deadlines whose clocks are no plain span from a first step: three instants each, and what stops and starts them."""

from __future__ import annotations

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core import lifetime
from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime, ByTime
from udfs.core.codec import decode, encode
from udfs.core.instants import standstills
from udfs.core.pauses import MOST
from udfs.core.spec import EACH, LAST, Spec
from udfs.core.zone import DAY, UTC

HOUR = DAY // 24
OFFICE = Calendar(weekend=0b1100000, week=((9 * HOUR, 17 * HOUR),) * 7)
MONDAY = 4 * DAY  # 1970-01-05
FRIDAY = MONDAY + 4 * DAY
EXPIRE = 100 * DAY


def one(within: int = 10, warn: int | None = None, after: str = "A", **more: object) -> Spec:
    """A, then B within so many ms; H holds all clocks where `pauses` says so."""
    return workflow("ABH", deadlines=[(after, "B", within, warn, False)], expire_after=EXPIRE, **more)  # type: ignore[arg-type]


def found(follower: Follower) -> list[tuple[str, int]]:
    return [(f.kind, f.deadline) for f in follower.said]


# by a local time


def by(at: int, days: int = 0, cut_off: int | None = None, **more: object) -> Spec:
    return one(0, by={0: ByTime(UTC, OFFICE, at, days, cut_off)}, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("began", "due"),
    [
        (MONDAY, MONDAY + 18 * HOUR),
        (MONDAY + 18 * HOUR, MONDAY + 18 * HOUR),
        (MONDAY + 18 * HOUR + 1, MONDAY + DAY + 18 * HOUR),
        (FRIDAY + 18 * HOUR + 1, MONDAY + 7 * DAY + 18 * HOUR),
    ],
)
def test_a_deadline_by_a_local_time_is_that_of_the_business_day_on_which_its_clock_began(began: int, due: int) -> None:
    follower = Follower(by(18 * HOUR)).see(event("A", began)).time(due - 1)
    assert found(follower) == []
    assert found(follower.time(due)) == [("missing", due)]


@pytest.mark.parametrize(("at", "kinds"), [(-1, []), (0, []), (1, ["missing", "late"])])
def test_what_happens_at_the_very_local_time_is_in_time(at: int, kinds: list[str]) -> None:
    due = MONDAY + 18 * HOUR
    follower = Follower(by(18 * HOUR)).see(event("A", MONDAY)).time(min(due, due + at - 1))
    assert follower.see(event("B", due + at)).time(due + DAY).kinds() == kinds


def test_business_days_later_and_after_a_cut_off() -> None:
    spec = by(18 * HOUR, days=2, cut_off=12 * HOUR)
    before = Follower(spec).see(event("A", FRIDAY + 12 * HOUR)).time(FRIDAY + 9 * DAY)
    behind = Follower(spec).see(event("A", FRIDAY + 12 * HOUR + 1)).time(FRIDAY + 9 * DAY)
    assert found(before) == [("missing", FRIDAY + 4 * DAY + 18 * HOUR)]  # Tuesday
    assert found(behind) == [("missing", FRIDAY + 5 * DAY + 18 * HOUR)]


def test_its_warning_comes_a_span_before_it_or_at_once_when_it_begins_later_than_that() -> None:
    due = MONDAY + 18 * HOUR
    spec = one(0, HOUR, by={0: ByTime(UTC, OFFICE, 18 * HOUR)})
    follower = Follower(spec).see(event("A", MONDAY)).time(due - HOUR - 1)
    assert found(follower) == []
    assert found(follower.time(due - HOUR)) == [("at_risk", due - HOUR)]
    late = Follower(spec).see(event("A", due - 5)).time(due - 5)
    assert found(late) == [("at_risk", due - 5)]
    assert found(late.time(due)) == [("at_risk", due - 5), ("missing", due)]


def test_without_a_step_that_starts_it_it_waits_from_the_items_beginning_on() -> None:
    spec = one(10, after="")
    assert found(Follower(spec).see(event("H", 5)).time(14)) == []
    follower = Follower(spec).see(event("H", 5)).time(15)
    assert [(f.kind, f.deadline, f.because) for f in follower.said] == [("missing", 15, "H")]


def test_an_item_may_begin_with_what_is_expected_of_it() -> None:
    assert found(Follower(one(10, after="")).see(event("B", 5)).time(100)) == []


def test_an_earlier_beginning_that_arrives_later_starts_it() -> None:
    follower = Follower(one(10, after="")).see(event("H", 5), event("A", 3)).time(12)
    assert found(follower) == []
    assert found(follower.time(13)) == [("missing", 13)]


# in business time


@pytest.mark.parametrize(
    ("began", "within", "due"),
    [
        (MONDAY + 10 * HOUR, 4 * HOUR, MONDAY + 14 * HOUR),
        (MONDAY + 15 * HOUR, 4 * HOUR, MONDAY + DAY + 11 * HOUR),
        (MONDAY + 15 * HOUR, 2 * HOUR, MONDAY + 17 * HOUR),
        (FRIDAY + 16 * HOUR, 4 * HOUR, MONDAY + 7 * DAY + 12 * HOUR),
        (FRIDAY + DAY, 4 * HOUR, MONDAY + 7 * DAY + 13 * HOUR),
    ],
)
def test_business_time_passes_only_while_business_is_open(began: int, within: int, due: int) -> None:
    spec = one(within, within // 2, business={0: BusinessTime(UTC, OFFICE)})
    follower = Follower(spec).see(event("A", began)).time(due - 1)
    assert follower.kinds() == ["at_risk"]
    assert found(follower.time(due))[1:] == [("missing", due)]


# pause


HOLD = {"pauses": "H", "resumes": "R"}


def held(*deadlines: tuple[str, str, int, int | None, bool], **more: object) -> Spec:
    rules = deadlines or (("A", "B", 10, None, False),)
    steps = str(more.pop("steps", "ABHR"))
    return workflow(steps, deadlines=rules, expire_after=EXPIRE, **HOLD, **more)  # type: ignore[arg-type]


def test_while_an_item_is_held_its_clocks_stand_still_and_go_on_where_they_stopped() -> None:
    follower = Follower(held()).see(event("A", 0), event("H", 4)).time(1000)
    assert found(follower) == []
    follower.see(event("R", 1001)).time(1006)
    assert found(follower) == []
    assert found(follower.time(1007)) == [("missing", 1007)]


@pytest.mark.parametrize(("at", "kinds"), [(9, []), (10, []), (11, ["missing"])])
def test_a_pause_at_the_very_deadline_holds_it(at: int, kinds: list[str]) -> None:
    follower = Follower(held()).see(event("A", 0)).time(at - 1).see(event("H", at)).time(1000)
    assert follower.kinds() == kinds


def test_held_at_the_very_deadline_it_is_due_when_the_clocks_go_on() -> None:
    on_time = Follower(held()).see(event("A", 0), event("H", 10), event("R", 20), event("B", 20)).time(1000)
    late = Follower(held()).see(event("A", 0), event("H", 10), event("R", 20)).time(20).see(event("B", 21)).time(1000)
    assert found(on_time) == []
    assert found(late) == [("missing", 20), ("late", 20)]


def test_a_clock_that_begins_during_a_pause_stands_still_from_the_start() -> None:
    follower = Follower(held()).see(event("H", 0), event("A", 5)).time(500)
    assert found(follower) == []
    assert found(follower.see(event("R", 501)).time(511)) == [("missing", 511)]


def test_several_pauses_add_up_and_a_pause_in_a_pause_is_one() -> None:
    steps = [("A", 0), ("H", 2), ("H", 3), ("R", 10), ("R", 11), ("H", 14), ("R", 20)]  # runs 0-2, 10-14, then from 20
    follower = Follower(held()).see(*[event(step, time) for step, time in steps]).time(23)
    assert found(follower) == []
    assert found(follower.time(24)) == [("missing", 24)]


def test_an_answer_during_a_pause_counts() -> None:
    assert found(Follower(held()).see(event("A", 0), event("H", 4), event("B", 6)).time(1000)) == []


def test_the_warning_stands_still_as_well() -> None:
    follower = Follower(held(("A", "B", 10, 5, False))).see(event("A", 0), event("H", 4), event("R", 100)).time(101)
    assert found(follower) == [("at_risk", 101)]
    assert found(follower.time(106))[1:] == [("missing", 106)]


def test_a_pause_that_arrives_behind_the_deadline_in_time_takes_nothing_back() -> None:
    follower = Follower(held()).see(event("A", 0)).time(10).see(event("H", 4)).time(1000)
    assert follower.kinds() == ["missing"]


def test_a_deadline_by_a_local_time_is_not_held() -> None:
    spec = held(("A", "B", 0, None, False), by={0: ByTime(UTC, OFFICE, 18 * HOUR)})
    follower = Follower(spec).see(event("A", MONDAY), event("H", MONDAY + 1)).time(MONDAY + 18 * HOUR)
    assert found(follower) == [("missing", MONDAY + 18 * HOUR)]


def test_business_time_and_pauses_together() -> None:
    spec = held(("A", "B", 4 * HOUR, None, False), business={0: BusinessTime(UTC, OFFICE)})
    at = [("A", MONDAY + 15 * HOUR), ("H", MONDAY + 16 * HOUR), ("R", MONDAY + DAY + 10 * HOUR)]
    follower = Follower(spec).see(*[event(step, time) for step, time in at]).time(MONDAY + DAY + 13 * HOUR - 1)
    assert found(follower) == []
    assert found(follower.time(MONDAY + DAY + 13 * HOUR)) == [("missing", MONDAY + DAY + 13 * HOUR)]


def test_an_item_that_is_held_for_ever_is_forgotten_all_the_same() -> None:
    follower = Follower(held()).see(event("A", 0), event("H", 4)).time(4 + EXPIRE)
    assert follower.item is None
    assert found(follower) == []


def stored(follower: Follower) -> Follower:
    """As after a restart."""
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    return follower


@pytest.mark.parametrize(("now", "said"), [(3330, []), (3331, [("missing", 3331)]), (3332, [("missing", 3331)])])
def test_pauses_that_have_left_a_very_long_trace_still_count(now: int, said: list[tuple[str, int]]) -> None:
    follower = Follower(held(("A", "B", 1000, None, False))).see(event("A", 0))
    for n in range(333):  # of each ten ms the clock goes for three
        follower.see(event("H", 10 * n + 3)).time(10 * n + 5).see(event("R", 10 * n + 10))
    assert stored(follower).item is not None
    assert follower.item is not None
    assert follower.item.trimmed > 400
    assert follower.item.pauses is not None
    assert len(follower.item.pauses.spans) == MOST
    assert found(follower.time(now)) == said


def test_the_place_up_to_which_pauses_are_kept_never_goes_back() -> None:
    spec = held(("A", "B", 1000, None, False))
    follower = Follower(spec).see(event("A", 0))
    for n in range(200):
        follower.see(event("H", 10 * n + 3), event("R", 10 * n + 10)).time(10 * n + 10)
    item = follower.item
    assert item is not None
    assert item.pauses is not None
    place, pauses = item.pauses.time, standstills(spec, item)
    lifetime.trim(spec, item, 20)
    assert item.pauses.time == place > 20
    assert standstills(spec, item) == pauses


@pytest.mark.parametrize(("last", "due"), [("R", MONDAY + DAY + 13 * HOUR), ("H", None)])
def test_pauses_that_have_left_the_trace_count_in_business_time_too(last: str, due: int | None) -> None:
    spec = held(("A", "B", 4 * HOUR, None, False), steps="ABHRX", business={0: BusinessTime(UTC, OFFICE)})
    follower = Follower(spec)
    for step, time in (("A", 9), ("H", 10), ("R", DAY // HOUR + 10)):
        follower.see(event(step, MONDAY + time * HOUR))
    noon = MONDAY + DAY + 10 * HOUR
    if last == "H":
        follower.see(event("H", noon))
    for n in range(300):
        follower.see(event("X", noon + n)).time(noon + n)
    assert stored(follower).item is not None
    assert follower.item is not None
    assert [o.step for o in follower.item.trace[:3]] == [0, 2, 3]
    if due is None:
        assert found(follower.time(noon + 10 * DAY)) == [], "it is paused still"
        follower.see(event("R", noon + 10 * DAY + HOUR))
        due = noon + 10 * DAY + 4 * HOUR
    assert found(follower.time(due - 1)) == []
    assert found(follower.time(due)) == [("missing", due)]


# anchors


def again(anchor: str, **more: object) -> Spec:
    return one(anchors={0: anchor}, **more)


def test_each_occurrence_starts_a_clock_of_its_own() -> None:
    follower = Follower(again(EACH)).see(event("A", 0), event("A", 6), event("B", 9), event("A", 20)).time(29)
    assert found(follower) == []
    assert found(follower.time(30)) == [("missing", 30)]
    follower.see(event("A", 31)).time(35).see(event("B", 36)).time(100)
    assert found(follower)[1:] == [("late", 30)]


@pytest.mark.parametrize(("at", "kinds"), [(15, []), (16, []), (17, ["missing", "late"])])
def test_the_last_of_several_in_a_row_counts(at: int, kinds: list[str]) -> None:
    follower = (
        Follower(again(LAST)).see(event("A", 0), event("A", 6)).time(min(at - 1, 16)).see(event("B", at)).time(99)
    )
    assert follower.kinds() == kinds


def test_one_that_comes_after_its_forerunner_was_due_does_not_take_that_back() -> None:
    follower = Follower(again(LAST)).see(event("A", 0)).time(10).see(event("A", 11), event("B", 12)).time(99)
    assert found(follower) == [("missing", 10), ("late", 10)]


def test_a_further_one_after_the_answer_is_waited_for_as_well() -> None:
    for anchor in (LAST, EACH):
        follower = Follower(again(anchor)).see(event("A", 0), event("B", 5), event("A", 8)).time(18)
        assert found(follower) == [("missing", 18)]


def test_findings_of_several_clocks_are_told_apart_also_when_they_are_due_together() -> None:
    spec = by(18 * HOUR, anchors={0: EACH})
    follower = Follower(spec).see(event("A", MONDAY), event("A", MONDAY + 1)).time(MONDAY + DAY)
    assert follower.kinds() == ["missing", "missing"]
    assert len({f.id for f in follower.said}) == 2


def test_clocks_that_are_answered_do_not_pile_up() -> None:
    follower = Follower(again(EACH))
    for n in range(1000):
        follower.see(event("A", 20 * n), event("B", 20 * n + 5)).time(20 * n + 15)
    assert follower.item is not None
    assert len(follower.item.slots) < 4
    assert found(follower) == []


def test_clocks_that_are_never_answered_are_forgotten_with_their_part_of_the_trace() -> None:
    follower = Follower(again(EACH))
    for n in range(1000):
        follower.see(event("A", 20 * n)).time(20 * n + 15)
    assert follower.item is not None
    assert len(follower.item.slots) < 300
    assert len(follower.said) == 1000


def test_an_occurrence_that_arrives_late_gets_its_clock_and_one_that_moves_keeps_it() -> None:
    follower = Follower(again(EACH)).see(event("A", 10, id="x"), event("A", 4), event("B", 12)).time(13)
    assert found(follower) == []
    follower.see(event("A", 30, id="y"), event("A", 25, id="y")).time(34)  # a copy with an earlier time counts
    assert follower.kinds() == ["duplicate"]
    assert found(follower.time(35))[1:] == [("missing", 35)]


def test_clocks_survive_being_stored() -> None:
    follower = Follower(again(EACH)).see(event("A", 0), event("A", 6))
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert found(follower.time(99)) == [("missing", 10), ("missing", 16)]


def test_in_a_very_long_trace_clocks_are_kept_when_its_past_changes() -> None:
    spec = again(EACH)
    follower = Follower(spec)
    for n in range(300):
        follower.see(event("A", 20 * n), event("B", 20 * n + 5)).time(20 * n + 15)
    assert follower.item is not None
    assert follower.item.trimmed
    late = 20 * 300
    follower.see(event("A", late, id="x"), event("B", late - 2, id="y"))  # out of order: all is judged anew
    assert found(follower.time(late + 10)) == [("missing", late + 10)]


def test_in_a_very_long_trace_an_answered_clock_stays_answered_when_its_past_changes() -> None:
    follower = Follower(again(EACH))
    for n in range(300):
        follower.see(event("A", 20 * n), event("B", 20 * n + 5)).time(20 * n + 2)
    assert found(follower.see(event("B", 20 * 299 + 4, id="z")).time(10**6)) == []


def test_in_a_very_long_trace_what_was_missing_is_late_when_it_comes_at_last() -> None:
    follower = Follower(again(EACH))
    for n in range(350):
        follower.see(event("A", 20 * n)).time(20 * n + 15)
    follower.see(event("H", 20 * 350), event("B", 20 * 350 - 1)).time(10**6)
    kinds = follower.kinds()
    assert kinds.count("missing") == 350
    assert 128 <= kinds.count("late") < 350


def test_an_answered_clock_far_back_in_a_very_long_trace_is_not_judged_again() -> None:
    follower = Follower(again(EACH))
    steps = ["H"] * 300 + ["A", "B"] + ["H"] * 140
    for n, step in enumerate(steps):
        follower.see(event(step, 5 * n)).time(5 * n)
    late = 5 * len(steps)
    assert found(follower.see(event("H", late + 3), event("H", late)).time(late + 100)) == []


def test_what_a_clock_that_lost_its_beginning_has_said_stays_said() -> None:
    follower = Follower(again(EACH)).see(event("A", 10, id="x")).time(20)
    follower.see(event("A", 25, id="y"), event("A", 24, id="y")).time(40)
    assert found(follower) == [("missing", 20), ("duplicate", 24), ("missing", 34)]
