"""Verdicts on deadlines, at three instants each: just before, at, and just after."""

from __future__ import annotations

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.event import Event

REPLY_IN_300 = workflow("AB", flow=["AB"], deadlines=[("A", "B", 300, None, False)])
NOT_BEFORE_100 = workflow("AB", flow=["AB"], deadlines=[("A", "B", 300, None, False)], not_before=[100])
SLOWER_IN_X = workflow("AB", flow=["AB"], deadlines=[("A", "B", 300, None, False)], overrides={0: ("X", 900)})
WARNED_AT_240 = workflow("AB", flow=["AB"], deadlines=[("A", "B", 300, 240, False)])


@pytest.mark.parametrize("watermark", [1299, 1300, 1301])
def test_missing_is_said_when_the_watermark_reaches_the_deadline(watermark: int) -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000)).time(watermark)
    assert follower.kinds() == (["missing"] if watermark >= 1300 else [])


@pytest.mark.parametrize(("at", "found"), [(1299, []), (1300, []), (1301, ["missing", "late"])])
def test_a_step_exactly_at_its_deadline_is_in_time(at: int, found: list[str]) -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000), event("B", at)).time(5000)
    assert follower.kinds() == found


def test_missing_carries_the_deadline_and_late_the_delta_whenever_they_are_noticed() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000)).time(9000).see(event("B", 9500, received=9700))
    missing, late = follower.said
    assert (missing.deadline, missing.at, missing.delta, missing.since) == (1300, None, None, 1000)
    assert (late.deadline, late.at, late.delta, late.event_id, late.received) == (1300, 9500, 8200, "B@9500", 9700)
    assert missing.id != late.id


def test_a_late_event_that_comes_before_time_has_moved_gives_missing_first_and_then_late() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000), event("B", 2000))
    assert follower.kinds() == [], "an event in time may still come"
    assert follower.time(1300).kinds() == ["missing", "late"]


def test_an_event_in_time_that_overtakes_a_late_one_within_the_lateness_settles_the_deadline() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000), event("B", 1400), event("B", 1250)).time(9000)
    assert follower.kinds() == []


def test_a_step_that_happened_in_time_but_was_reported_after_missing_is_reported_late() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000)).time(2000).see(event("B", 1200, received=2500))
    assert follower.kinds() == ["missing", "reported_late"]
    assert (follower.said[1].at, follower.said[1].delta, follower.said[1].received) == (1200, -100, 2500)


def test_an_earlier_late_event_replaces_what_was_said_of_a_later_one_under_the_same_identity() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000)).time(1300).see(event("B", 1500), event("B", 1400))
    assert [(f.kind, f.delta) for f in follower.said] == [("missing", None), ("late", 200), ("late", 100)]
    assert follower.said[1].id == follower.said[2].id


@pytest.mark.parametrize(("watermark", "found"), [(1239, []), (1240, ["at_risk"]), (1241, ["at_risk"])])
def test_a_warning_is_given_at_its_instant(watermark: int, found: list[str]) -> None:
    assert Follower(WARNED_AT_240).see(event("A", 1000)).time(watermark).kinds() == found


@pytest.mark.parametrize(("at", "found"), [(1240, []), (1241, ["at_risk"])])
def test_a_step_between_warning_and_deadline_was_at_risk_even_if_both_come_at_once(at: int, found: list[str]) -> None:
    assert Follower(WARNED_AT_240).see(event("A", 1000), event("B", at)).time(9000).kinds() == found


def test_the_clock_starts_at_the_first_occurrence() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000), event("A", 1200)).time(1300)
    assert [(f.kind, f.deadline) for f in follower.said] == [("missing", 1300)]


def test_an_earlier_start_that_arrives_within_the_lateness_moves_the_deadline() -> None:
    follower = Follower(REPLY_IN_300).see(event("A", 1000), event("B", 1290), event("A", 980)).time(9000)
    assert [(f.kind, f.deadline) for f in follower.said] == [("missing", 1280), ("late", 1280)]


def test_events_of_equal_time_count_in_the_order_of_their_arrival() -> None:
    ignoring = workflow("AB", deadlines=[("A", "B", 300, None, False)], order="ignore")
    assert Follower(ignoring).see(event("A", 1000), event("B", 1000)).time(9000).kinds() == []
    assert Follower(ignoring).see(event("B", 1000), event("A", 1000)).time(9000).kinds() == ["missing"]


def test_a_step_that_came_before_its_start_against_the_flow_is_out_of_order_and_not_missing_as_well() -> None:
    assert Follower(REPLY_IN_300).see(event("B", 900), event("A", 1000)).time(9000).kinds() == ["out_of_order"]


@pytest.mark.parametrize(("end", "found"), [(1299, []), (1300, []), (1301, ["missing"])])
def test_an_end_step_calls_off_the_deadlines_that_it_comes_before(end: int, found: list[str]) -> None:
    spec = workflow("ABX", ends="X", deadlines=[("A", "B", 300, None, False)])
    assert Follower(spec).see(event("A", 1000), event("X", end)).time(2000).kinds() == found


def test_a_deadline_that_is_kept_after_the_end_still_fires() -> None:
    spec = workflow("ABX", ends="X", deadlines=[("A", "B", 300, None, True)])
    assert Follower(spec).see(event("A", 1000), event("X", 1100)).time(2000).kinds() == ["missing"]


def test_a_step_may_expect_its_own_repetition() -> None:
    beat = workflow("A", deadlines=[("A", "A", 60, None, False)])
    assert Follower(beat).see(event("A", 1000)).time(1060).kinds() == ["missing"]
    assert Follower(beat).see(event("A", 1000), event("A", 1060)).time(1060).kinds() == []


def test_the_same_facts_have_the_same_identity_and_others_another() -> None:
    def ids(key: str) -> list[str]:
        return [f.id for f in Follower(REPLY_IN_300).see(event("A", 1000, key=key)).time(2000).said]

    assert ids("K") == ids("K")
    assert ids("K") != ids("L")


@pytest.mark.parametrize(("at", "found"), [(1099, ["early"]), (1100, []), (1101, [])])
def test_a_step_sooner_than_its_floor_is_early_and_exactly_at_it_is_not(at: int, found: list[str]) -> None:
    assert Follower(NOT_BEFORE_100).see(event("A", 1000), event("B", at)).time(5000).kinds() == found


def test_early_says_how_much_too_early_and_against_what() -> None:
    (early,) = Follower(NOT_BEFORE_100).see(event("A", 1000), event("B", 1030)).time(5000).said
    assert (early.deadline, early.at, early.delta, early.since, early.event_id) == (1100, 1030, -70, 1000, "B@1030")


@pytest.mark.parametrize(("watermark", "found"), [(1029, []), (1030, ["early"]), (1031, ["early"])])
def test_early_waits_until_no_earlier_event_can_come(watermark: int, found: list[str]) -> None:
    assert Follower(NOT_BEFORE_100).see(event("A", 1000), event("B", 1030)).time(watermark).kinds() == found


def test_an_earlier_start_that_arrives_within_the_lateness_makes_a_step_less_early() -> None:
    follower = Follower(NOT_BEFORE_100).see(event("A", 1000), event("B", 1030), event("A", 900)).time(5000)
    assert follower.kinds() == []


def test_what_an_end_has_called_off_is_not_early() -> None:
    ended = workflow("ABE", ends="E", deadlines=[("A", "B", 300, None, False)], not_before=[100])
    assert Follower(ended).see(event("A", 1000), event("E", 1010), event("B", 1030)).time(5000).kinds() == []


def test_a_step_that_ends_the_item_can_be_early() -> None:
    ending = workflow("AB", ends="B", deadlines=[("A", "B", 300, None, False)], not_before=[100])
    assert Follower(ending).see(event("A", 1000), event("B", 1030)).time(5000).kinds() == ["early"]


def in_market(market: str, step: str, time: int) -> Event:
    return event(step, time, groups=(("market", market),))


@pytest.mark.parametrize(("market", "due"), [("X", 1900), ("Y", 1300)])
@pytest.mark.parametrize("off", [-1, 0, 1])
def test_a_group_with_a_span_of_its_own_is_held_to_that(market: str, due: int, off: int) -> None:
    follower = Follower(SLOWER_IN_X).see(in_market(market, "A", 1000)).time(due + off)
    assert [(f.kind, f.deadline) for f in follower.said] == ([("missing", due)] if off >= 0 else [])


def test_a_group_that_is_named_after_the_clock_has_started_changes_nothing() -> None:
    follower = Follower(SLOWER_IN_X).see(event("A", 1000), in_market("X", "C", 1200)).time(9000)
    assert [f.deadline for f in follower.said] == [1300]


def test_a_group_that_was_named_before_counts_though_it_arrives_later() -> None:
    spec = workflow("ABC", flow=["AB"], deadlines=[("A", "B", 300, None, False)], overrides={0: ("X", 900)})
    follower = Follower(spec).see(event("A", 1000), in_market("X", "C", 990)).time(9000)
    assert [f.deadline for f in follower.said] == [1900]


def test_a_group_that_is_named_at_the_instant_counts_too() -> None:
    spec = workflow("ABC", flow=["AB"], deadlines=[("A", "B", 300, None, False)], overrides={0: ("X", 900)})
    follower = Follower(spec).see(event("A", 1000), in_market("X", "C", 1000)).time(9000)
    assert [f.deadline for f in follower.said] == [1900]


@pytest.mark.parametrize(("at", "found"), [(1299, []), (1300, []), (1301, ["missing"])])
def test_a_step_that_cancels_calls_off_what_has_not_come_due_by_then(at: int, found: list[str]) -> None:
    spec = workflow("ABC", deadlines=[("A", "B", 300, None, False)], cancels={0: "C"})
    assert Follower(spec).see(event("A", 1000), event("C", at)).time(9000).kinds() == found


def test_a_cancelled_item_goes_on_and_its_other_deadlines_hold() -> None:
    spec = workflow("ABCD", deadlines=[("A", "B", 300, None, False), ("A", "D", 500, None, False)], cancels={0: "C"})
    follower = Follower(spec).see(event("A", 1000), event("C", 1100)).time(9000)
    assert [(f.kind, f.rule) for f in follower.said] == [("missing", "d1")]


def test_what_happened_before_the_clock_started_cancels_nothing() -> None:
    spec = workflow("ABC", deadlines=[("A", "B", 300, None, False)], cancels={0: "C"})
    assert Follower(spec).see(event("C", 900), event("A", 1000)).time(9000).kinds() == ["missing"]


def test_what_was_said_of_one_form_is_settled_by_that_form_though_the_group_is_named_afterwards() -> None:
    spec = workflow("ABC", flow=["AB"], deadlines=[("A", "B", 300, None, False)], overrides={0: ("X", 900)})
    follower = Follower(spec).see(event("A", 1000)).time(1300).see(in_market("X", "C", 990), event("B", 1600))
    assert [(f.kind, f.deadline) for f in follower.time(9000).said] == [("missing", 1300), ("late", 1300)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_group_that_only_one_of_two_copies_names_counts_whichever_comes_first(order: tuple[int, int]) -> None:
    spec = workflow("ABC", flow=["AB"], deadlines=[("A", "B", 300, None, False)], overrides={0: ("X", 900)})
    copies = [event("C", 10, id="c", groups=(("market", "X"),)), event("C", 5, id="c")]
    follower = Follower(spec).see(*(copies[n] for n in order), event("A", 1000)).time(9000)
    assert [f.deadline for f in follower.said if f.kind == "missing"] == [1900]


def test_what_an_end_has_called_off_at_the_same_instant_but_before_is_not_early() -> None:
    spec = workflow("ABEC", ends="E", deadlines=[("A", "B", 300, None, False)], not_before=[100])
    seen = (event("A", 1000), event("E", 1010), event("B", 1010))
    assert Follower(spec).see(*seen).time(5000).kinds() == []
    assert Follower(spec).see(*seen, event("C", 1005)).time(5000).kinds() == [], "nor when judged anew"


def test_a_second_answer_in_time_does_not_hide_that_the_first_was_early() -> None:
    follower = Follower(NOT_BEFORE_100).see(event("A", 1000), event("B", 1030), event("B", 1150)).time(5000)
    assert [(f.kind, f.event_id) for f in follower.said] == [("early", "B@1030")]
