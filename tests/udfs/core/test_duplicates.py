"""Which events are copies: by id, by step, by content, and how far apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.core.build import Follower, event
from udfs.core.codec import decode, encode
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow

LONG = 10**8


def watching(chains: str = "A -> B", *, most: int | None = None, **duplicates: Any) -> Spec:
    steps: dict[str, Any] = {name: {"on": name, "start": name == "A"} for name in "AB"}
    if most:
        steps["B"]["max"] = most
    definition = {"workflow": "w", "key": "k", "steps": steps, "flow": [chains], "duplicates": duplicates}
    return compile_workflow(definition | {"unexpected": {"policy": "ignore"}}, version=1, lane="main")


def copies(spec: Spec, *events: Any) -> list[tuple[str, int, int | None]]:
    follower = Follower(spec).see(*events).time(LONG)
    return [(f.event_id, f.deadline, f.at) for f in follower.said]


def amount(at: int, value: float | None, step: str = "B", **more: Any) -> Any:
    return event(step, at, data={"id": at, "data": None if value is None else {"amount": value, "at": at}}, **more)


@pytest.mark.parametrize(("at", "said"), [(1499, 1), (1500, 1), (1501, 0)])
def test_ids_are_remembered_as_long_as_the_window(at: int, said: int) -> None:
    spec = watching(window="500ms")
    assert len(copies(spec, event("B", 1000, id="x"), event("B", at, id="x"))) == said


def test_a_step_that_happens_again_is_a_copy_by_step() -> None:
    spec = watching(by="step")
    assert copies(spec, event("B", 1000), event("B", 3000), event("A", 500)) == [("B@3000", 1000, 3000)]


@pytest.mark.parametrize(("at", "said"), [(1499, 1), (1500, 1), (1501, 0)])
def test_a_step_that_happens_again_behind_the_window_is_none(at: int, said: int) -> None:
    assert len(copies(watching(by="step", window="500ms"), event("B", 1000), event("B", at))) == said


def test_the_window_is_measured_from_what_counts() -> None:
    spec = watching(by="step", window="500ms")
    assert copies(spec, event("B", 1000), event("B", 1400), event("B", 1800)) == [("B@1400", 1000, 1400)]


def test_which_is_the_copy_is_decided_by_event_time() -> None:
    spec = watching(by="step", window="500ms")
    assert copies(spec, event("B", 1800), event("B", 1400), event("B", 1000)) == [("B@1400", 1000, 1400)]


@pytest.mark.parametrize("spec", [watching("A -> B -> A", by="step"), watching(by="step", most=2)])
def test_a_step_that_may_happen_again_is_no_copy(spec: Spec) -> None:
    assert copies(spec, event("B", 1000), event("B", 1400)) == []


def test_the_same_id_is_a_copy_whatever_else_is_compared() -> None:
    for spec in (watching("A -> B -> A", by="step"), watching(by="content")):
        assert copies(spec, event("B", 1000, id="x"), event("B", 1400, id="x")) == [("x", 1000, 1400)]


def test_a_step_with_the_same_content_is_a_copy_by_content() -> None:
    spec = watching(by="content", content=["data.amount"])
    assert copies(spec, amount(1000, 5), amount(1400, 5)) == [("B@1400", 1000, 1400)]
    assert copies(spec, amount(1000, 5), amount(1400, 6)) == []
    assert copies(spec, amount(1000, 5), amount(900, 5, "A")) == [], "another step"


def test_without_paths_the_data_of_a_cloudevent_is_its_content() -> None:
    spec = watching(by="content")
    same = [event("B", at, data={"id": at, "data": {"x": [1, 2], "y": 1}}) for at in (1000, 1400)]
    assert copies(spec, *same) == [("B@1400", 1000, 1400)]
    assert copies(spec, amount(1000, 5), amount(1400, 5)) == [], "its time is among the data"


def test_what_has_no_content_is_not_compared() -> None:
    spec = watching(by="content", content=["data.amount"])
    assert copies(spec, amount(1000, None), amount(1400, None), event("B", 1500), event("B", 1600)) == []


def test_dropped_copies_are_not_told_and_change_nothing() -> None:
    spec = watching(by="step", policy="drop")
    follower = Follower(spec).see(event("B", 1000), event("B", 1400)).time(LONG)
    assert follower.kinds() == []
    assert list(follower.moves) == ["B@1000"]


def test_what_is_remembered_of_contents_comes_back_from_state() -> None:
    follower = Follower(watching(by="content", content=["data.amount"])).see(amount(1000, 5)).time(1100)
    follower.see(amount(1400, 5))
    assert follower.item is not None
    follower.item = decode(encode(follower.item))
    assert [f.event_id for f in follower.time(LONG).said] == ["B@1400"]
