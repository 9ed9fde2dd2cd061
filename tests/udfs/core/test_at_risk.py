"""What was at risk, or likely to be missed, and is done in time or called off after all: it is said again under its id.

B is due within 100 of A, and at risk from 80 on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.core.build import Follower, event, workflow
from tests.udfs.core.test_migrate import Mover
from tests.udfs.core.test_predicted import SEEN, predicting
from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime
from udfs.core.codec import decode, encode
from udfs.core.effects import Finding
from udfs.core.measures import Measures, measured
from udfs.core.spec import LAST, Predict, Spec
from udfs.core.state import NEVER
from udfs.core.upkeep import bring_up
from udfs.core.versions import NOT, Plan, Version
from udfs.core.zone import UTC

Said = list[tuple[str, int | None, int | None, str]]


def warning(**more: Any) -> Spec:
    return workflow("ABCD", starts="A", deadlines=[("A", "B", 100, 80, False)], **{"ends": "C"} | more)


def said(found: list[Finding]) -> Said:
    return [(one.kind, one.at, one.delta, one.event_id) for one in found]


def warned(spec: Spec | None = None, kind: type[Follower] = Follower) -> Any:
    """An item that has been at risk for 5 ms."""
    follower = kind(spec or warning()).see(event("A", 0)).time(85)
    assert said(follower.said) == [("at_risk", None, None, "")]
    follower.said.clear()
    return follower


@pytest.mark.parametrize(
    ("at", "then"),
    [
        (99, [("at_risk", 99, -1, "B@99")]),
        (100, [("at_risk", 100, 0, "B@100")]),
        (101, [("missing", None, None, ""), ("late", 101, 1, "B@101")]),
    ],
)
def test_what_was_at_risk_and_is_done_by_the_deadline_is_said_to_be(at: int, then: Said) -> None:
    assert said(warned().see(event("B", at)).time(5000).said) == then


def test_it_is_said_at_once_under_the_id_of_the_warning() -> None:
    follower = Follower(warning()).see(event("A", 0)).time(85).see(event("B", 90))
    first, second = follower.said
    assert first.id == second.id
    assert second._replace(at=None, delta=None, event_id="") == first


def test_what_was_answered_before_anybody_looked_is_told_once_with_its_end() -> None:
    follower = Follower(warning()).see(event("A", 0), event("B", 90)).time(79)
    assert follower.kinds() == []
    assert said(follower.time(80).said) == [("at_risk", 90, -10, "B@90")]


@pytest.mark.parametrize("at", [79, 80])
def test_what_never_was_at_risk_is_said_nothing_of(at: int) -> None:
    assert Follower(warning()).see(event("A", 0), event("B", at)).time(5000).kinds() == []


def test_an_end_calls_it_off() -> None:
    assert said(warned().see(event("C", 90)).time(5000).said) == [("at_risk", 90, None, "")]


def test_a_step_that_cancels_calls_it_off() -> None:
    follower = warned(warning(ends="", cancels={0: "D"})).see(event("D", 90))
    assert said(follower.time(99).said) == [("at_risk", 90, None, "")]


def test_the_next_one_calls_it_off_where_the_last_counts() -> None:
    follower = warned(warning(anchors={0: LAST})).see(event("A", 90))
    assert said(follower.time(99).said) == [("at_risk", 90, None, "")]


@pytest.mark.parametrize(("first", "second", "by"), [("B", "C", "B@90"), ("C", "B", "")])
def test_of_an_answer_and_an_end_of_one_instant_that_which_came_first_counts(first: str, second: str, by: str) -> None:
    for watermark in (79, 85):
        follower = Follower(warning()).see(event("A", 0)).time(watermark)
        follower.see(event(first, 90), event(second, 90)).time(99)
        assert follower.said[-1].event_id == by


def test_an_earlier_answer_that_arrives_later_takes_its_place() -> None:
    follower = warned().see(event("B", 95), event("B", 90)).time(5000)
    assert said(follower.said) == [("at_risk", 95, -5, "B@95"), ("at_risk", 90, -10, "B@90")]


def test_a_prediction_ends_likewise_and_keeps_the_instant_that_it_was_told_with() -> None:
    follower = Follower(predicting(warn=85)).see(event("A", 0)).time(86)
    assert sorted(follower.kinds()) == ["at_risk", "predicted"]
    follower.spec = measured(follower.spec, Measures({}, {("A", "B"): (70, 90, 97, 98, 99)}))
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    follower.see(event("B", 88))
    before, after = ({one.id: one for one in part} for part in (follower.said[:2], follower.said[2:]))
    assert before.keys() == after.keys()
    for id, one in after.items():
        assert (one.at, one.delta, one.deadline) == (88, -2, before[id].deadline)


def test_a_prediction_that_comes_after_the_deadline_leaves_the_late_answer_alone() -> None:
    rules = [("A", "B", 90, None, False), ("A", "D", 95, None, False)]
    spec = replace(workflow("ABCD", starts="A", deadlines=rules), plain=False, predict=Predict(50, "low"))
    follower = Follower(measured(spec, Measures({}, {}))).see(event("A", 0)).time(90)
    follower.spec = measured(spec, Measures({}, {("A", "B"): SEEN}))
    assert follower.time(95).kinds() == ["missing", "predicted", "missing"]
    assert said(follower.see(event("B", 201)).said)[-1] == ("late", 201, 111, "B@201")


def test_while_it_is_paused_nothing_is_missed_and_an_answer_has_no_delta() -> None:
    spec = warning(pauses="D")
    assert said(warned(spec).see(event("D", 90)).time(5000).see(event("B", 5001)).said) == [
        ("at_risk", 5001, None, "B@5001")
    ]


def test_how_much_before_its_deadline_it_was_done_is_reckoned_as_it_stood_then() -> None:
    spec = warning(pauses="D", resumes="C", ends="", order="ignore")
    for watermark in (81, 5000):
        follower = Follower(spec).see(event("A", 0)).time(80)
        follower.see(event("D", 81), event("C", 91)).see(event("B", 95)).see(event("D", 96), event("C", 99))
        (last,) = {one.id: one for one in follower.time(watermark).said}.values()
        assert (last.at, last.delta) == (95, -15)


def test_a_pause_that_ended_earlier_than_it_seemed_takes_it_back() -> None:
    spec = warning(pauses="D", resumes="A", order="ignore")
    follower = warned(spec).see(event("D", 90), event("B", 150), event("A", 95)).time(5000)
    assert said(follower.said) == [
        ("at_risk", 150, None, "B@150"),
        ("at_risk", None, None, ""),
        ("missing", None, None, ""),
        ("late", 150, 45, "B@150"),
    ]


@pytest.mark.parametrize(("paused", "told"), [(99, []), (100, []), (101, [("at_risk", 100)])])
def test_a_pause_when_business_has_closed_does_not_undo_what_was_told_at_the_close(
    paused: int, told: list[tuple[str, int]]
) -> None:
    office = BusinessTime(UTC, Calendar(week=((20, 100),) * 7))
    spec = warning(pauses="D", business={0: office}, expire_after=1000)
    follower = Follower(spec).see(event("A", 20)).time(98).see(event("D", paused)).time(5000)
    assert [(one.kind, one.deadline) for one in follower.said][:1] == told


def test_an_item_that_is_forgotten_while_it_is_paused_is_at_risk_no_more() -> None:
    follower = warned(warning(pauses="D", expire_after=1000)).see(event("D", 90)).time(1089)
    assert follower.said == []
    assert said(follower.time(1090).said) == [("at_risk", 1090, None, "")]
    assert follower.item is None


def test_a_pause_that_is_told_after_the_warning_that_it_would_have_spared_leaves_an_instant() -> None:
    follower = warned(warning(pauses="D", expire_after=1000)).see(event("D", 70)).time(5000)
    (one,) = follower.said
    assert (one.kind, one.deadline, one.at) == ("at_risk", 0, 1070)


def versions(spec: Spec, **later: Any) -> tuple[dict[str, Spec], Plan]:
    """A version that holds from 90 on."""
    other = replace(spec, **{"hash": "other"} | later)
    plan = Plan("w", [Version(0, 1, spec, 1), Version(90, 2, other, 2)], NOT)
    return {spec.hash: spec, other.hash: other}, plan


def test_an_item_that_is_closed_is_at_risk_no_more() -> None:
    specs, plan = versions(warning(), enabled=False)
    change = bring_up(specs, plan, True, warned().item, 95)
    assert change is not None
    assert said([one for one in change.effects if isinstance(one, Finding)]) == [("at_risk", 90, None, "")]


def test_an_item_of_a_withdrawn_time_is_at_risk_no_more() -> None:
    specs, plan = versions(warning())
    change = bring_up(specs, plan, False, warned().item, 95)
    assert change is not None
    assert said([one for one in change.effects if isinstance(one, Finding)]) == [("at_risk", 95, None, "")]


def test_an_item_of_which_a_move_leaves_nothing_is_at_risk_no_more() -> None:
    other = replace(workflow("XY"), migrates=True, hash="other")
    spec = warning()
    plan = Plan("w", [Version(0, 1, spec, 1), Version(90, 2, other, 2)], NOT)
    change = bring_up({spec.hash: spec, "other": other}, plan, True, warned().item, 95)
    assert change is not None
    assert change.closing is not None
    assert said([one for one in change.effects if isinstance(one, Finding)]) == [("at_risk", 90, None, "")]


def test_an_item_that_moves_to_a_version_without_the_deadline_is_at_risk_no_more() -> None:
    mover = warned(kind=Mover)
    assert said(mover.move(replace(workflow("ABCD", starts="A", ends="C"), hash="other"))) == [
        ("at_risk", 85, None, "")
    ]
    assert mover.time(5000).see(event("B", 5001)).kinds() == ["at_risk"]


def renamed(within: int, warn: int) -> Spec:
    """The deadline means something else under its old name."""
    spec = workflow("ABCD", starts="A", ends="C", deadlines=[("A", "B", within, warn, False)])
    rule = replace(spec.deadlines[0], hash="else")
    return replace(spec, hash="other", deadlines=(rule,), starts=((rule,), (), (), ()), expects=((), (rule,), (), ()))


@pytest.mark.parametrize(
    ("within", "warn", "told"),
    [
        (100, 80, []),
        (200, 80, []),
        (200, 160, [("at_risk", 85, None, "")]),
        (200, 84, [("at_risk", None, None, "")]),
        (85, 80, [("missing", None, None, "")]),
    ],
)
def test_where_the_new_version_says_as_much_or_worse_it_stays_at_risk(within: int, warn: int, told: Said) -> None:
    mover = warned(kind=Mover)
    assert said(mover.move(renamed(within, warn))) == told


def test_what_stays_at_risk_through_a_move_is_answered_afterwards() -> None:
    mover = warned(kind=Mover)
    mover.move(renamed(200, 80))
    assert said(mover.see(event("B", 190)).said) == [("at_risk", 190, -10, "B@190")]


def test_what_was_answered_before_the_move_is_not_said_again() -> None:
    mover = warned(kind=Mover).see(event("B", 90))
    mover.said.clear()
    assert mover.move(renamed(100, 80)) == []
    assert mover.time(NEVER - 1).kinds() == []
