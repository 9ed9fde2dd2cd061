"""What a pager is told: one incident of its own for each group, open as long as anything in it is to be told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.alerting.build import DAY, HOUR, MINUTE, NOW, SECOND, Play, action, blind, finding, late, messages
from udfs.alerting.policy import Branch, Channel, Escalation, Limit, Policy, Route, Step, Target
from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import render
from udfs.alerting.windows import Window


def pager(*windows: Window, limit: int = 1_000, **route: Any) -> Policy:
    """All is told to a pager, at once."""
    rules = {"name": "all", "escalation": "desk"} | route
    return Policy(
        routes=Branch(Route(**rules)),
        escalations={"desk": Escalation((Step(0, (Target("channel", "duty"),)),))},
        channels={"duty": Channel(Limit(limit), pager=True)},
        agenda=type(Policy().agenda)(windows),
    )


def open_at(play: Play) -> dict[str, str]:
    """What the pager has open, by key, and whether it was acknowledged there; what it is told last counts."""
    found: dict[str, str] = {}
    for one in messages(play.effects):
        event = render({"type": "pagerduty"}, one.row, Addresses()).payload
        assert event is not None
        if event["event_action"] == "resolve":
            assert found.pop(event["dedup_key"], None), "what is closed was open"
        else:
            found[event["dedup_key"]] = event["event_action"]
    return found


def test_the_pager_stays_open_while_another_alert_of_the_group_is() -> None:
    play = Play(pager())
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.run(NOW + 6 * MINUTE)
    play.find(late("T-1"))
    play.run(NOW + HOUR)
    assert list(open_at(play).values()) == ["trigger"]
    play.find(late("T-2"))
    assert open_at(play) == {}


def test_the_pager_stays_open_for_one_that_it_has_not_heard_of_yet_and_closes_with_it() -> None:
    play = Play(pager())
    play.find(finding("T-1"))
    play.find(finding("T-2"), NOW + SECOND)
    play.find(late("T-1"), NOW + 2 * SECOND)
    assert list(open_at(play).values()) == ["trigger"]
    play.find(late("T-2"), NOW + 3 * SECOND)
    assert open_at(play) == {}


def test_the_pager_is_acknowledged_when_nobody_needs_to_be_called_any_more_and_closed_when_all_is_over() -> None:
    play = Play(pager())
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.find(finding("T-3"))
    play.run(NOW + 6 * MINUTE)
    play.act(action("ack", play.id("T-1")))
    assert list(open_at(play).values()) == ["trigger"]
    play.find(late("T-2"))
    play.act(action("ack", play.id("T-3")))
    assert list(open_at(play).values()) == ["acknowledge"]
    play.find(late("T-3"))
    assert list(open_at(play).values()) == ["acknowledge"]
    play.act(action("unack", play.id("T-1")))
    assert list(open_at(play).values()) == ["trigger"]
    play.find(late("T-1"))
    assert open_at(play) == {}


def test_an_alert_that_comes_back_and_ends_before_it_is_told_again_leaves_nothing_open() -> None:
    play = Play(pager())
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.run(NOW + 6 * MINUTE)
    play.find(late("T-1"))
    play.find(finding("T-1", deadline_ms=NOW + 6 * MINUTE))
    play.find(late("T-2"))
    play.find(late("T-1", deadline_ms=NOW + 6 * MINUTE))
    assert open_at(play) == {}


@pytest.mark.parametrize("limit", [1, 2])
def test_what_a_digest_opens_at_a_pager_is_closed_when_all_of_it_is_over(limit: int) -> None:
    play = Play(pager(limit=limit))
    for number in range(4):
        play.find(finding(f"A-{number}", rule=f"r{number}"))
    play.run(NOW + 5 * MINUTE)
    assert len(open_at(play)) == limit + 1
    for number in range(3):
        play.find(late(f"A-{number}", rule=f"r{number}"))
    assert list(open_at(play).values()) == ["trigger"]
    play.find(late("A-3", rule="r3"))
    assert open_at(play) == {}
    assert [one.row["reason"] for one in messages(play.run(NOW + DAY))] == [], "no end is told twice"


def test_a_silence_and_a_cause_close_the_pager_and_what_is_open_behind_them_opens_it_again() -> None:
    play = Play(pager(Window("s", "silence", (), NOW + MINUTE, NOW + HOUR)))
    play.find(finding("T-1"))
    play.run(NOW + MINUTE)
    assert open_at(play) == {}
    play.run(NOW + HOUR)
    assert len(open_at(play)) == 1
    play.find(blind())
    assert len(open_at(play)) == 1, "that of the cause"
    play.find(blind(back=NOW + HOUR))
    play.run(NOW + 2 * HOUR)
    assert len(open_at(play)) == 1, "that of what is still wrong"


def test_what_a_pager_has_open_is_closed_though_the_routes_have_changed() -> None:
    play = Play(pager())
    play.find(finding("T-1"))
    play.configure(pager(name="other", group_by=("key",)))
    play.run(NOW + MINUTE)
    play.find(late("T-1"))
    assert open_at(play) == {}


def test_what_the_pager_was_told_of_is_closed_at_the_latest_when_it_is_forgotten() -> None:
    play = Play(pager(interval_ms=30 * DAY, expire_ms=30 * DAY))
    play.find(finding("T-1"))
    play.find(finding("T-2"), NOW + SECOND)
    play.find(late("T-1"), NOW + 2 * SECOND)
    play.run(NOW + 8 * DAY)
    assert open_at(play) == {}
