"""The clock, or the job, was away for long: of the steps that became due meanwhile only the one due now tells.

Anna is told at once, Ben after two minutes, Eve after ten.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, PEOPLE, Play, action, finding, logged, policy, told
from udfs.alerting.effects import Logged
from udfs.alerting.policy import Escalation, Step, Target


@pytest.mark.parametrize(
    ("after", "whom"),
    [
        (10 * MINUTE - 1, ["ben"]),
        (10 * MINUTE, ["eve"]),
        (10 * MINUTE + 1, ["eve"]),
        (3 * HOUR, ["eve"]),
    ],
)
def test_of_several_steps_that_are_due_at_once_only_the_last_tells(after: int, whom: list[str]) -> None:
    play = Play()
    play.find(finding())
    effects = play.time(NOW + after)
    assert [person for person, _, _ in told(effects)] == whom
    assert play.alert()["level"] == (1 if whom == ["ben"] else 2)
    assert ("passed" in logged(effects)) == (whom == ["eve"])


def test_the_story_says_which_step_was_left_out_and_when_it_was_due() -> None:
    play = Play()
    play.find(finding())
    play.time(NOW + HOUR)
    (passed,) = [one.row for one in play.effects if isinstance(one, Logged) and one.row["what"] == "passed"]
    assert passed["why"] == "step 1 of desk, due 2023-11-14 22:15:20 UTC, was left out: a later one is due"
    assert (passed["from"], passed["to"]) == ("open", "open")


def test_step_by_step_everybody_is_told() -> None:
    play = Play()
    play.find(finding())
    assert [person for person, _, _ in told(play.run(NOW + HOUR))] == ["ben", "eve"]


def test_steps_of_one_instant_all_tell() -> None:
    play = Play()
    steps = tuple(Step(after, (Target("person", name),)) for after, name in ((0, "anna"), (5, "ben"), (5, "eve")))
    play.configure(replace(policy(), escalations={"desk": Escalation(steps)}))
    play.find(finding())
    assert {person for person, _, _ in told(play.time(NOW + HOUR))} == {"ben", "eve"}


def test_where_the_last_step_reaches_nobody_the_one_before_tells() -> None:
    play = Play(replace(policy(), people={name: PEOPLE[name] for name in ("anna", "ben")}))
    play.find(finding())
    effects = play.time(NOW + HOUR)
    assert [person for person, _, _ in told(effects)] == ["ben"]
    assert logged(effects) == ["escalated", "escalated", "notified", "unreached"]


def test_where_no_step_reaches_anybody_each_is_known_to_have_reached_nobody() -> None:
    play = Play(replace(policy(), people={"anna": PEOPLE["anna"]}))
    play.find(finding())
    assert logged(play.time(NOW + HOUR)).count("unreached") == 2


def test_what_was_acknowledged_meanwhile_escalates_no_more() -> None:
    play = Play()
    play.find(finding())
    play.act(action("ack", play.id()), NOW + HOUR)
    assert "ben" not in {person for person, _, _ in told(play.time(NOW + HOUR))}


def test_a_restart_between_changes_nothing() -> None:
    plays = [Play(restarts=restarts) for restarts in (False, True)]
    for play in plays:
        play.find(finding())
        play.time(NOW + HOUR)
        play.time(NOW + 2 * HOUR)
    assert plays[0].effects == plays[1].effects
