"""What nothing more is heard of: people are told that, and not that it was put right."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import DAY, HOUR, MINUTE, NOW, Play, action, finding, late, messages, policy, told
from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import render


def test_that_an_alert_has_expired_is_told_as_that() -> None:
    play = Play(policy(repeat_ms=0))
    play.find(finding())
    effects = play.run(NOW + 7 * DAY)
    assert [one for one in told(effects) if one[1] != "escalated"] == [
        (name, "expired", 1) for name in ("anna", "ben", "eve")
    ]
    (row, *_) = (one.row for one in messages(effects) if one.row["reason"] == "expired")
    assert row["title"] == "Expired: trades T-1: reply is missing, due 2023-11-14 22:13:19 UTC"
    event = render({"type": "pagerduty"}, row, Addresses()).payload
    assert event is not None
    assert event["event_action"] == "resolve"


def test_what_expires_and_what_is_put_right_at_one_moment_are_two_messages() -> None:
    play = Play(policy(repeat_ms=0, interval_ms=0))
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.find(late("T-2"), NOW + 7 * DAY)
    play.time(NOW + 7 * DAY)
    assert [one[1] for one in told(play.effects) if one[0] == "anna"] == ["opened", "update", "resolved", "expired"]


@pytest.mark.parametrize("at", [-1, 0, 1])
def test_an_acknowledged_alert_lives_as_long_as_its_cause_and_has_all_its_time_when_that_runs_out(at: int) -> None:
    play = Play(policy(repeat_ms=0))
    play.find(finding())
    ends = NOW + 10 * DAY
    play.act(action("ack", play.id(), until_ms=ends), NOW + MINUTE)
    effects = play.run(ends + at)
    assert play.alert()["state"] == ("acknowledged" if at < 0 else "open")
    assert told(effects) == ([("anna", "reminder", 1)] if at >= 0 else [])
    play.run(ends + 7 * DAY - 1)
    assert play.alert()["state"] == "escalated"
    play.run(ends + 7 * DAY)
    assert play.alert()["state"] == "expired"


def test_what_has_no_cure_expires_though_somebody_is_at_it() -> None:
    play = Play(policy(repeat_ms=0))
    play.find(finding(kind="duplicate"))
    play.act(action("ack", play.id(), who="ben"))
    assert told(play.run(NOW + 4 * HOUR)) == [("anna", "expired", 1)]
    assert play.alert()["state"] == "expired"
