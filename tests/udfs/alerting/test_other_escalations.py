"""An alert that gets worse, or whose routes change, and goes to another escalation by that."""

from __future__ import annotations

from dataclasses import replace

from tests.udfs.alerting.build import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    STEPS,
    Play,
    action,
    finding,
    late,
    logged,
    policy,
    told,
)
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import Branch, Channel, Escalation, Policy, Route, Step, Target

ROOM = Target("channel", "room")


def warned(*room: Step) -> Policy:
    """What is at risk goes to a room, what is missing to Anna, Ben and Eve."""
    kinds = (Matcher("kind", frozenset({"at_risk", "predicted"})),)
    routes = Branch(
        Route("main", "desk", "desk", interval_ms=HOUR),
        below=(Branch(Route("main/warn", "desk", "room", interval_ms=HOUR), kinds),),
    )
    rules = policy(routes=routes)
    return replace(
        rules,
        escalations=rules.escalations | {"room": Escalation(room or (Step(0, (ROOM,)),))},
        channels=rules.channels | {"room": Channel()},
    )


def missing(at: int) -> dict[str, object]:
    return finding("T-1", "missing", deadline_ms=at - SECOND)


def test_another_escalation_begins_when_the_alert_comes_to_it_with_its_first_step() -> None:
    play = Play(warned())
    assert told(play.find(finding("T-1", "at_risk"))) == [("", "opened", 1)]
    at = NOW + 45 * MINUTE
    play.run(at)
    assert told(play.find(missing(at), at)) == [("anna", "update", 1)]
    assert told(play.run(at + 2 * MINUTE - 1)) == []
    assert told(play.run(at + 2 * MINUTE)) == [("ben", "escalated", 1)]
    assert told(play.run(at + 10 * MINUTE)) == [("eve", "escalated", 1)]
    assert "passed" not in logged(play.effects)


def test_how_far_it_had_come_in_the_one_before_counts_no_more() -> None:
    play = Play(warned(Step(0, (ROOM,)), Step(MINUTE, (Target("person", "eve"),))))
    play.find(finding("T-1", "at_risk"))
    play.run(NOW + 45 * MINUTE)
    assert (play.alert()["state"], play.alert()["level"]) == ("escalated", 1)
    at = NOW + 45 * MINUTE
    effects = play.find(missing(at), at)
    assert (play.alert()["state"], play.alert()["level"]) == ("open", 0)
    assert logged(effects) == ["rerouted", "raised", "notified"]
    assert play.alert()["respond_by_ms"] == at + HOUR, "people hear of it now"
    play.run(at + 2 * MINUTE)
    assert (play.alert()["state"], play.alert()["level"]) == ("escalated", 1)


def test_what_a_later_step_was_still_to_tell_is_not_told_by_the_other_escalation() -> None:
    play = Play(warned(Step(0, (ROOM,)), Step(MINUTE, (ROOM,))))
    for key, at in (("T-0", NOW), ("T-1", NOW + SECOND)):
        play.find(finding(key, "at_risk"), at)
    play.run(NOW + 2 * MINUTE)  # T-1's first and second step wait for the interval
    at = NOW + 3 * MINUTE
    assert told(play.find(missing(at), at)) == [("anna", "opened", 1)]
    assert told(play.run(at + 2 * MINUTE)) == [("ben", "escalated", 1)]


def test_one_that_nobody_is_told_of_any_more_is_open_and_who_was_told_hears_of_its_end() -> None:
    play = Play(warned(Step(0, (ROOM,)), Step(MINUTE, (ROOM,))))
    play.find(finding("T-1", "at_risk"))
    play.run(NOW + 2 * MINUTE)
    rules = warned()
    play.configure(replace(rules, routes=Branch(Route("none"))))
    assert told(play.run(NOW + 3 * MINUTE)) == []
    assert (play.alert()["state"], play.alert()["level"]) == ("open", 0)
    assert told(play.end(action("resolve", play.id()))) == [("", "resolved", 1)]


def test_the_same_escalation_on_another_route_goes_on_where_it_was() -> None:
    play = Play(policy())
    play.find(finding())
    play.run(NOW + 3 * MINUTE)
    play.configure(replace(policy(name="other"), escalations={"desk": Escalation(STEPS)}))
    assert told(play.run(NOW + 10 * MINUTE)) == [("eve", "escalated", 1)]
    assert [who for who, _, _ in told(play.find(late()))] == ["anna", "ben", "eve"]
