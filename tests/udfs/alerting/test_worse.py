"""What gets worse, or is worse than what a group was told of, doesn't wait for the group's interval."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import MINUTE, NOW, SECOND, Play, finding, messages, policy, relieved, told


@pytest.mark.parametrize("restarts", [False, True])
def test_what_was_told_as_at_risk_is_told_as_missing_at_once_and_first_by_the_first_step(restarts: bool) -> None:
    play = Play(policy(), restarts=restarts)
    play.find(finding("T-1", "at_risk", deadline_ms=NOW))
    play.run(NOW + MINUTE - 1)
    assert told(play.find(finding("T-1", deadline_ms=NOW + MINUTE), NOW + MINUTE)) == [("anna", "update", 1)]
    assert told(play.run(NOW + 2 * MINUTE)) == [("ben", "escalated", 1)]
    assert told(play.run(NOW + 9 * MINUTE)) == [], "and not a second time"


def test_of_several_that_get_worse_the_first_is_told_at_once_and_the_others_after_the_interval() -> None:
    play = Play(policy(limit=100))
    for key in ("T-1", "T-2", "T-3"):
        play.find(finding(key, "at_risk", deadline_ms=NOW))
    at = NOW + MINUTE
    assert told(play.find(finding("T-1", deadline_ms=at), at)) == [("anna", "update", 3)], "with what was waiting"
    assert told(play.find(finding("T-2", deadline_ms=at), at + 1)) == []
    assert told(play.find(finding("T-3", deadline_ms=at), at + 2)) == []
    later = at + 5 * MINUTE
    assert [one for one in told(play.run(later - 1)) if one[0] == "anna"] == []
    assert [one for one in told(play.run(later)) if one[0] == "anna"] == [("anna", "update", 2)]


def test_the_first_that_is_more_severe_than_what_the_group_was_told_of_is_told_at_once() -> None:
    play = Play(policy(limit=100))
    heard = []
    for number, severity in enumerate(("low", "low", "high", "medium", "high", "critical", "critical")):
        row = finding(f"T-{number}", severity=severity, groups={"place": str(number)})
        heard.append(told(play.find(row, NOW + number * SECOND)))
    first, update = [("anna", "opened", 1)], "update"
    assert heard == [first, [], [("anna", update, 2)], [], [], [("anna", update, 3)], []]
    effects = play.run(NOW + 5 * SECOND + 5 * MINUTE)
    assert [one for one in told(effects) if one[0] == "anna"] == [("anna", update, 1)]


def test_after_an_interval_the_next_message_counts_and_no_worse_one_of_before() -> None:
    play = Play(policy(limit=100))
    play.find(finding("T-1", severity="critical"))
    at = NOW + 6 * MINUTE
    play.run(at)
    play.find(finding("T-2", severity="low", groups={"place": "2"}), at)
    assert told(play.find(finding("T-3", severity="critical", groups={"place": "3"}), at + SECOND))[0][1] == "update"


def test_an_escalation_of_what_is_worse_does_not_wait_for_that_of_another() -> None:
    play = Play(policy(limit=100))
    play.find(finding("T-1", severity="low"))
    play.find(finding("T-2", severity="critical"), NOW + SECOND)
    play.run(NOW + 2 * MINUTE)
    effects = play.run(NOW + 2 * MINUTE + SECOND)
    assert [(one.row["person"], [row["key"] for row in one.row["alerts"]]) for one in messages(effects)] == [
        ("ben", ["T-2"])
    ]


def test_what_was_at_risk_and_is_done_in_time_hurries_nothing() -> None:
    play = Play(policy(limit=100))
    play.find(finding("T-1", severity="high"))
    play.find(finding("T-2", "at_risk", severity="high"), NOW + SECOND)
    assert told(play.find(relieved("T-2"), NOW + 2 * SECOND)) == []
