"""Items that wait for child items: a batch and its files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.core.build import Follower, event
from udfs.core.children import surplus
from udfs.core.codec import decode, encode
from udfs.core.spec import Spec
from udfs.operators import rows
from udfs.packs.compile import compile_workflow

LONG = 10**8


STEPS: dict[str, Any] = {
    "announce": {"on": "batch", "start": True},
    "files": {"on": "file", "children": {"key": "data.file", "count": "data.files", "from": "announce"}},
    "close": {"on": "closed", "end": "completed"},
}


def batch(count: int | str = "data.files", **more: Any) -> Spec:
    children = {"key": "data.file", "count": count} | ({"from": "announce"} if isinstance(count, str) else {})
    steps = {**STEPS, "files": {"on": "file", "children": children}}
    definition = {
        "workflow": "w",
        "key": "batch_id",
        "steps": steps,
        "flow": ["announce -> files -> close"],
        "deadlines": [{"id": "load", "after": "announce", "expect": "files", "within": "1s"}],
    }
    return compile_workflow(definition | more, version=1, lane="main")


def announced(at: int, files: Any) -> Any:
    return event("batch", at, data={"data": {"files": files}})


def file(name: str, at: int, id: str = "") -> Any:
    return event("file", at, id=id or f"{name}@{at}", data={"data": {"file": name}})


@pytest.mark.parametrize(("last", "kinds"), [(1099, []), (1100, []), (1101, ["missing", "late"])])
def test_a_step_has_happened_when_the_last_of_its_children_came(last: int, kinds: list[str]) -> None:
    follower = Follower(batch()).see(announced(100, 3), file("a", 300), file("b", 200), file("c", last)).time(LONG)
    assert follower.kinds() == kinds
    if kinds:
        assert [(f.occurrence, f.at) for f in follower.said] == [("2 of 3", None), ("3 of 3", last)]


def test_a_missing_step_says_how_many_of_how_many_have_come() -> None:
    (found,) = Follower(batch(2)).see(announced(100, 0), file("a", 300)).time(LONG).said
    assert (found.kind, found.step, found.because, found.occurrence) == ("missing", "files", "announce", "1 of 2")
    (found,) = Follower(batch()).see(event("batch", 100, data={}), file("a", 300)).time(LONG).said
    assert found.occurrence == "1 of ?"


@pytest.mark.parametrize("said", [None, "many", True, "", -1, {"n": 1}])
def test_what_is_no_number_announces_nothing(said: Any) -> None:
    (found,) = Follower(batch()).see(announced(100, said)).time(LONG).said
    assert found.occurrence == "0 of ?"


def test_the_first_announcement_holds() -> None:
    again = event("batch", 400, data={"data": {"files": 1}})
    follower = (
        Follower(batch()).see(announced(100, 2), file("a", 200), file("b", 300), again, file("c", 500)).time(LONG)
    )
    assert [(f.kind, f.event_id, f.because) for f in follower.said] == [("unexpected", "c@500", "3 of 2")]


def test_children_that_left_the_trace_before_they_were_announced_count_all_the_same() -> None:
    spec = batch(steps={**STEPS, "note": {"on": "note"}}, order={"policy": "ignore"})
    follower = Follower(spec).see(file("a", 1)).time(2).see(file("b", 2))
    for n in range(3, 600):
        follower.see(event("note", n)).time(n)
    assert follower.see(announced(700, 2)).time(800).kinds() == []
    assert follower.item is not None
    assert [o.step for o in follower.item.trace if o.step in (1, 4)] == [1]
    assert surplus(spec, follower.item) == 0


def test_a_number_may_be_sent_as_a_text() -> None:
    assert Follower(batch()).see(announced(100, "1"), file("a", 300)).time(LONG).kinds() == []


def test_a_child_that_comes_again_counts_once() -> None:
    follower = Follower(batch()).see(announced(100, 2), file("a", 300), file("a", 400)).time(LONG)
    assert [f.occurrence for f in follower.said] == ["1 of 2"]


def test_an_event_that_names_no_child_counts_for_none() -> None:
    follower = Follower(batch()).see(announced(100, 1), event("file", 300, data={"data": {}})).time(LONG)
    assert [f.occurrence for f in follower.said] == ["0 of 1"]


def test_an_empty_batch_is_complete_with_its_announcement() -> None:
    follower = Follower(batch()).see(announced(100, 0), event("closed", 100)).time(200)
    assert follower.kinds() == []
    assert follower.item is not None
    assert [o.step for o in follower.item.trace] == [0, 1, 2]
    early = Follower(batch()).see(file("a", 500), event("closed", 500)).time(600).see(announced(100, 0))
    assert early.item is not None
    assert [o.step for o in early.item.trace] == [0, 1, 3, 2]


def test_children_that_come_before_they_are_announced_count() -> None:
    spec = batch(deadlines=[{"id": "shut", "after": "files", "expect": "close", "within": "1s"}])
    follower = Follower(spec).see(file("a", 100), file("b", 200), announced(300, 2)).time(LONG)
    assert [(f.kind, f.rule, f.deadline) for f in follower.said] == [
        ("out_of_order", "order", 200),
        ("missing", "shut", 1200),
    ]


def test_one_child_too_many_is_unexpected() -> None:
    follower = Follower(batch()).see(announced(100, 1), file("a", 300), file("b", 400), file("a", 500)).time(450)
    assert [(f.kind, f.step, f.because, f.event_id) for f in follower.said] == [
        ("unexpected", "files", "2 of 1", "b@400")
    ]
    assert follower.item is not None
    assert surplus(follower.spec, follower.item) == 1
    assert rows.item(follower.spec, follower.item).other == 1  # type: ignore[attr-defined]
    late = Follower(batch()).see(file("a", 100), file("b", 200), announced(300, 1)).time(450)
    assert [(f.kind, f.event_id) for f in late.said if f.kind == "unexpected"] == [("unexpected", "b@200")]


def test_one_child_too_many_is_not_told_where_the_unexpected_is_ignored() -> None:
    spec = batch(unexpected={"policy": "ignore"})
    assert Follower(spec).see(announced(100, 1), file("a", 300), file("b", 400)).time(LONG).kinds() == []


def test_a_child_reported_behind_time_completes_the_step_when_the_last_came() -> None:
    follower = Follower(batch()).see(announced(100, 2), file("b", 500)).time(1100).see(file("a", 300)).time(LONG)
    assert [(f.kind, f.at) for f in follower.said] == [("missing", None), ("reported_late", 500)]


def test_the_steps_name_is_told_of_every_child() -> None:
    follower = Follower(batch()).see(announced(100, 2), file("a", 300), file("b", 400)).time(LONG)
    assert [move.step for move in follower.moves.values()] == ["announce", "files", "files"]


def test_more_children_than_a_trace_holds_are_counted() -> None:
    spec = batch(600)
    follower = Follower(spec).see(announced(1, 0))
    for n in range(2, 601):
        follower.see(file(f"f{n}", n)).time(n)
    assert follower.time(900).see(file("last", 901)).time(LONG).kinds() == []


def test_a_flow_that_is_judged_sees_the_step_when_it_is_complete() -> None:
    spec = batch(unexpected={"policy": "flag"})
    complete = [announced(100, 1), file("a", 300), event("closed", 400)]
    assert Follower(spec).see(*complete).time(LONG).kinds() == []
    some = Follower(spec).see(announced(100, 2), file("a", 300), event("closed", 400)).time(LONG)
    assert [(f.kind, f.step, f.because) for f in some.said] == [("unexpected", "close", "files")]
    late = Follower(spec).see(file("a", 300)).time(350).see(announced(100, 1)).see(event("closed", 400)).time(LONG)
    assert "unexpected" not in late.kinds()


def test_what_is_known_of_children_comes_back_from_state() -> None:
    follower = Follower(batch()).see(announced(100, 2), file("a", 300), file("b", 2000)).time(500)
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert [f.occurrence for f in follower.time(LONG).said] == ["1 of 2", "2 of 2"]
