"""Groups, reminders, rate limits and storms: what each person gets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.alerting.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    STEPS,
    Play,
    action,
    alerts,
    answer,
    blind,
    finding,
    late,
    logged,
    messages,
    policy,
    told,
)
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import EMPTY, Branch, Channel, Contact, Escalation, Limit, Policy, Route


def test_the_first_of_a_group_is_told_at_once_and_further_ones_once_an_interval() -> None:
    play = Play()
    assert told(play.find(finding("T-1"))) == [("anna", "opened", 1)]
    play.act(action("ack", play.id("T-1")))
    assert told(play.find(finding("T-2"), NOW + SECOND)) == []
    assert told(play.find(finding("T-3"), NOW + 2 * SECOND)) == []
    assert [one for one in told(play.time(NOW + 5 * MINUTE - 1)) if one[0] == "anna"] == []
    assert told(play.time(NOW + 5 * MINUTE)) == [("anna", "update", 2)]


@pytest.mark.parametrize(
    ("at", "messages_sent"), [(-1, []), (0, [("anna", "opened", 2)]), (1, [("anna", "opened", 2)])]
)
def test_a_route_may_wait_for_more_of_a_group(at: int, messages_sent: list[Any]) -> None:
    play = Play(policy(wait_ms=MINUTE))
    play.find(finding("T-1"))
    play.find(finding("T-2"), NOW + SECOND)
    assert told(play.time(NOW + MINUTE + at)) == ([("anna", "opened", 2)] if at >= 0 else [])


@pytest.mark.parametrize(("at", "state"), [(-1, "pending"), (0, "open"), (1, "open")])
def test_a_route_may_hold_an_alert_back(at: int, state: str) -> None:
    play = Play(policy(hold_ms=MINUTE))
    play.find(finding())
    effects = play.time(NOW + MINUTE + at)
    assert play.alert()["state"] == state
    assert told(effects) == ([("anna", "opened", 1)] if state == "open" else [])


def test_what_is_put_right_while_it_is_held_back_is_never_told() -> None:
    play = Play(policy(hold_ms=MINUTE))
    play.find(finding())
    play.find(late(), NOW + SECOND)
    assert told(play.run(NOW + DAY)) == []


def test_what_stays_open_is_told_again_now_and_then() -> None:
    play = Play()
    play.find(finding())
    assert ("anna", "reminder", 1) not in told(play.run(NOW + 4 * HOUR - 1))
    effects = play.run(NOW + 5 * HOUR)
    assert {one[:2] for one in told(effects)} == {(name, "reminder") for name in ("anna", "ben", "eve")}
    play.act(action("ack", play.id()))
    assert told(play.run(NOW + 20 * HOUR)) == []


def test_the_steps_come_one_after_the_other_and_stop_when_somebody_answers() -> None:
    play = Play()
    play.find(finding())
    assert told(play.run(NOW + 9 * MINUTE)) == [("ben", "escalated", 1)]
    assert told(play.run(NOW + 10 * MINUTE)) == [("eve", "escalated", 1)]
    effects = play.act(action("ack", play.id(), who="ben"))
    assert sorted(told(effects)) == [("anna", "acknowledged", 1), ("eve", "acknowledged", 1)]
    effects = play.act(action("unack", play.id(), who="ben"))
    assert told(effects) == [("anna", "reminder", 1)]


def test_who_was_not_told_hears_nothing_of_the_end() -> None:
    play = Play()
    play.find(finding())
    assert told(play.find(late(), NOW + SECOND)) == [("anna", "resolved", 1)]
    quiet = Play(policy(wait_ms=MINUTE))
    quiet.find(finding())
    quiet.find(late(), NOW + SECOND)
    assert told(quiet.run(NOW + DAY)) == []


def test_a_step_that_reaches_nobody_is_said_in_the_log_and_the_next_one_follows() -> None:
    play = Play(policy(escalation="nobody"))
    assert logged(play.find(finding())) == ["opened", "unreached"]
    without = Policy(
        routes=Branch(Route(escalation="desk")),
        escalations={"desk": Escalation(STEPS)},
        people={"anna": Contact(by=("sms",)), "ben": Contact(by=("mail",), addresses={"mail": "b@example.org"})},
    )
    play = Play(without)
    assert told(play.find(finding())) == []
    assert told(play.run(NOW + 3 * MINUTE)) == [("ben", "escalated", 1)]


def test_an_alert_on_two_routes_is_told_on_both() -> None:
    routes = Branch(
        Route(),
        below=(
            Branch(Route("a", escalation="desk"), (), go_on=True),
            Branch(Route("b", escalation="second", severity="critical"), (Matcher("rule", frozenset({"reply"})),)),
        ),
    )
    play = Play(policy(routes=routes))
    play.find(finding())
    assert sorted(told(play.run(NOW + 2 * MINUTE))) == [("ben", "escalated", 1), ("ben", "opened", 1)]
    assert (play.alert()["severity"], play.alert()["route"]) == ("critical", "a")
    assert len({one.row["id"] for one in messages(play.effects)}) == 3


def test_a_policy_that_comes_later_tells_what_is_open() -> None:
    play = Play(EMPTY)
    play.find(finding())
    play.configure(policy())
    assert play.desk.next_time() == NOW
    assert told(play.run(NOW)) == [("anna", "opened", 1)]


def test_a_route_that_is_gone_leaves_the_alert_on_the_default_and_tells_nobody_twice() -> None:
    play = Play()
    play.find(finding())
    play.configure(policy(name="other"))
    assert told(play.run(NOW + MINUTE)) == []
    assert play.alert()["route"] == "other"
    assert told(play.run(NOW + 2 * MINUTE)) == [("ben", "escalated", 1)]
    play.configure(policy(routes=EMPTY.routes))
    assert told(play.run(NOW + HOUR)) == []
    assert told(play.find(late())) == [("anna", "resolved", 1), ("ben", "resolved", 1)]


def test_what_waits_moves_with_an_alert_to_its_new_group() -> None:
    play = Play()
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.configure(policy(name="other"))
    play.run(NOW + SECOND)
    assert ("anna", "update", 1) in told(play.effects) or ("anna", "opened", 1) in told(play.run(NOW + 6 * MINUTE))


def test_beyond_the_limit_all_goes_into_one_digest() -> None:
    play = Play(policy(limit=2, group_by=("key",)))
    for number in range(10):
        play.find(finding(f"T-{number}", rule=f"r{number}"))
    assert told(play.effects) == [("anna", "opened", 1)] * 2
    assert told(play.time(NOW + 30 * SECOND - 1)) == []
    effects = play.time(NOW + 30 * SECOND)
    assert told(effects) == [("anna", "digest", 8)]
    play.find(finding("T-10", rule="r10"), NOW + 31 * SECOND)
    play.find(finding("T-11", rule="r11"), NOW + 31 * SECOND)
    assert told(play.time(NOW + 90 * SECOND)) == [("anna", "digest", 2)]


def test_who_answers_before_the_digest_is_not_in_it() -> None:
    play = Play(policy(limit=1, group_by=("key",)))
    for number in range(4):
        play.find(finding(f"T-{number}", rule=f"r{number}"))
    play.act(action("ack", play.id("T-1")))
    play.find(late("T-2", rule="r2"))
    assert told(play.time(NOW + MINUTE)) == [("anna", "digest", 1)]


def test_a_group_whose_first_message_waits_for_the_digest_keeps_nothing_back_for_its_interval() -> None:
    """Else nobody would hear of T-2 for five minutes: T-1, for which the group would wait, was never told."""
    play = Play(policy(limit=1))
    play.find(finding("T-0", rule="r0"))
    play.find(finding("T-1", rule="r1"))
    play.find(late("T-1", rule="r1"), NOW + SECOND)
    play.find(finding("T-2", rule="r1"), NOW + 2 * SECOND)
    effects = play.time(NOW + MINUTE)
    assert told(effects) == [("anna", "digest", 1)]
    assert [row["key"] for row in messages(effects)[0].row["alerts"]] == ["T-2"]


def test_an_end_that_waits_for_the_digest_is_in_it_for_those_who_were_told() -> None:
    play = Play(policy(limit=1, group_by=("key",)))
    play.find(finding("T-1"))
    assert told(play.find(late("T-1"))) == []
    assert told(play.time(NOW + MINUTE)) == [("anna", "digest", 1)]


def test_an_escalation_of_a_critical_alert_goes_ahead_of_a_digest() -> None:
    soon = Escalation((STEPS[0], replace(STEPS[0], after_ms=SECOND)))
    rules = replace(policy(limit=1, group_by=("key",)), escalations={"desk": soon})
    play = Play(rules)
    play.find(finding("T-1", rule="r1", severity="critical"))
    play.find(finding("T-2", rule="r2", severity="low"))
    assert told(play.time(NOW + SECOND)) == [("anna", "escalated", 1)]


def test_a_storm_pages_a_person_once() -> None:
    play = Play(policy())
    for number in range(10_000):
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}), NOW + number * 6)
        if number % 100 == 0:
            play.time(NOW + number * 6)
    assert Counter(told(play.effects)) == {("anna", "opened", 1): 1}
    play.run(NOW + 6 * MINUTE)
    got = Counter(person for person, _, _ in told(play.effects))
    assert got == {"anna": 2, "ben": 1}
    assert max(one.row["hidden"] for one in messages(play.effects)) == 9_999


def test_a_storm_of_ten_thousand_groups_is_a_few_messages_and_a_digest_a_minute() -> None:
    rules = replace(policy(group_by=("key",), limit=10), escalations={"desk": Escalation(STEPS[:1])})
    play = Play(rules)
    for number in range(2_000):
        play.find(finding(f"T-{number}", rule=f"r{number}"), NOW + number * 30)
    play.run(NOW + 10 * MINUTE)
    got = Counter(reason for _, reason, _ in told(play.effects))
    assert got["opened"] == 10
    assert got["digest"] <= 3
    assert sum(count for _, _, count in told(play.effects)) == 2_000


def test_thousands_of_alerts_are_explained_at_once_and_acknowledged_in_one_action() -> None:
    play = Play()
    for number in range(1_500):
        play.find(finding(f"T-{number}", rule=f"r{number % 400}"))
    effects = play.find(blind(), NOW + SECOND)
    assert messages(effects)[0].row["hidden"] == 1_500
    ids = [str(row["id"]) for row in alerts(play.effects).values()]
    effects = play.act(action("ack", *ids), NOW + 2 * SECOND)
    assert (answer(effects)["outcome"], len(answer(effects)["alerts"])) == ("applied", 1_000)
    assert {row["state"] for row in alerts(play.effects).values()} == {"acknowledged"}


def test_a_message_is_about_so_many_alerts_at_most_and_the_rest_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.alerting.groups.MOST_TOLD", 2)
    play = Play(policy(group_by=(), wait_ms=SECOND))
    for number in range(3):
        play.find(finding(f"T-{number}", rule=f"r{number}"))
    assert told(play.run(NOW + MINUTE)) == [("anna", "opened", 2)]
    assert ("anna", "update", 1) in told(play.run(NOW + 6 * MINUTE))


def test_a_digest_that_nothing_is_left_of_is_not_sent_and_a_full_purse_is_forgotten() -> None:
    play = Play(policy(limit=1, group_by=("key",)))
    play.find(finding("T-1", rule="r1"))
    play.find(finding("T-2", rule="r2"))
    assert any(name.startswith("l/") for name in play.saved)
    play.act(action("ack", play.id("T-1")))
    play.act(action("ack", play.id("T-2")))
    assert told(play.run(NOW + HOUR)) == []
    assert not any(name.startswith("l/") for name in play.saved)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_limit_that_is_raised_lets_the_digest_go_at_once(restarts: bool) -> None:
    play = Play(policy(limit=1, group_by=("key",)), restarts=restarts)
    for number in range(3):
        play.find(finding(f"T-{number}", rule=f"r{number}"))
    play.configure(policy(limit=100, group_by=("key",)))
    assert told(play.run(NOW + SECOND)) == [("anna", "digest", 2)]


def test_what_waits_to_be_told_for_longer_than_an_alert_is_known_is_forgotten_with_it() -> None:
    play = Play(policy(interval_ms=9 * DAY))
    for key in ("T-1", "T-2"):
        play.find(finding(key))
        play.act(action("escalate", play.id(key)))
    play.find(late("T-1"))
    play.find(late("T-2"))
    play.run(NOW + 30 * DAY)
    assert [name for name in play.saved if not name.startswith("x/")] == []
    monthly = replace(policy(group_by=("key",)), channels={"mail": Channel(Limit(1, 30 * DAY))})
    play = Play(monthly)
    for key in ("T-1", "T-2"):
        play.find(finding(key, rule=key))
        play.find(late(key, rule=key))
    play.run(NOW + 90 * DAY)
    assert play.saved == {}


def test_what_gets_worse_is_told_again_also_to_those_who_were_told_by_later_steps() -> None:
    play = Play(policy(interval_ms=SECOND))
    play.find(finding(kind="at_risk", severity="low"))
    play.run(NOW + 3 * MINUTE)
    effects = play.find(finding(severity="critical"), NOW + 4 * MINUTE)
    assert told(effects) == [("anna", "update", 1), ("ben", "escalated", 1)]
    effects = play.find(finding(severity="critical", deadline_ms=NOW), NOW + 5 * MINUTE)
    assert told(effects) == []


def test_what_was_told_as_worse_is_not_made_better_by_an_earlier_finding() -> None:
    play = Play()
    play.find(finding())
    play.find(finding(kind="at_risk", severity="low", deadline_ms=NOW - MINUTE))
    assert (play.alert()["kind"], play.alert()["severity"], play.alert()["count"]) == ("missing", "high", 2)
