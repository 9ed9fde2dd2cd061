"""Which step an event is, what events and transitions are made of, and runs of a key that follow each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.effects import Finding, Transition
from udfs.core.machine import on_event
from udfs.core.match import match
from udfs.core.source import Position, Unreadable
from udfs.core.spec import Spec
from udfs.core.state import NEVER

SHORT = workflow("AB", remember=100, expire_after=1000, deadlines=[("A", "B", 300, None, False)])


def conditional() -> Spec:
    spec = workflow("A")
    step = replace(spec.steps[0], where=((("data", "kind"), ("x",)),))
    return replace(spec, steps=(step,), by_type={"A": (step,)})


@pytest.mark.parametrize(
    ("data", "matches"),
    [
        ({"data": {"kind": "x"}}, True),
        ({"data": {"kind": "y"}}, False),
        ({"data": {"kind": ["x"]}}, False),
        ({"data": "x"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_an_event_is_the_step_whose_conditions_hold(data: dict[str, object] | None, matches: bool) -> None:
    assert (match(conditional(), event("A", 1, data=data)) is not None) == matches


def test_an_item_whose_time_is_over_has_its_last_word_before_the_next_one_begins() -> None:
    first, _ = on_event(SHORT, None, event("A", 1000), -NEVER)
    second, effects = on_event(SHORT, first, event("A", 5000), 4000)
    assert [e.deadline for e in effects if isinstance(e, Finding)] == [1300]
    assert second is not None
    assert second.run == 5000


def test_of_several_runs_that_wait_each_begins_when_the_one_before_is_over() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("A", 5000), event("A", 20_000)).time(50_000)
    assert [f.deadline for f in follower.said] == [1300, 5300, 20_300]
    assert follower.item is None


def test_events_and_transitions_are_compared_by_what_they_say() -> None:
    assert event("A", 1) == event("A", 1) != event("A", 2)
    assert repr(event("A", 1)).startswith("Event('A@1', 's', 'A', 1, 'K'")
    moves = [e for e in on_event(SHORT, None, event("A", 1), -NEVER)[1] if isinstance(e, Transition)]
    assert [move.fields()[:4] for move in moves] == [("A@1", "s", "A", "A")]


def test_an_unreadable_record_says_why() -> None:
    assert str(Unreadable("no_key", "there is nothing at `id`")) == "no_key: there is nothing at `id`"


def test_where_a_record_stands_is_a_name() -> None:
    assert str(Position("events", 3, 14)) == "events-3-14"
