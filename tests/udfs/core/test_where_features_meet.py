"""What two parts of the language do together, where a review found that one did not know of the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.duplicates import MOST_COPIES
from udfs.core.migrate import migrate
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.packs.compile import compile_workflow

MINUTE = 60_000


def chain(*steps: str, **more: Any) -> Spec:
    """Steps in a row, the first to the last within ten minutes."""
    definition: dict[str, Any] = {
        "workflow": "w",
        "key": "id",
        "groups": ["market"],
        "steps": {name: {"on": name} for name in steps},
        "flow": [" -> ".join(steps)],
        "deadlines": [{"id": "all", "after": steps[0], "expect": steps[-1], "within": "10m"}],
    }
    return compile_workflow(definition | more, version=1, lane="main")


def test_an_item_that_waits_for_a_blind_source_takes_further_events() -> None:
    spec = replace(chain("open", "mid", "done", order={"policy": "drop"}), horizons=(NEVER, NEVER, 5 * MINUTE))
    follower = Follower(spec).see(event("open", MINUTE))
    follower.watermark = 11 * MINUTE + 30_000
    follower.see(event("mid", 12 * MINUTE))
    assert follower.said == []
    assert follower.item is not None
    assert len(follower.item.held or ()) == 1


def test_what_was_held_under_a_version_that_waits_is_applied_by_one_that_does_not() -> None:
    old, new = chain("open", "done", order={"policy": "drop"}), chain("open", "done")
    follower = Follower(old).see(event("open", 0)).time(9 * MINUTE).see(event("done", 9 * MINUTE + 500))
    assert follower.item is not None
    follower.item, _ = migrate(old, new, follower.item, 9 * MINUTE)
    follower.spec = new
    assert follower.time(20 * MINUTE).said == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_child_that_was_held_counts_for_the_same_step_of_the_new_version(turned: bool) -> None:
    def batch(turn: bool) -> Spec:
        steps: dict[str, Any] = {
            "open": {"on": "open"},
            "files": {"on": "file", "children": {"key": "data.file", "count": 2}},
        }
        if turn:
            steps = {"early": {"on": "early"}, **dict(reversed(steps.items()))}
        rule = {"id": "load", "after": "open", "expect": "files", "within": "10m"}
        return chain("open", "files", steps=steps, flow=["open -> files"], deadlines=[rule])

    def file(name: str, at: int) -> Any:
        return event("file", at, data={"data": {"file": name}})

    old, new = batch(False), batch(turned)
    follower = Follower(old).see(event("open", 0, data={}), file("a", 1000)).time(MINUTE).see(file("b", MINUTE + 1))
    assert follower.item is not None
    follower.item, _ = migrate(old, new, follower.item, MINUTE)
    follower.spec = new
    assert follower.time(20 * MINUTE).said == []


def test_a_very_long_trace_moves_to_a_version_without_the_form_that_its_warning_was_of() -> None:
    rule: dict[str, Any] = {"id": "all", "after": "open", "expect": "done", "within": "1h", "warn": "10%"}
    old = chain("open", "mid", "done", deadlines=[rule | {"overrides": [{"when": {"market": "EU"}, "within": "2h"}]}])
    follower = Follower(old).see(event("open", 0, groups=(("market", "EU"),))).time(20 * MINUTE)
    follower.see(event("done", 21 * MINUTE))
    for n in range(300):
        follower.see(event("mid", 22 * MINUTE + n)).time(22 * MINUTE + n)
    assert follower.item is not None
    moved, effects = migrate(old, chain("open", "mid", "done", deadlines=[rule]), follower.item, follower.watermark)
    assert moved is not None
    assert [e for e in effects if getattr(e, "kind", "") == "missing"] == []


def test_a_pause_that_a_version_brings_holds_what_was_armed_before() -> None:
    old = chain("open", "hold", "go", "done", order={"policy": "ignore"})
    new = chain("open", "hold", "go", "done", order={"policy": "ignore"}, pause={"while": ["hold"], "resume": ["go"]})
    follower = Follower(old).see(event("open", 0), event("hold", MINUTE), event("go", 5 * MINUTE)).time(10 * MINUTE)
    assert follower.kinds() == ["missing"]
    follower.item, _ = migrate(old, new, follower.item, 10 * MINUTE)  # type: ignore[arg-type]
    follower.spec = new
    assert [f.deadline for f in follower.time(20 * MINUTE).said] == [10 * MINUTE, 14 * MINUTE]


@pytest.mark.parametrize("order", permutations(["B@1000", "A@2000", "B@2200"]))
def test_a_deadline_that_was_overtaken_is_not_early_in_whatever_order_events_come(order: tuple[str, ...]) -> None:
    spec = workflow("AB", flow=["AB"], deadlines=[("A", "B", 3000, None, False)], not_before=[500])
    events = [event(name.split("@")[0], int(name.split("@")[1])) for name in order]
    assert Follower(spec).see(*events).time(100_000).kinds() == ["out_of_order"]


def test_the_names_of_copies_do_not_pile_up() -> None:
    spec = chain("open", "done", duplicates={"policy": "flag", "by": "step"})
    follower = Follower(spec)
    for n in range(2 * MOST_COPIES):
        follower.see(event("open", n, id=f"x{n}")).time(n)
    assert follower.item is not None
    assert len(follower.item.copies or ()) <= MOST_COPIES
    assert follower.item.copied == 2 * MOST_COPIES - 1


def test_what_becomes_of_children_too_many_is_part_of_what_a_workflow_means() -> None:
    steps = {"open": {"on": "open"}, "files": {"on": "file", "children": {"key": "data.file", "count": 2}}}
    hashes = {
        chain("open", "files", steps=steps, **more).hash
        for more in ({}, {"unexpected": {"policy": "ignore"}}, {"unexpected": {"severity": "critical"}})
    }
    assert len(hashes) == 3


def test_the_zone_of_an_override_is_part_of_what_a_workflow_means() -> None:
    calendars = {"a": {"zone": "UTC", "hours": "09:00-17:00"}, "b": {"hours": "09:00-17:00"}}
    rule = {"id": "all", "after": "open", "expect": "done", "within": "4h", "calendar": "a"}
    rules = [rule | {"overrides": [{"when": {"market": "EU"}, "calendar": "b"}]}]
    one, other = (chain("open", "done", calendars=calendars, deadlines=rules, zone=z) for z in ("UTC", "Asia/Tokyo"))
    assert one.hash != other.hash
    assert one.deadlines[0].hash != other.deadlines[0].hash


def test_a_deadline_that_waits_for_fewer_children_now_is_judged_anew_and_said_once() -> None:
    def batch(count: int) -> Spec:
        steps = {"open": {"on": "open"}, "files": {"on": "file", "children": {"key": "data.file", "count": count}}}
        rule = {"id": "load", "after": "open", "expect": "files", "within": "10m"}
        return chain("open", "files", steps=steps, flow=["open -> files"], deadlines=[rule])

    old, new = batch(3), batch(2)
    follower = Follower(old).see(event("open", 0, data={}))
    follower.see(event("file", 1000, data={"data": {"file": "a"}})).time(10 * MINUTE)
    assert [(f.kind, f.occurrence) for f in follower.said] == [("missing", "1 of 3")]
    assert follower.item is not None
    follower.item, _ = migrate(old, new, follower.item, 10 * MINUTE)
    follower.spec = new
    follower.see(event("file", 11 * MINUTE, data={"data": {"file": "b"}})).time(20 * MINUTE)
    assert [(f.kind, f.occurrence) for f in follower.said][-1] == ("late", "2 of 2")
