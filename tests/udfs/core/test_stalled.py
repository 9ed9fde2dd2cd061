"""Items in flight that have not moved for much longer than usual: three times 100 ms. Steps A, B, C; C ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.codec import decode, encode
from udfs.core.spec import Spec, Stalled
from udfs.core.stalled import limits
from udfs.core.state import NEVER


def paced(usual: int = 100, times: int = 3, at_least: int = 0, **more: Any) -> Spec:
    spec = workflow(more.pop("steps", "ABC"), starts="A", ends="C", **more)
    rule = Stalled(times, at_least, (usual,) * len(spec.steps), "medium")
    return replace(spec, stalled=rule, stalls=limits(rule, (0,) * len(spec.steps)))


SPEC = paced()


@pytest.mark.parametrize(("now", "found"), [(1299, []), (1300, ["stalled"]), (1301, ["stalled"])])
def test_an_item_stands_still_from_three_times_the_usual_on(now: int, found: list[str]) -> None:
    assert Follower(SPEC).see(event("A", 1000)).time(now).kinds() == found


@pytest.mark.parametrize(("at", "found"), [(1299, []), (1300, []), (1301, ["stalled"])])
def test_it_has_moved_when_anything_happened_by_that_very_instant(at: int, found: list[str]) -> None:
    assert Follower(SPEC).see(event("A", 1000), event("B", at), event("C", at + 1)).time(5000).kinds() == found


def test_the_finding_says_where_it_stands_and_since_when() -> None:
    (found,) = Follower(SPEC).see(event("A", 1000)).time(1300).said
    assert (found.rule, found.step, found.since, found.deadline, found.at) == ("stalled", "A", 1000, 1300, None)
    assert (found.occurrence, found.severity, found.delta) == ("1000", "medium", None)


def test_it_is_told_once_for_each_time_that_it_stands_still() -> None:
    follower = Follower(SPEC).see(event("A", 0)).time(500).time(900).see(event("B", 1000)).time(1299)
    assert [(f.step, f.deadline) for f in follower.said] == [("A", 300)]
    assert [(f.step, f.deadline) for f in follower.time(1300).said] == [("A", 300), ("B", 1300)]


def test_what_stood_still_between_two_looks_is_told_as_well() -> None:
    follower = Follower(SPEC).see(event("A", 0), event("B", 500), event("C", 900)).time(2000)
    assert [(f.step, f.deadline) for f in follower.said] == [("A", 300), ("B", 800)]


def test_an_item_that_has_ended_does_not_stand_still_and_one_that_was_reopened_does() -> None:
    follower = Follower(SPEC).see(event("A", 0), event("C", 10), event("B", 20)).time(600)
    assert follower.kinds() == []
    assert follower.see(event("A", 700)).time(1000).kinds() == ["stalled"]


def test_a_copy_moves_nothing() -> None:
    follower = Follower(SPEC).see(event("A", 0, id="1"), event("A", 200, id="1")).time(300)
    assert "stalled" in follower.kinds()


def test_an_item_that_is_paused_does_not_stand_still() -> None:
    spec = paced(steps="ABCPR", pauses="P", resumes="R")
    follower = Follower(spec).see(event("A", 0), event("P", 100)).time(1000)
    assert follower.kinds() == []
    assert [f.deadline for f in follower.see(event("R", 1100)).time(1400).said] == [1400]


def test_at_least_bounds_it_from_below_and_where_nothing_is_usual_nothing_is_said() -> None:
    assert [f.deadline for f in Follower(paced(at_least=500)).see(event("A", 0)).time(9000).said] == [500]
    assert Follower(paced(usual=0)).see(event("A", 0)).time(9000).kinds() == []


def test_what_the_rule_says_is_usual_goes_before_what_was_seen() -> None:
    assert limits(Stalled(2, 30, (50, 0, 0, 0), "low"), (7, 40, 1, 0)) == (100, 80, 30, NEVER)


def test_while_a_source_is_blind_nothing_is_said_and_then_at_once() -> None:
    follower = Follower(replace(SPEC, horizons=(NEVER, 200, NEVER))).see(event("A", 0)).time(200)
    follower.watermark = 800
    assert follower.item is not None
    follower.spec = SPEC
    assert [f.deadline for f in follower.time(801).said] == [300]


def test_other_statistics_hold_for_the_next_look_and_change_nothing_that_is_settled() -> None:
    follower = Follower(SPEC).see(event("A", 0)).time(250)
    follower.spec = paced(usual=50)
    assert follower.see(event("B", 260)).time(409).kinds() == []
    assert [(f.step, f.deadline) for f in follower.time(410).said] == [("B", 410)]
    follower.spec = paced(usual=200)
    assert len(follower.time(1000).said) == 1


def test_a_shorter_span_tells_at_the_next_look_what_stands_still_by_it() -> None:
    follower = Follower(SPEC).see(event("A", 0)).time(250)
    follower.spec = paced(usual=50)
    assert [f.deadline for f in follower.time(300).said] == [150]


def test_what_was_told_survives_being_stored() -> None:
    follower = Follower(SPEC).see(event("A", 0)).time(400)
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert follower.time(900).kinds() == ["stalled"]
    assert follower.item is not None
    assert follower.item.pace is not None
    assert follower.item.pace.stored() == ({}, 0, 0, 1)


def test_an_item_is_not_told_after_it_was_forgotten() -> None:
    assert Follower(paced(expire_after=200)).see(event("A", 0)).time(9000).kinds() == []


def test_an_item_that_was_paused_before_its_trace_was_trimmed_does_not_stand_still() -> None:
    follower = Follower(paced(steps="ABCHR", pauses="H", resumes="R", expire_after=100_000)).see(event("A", 0))
    for n, step in enumerate(["H", "R", "H", *["B"] * 300], 1):
        follower.see(event(step, n)).time(n - 1)
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert follower.item.trimmed
    assert follower.time(9000).kinds() == []
    assert follower.see(event("R", 9001)).time(9301).kinds() == ["stalled"]


def test_a_long_loop_whose_trace_was_trimmed_never_stood_still() -> None:
    follower = Follower(paced(expire_after=10_000))
    for n in range(600):
        follower.see(event("B", n * 10)).time(n * 10 - 50)
    assert follower.time(5990).kinds() == []
