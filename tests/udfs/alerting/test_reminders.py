"""What stays open unanswered is told again, also in a group in which much happens."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, STEPS, Play, action, finding, late, messages, policy
from udfs.alerting.policy import Escalation, Policy


def quiet() -> Policy:
    """Anna is told, and nobody else; reminders each four hours."""
    return replace(policy(), escalations={"desk": Escalation(STEPS[:1])})


def tells_of(play: Play, key: str) -> list[tuple[str, float]]:
    said = [one.row for one in messages(play.effects) if play.id(key) in one.row["revs"]]
    return [(row["reason"], (row["at_ms"] - NOW) / HOUR) for row in said]


@pytest.mark.parametrize("restarts", [False, True])
def test_others_of_the_group_put_no_reminder_off(restarts: bool) -> None:
    play = Play(quiet(), restarts=restarts)
    play.find(finding("T-1", severity="critical"))
    for number in range(1, 5):
        at = NOW + number * 3 * HOUR
        play.run(at)
        play.find(finding(f"X-{number}", severity="low", deadline_ms=at - 1), at)
        play.run(at + MINUTE)
        play.find(late(f"X-{number}", severity="low", deadline_ms=at - 1), at + MINUTE)
    play.run(NOW + 13 * HOUR)
    assert tells_of(play, "T-1") == [("opened", 0), ("reminder", 4), ("reminder", 8), ("reminder", 12)]


def test_a_message_about_all_that_is_open_is_as_good_as_a_reminder() -> None:
    play = Play(policy())
    play.find(finding("T-1"))
    play.run(NOW + 10 * MINUTE)
    play.run(NOW + 4 * HOUR + 10 * MINUTE - 1)
    assert ("reminder", 4) not in tells_of(play, "T-1")
    play.run(NOW + 4 * HOUR + 10 * MINUTE)
    assert tells_of(play, "T-1")[-1] == ("reminder", 4 + 10 / 60)


def test_what_is_answered_needs_no_reminder_and_lets_the_next_begin_anew() -> None:
    play = Play(quiet())
    play.find(finding("T-1"))
    play.act(action("ack", play.id("T-1")), NOW + HOUR)
    play.run(NOW + 3 * HOUR)
    play.find(finding("T-2"), NOW + 3 * HOUR)
    play.run(NOW + 7 * HOUR - 1)
    assert [reason for reason, _ in tells_of(play, "T-2")] == ["update"]
    play.run(NOW + 7 * HOUR)
    assert [reason for reason, _ in tells_of(play, "T-2")] == ["update", "reminder"]
