"""What was at risk and is done in time, or called off, ends its alert."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import DAY, MINUTE, NOW, SECOND, Play, finding, late, logged, messages, relieved, told
from udfs.alerting.effects import Logged

WARNED = finding(kind="at_risk", deadline_ms=NOW - MINUTE)


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (30 * SECOND, "done in time, 30 s before the deadline"),
        (0, "done at the very deadline"),
        (None, "called off"),
    ],
)
def test_it_is_resolved_with_its_delta_and_those_who_were_told_hear_of_it(before: int | None, said: str) -> None:
    play = Play()
    play.find(WARNED)
    effects = play.find(relieved(before=before), NOW + MINUTE)
    row = play.alert()
    assert (row["state"], row["ended_ms"]) == ("resolved", NOW + MINUTE)
    assert row["delta_ms"] == (None if before is None else -before)
    assert told(effects) == [("anna", "resolved", 1)]
    (end,) = [one.row for one in effects if isinstance(one, Logged) and one.row["what"] == "resolved"]
    assert end["why"] == said
    assert row["summary"].endswith(said) == (before is not None)


def test_one_that_was_over_before_it_was_heard_of_never_opens() -> None:
    play = Play()
    assert messages(play.find(relieved())) == []
    assert play.alert()["state"] == "resolved"
    assert messages(play.find(WARNED)) == []
    assert play.alert()["state"] == "resolved"


def test_it_comes_twice_and_ends_once() -> None:
    play = Play()
    play.find(WARNED)
    play.find(relieved())
    assert play.find(relieved(), NOW + MINUTE) == []


def test_the_end_of_the_prediction_beside_it_is_counted() -> None:
    play = Play()
    play.find(WARNED)
    play.find(relieved())
    effects = play.find(relieved() | {"id": "p", "kind": "predicted"}, NOW + SECOND)
    assert logged(effects) == ["counted"]
    assert told(effects) == []


def test_what_is_missing_is_not_put_right_by_it() -> None:
    play = Play()
    play.find(WARNED)
    play.find(finding())
    assert logged(play.find(relieved())) == ["counted"]
    assert play.alert()["state"] == "open"
    play.find(late())
    assert play.alert()["state"] == "resolved"


def test_when_it_is_taken_back_what_is_missing_then_opens_the_alert_again() -> None:
    play = Play()
    play.find(WARNED)
    play.find(relieved())
    assert play.find(WARNED, NOW + SECOND) == []
    play.find(finding(), NOW + 2 * SECOND)
    assert (play.alert()["state"], play.alert()["episode"]) == ("open", 2)


def test_the_next_run_of_the_key_at_risk_opens_the_alert_again() -> None:
    play = Play()
    play.find(WARNED)
    play.find(relieved())
    play.find(finding(kind="at_risk", deadline_ms=NOW + DAY), NOW + DAY)
    assert (play.alert()["state"], play.alert()["episode"]) == ("open", 2)
