"""Verdicts on order and on copies of an event."""

from __future__ import annotations

import pytest

from tests.udfs.core.build import Follower, event, workflow

CHAIN = workflow("ABCD", flow=["AB", "BC", "CD"])


@pytest.mark.parametrize(("at", "found"), [(1001, []), (1002, []), (1003, ["out_of_order"])])
def test_disorder_up_to_the_tolerance_is_put_right_silently(at: int, found: list[str]) -> None:
    tolerant = workflow("AB", flow=["AB"], tolerance=2)
    assert Follower(tolerant).see(event("B", 1000), event("A", at)).time(2000).kinds() == found


def test_a_step_behind_one_that_must_follow_it_is_named_with_the_one_that_came_too_soon() -> None:
    (found,) = Follower(CHAIN).see(event("A", 1), event("C", 5), event("B", 9)).time(100).said
    assert (found.step, found.because, found.deadline, found.at, found.delta) == ("B", "C", 5, 9, 4)


def test_disorder_is_certain_only_when_no_earlier_occurrence_can_come_any_more() -> None:
    follower = Follower(CHAIN).time(4).see(event("B", 5), event("A", 9))
    assert follower.kinds() == [], "an A from before the B may be on its way"
    assert follower.time(5).kinds() == ["out_of_order"]
    assert (
        Follower(CHAIN)
        .time(4)
        .see(event("B", 5), event("A", 9), event("A", 5, id="z"), event("A", 4))
        .time(100)
        .kinds()
        == []
    )


def test_an_event_reported_behind_time_and_behind_its_follower_is_out_of_order() -> None:
    follower = Follower(CHAIN).see(event("B", 1000)).time(1500).see(event("A", 900))
    assert follower.kinds() == ["out_of_order"]


def test_a_step_that_never_comes_is_not_out_of_order() -> None:
    assert Follower(CHAIN).see(event("A", 1), event("C", 5), event("D", 9)).time(100).kinds() == []


def test_steps_on_a_loop_have_no_order() -> None:
    loop = workflow("ABC", flow=["AB", "BA", "BC"])
    assert Follower(loop).see(event("B", 1), event("A", 5), event("B", 9), event("C", 12)).time(100).kinds() == []


def test_a_repeated_step_is_judged_by_its_first_occurrence() -> None:
    assert Follower(CHAIN).see(event("A", 1), event("B", 5), event("A", 9)).time(100).kinds() == []


def test_nothing_is_said_of_order_where_the_workflow_ignores_it() -> None:
    ignoring = workflow("AB", flow=["AB"], order="ignore")
    assert Follower(ignoring).see(event("B", 1), event("A", 9)).time(100).kinds() == []


def test_each_copy_of_an_event_is_a_finding_of_its_own() -> None:
    follower = Follower(CHAIN).see(*[event("A", 1000)] * 3)
    assert [(f.kind, f.step, f.occurrence) for f in follower.said] == [
        ("duplicate", "A", "s A@1000 #1"),
        ("duplicate", "A", "s A@1000 #2"),
    ]
    assert len({f.id for f in follower.said}) == 2


def test_the_same_id_from_another_source_is_another_event() -> None:
    assert Follower(CHAIN).see(event("A", 1, id="1"), event("B", 2, id="1", source="other")).kinds() == []


def test_dropped_copies_change_nothing_and_are_not_found() -> None:
    dropping = workflow("AB", duplicates="drop", deadlines=[("A", "B", 300, None, False)])
    follower = Follower(dropping).see(event("A", 1000), event("A", 1000), event("B", 1300), event("B", 1300)).time(9000)
    assert follower.kinds() == []


def test_copies_count_as_occurrences_where_the_workflow_ignores_identity() -> None:
    ignoring = workflow("A", duplicates="ignore", deadlines=[("A", "A", 60, None, False)])
    assert Follower(ignoring).see(event("A", 1000), event("A", 1000)).time(2000).kinds() == []


def test_copies_with_different_time_stamps_count_once_at_the_earliest() -> None:
    timed = workflow("AB", deadlines=[("A", "B", 300, None, False)])
    follower = Follower(timed).see(event("A", 1050, id="a"), event("A", 1000, id="a")).time(1300)
    assert [(f.kind, f.deadline) for f in follower.said] == [("duplicate", 1000), ("missing", 1300)]
