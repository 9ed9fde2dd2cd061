"""What becomes of misplaced steps: by policy, for all steps or for two of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.core.build import Follower, event
from udfs.core.codec import decode, encode
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow

LONG = 10**8


def chain(order: dict[str, Any], deadlines: list[dict[str, Any]] | None = None, **more: Any) -> Spec:
    steps = {name: {"on": name, "start": name == "A"} for name in "ABCD"}
    definition = {"workflow": "w", "key": "k", "steps": steps, "flow": ["A -> B -> C -> D"], "order": order}
    return compile_workflow(definition | {"deadlines": deadlines or []} | more, version=1, lane="main")


def edge(policy: str, **more: Any) -> dict[str, Any]:
    return {"edges": [{"from": "B", "to": "C", "policy": policy, **more}]}


def swapped(spec: Spec) -> Follower:
    """C came before B."""
    return Follower(spec).see(event("A", 1), event("C", 1000), event("B", 1005)).time(LONG)


@pytest.mark.parametrize("policy", ["flag", "alert"])
def test_a_misplaced_step_is_found_with_its_severity(policy: str) -> None:
    (found,) = swapped(chain({"policy": policy, "severity": "high"})).said
    assert (found.kind, found.severity) == ("out_of_order", "high")


def test_an_edge_may_be_ignored_while_others_are_judged() -> None:
    spec = chain(edge("ignore"))
    assert swapped(spec).kinds() == []
    assert Follower(spec).see(event("C", 1), event("A", 9)).time(LONG).kinds() == ["out_of_order"]


def test_an_edge_may_be_judged_while_others_are_ignored() -> None:
    spec = chain({"policy": "ignore"} | edge("alert", severity="critical"))
    assert [(f.step, f.because, f.severity) for f in swapped(spec).said] == [("B", "C", "critical")]
    assert Follower(spec).see(event("C", 1), event("A", 9)).time(LONG).kinds() == []


@pytest.mark.parametrize(("tolerance", "found"), [("4ms", ["out_of_order"]), ("5ms", []), ("6ms", [])])
def test_an_edge_has_a_tolerance_of_its_own(tolerance: str, found: list[str]) -> None:
    assert swapped(chain(edge("flag", tolerance=tolerance))).kinds() == found


def test_the_step_named_is_the_earliest_that_came_too_soon_by_more_than_its_tolerance() -> None:
    spec = chain(edge("flag", tolerance="1s"))
    follower = Follower(spec).see(event("C", 1), event("D", 3), event("B", 9)).time(LONG)
    assert [(f.step, f.because) for f in follower.said] == [("B", "D")]


REPLY = [{"id": "r", "after": "A", "expect": "B", "within": "1s"}]


@pytest.mark.parametrize(("at", "known"), [(999, True), (1000, True), (1001, False)])
def test_a_dropped_step_is_as_if_it_had_not_come(at: int, known: bool) -> None:
    spec = chain({"policy": "drop"}, REPLY)
    follower = Follower(spec).see(event("C", 1000), event("B", at)).time(5000)
    assert follower.item is not None
    assert [spec.steps[o.step].name for o in follower.item.trace] == (
        ["B", "C"] if at < 1000 else ["C", "B"][: 1 + known]
    )
    assert follower.item.dropped == (not known)
    assert follower.kinds() == []


def test_a_dropped_step_answers_no_deadline() -> None:
    overtaken = chain({"policy": "drop"}, [{"id": "r", "after": "A", "expect": "D", "within": "1s"}])
    assert Follower(overtaken).see(event("A", 1), event("D", 900)).time(LONG).kinds() == []
    lost = [{"id": "r", "after": "C", "expect": "B", "within": "1s"}]
    assert Follower(chain({"policy": "drop"}, lost)).see(event("C", 1), event("B", 9)).time(LONG).kinds() == ["missing"]


def test_only_the_edge_that_says_so_drops() -> None:
    spec = chain({"policy": "flag"} | edge("drop"))
    assert swapped(spec).kinds() == []
    assert Follower(spec).see(event("B", 1), event("A", 9)).time(LONG).kinds() == ["out_of_order"]


def test_where_steps_may_be_dropped_events_are_applied_when_time_has_come_to_them() -> None:
    follower = Follower(chain({"policy": "drop"})).see(event("C", 20), event("B", 10))
    assert follower.moves == {}
    assert list(follower.time(10).moves) == ["B@10"]
    assert list(follower.time(20).moves) == ["B@10", "C@20"]


def test_a_step_reported_behind_time_and_behind_its_follower_is_dropped() -> None:
    follower = Follower(chain({"policy": "drop"})).see(event("A", 1), event("C", 1000)).time(1500).see(event("B", 900))
    assert follower.item is not None
    assert (follower.item.dropped, len(follower.item.trace)) == (1, 2)


def test_a_repeated_step_is_judged_by_its_first_occurrence() -> None:
    follower = Follower(chain({"policy": "drop"})).see(event("A", 1), event("B", 5), event("A", 9)).time(100)
    assert follower.item is not None
    assert follower.item.dropped == 0


def test_events_that_wait_come_back_from_state() -> None:
    follower = Follower(chain({"policy": "drop"})).see(event("A", 1), event("B", 10))
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert list(follower.time(LONG).moves) == ["A@1", "B@10"]


def test_a_waiting_event_behind_the_expiry_begins_the_next_run() -> None:
    spec = chain({"policy": "drop"}, REPLY, expire_after="2s")
    follower = Follower(spec).see(event("A", 1), event("A", 10_000)).time(9_000)
    assert follower.kinds() == ["missing"]
    assert follower.see(event("B", 10_500)).time(10_700).kinds() == ["missing"]
    assert follower.time(LONG).kinds() == ["missing"]
    assert follower.item is None
