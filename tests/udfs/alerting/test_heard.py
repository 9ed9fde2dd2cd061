"""Nothing is hidden behind a cause of which people hear later than they would of it: not by a group's wait or interval,
nor by a digest."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, SECOND, Play, blind, finding, messages, policy, told
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import Branch, Channel, Escalation, Limit, Policy, Route, Step, Target

ONCE = Escalation((Step(0, (Target("person", "anna"),)),))


def with_sources(**route: Any) -> Policy:
    """Anna is told of trades at once; sources have a route of their own."""
    sources = Route("sources", "ops", "once", group_by=("lane",), **{"repeat_ms": 0} | route)
    below = (Branch(sources, (Matcher("kind", frozenset({"blind"})),)),)
    rules = policy(routes=Branch(Route("trades", "desk", "once", repeat_ms=0), below=below))
    return replace(rules, escalations={"once": ONCE})


def about(play: Play, key: str) -> list[int]:
    """When a message told of an alert, in ms from NOW on."""
    return [one.row["at_ms"] - NOW for one in messages(play.effects) if play.id(key) in one.row["revs"]]


@pytest.mark.parametrize(("wait", "hidden"), [(0, True), (1, False), (10 * MINUTE, False)])
def test_what_would_be_told_at_once_is_not_hidden_behind_a_source_whose_group_waits(wait: int, hidden: bool) -> None:
    play = Play(with_sources(wait_ms=wait))
    play.find(blind())
    play.find(finding(severity="critical"))
    play.run(NOW + HOUR)
    assert about(play, "T-1") == ([] if hidden else [0])
    assert about(play, "gateway")[0] == wait


def test_nor_behind_one_whose_group_has_just_been_told_of_another() -> None:
    play = Play(with_sources(interval_ms=HOUR))
    play.find(blind(since=NOW - HOUR) | {"key": "other", "occurrence": "orders", "id": "o"}, NOW - MINUTE)
    play.find(blind(), NOW)
    play.find(finding("T-1"), NOW + SECOND)
    assert about(play, "T-1") == [SECOND]
    play.run(NOW + HOUR)
    assert about(play, "gateway") == [HOUR - MINUTE]
    play.find(finding("T-2"), NOW + HOUR + SECOND)
    assert play.alert("T-2")["explained_by"] == play.id("gateway"), "now people know of it"


@pytest.mark.parametrize(("severity", "hidden"), [("low", True), ("medium", False), ("critical", False)])
def test_what_is_worse_than_its_group_was_told_of_goes_at_once_and_not_behind_a_source_that_waits(
    severity: str, hidden: bool
) -> None:
    play = Play(with_sources(wait_ms=MINUTE))
    play.find(finding("T-0", severity="low", deadline_ms=NOW - 2 * HOUR))
    play.find(blind())
    play.find(finding("T-1", severity=severity), NOW + SECOND)
    assert about(play, "T-1") == ([] if hidden else [SECOND])
    assert bool(play.alert("T-1")["explained_by"]) == hidden


def test_what_people_know_of_is_hidden_if_they_hear_of_the_cause_before_they_would_of_it_again() -> None:
    play = Play(with_sources(wait_ms=10 * MINUTE))
    play.find(finding("T-1"))
    play.find(blind(), NOW + SECOND)
    assert play.alert("T-1")["explained_by"] == play.id("gateway")


@pytest.mark.parametrize(("wait", "hidden"), [(-1, True), (0, True), (1, False)])
def test_and_else_it_goes_on_being_told(wait: int, hidden: bool) -> None:
    rules = with_sources(wait_ms=2 * MINUTE + wait)
    trades = Route("trades", "desk", "desk", repeat_ms=0)
    rules = replace(
        rules, routes=replace(rules.routes, route=trades), escalations=policy().escalations | {"once": ONCE}
    )
    play = Play(rules)
    play.find(finding("T-1"))
    play.find(blind())
    assert bool(play.alert("T-1")["explained_by"]) == hidden


def test_a_reminder_is_hearing_of_it_again() -> None:
    rules = with_sources(wait_ms=10 * MINUTE)
    play = Play(replace(rules, routes=replace(rules.routes, route=Route("trades", "desk", "once", repeat_ms=MINUTE))))
    play.find(finding("T-1"))
    play.find(blind())
    assert play.alert("T-1")["explained_by"] == ""


def test_what_would_wait_for_the_same_digest_as_its_cause_is_hidden() -> None:
    play = Play(replace(with_sources(), channels={"mail": Channel(limit=Limit(1))}))
    play.find(finding("T-0", rule="other", deadline_ms=NOW - 2 * HOUR))
    play.find(blind())
    play.find(finding("T-1"))
    assert play.alert("T-1")["explained_by"] == play.id("gateway")
    assert told(play.run(NOW + HOUR)) == [("anna", "digest", 1)]


def test_but_not_behind_a_cause_that_waits_for_a_digest_when_it_would_not() -> None:
    """The digest of Anna's mail is a minute off; Ben hears of trades at once."""
    ben = Escalation((Step(0, (Target("person", "ben"),)),))
    rules = replace(with_sources(), channels={"mail": Channel(limit=Limit(1))})
    trades = Route("trades", "desk", "ben", repeat_ms=0)
    play = Play(replace(rules, routes=replace(rules.routes, route=trades), escalations={"once": ONCE, "ben": ben}))
    play.find(blind() | {"key": "other", "occurrence": "orders", "id": "o"})
    play.find(blind())
    effects = play.find(finding("T-1"))
    assert told(effects) == [("ben", "opened", 1)]


def test_what_is_critical_goes_ahead_of_the_digest_and_so_does_a_cause_that_hides_it() -> None:
    play = Play(replace(with_sources(interval_ms=0), channels={"mail": Channel(limit=Limit(1))}))
    play.find(finding("T-0", rule="other", deadline_ms=NOW - 2 * HOUR))
    play.find(blind())
    play.find(finding("T-1", severity="critical"))
    assert play.alert("T-1")["explained_by"] == play.id("gateway")
    assert play.alert("gateway")["severity"] == "critical"
