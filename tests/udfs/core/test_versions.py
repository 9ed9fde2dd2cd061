"""Which version rules an item, and what becomes of open items when versions are put in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.core.build import workflow
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.core.versions import NOT, Plan, Version


def spec(name: str, *, migrates: bool = False, enabled: bool = True, key: str = "id") -> Spec:
    return replace(workflow("AB"), hash=name, migrates=migrates, enabled=enabled, key=key)


def plan(*versions: tuple[int, Spec], withdrawn: int = NOT) -> Plan:
    """Versions numbered from 1, each with the instant from which on it is in force."""
    made = [Version(since, number, one, number) for number, (since, one) in enumerate(versions, 1)]
    return Plan("w", made, withdrawn)


OFF = plan((0, spec("a")), (100, spec("a", enabled=False)), (200, spec("a")))


@pytest.mark.parametrize(
    ("began", "now", "closed"),
    [
        (50, 99, False),
        (50, 100, True),
        (50, 101, True),
        (50, 900, True),
        (99, 900, True),
        (100, 100, True),
        (199, 199, True),
        (200, 200, False),
        (201, 900, False),
    ],
)
def test_what_was_open_when_a_workflow_was_disabled_is_closed_and_what_begins_afterwards_is_not(
    began: int, now: int, closed: bool
) -> None:
    closing = OFF.closes(began, now)
    assert (closing is not None) == closed
    if closing is not None:
        assert closing == (100, "disabled by version 2")


def test_a_version_that_is_replaced_from_its_own_instant_on_was_never_in_force() -> None:
    assert plan((0, spec("a", enabled=False)), (0, spec("a"))).closes(5, NEVER) is None


@pytest.mark.parametrize(("now", "moved"), [(99, False), (100, True), (101, True)])
def test_a_version_that_migrates_takes_over_once_its_instant_has_come(now: int, moved: bool) -> None:
    over = plan((0, spec("a")), (100, spec("b", migrates=True))).moves(spec("a"), 50, -1, now)
    assert (over is not None and over.spec.hash == "b") == moved


def path(versions: Plan, name: str, began: int, now: int) -> list[str]:
    """The versions that an item under this one moves to, one after the other."""
    taken: list[str] = []
    ruled = -1
    while (over := versions.moves(spec(name), began, ruled, now)) is not None:
        name, ruled = over.spec.hash, over.since
        taken.append(name)
    return taken


def test_items_move_from_version_to_version_as_these_came_into_force() -> None:
    many = plan((0, spec("a")), (1, spec("b", migrates=True)), (2, spec("c", migrates=True)), (3, spec("d")))
    assert path(many, "a", 0, 10) == path(many, "a version that nobody knows any more", 0, 10) == ["b", "c"]
    assert path(many, "a", 0, 1) == ["b"]
    assert path(many, "b", 1, 10) == ["c"]
    assert path(many, "d", 3, 10) == []


def test_an_item_that_began_before_its_times_version_was_known_is_taken_over_by_those_behind_its_own() -> None:
    late = plan((0, spec("a")), (1, spec("b", migrates=True)), (2, spec("c")))
    assert path(late, "a", 5, 10) == ["b"]


def test_a_version_that_comes_back_takes_nothing_over_by_having_been_there_before() -> None:
    back = plan((0, spec("a")), (10, spec("b", migrates=True)), (20, spec("a")))
    assert path(back, "a", 5, 30) == ["b"]
    assert path(back, "a", 25, 30) == []
    assert path(back, "a", 25, 15) == [], "it began ahead of the watermark, under the third"
    forth = plan((0, spec("a")), (10, spec("b", migrates=True)), (20, spec("a", migrates=True)))
    assert path(forth, "a", 5, 30) == ["b", "a"]


def test_a_version_that_follows_another_key_takes_nothing_over() -> None:
    assert path(plan((0, spec("a")), (1, spec("b", migrates=True, key="other"))), "a", 0, 10) == []


def test_a_workflow_that_only_changes_needs_no_plan() -> None:
    assert not plan((0, spec("a")), (5, spec("b"))).intervenes
    assert plan((0, spec("a")), (5, spec("b", migrates=True))).intervenes
    assert plan((0, spec("a", enabled=False))).intervenes
    assert plan(withdrawn=7).intervenes


def test_what_was_put_after_a_withdrawal_has_places_of_its_own() -> None:
    assert plan((0, spec("a"))).prefix == "w\x1f"
    assert plan((0, spec("a")), withdrawn=7).prefix == "w@7\x1f"


def test_there_is_more_to_do_when_a_version_comes_into_force_that_touches_open_items_and_only_then() -> None:
    versions = plan((0, spec("a")), (100, spec("b", migrates=True)), (200, spec("c")), (300, spec("c", enabled=False)))
    digests = [versions.digest(now) for now in (0, 99, 100, 200, 299, 300, NEVER)]
    assert [digests.index(one) for one in digests] == [0, 0, 2, 2, 2, 5, 5]
    assert plan((0, spec("a")), withdrawn=3).digest(0) != plan((0, spec("a")), withdrawn=4).digest(0)
