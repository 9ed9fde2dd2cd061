"""Whoever suppresses an alert until an instant hears of no episode of it before."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import DAY, HOUR, MINUTE, NOW, SECOND, Play, action, answer, finding, late, policy, told
from udfs.alerting.effects import AlertChanged
from udfs.alerting.windows import Window


def suppressed(restarts: bool = False, **until: int) -> Play:
    """Anna has suppressed it, and it has been put right and come back an hour later."""
    play = Play(policy(repeat_ms=0), restarts=restarts)
    play.find(finding())
    play.act(action("suppress", play.id(), **until))
    play.find(late(), NOW + HOUR)
    play.find(finding(deadline_ms=NOW + HOUR), NOW + HOUR + SECOND)
    return play


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("at", [-1, 0, 1])
def test_what_comes_back_stays_quiet_until_then(at: int, restarts: bool) -> None:
    play = suppressed(restarts, until_ms=NOW + DAY)
    row = play.alert()
    assert (row["state"], row["episode"], row["suppressed_by"]) == ("suppressed", 2, "anna")
    assert told(play.effects) == [("anna", "opened", 1), ("anna", "resolved", 1)]
    assert told(play.run(NOW + DAY + at)) == ([("anna", "opened", 1)] if at >= 0 else [])


def test_it_stays_so_in_each_episode_until_somebody_wants_to_hear_of_it() -> None:
    play = suppressed(until_ms=NOW + DAY)
    play.find(late(deadline_ms=NOW + HOUR), NOW + 2 * HOUR)
    play.find(finding(deadline_ms=NOW + 2 * HOUR), NOW + 2 * HOUR + SECOND)
    assert (play.alert()["state"], play.alert()["episode"]) == ("suppressed", 3)
    assert told(play.act(action("unsuppress", play.id()))) == [("anna", "opened", 1)]
    assert answer(play.effects)["outcome"] == "applied"
    play.find(late(deadline_ms=NOW + 2 * HOUR), NOW + 3 * HOUR)
    assert told(play.find(finding(deadline_ms=NOW + 3 * HOUR), NOW + 3 * HOUR + SECOND)) == [("anna", "opened", 1)]


def test_who_suppresses_it_as_long_as_it_lives_hears_of_the_next_episode() -> None:
    assert suppressed().alert()["state"] == "open"


def test_what_comes_back_when_the_time_is_over_is_told() -> None:
    assert suppressed(until_ms=NOW + HOUR + SECOND).alert()["state"] == "open"


def test_it_hides_what_it_explains_also_in_its_next_episode() -> None:
    play = suppressed(until_ms=NOW + DAY)
    play.find(late(deadline_ms=NOW + HOUR), NOW + 2 * HOUR)
    settle = finding(rule="settle", deadline_ms=NOW + 2 * HOUR)
    assert told(play.find(settle, NOW + 2 * HOUR + SECOND)) == [("anna", "opened", 1)]
    effects = play.find(finding(deadline_ms=NOW + 2 * HOUR), NOW + 2 * HOUR + 2 * SECOND)
    states = {one.row["rule"]: one.row["state"] for one in effects if isinstance(one, AlertChanged)}
    assert states == {"reply": "suppressed", "settle": "suppressed"}


@pytest.mark.parametrize("excused", [0, 1])
def test_in_a_maintenance_window_it_is_excused_as_any_other(excused: int) -> None:
    window = Window("w", "maintenance", (), NOW + HOUR - excused, NOW + 2 * HOUR)
    play = Play(policy(window, repeat_ms=0))
    play.find(finding())
    play.act(action("suppress", play.id(), until_ms=NOW + DAY))
    play.find(late(), NOW + MINUTE)
    play.find(finding(deadline_ms=NOW + HOUR - 1), NOW + HOUR + SECOND)
    assert (play.alert()["state"], play.alert()["excused"]) == ("suppressed", excused)
