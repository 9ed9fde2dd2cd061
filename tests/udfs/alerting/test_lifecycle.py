"""The life of one alert, from the finding to its end."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    alerts,
    answer,
    finding,
    halted,
    late,
    logged,
    policy,
    told,
)
from udfs.alerting.policy import EMPTY


def test_a_finding_opens_an_alert_and_the_first_person_is_told_at_once() -> None:
    effects = Play().find(finding())
    assert told(effects) == [("anna", "opened", 1)]
    row = alerts(effects)["T-1"]
    assert (row["state"], row["episode"], row["count"], row["opened_ms"]) == ("open", 1, 1, NOW)
    assert row["next_ms"] == NOW + 2 * MINUTE
    assert logged(effects) == ["opened", "notified"]


def test_without_a_policy_every_alert_is_kept_and_nobody_is_told() -> None:
    play = Play(EMPTY)
    assert told(play.find(finding())) == []
    assert play.alert()["state"] == "open"
    assert told(play.run(NOW + 30 * DAY)) == []


def test_the_same_finding_again_changes_nothing() -> None:
    play = Play()
    play.find(finding())
    assert play.find(finding(), NOW + MINUTE) == []


@pytest.mark.parametrize(("at", "whom"), [(-1, []), (0, ["ben"]), (1, ["ben"])])
def test_the_next_person_is_told_when_nobody_has_answered_by_the_instant(at: int, whom: list[str]) -> None:
    play = Play()
    play.find(finding())
    effects = play.time(NOW + 2 * MINUTE + at)
    assert [person for person, _, _ in told(effects)] == whom
    assert play.alert()["state"] == ("escalated" if whom else "open")
    assert play.alert()["level"] == len(whom)


def test_what_is_put_right_is_resolved_with_its_delta_and_those_who_were_told_hear_of_it() -> None:
    play = Play()
    play.find(finding())
    effects = play.find(late(after=90 * SECOND), NOW + MINUTE)
    row = play.alert()
    assert (row["state"], row["delta_ms"], row["ended_ms"]) == ("resolved", 90 * SECOND, NOW + MINUTE)
    assert told(effects) == [("anna", "resolved", 1)]
    assert halted(effects) == {play.id(): row["rev"]}


def test_late_before_missing_never_opens() -> None:
    play = Play()
    assert told(play.find(late())) == []
    assert told(play.find(finding())) == []
    assert play.alert()["state"] == "resolved"


def test_at_risk_becomes_missing_in_the_same_alert_and_is_told_again() -> None:
    play = Play(policy(interval_ms=0))
    play.find(finding(kind="at_risk", severity="low", deadline_ms=NOW - MINUTE))
    effects = play.find(finding(), NOW + SECOND)
    assert told(effects) == [("anna", "update", 1)]
    row = play.alert()
    assert (row["kind"], row["severity"], row["count"], row["episode"]) == ("missing", "high", 2, 1)


def test_an_acknowledged_alert_tells_nobody_until_it_is_over() -> None:
    play = Play()
    play.find(finding())
    effects = play.act(action("ack", play.id(), who="ben"), NOW + MINUTE)
    assert answer(effects)["outcome"] == "applied"
    assert halted(effects) == {play.id(): play.alert()["rev"]}
    assert told(effects) == [("anna", "acknowledged", 1)]
    assert told(play.run(NOW + 23 * HOUR)) == []


def test_an_ack_at_the_very_instant_of_the_escalation_comes_first() -> None:
    play = Play()
    play.find(finding())
    play.act(action("ack", play.id()), NOW + 2 * MINUTE)
    assert told(play.time(NOW + 2 * MINUTE)) == []


@pytest.mark.parametrize(("at", "state"), [(-1, "acknowledged"), (0, "open"), (1, "open")])
def test_an_ack_that_runs_out_reminds_and_escalates_anew(at: int, state: str) -> None:
    play = Play()
    play.find(finding())
    play.act(action("ack", play.id(), until_ms=NOW + HOUR))
    effects = play.time(NOW + HOUR + at)
    assert play.alert()["state"] == state
    assert told(effects) == ([("anna", "reminder", 1)] if at >= 0 else [])
    if at >= 0:
        assert ("ben", "escalated", 1) in told(play.run(NOW + HOUR + 3 * MINUTE))


def test_a_recurrence_opens_again_as_a_new_episode() -> None:
    play = Play(policy(interval_ms=0))
    play.find(finding())
    play.act(action("ack", play.id()))
    play.find(late(), NOW + MINUTE)
    effects = play.find(finding(deadline_ms=NOW + HOUR), NOW + HOUR)
    assert told(effects) == [("anna", "opened", 1)]
    assert (play.alert()["episode"], play.alert()["acked_by"], play.alert()["state"]) == (2, "", "open")


@pytest.mark.parametrize(("kind", "span"), [("missing", 7 * DAY), ("duplicate", 4 * HOUR), ("at_risk", 7 * DAY)])
def test_every_alert_ends_by_itself(kind: str, span: int) -> None:
    play = Play()
    play.find(finding(kind=kind))
    play.run(NOW + span - 1)
    assert play.alert()["state"] == "escalated"
    play.time(NOW + span)
    assert play.alert()["state"] == "expired"
    play.run(NOW + span + 8 * DAY)
    assert play.saved == {}


def test_garbage_is_refused_with_what_is_wrong() -> None:
    play = Play()
    with pytest.raises(ValueError, match="severity `huge` is none of"):
        play.find(finding(severity="huge"))
    with pytest.raises(ValueError, match="is no finding"):
        play.find({"id": "x"})
    assert play.find({**finding(), "surprise": [1]})


def test_what_comes_again_days_later_by_other_routes_finds_its_group_gone_and_a_new_one() -> None:
    play = Play()
    play.find(finding())
    play.find(late(), NOW + MINUTE)
    play.run(NOW + DAY)
    play.configure(policy(name="other"))
    effects = play.find(finding(deadline_ms=NOW + DAY), NOW + DAY)
    assert told(effects) == [("anna", "opened", 1)]
    assert (play.alert()["route"], play.alert()["episode"]) == ("other", 2)
