"""What meets in one leap of time, or at one moment, and hardly ever does otherwise."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import (
    DAY,
    GRAPH,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    blind,
    finding,
    late,
    policy,
    told,
)
from udfs.alerting.desk import Desk

ESCALATED = [("ben", "escalated", 1), ("eve", "escalated", 1)]


def gathered(restarts: bool = False) -> Play:
    """Five alerts that share something, of which T-0 is told."""
    play = Play(restarts=restarts)
    for number in range(5):
        play.find(finding(f"T-{number}"), NOW + number)
    return play


def test_an_incident_whose_count_is_due_when_all_of_it_expires_has_one_row_for_both() -> None:
    play = gathered()
    play.find(finding("T-5"), NOW + 5)
    effects = play.time(NOW + 8 * DAY)
    assert [one.row["state"] for one in effects if type(one).__name__ == "IncidentChanged"] == ["resolved"]


def test_a_cause_whose_count_is_due_when_it_is_forgotten_is_no_more() -> None:
    play = Play()
    play.find(blind())
    play.find(finding())
    play.find(blind(back=NOW), NOW + SECOND)
    play.find(late(), NOW + 2 * SECOND)
    play.time(NOW + 8 * DAY)
    assert not [name for name in play.saved if name.startswith("a/")]


def test_alerts_that_share_something_go_on_sharing_it_after_a_restart() -> None:
    for restarts in (False, True):
        play = gathered(restarts)
        play.find(finding("T-9"))
        assert play.alert("T-9")["incident"] == play.alert("T-0")["incident"] != ""
        assert play.alert("T-9")["explained_by"] == play.id("T-0")


def test_one_that_is_taken_out_of_what_is_shared_leaves_the_told_one_as_it_is() -> None:
    play = gathered()
    play.act(action("unsuppress", play.id("T-3")))
    assert (play.alert("T-3")["state"], play.alert("T-0")["state"]) == ("open", "open")
    play.find(finding("T-9"))
    assert play.alert("T-9")["explained_by"] == play.id("T-0")


def test_an_alert_is_forgotten_though_its_end_has_not_been_told_yet() -> None:
    play = Play(policy(interval_ms=30 * DAY))
    for begins, lasts in ((NOW, MINUTE), (NOW + HOUR, 11 * MINUTE)):
        play.find(finding(deadline_ms=begins), begins)
        play.run(begins + lasts)
        play.find(late(deadline_ms=begins), begins + lasts)
    assert told(play.effects) == [("anna", "opened", 1), ("anna", "resolved", 1), *ESCALATED]
    play.run(NOW + 9 * DAY)
    assert not [name for name in play.saved if name.startswith("a/")]
    assert told(play.run(NOW + 70 * DAY)) == []


def test_a_cause_that_nobody_was_told_of_yet_is_not_told_again_for_what_it_explains() -> None:
    play = Play(policy(escalation="second"))
    play.find(blind())
    effects = play.find(finding())
    assert play.alert()["explained_by"] == play.id("gateway")
    assert told(effects) == []
    assert [person for person, _, _ in told(play.run(NOW + 2 * MINUTE))] == ["ben"]


def test_when_less_is_allowed_than_before_a_recipients_tokens_take_longer_to_fill() -> None:
    play = Play(policy(limit=2))
    play.find(finding())
    play.configure(policy(limit=1))
    play.run(NOW + 2 * MINUTE - 1)
    assert [name for name in play.saved if name.startswith("l/")] == []
    play.find(finding("T-2", rule="send"))
    play.configure(policy(limit=1_000))
    play.configure(policy(limit=1))
    play.time(NOW + 2 * MINUTE)
    assert [name for name in play.saved if name.startswith("l/")] != []


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("predicted", "trades T-1: reply will hardly be in time"),
        ("at_risk", "trades T-1: reply is at risk since 2023-11-14 22:13:19 UTC"),
        ("stalled", "trades T-1: stands still at reply since 2023-11-14 22:12:20 UTC"),
        ("out_of_order", "trades T-1: reply is out of order"),
    ],
)
def test_each_kind_is_said_plainly(kind: str, says: str) -> None:
    play = Play()
    play.find(finding(kind=kind))
    assert play.alert()["summary"] == says


def test_entries_that_are_not_the_desks_are_left_alone() -> None:
    desk = Desk(policy(), GRAPH, [("other", b"x"), ("z/1", b"x")])
    assert (desk.next_time(), desk.changes()) == (None, {})
