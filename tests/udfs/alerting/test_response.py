"""By when an alert should be answered, and when it was: with response times that the policy gives severities."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.alerting.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    blind,
    finding,
    late,
    messages,
    policy,
)
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import Branch, Policy, Route
from udfs.alerting.windows import Window

RESPOND = {"critical": 5 * MINUTE, "high": 15 * MINUTE, "medium": HOUR, "low": DAY}
QUARTER = NOW + 15 * MINUTE


def timed(rules: Policy | None = None, **respond: int) -> Policy:
    return replace(rules or policy(), respond=RESPOND | respond)


def opened(rules: Policy | None = None, **fields: Any) -> Play:
    play = Play(timed(rules), restarts=True)
    play.find(finding(**fields))
    return play


def stands(play: Play, key: str = "T-1") -> tuple[int | None, int | None]:
    """By when it is to be answered, and when it was."""
    row = play.alert(key)
    return row["respond_by_ms"], row["answered_ms"]


@pytest.mark.parametrize("severity", RESPOND)
def test_an_alert_says_by_when_it_should_be_answered_by_its_severity(severity: str) -> None:
    assert stands(opened(severity=severity)) == (NOW + RESPOND[severity], None)


def test_who_is_told_is_told_by_when() -> None:
    assert messages(opened().effects)[0].row["alerts"][0]["respond_by_ms"] == QUARTER


@pytest.mark.parametrize("answered", [QUARTER - 1, QUARTER, QUARTER + 1])
@pytest.mark.parametrize("kind", ["ack", "suppress", "resolve"])
def test_whoever_acknowledges_suppresses_or_resolves_it_has_answered(kind: str, answered: int) -> None:
    play = opened()
    play.run(answered - 1)
    play.end(action(kind, play.id()), answered)
    play.run(answered + SECOND)
    assert stands(play) == (QUARTER, answered)


def test_only_the_first_answer_counts() -> None:
    play = opened()
    play.act(action("ack", play.id()), NOW + MINUTE)
    play.act(action("unack", play.id()), NOW + HOUR)
    play.act(action("ack", play.id(), id="again"), NOW + 2 * HOUR)
    assert stands(play) == (QUARTER, NOW + MINUTE)


def test_who_resolves_an_incident_has_answered_its_alerts() -> None:
    play = opened()
    play.find(blind())
    play.end(action("incident_resolve", incident=play.incident()["id"]), NOW + MINUTE)
    assert stands(play, "gateway")[1] == NOW + MINUTE


@pytest.mark.parametrize("kind", ["comment", "assign", "escalate"])
def test_what_leaves_people_being_told_is_no_answer(kind: str) -> None:
    play = opened()
    play.act(action(kind, play.id(), text="hm", assignee="ben"), NOW + MINUTE)
    assert stands(play) == (QUARTER, None)


def test_what_is_put_right_in_time_needed_no_answer() -> None:
    play = opened()
    play.find(late(), QUARTER)
    assert (stands(play), play.alert()["ended_ms"]) == ((QUARTER, None), QUARTER)


def test_where_nobody_is_told_nobody_has_to_answer() -> None:
    assert stands(opened(policy(escalation="none"))) == (None, None)
    assert stands(opened(policy(hold_ms=MINUTE))) == (None, None)


def test_time_begins_when_people_can_hear_of_it_first() -> None:
    play = opened(policy(hold_ms=MINUTE))
    play.run(NOW + MINUTE)
    assert stands(play) == (QUARTER + MINUTE, None)
    assert stands(opened(policy(escalation="second"))) == (QUARTER + 2 * MINUTE, None), "its first step is after 2 min"


def test_of_several_routes_the_one_that_tells_first_counts() -> None:
    every = (Branch(Route("a", escalation="second"), go_on=True), Branch(Route("b", escalation="desk")))
    assert stands(opened(policy(routes=Branch(below=every)))) == (QUARTER, None)


def test_it_gets_less_time_when_it_becomes_more_severe() -> None:
    play = opened(kind="at_risk", severity="medium")
    play.find(finding(severity="critical"), NOW + MINUTE)
    assert stands(play) == (NOW + 5 * MINUTE, None)


def test_a_change_of_the_policy_counts_for_what_is_still_to_be_answered() -> None:
    play = opened()
    play.find(finding("T-2"))
    play.find(finding("T-3"))
    play.act(action("ack", play.id("T-2")), NOW + MINUTE)
    play.find(late("T-3"), NOW + MINUTE)
    play.configure(timed(high=HOUR))
    play.run(NOW + 2 * MINUTE)
    assert [stands(play, key)[0] for key in ("T-1", "T-2", "T-3")] == [NOW + HOUR, QUARTER, QUARTER]


@pytest.mark.parametrize(("changed", "due"), [(QUARTER - 1, NOW + HOUR), (QUARTER, NOW + HOUR), (QUARTER + 1, QUARTER)])
def test_but_not_for_what_has_been_left_for_too_long(changed: int, due: int) -> None:
    play = opened()
    play.run(changed - 1)
    play.configure(timed(high=HOUR))
    play.time(changed)
    assert stands(play)[0] == due


def test_what_is_kept_quiet_waits_for_no_answer_and_has_all_its_time_afterwards() -> None:
    hour = Window("s", "silence", (Matcher("key", frozenset({"T-1"})),), NOW + MINUTE, NOW + HOUR)
    play = opened(policy(hour))
    play.run(NOW + MINUTE)
    assert stands(play) == (None, None)
    play.run(NOW + HOUR)
    assert stands(play) == (NOW + HOUR + 15 * MINUTE, None)


def test_what_was_left_for_too_long_before_it_was_kept_quiet_stays_so() -> None:
    play = opened(policy(Window("s", "silence", (), NOW + HOUR, NOW + 2 * HOUR)))
    play.run(NOW + 3 * HOUR)
    assert stands(play) == (QUARTER, None)


def test_what_another_alert_explains_waits_for_no_answer() -> None:
    play = opened()
    play.find(blind(), NOW + MINUTE)
    assert stands(play) == (None, None)


def test_each_episode_is_answered_by_itself() -> None:
    play = opened()
    play.act(action("ack", play.id()), NOW + MINUTE)
    play.find(late(), NOW + HOUR)
    play.find(finding(deadline_ms=NOW + DAY), NOW + DAY)
    assert stands(play) == (NOW + DAY + 15 * MINUTE, None)
