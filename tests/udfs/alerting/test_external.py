"""What other systems have found: it goes on as long as they say so, again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, SECOND, Play, logged, told
from udfs.alerting.external import external

UNTIL = NOW + 5 * MINUTE


def full(until: int | None = UNTIL, over: int | None = None) -> dict[str, Any]:
    about: dict[str, Any] = {
        "groups": {"instance": "db1"},
        "begin": NOW - MINUTE,
        "now": NOW,
        "until": until,
        "over": over,
    }
    return external("main", "DiskFull", "instance=db1", "high", "disk is full", **about)


def test_it_is_told_in_its_own_words() -> None:
    play = Play()
    assert told(play.find(full())) == [("anna", "opened", 1)]
    assert play.alert("instance=db1")["summary"] == "DiskFull: disk is full"


@pytest.mark.parametrize(("at", "state"), [(-1, "open"), (0, "expired"), (1, "expired")])
def test_it_expires_when_it_is_not_said_again(at: int, state: str) -> None:
    play = Play()
    play.find(full())
    play.act({"id": "a", "kind": "comment", "alerts": [play.id("instance=db1")], "text": "hm"})
    play.time(UNTIL + at)
    assert play.alert("instance=db1")["state"].replace("escalated", "open") == state


@pytest.mark.parametrize(("at", "ended"), [(-1, False), (0, True), (1, True)])
def test_said_again_it_goes_on_for_longer_and_that_is_no_news(at: int, ended: bool) -> None:
    play = Play(restarts=True)
    play.find(full())
    assert logged(play.find(full(UNTIL + MINUTE), NOW + MINUTE)) == []
    play.run(UNTIL + MINUTE + at)
    assert (play.alert("instance=db1")["ended_ms"] is not None) is ended
    assert play.alert("instance=db1")["count"] == 1


def test_said_again_for_a_shorter_time_it_goes_on_as_long_as_it_would_have() -> None:
    play = Play()
    play.find(full())
    play.find(full(NOW + MINUTE), NOW + SECOND)
    play.run(UNTIL - 1)
    assert play.alert("instance=db1")["ended_ms"] is None


def test_it_is_over_when_that_is_said() -> None:
    play = Play()
    play.find(full())
    play.find(full(None, over=NOW + MINUTE), NOW + MINUTE)
    assert (play.alert("instance=db1")["state"], play.alert("instance=db1")["ended_ms"]) == ("resolved", NOW + MINUTE)


def test_said_again_when_it_had_been_silent_for_too_long_it_is_back() -> None:
    play = Play()
    play.find(full())
    play.run(NOW + HOUR)
    play.find(full(NOW + 2 * HOUR), NOW + HOUR)
    assert (play.alert("instance=db1")["state"], play.alert("instance=db1")["episode"]) == ("open", 2)
