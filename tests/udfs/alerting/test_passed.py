"""What a cause can't explain: what lies behind a step that the item has passed, and parts that the whole waits for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import GRAPH, MINUTE, NOW, SECOND, Play, action, alerts, finding, stalled_step, told
from udfs.alerting.effects import AlertChanged
from udfs.alerting.graph import graph_of
from udfs.packs.compile import compile_workflow

WAITING = replace(GRAPH, awaiting={"batches": frozenset({"loaded"})})


def state(play: Play, rule: str) -> str:
    return [str(one.row["state"]) for one in play.effects if isinstance(one, AlertChanged) and one.row["rule"] == rule][
        -1
    ]


@pytest.mark.parametrize(("because", "expected"), [("", "suppressed"), ("send", "open"), ("reply", "open")])
@pytest.mark.parametrize("first", ["send", "settle"])
def test_a_missing_step_explains_only_what_the_item_can_not_have_come_to_without_it(
    because: str, expected: str, first: str
) -> None:
    play = Play()
    rows = [finding(rule="send"), finding(rule="settle", because=because)]
    for row in rows if first == "send" else reversed(rows):
        play.find(row)
    assert state(play, "settle") == expected


def test_an_acknowledged_lost_event_hides_no_failure_behind_a_step_that_was_seen() -> None:
    play = Play()
    play.find(finding(rule="send"))
    play.act(action("ack", play.id()))
    effects = play.find(finding(rule="settle", because="reply"), NOW + 26 * MINUTE)
    assert told(effects)[0][0] == "anna"


@pytest.mark.parametrize(("step", "expected"), [("send", "open"), ("reply", "suppressed")])
def test_a_step_that_stands_still_explains_nothing_of_items_that_have_left_it(step: str, expected: str) -> None:
    play = Play()
    play.find(stalled_step(step))
    play.find(finding(rule="settle", because="reply"))
    assert state(play, "settle") == expected


@pytest.mark.parametrize(("at", "expected"), [("send", "suppressed"), ("reply", "open")])
def test_an_item_that_stands_still_is_held_up_by_its_own_step_and_by_none_before(at: str, expected: str) -> None:
    play = Play()
    play.find(stalled_step("send"))
    play.find(finding(kind="stalled", rule="stuck", step=at))
    assert state(play, "stuck") == expected


def test_a_whole_that_waits_for_its_parts_hides_none_of_them() -> None:
    play = Play(graph=WAITING)
    batch = finding("B-1", workflow="batches", rule="loaded", occurrence="2 of 3", deadline_ms=NOW - MINUTE)
    play.find(batch)
    play.find(finding("T-7", groups={"batch": "B-1"}), NOW + SECOND)
    assert {key: row["state"] for key, row in alerts(play.effects).items()} == {"B-1": "open", "T-7": "open"}


def test_the_graph_knows_which_steps_wait_for_parts() -> None:
    batch = {
        "workflow": "batch",
        "key": "batch_id",
        "steps": {
            "opened": {"on": "opened", "start": True},
            "loaded": {"on": "file.loaded", "children": {"key": "data.file", "count": 3}},
            "closed": {"on": "closed"},
        },
        "flow": ["opened -> loaded -> closed"],
    }
    graph = graph_of([compile_workflow(batch, version=1, lane="main")])
    waiting = [step for step in ("opened", "loaded", "closed") if graph.awaits_parts("batch", step)]
    assert waiting == ["loaded", "closed"]
    assert not graph.awaits_parts("nothing", "loaded")
