"""What becomes of an item when the versions of its workflow are looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.effects import Finding
from udfs.core.spec import Spec
from udfs.core.state import Held, Item
from udfs.core.upkeep import Change, bring_up
from udfs.core.versions import NOT, Plan, Version

RULES = workflow("AB", deadlines=[("A", "B", 100, None, False)], ends="B", remember=1000, expire_after=5000)
FIRST = replace(RULES, hash="first")
OTHER = workflow("CD")


def plan(*versions: tuple[int, Spec]) -> Plan:
    return Plan("w", [Version(since, number, one, number) for number, (since, one) in enumerate(versions, 1)], NOT)


def begun(*more: str, at: int = 0) -> Item:
    item = Follower(FIRST).see(event("A", at), *[event(step, at + 10) for step in more]).item
    assert item is not None
    return item


def brought_up(later: Spec, since: int, item: Item, now: int, lives: bool = True) -> Change | None:
    specs = {FIRST.hash: FIRST, later.hash: later}
    return bring_up(specs, plan((0, FIRST), (since, later)), lives, item, now)


def findings(change: Change) -> list[str]:
    return [one.kind for one in change.effects + change.more if isinstance(one, Finding)]


OFF = replace(FIRST, enabled=False)
OVER = replace(RULES, hash="second", migrates=True)


@pytest.mark.parametrize("later", [OFF, OVER])
@pytest.mark.parametrize(("now", "touched"), [(49, False), (50, True), (51, True)])
def test_nothing_happens_before_the_instant(later: Spec, now: int, touched: bool) -> None:
    assert (brought_up(later, 50, begun(), now) is not None) == touched


@pytest.mark.parametrize("later", [OFF, OVER])
@pytest.mark.parametrize(("since", "said"), [(99, []), (100, ["missing"]), (101, ["missing"])])
def test_what_was_due_up_to_the_instant_is_said_under_the_version_before(
    later: Spec, since: int, said: list[str]
) -> None:
    change = brought_up(later, since, begun(), 9000 if later is OFF else since)
    assert change is not None
    assert [one.kind for one in change.effects if isinstance(one, Finding)] == said
    assert change.more == []


def test_an_item_that_had_been_forgotten_by_then_is_neither_moved_nor_closed() -> None:
    for later in (OFF, OVER):
        change = brought_up(later, 7000, begun(), 8000)
        assert change is not None
        assert (change.after, change.closing) == (None, None)
        assert findings(change) == ["missing"]


def test_an_item_that_has_ended_does_not_move_but_makes_way_for_a_closing() -> None:
    assert brought_up(OVER, 50, begun("B"), 60) is None
    change = brought_up(OFF, 50, begun("B"), 60)
    assert change is not None
    assert change.closing is not None
    assert change.after is None


@pytest.mark.parametrize(("ended", "moves"), [(49, False), (50, False), (51, True)])
@pytest.mark.parametrize("arrives", [48, 60])
def test_whether_an_item_had_ended_by_the_instant_decides_and_not_when_that_arrived(
    ended: int, moves: bool, arrives: int
) -> None:
    follower = Follower(FIRST).see(event("A", 0)).time(arrives - 1)
    item = follower.item
    assert item is not None
    if arrives > 50 and moves:  # time comes to the instant before the end arrives
        change = brought_up(OVER, 50, item, 50)
        assert change is not None
        assert change.after is not None
        item, follower.spec = change.after, OVER
    follower.item = item
    item = follower.see(event("B", ended)).item
    assert item is not None
    brought_up(OVER, 50, item, 60)
    assert item.spec == (OVER.hash if moves else FIRST.hash)
    assert item.ended == "completed"


REOPENING = replace(workflow("AB", starts="A", ends="B", remember=1000), hash="first")


@pytest.mark.parametrize(("now", "moves"), [(69, False), (70, True), (71, True)])
def test_an_item_that_is_reopened_behind_the_instant_moves_when_time_has_come_to_that(now: int, moves: bool) -> None:
    item = Follower(REOPENING).see(event("A", 0), event("B", 10), event("B", 60), event("A", 70)).item
    later = replace(REOPENING, hash="second", migrates=True)
    assert item is not None
    versions = plan((0, REOPENING), (50, later))
    assert (bring_up({"first": REOPENING, "second": later}, versions, True, item, now) is not None) == moves


def test_what_was_held_for_an_item_that_lives_longer_after_the_move_answers_in_time() -> None:
    short = replace(RULES, hash="first", expire_after=20)
    longer = workflow("AB", deadlines=[("A", "B", 500, None, False)], expire_after=20)
    longer = replace(longer, hash="second", migrates=True)
    item = Follower(short).see(event("A", 0), event("B", 400)).item
    assert item is not None
    assert item.held is not None
    change = bring_up({"first": short, "second": longer}, plan((0, short), (50, longer)), True, item, 9000)
    assert change is not None
    assert findings(change) == []
    follower = Follower(longer)
    follower.item = change.after
    assert follower.time(9000).kinds() == []


def test_an_item_of_which_nothing_is_left_is_closed_with_the_reason() -> None:
    change = brought_up(replace(OTHER, hash="other", migrates=True), 50, begun(), 60)
    assert change is not None
    assert change.closing == (50, "moved to version 2, which has none of its steps")


def test_an_item_of_a_withdrawn_time_goes_without_a_word() -> None:
    change = brought_up(OVER, 50, begun(), 9000, lives=False)
    assert change is not None
    assert change.closing is not None
    assert (change.closing.reason, change.after, findings(change)) == ("deleted", None, [])


def test_a_run_that_has_not_begun_counts_from_the_first_event_that_waits_for_it() -> None:
    waiting = Item(FIRST.hash, "K")
    waiting.held = [Held(3000, 0, "next", "s", None, 0, (), None)]
    enabled_again = plan((0, FIRST), (2000, OFF), (2500, FIRST))
    assert bring_up({FIRST.hash: FIRST}, enabled_again, True, waiting, 2999) is None
    assert brought_up(OFF, 2900, waiting, 2950) is not None
