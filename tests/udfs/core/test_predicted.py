"""Deadlines that will hardly be met. B is due within 90 of A; so far it took up to 99, uniformly, so that the chance to
miss it is 10 % at the start, 50 % after 80."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.codec import decode, encode
from udfs.core.measures import Measures, measured, read
from udfs.core.spec import Predict, Spec

SEEN = (50, 75, 90, 95, 99)


def predicting(percent: int = 50, seen: tuple[int, ...] = SEEN, warn: int | None = None, **more: Any) -> Spec:
    spec = workflow("ABC", starts="A", ends="C", deadlines=[("A", "B", 90, warn, False)], **more)
    spec = replace(spec, plain=False, predict=Predict(percent, "low"))
    return measured(spec, Measures({}, {("A", "B"): seen}))


SPEC = predicting()


@pytest.mark.parametrize(("now", "found"), [(1079, []), (1080, ["predicted"]), (1081, ["predicted"])])
def test_it_is_told_when_the_chance_is_as_high_as_is_asked_for(now: int, found: list[str]) -> None:
    assert Follower(SPEC).see(event("A", 1000)).time(now).kinds() == found


@pytest.mark.parametrize(
    ("at", "found"), [(1079, []), (1080, []), (1081, ["predicted"]), (1091, ["predicted", "missing", "late"])]
)
def test_what_has_happened_by_that_very_instant_is_not_told(at: int, found: list[str]) -> None:
    assert Follower(SPEC).see(event("A", 1000), event("B", at)).time(5000).kinds() == found


def test_missing_follows_at_the_deadline_and_the_prediction_says_since_when_and_what_for() -> None:
    first, second = Follower(SPEC).see(event("A", 1000)).time(1085).time(1090).said
    assert (first.rule, first.step, first.because, first.since) == ("d0", "B", "A", 1000)
    assert (first.deadline, first.severity, first.at) == (1080, "low", None)
    assert (second.kind, second.deadline, second.severity) == ("missing", 1090, "high")


@pytest.mark.parametrize(("warn", "kinds"), [(79, ["at_risk", "predicted"]), (81, ["predicted", "at_risk"])])
def test_a_warning_is_told_in_its_place(warn: int, kinds: list[str]) -> None:
    follower = Follower(predicting(warn=warn)).see(event("A", 0))
    assert follower.time(78).kinds() == []
    assert follower.time(79).time(80).time(81).kinds() == kinds


def test_what_was_answered_before_the_instant_is_not_told_when_it_is_judged_anew_behind_it() -> None:
    follower = Follower(SPEC).see(event("A", 0), event("B", 70)).time(85)
    assert follower.see(event("A", 60)).time(5000).kinds() == []


def test_an_end_calls_it_off() -> None:
    assert Follower(SPEC).see(event("A", 0), event("C", 80)).time(5000).kinds() == []


def test_without_statistics_or_where_it_never_takes_so_long_nothing_is_predicted() -> None:
    assert Follower(predicting(seen=())).see(event("A", 0)).time(89).kinds() == []
    assert Follower(predicting(seen=(1, 2, 3, 4, 5))).see(event("A", 0)).time(60).kinds() == []


def test_its_identity_is_the_deadline_whatever_the_statistics_say() -> None:
    (one,) = Follower(SPEC).see(event("A", 0)).time(85).said
    (other,) = Follower(predicting(seen=(60, 80, 95, 97, 99))).see(event("A", 0)).time(85).said
    assert one.deadline != other.deadline
    assert one.id == other.id


def test_other_statistics_hold_from_the_next_look_on_and_nothing_is_told_twice() -> None:
    follower = Follower(SPEC).see(event("A", 0))
    follower.spec = predicting(percent=10)
    assert follower.time(80).kinds() == ["predicted"]
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    follower.spec = SPEC
    assert follower.time(89).kinds() == ["predicted"]


def test_where_clocks_may_stand_still_nothing_is_predicted() -> None:
    assert Follower(predicting(pauses="C")).see(event("A", 0)).time(89).kinds() == []


def test_statistics_that_can_not_be_are_refused() -> None:
    for spans in ({"A": {"B": {"quantiles": [1, 2, 3]}}}, {"A": {"B": {"quantiles": [5, 4, 3, 2, 1]}}}, {"A": 5}):
        with pytest.raises(ValueError, match=r"quantiles|statistics"):
            read({"statistics": {"spans": spans}})


@pytest.mark.parametrize("span", [-1, 1 << 42, 1.5, "5m", None, True])
def test_a_statistic_that_is_no_span_is_refused(span: Any) -> None:
    with pytest.raises(ValueError, match="is no span in ms"):
        read({"statistics": {"steps": {"A": {"p95": span}}}})
