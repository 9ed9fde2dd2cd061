"""Which alert explains which: one message for the cause, and what becomes of the rest when it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.udfs.alerting.build import (
    GRAPH,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    alerts,
    answer,
    blind,
    finding,
    halted,
    late,
    messages,
    policy,
    stalled_step,
    told,
)
from udfs.alerting.effects import AlertChanged, Logged
from udfs.alerting.graph import graph_of
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import EMPTY, Branch, Escalation, Policy, Route, Step, Target
from udfs.alerting.windows import Window
from udfs.packs.compile import compile_workflow

GRACE = 2 * MINUTE


def by_rule(play: Play) -> dict[str, dict[str, Any]]:
    return {one.row["rule"]: one.row for one in play.effects if isinstance(one, AlertChanged)}


def test_a_missing_step_upstream_explains_what_is_missing_behind_it_in_the_same_item() -> None:
    play = Play()
    play.find(finding(rule="send"))
    effects = play.find(finding(rule="reply"))
    assert told(effects) == []
    rules = by_rule(play)
    assert rules["send"]["state"] == "open"
    assert (rules["reply"]["state"], rules["reply"]["explained_by"]) == ("suppressed", rules["send"]["id"])


def test_the_log_of_an_explained_alert_has_the_id_of_its_cause_and_nothing_else_of_it() -> None:
    play = Play()
    play.find(blind())
    effects = play.find(finding("T-1"))
    why = [one.row["why"] for one in effects if isinstance(one, Logged) and one.row["what"] == "suppressed"]
    assert why == [f"explained by {play.id('gateway')}"]


def test_another_item_and_another_step_explain_nothing() -> None:
    play = Play(policy(group_by=("key", "rule")))
    play.find(finding("T-1", rule="send"))
    assert told(play.find(finding("T-2", rule="reply"))) == [("anna", "opened", 1)]
    assert told(play.find(finding("T-2", rule="other"))) == [("anna", "opened", 1)]


@pytest.mark.parametrize("cause", [blind(), stalled_step()])
def test_a_cause_that_is_told_after_its_effects_hides_them_and_one_message_says_so(cause: dict[str, Any]) -> None:
    play = Play(policy(group_by=("rule", "market")))
    play.find(finding("T-0"))
    play.find(finding("T-1"), NOW + SECOND)
    effects = play.find(cause, NOW + 2 * SECOND)
    assert told(effects) == [("anna", "opened", 1)]
    assert messages(effects)[0].row["hidden"] == 2
    assert {play.alert("T-0")["state"], play.alert("T-1")["state"]} == {"suppressed"}
    assert play.id("T-0") in halted(effects)
    incident = play.incident()
    assert (incident["state"], incident["items"], incident["alerts"]) == ("open", 2, 3)
    assert incident["evidence"]
    play.run(NOW + 4 * SECOND)
    assert play.alert(cause["key"])["hidden"] == 2


@pytest.mark.parametrize("cause", [blind(), stalled_step()])
def test_what_was_broken_before_the_cause_began_is_not_explained(cause: dict[str, Any]) -> None:
    play = Play()
    play.find(cause)
    play.find(finding(deadline_ms=NOW - HOUR - 1))
    assert play.alert()["state"] == "open"
    play.find(finding("T-2", deadline_ms=NOW - HOUR))
    assert play.alert("T-2")["state"] == "suppressed"


@pytest.mark.parametrize(("at", "state"), [(-1, "suppressed"), (0, "open"), (1, "open")])
def test_when_the_cause_ends_what_is_still_broken_opens_after_a_grace(at: int, state: str) -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.find(blind(back=NOW + MINUTE), NOW + MINUTE)
    play.find(late("T-2"), NOW + MINUTE)
    effects = play.time(NOW + MINUTE + GRACE + at)
    assert play.alert("T-1")["state"] == state
    assert play.alert("T-2")["state"] == "resolved"
    assert told(effects) == ([("anna", "opened", 1)] if at >= 0 else [])


def test_a_cause_that_comes_back_within_the_grace_goes_on_explaining() -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1"))
    play.find(blind(back=NOW + MINUTE), NOW + MINUTE)
    play.find(blind(since=NOW + MINUTE), NOW + 2 * MINUTE)
    play.run(NOW + HOUR)
    assert play.alert("T-1")["state"] == "suppressed"


def test_a_source_that_comes_and_goes_goes_on_explaining_and_its_last_end_leaves_a_grace() -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1", severity="critical"))
    for minute in (1, 2, 3, 4):
        play.find(blind(back=NOW + minute * MINUTE, since=NOW + (minute - 1) * MINUTE), NOW + minute * MINUTE)
        play.find(blind(since=NOW + minute * MINUTE), NOW + minute * MINUTE + SECOND)
    assert play.alert("gateway")["severity"] == "critical"
    play.run(NOW + HOUR)
    assert play.alert("T-1")["state"] == "suppressed"
    play.find(blind(back=NOW + HOUR, since=NOW + 4 * MINUTE), NOW + HOUR)
    play.run(NOW + HOUR + GRACE - 1)
    assert play.alert("T-1")["state"] == "suppressed"
    play.run(NOW + HOUR + GRACE)
    assert play.alert("T-1")["state"] == "open"


def test_of_what_a_cause_lets_go_the_one_that_explains_the_others_is_told_for_them() -> None:
    play = Play()
    play.find(blind())
    play.find(finding(rule="reply", severity="critical"))
    play.find(finding(rule="send", severity="low"), NOW + SECOND)
    play.find(blind(back=NOW + MINUTE), NOW + MINUTE)
    play.run(NOW + MINUTE + GRACE)
    rules = by_rule(play)
    assert (rules["send"]["state"], rules["send"]["severity"]) == ("open", "critical")
    assert rules["reply"]["explained_by"] == rules["send"]["id"]


@pytest.mark.parametrize("rules", [policy(), policy(hold_ms=HOUR)])
def test_a_cause_that_comes_back_as_what_explains_nothing_or_is_not_told_lets_go_after_the_grace(rules: Policy) -> None:
    play = Play(policy())
    play.find(finding(rule="send"))
    play.find(finding(rule="reply", severity="critical"))
    play.find(late(rule="send"), NOW + MINUTE)
    play.configure(rules)
    kind = "at_risk" if rules == policy() else "missing"
    play.find(finding(kind=kind, rule="send", deadline_ms=NOW + HOUR), NOW + 2 * MINUTE)
    play.run(NOW + MINUTE + GRACE - 1)
    assert by_rule(play)["reply"]["state"] == "suppressed"
    play.run(NOW + MINUTE + GRACE)
    assert by_rule(play)["reply"]["state"] != "suppressed"


def test_an_explained_alert_that_is_acknowledged_stays_so_when_its_cause_ends() -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1"))
    play.act(action("ack", play.id("T-1")))
    play.find(blind(back=NOW + MINUTE), NOW + MINUTE)
    play.run(NOW + HOUR)
    assert (play.alert("T-1")["state"], play.alert("T-1")["explained_by"]) == ("acknowledged", "")


def test_somebody_can_take_an_alert_out_of_its_cause() -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1"))
    effects = play.act(action("unsuppress", play.id("T-1")))
    assert answer(effects)["outcome"] == "applied"
    assert told(effects) == [("anna", "opened", 1)]
    assert play.alert("T-1")["state"] == "open"


def test_what_an_effect_explained_goes_to_its_cause() -> None:
    play = Play()
    play.find(finding(rule="send"))
    play.find(finding(rule="reply"))
    play.find(blind())
    causes = by_rule(play)
    assert causes["send"]["explained_by"] == causes["reply"]["explained_by"] == causes["heartbeat"]["id"]


def test_a_late_batch_explains_its_parts() -> None:
    play = Play()
    play.find(finding("B-1", rule="loaded", workflow="batches", deadline_ms=NOW - HOUR))
    play.find(finding("T-1", groups={"batch": "B-1"}))
    play.find(finding("T-2", groups={"batch": "B-2"}))
    assert play.alert("T-1")["explained_by"] == play.id("B-1")
    assert play.alert("T-2")["state"] == "open"
    play.find(finding("B-2", rule="loaded", workflow="batches", deadline_ms=NOW - HOUR))
    assert play.alert("T-2")["explained_by"] == play.id("B-2")


def test_several_alerts_that_share_a_group_are_one_incident() -> None:
    play = Play()
    for number in range(4):
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}, amount=300_000.0))
    assert play.alert("T-3")["state"] == "open"
    play.find(finding("T-4", groups={"market": "XETRA"}, amount=300_000.0))
    play.find(finding("T-9", groups={"market": "LSE"}))
    assert [play.alert(f"T-{number}")["state"] for number in range(5)].count("open") == 1
    assert play.alert("T-9")["state"] == "open"
    play.run(NOW + 2 * SECOND)
    incident = play.incident()
    assert (incident["items"], incident["value"], incident["priority"]) == (5, 1_500_000.0, "P2")
    assert incident["groups"] == {"market": ["XETRA"]}


def test_those_that_share_something_but_come_far_apart_are_no_incident() -> None:
    play = Play()
    for number in range(12):
        play.find(finding(f"T-{number}", deadline_ms=NOW + number * 3 * MINUTE), NOW + number * 3 * MINUTE)
    assert {row["state"] for row in alerts(play.effects).values()} == {"open"}


def test_when_the_one_that_people_know_of_ends_another_takes_its_place() -> None:
    play = Play(policy(interval_ms=0))
    for number in range(8):
        play.find(finding(f"T-{number}"))
    leader = next(key for key, row in alerts(play.effects).items() if row["state"] == "open")
    play.find(late(leader), NOW + MINUTE)
    effects = play.run(NOW + MINUTE + GRACE)
    assert told(effects) == [("anna", "update", 1)]
    play.run(NOW + HOUR)
    states = [row["state"] for row in alerts(play.effects).values()]
    assert (states.count("suppressed"), states.count("resolved")) == (6, 1)


def test_an_incident_ends_with_its_last_alert() -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-1"))
    play.find(late("T-1"), NOW + MINUTE)
    assert play.incident()["state"] == "open"
    play.find(blind(back=NOW + 2 * MINUTE), NOW + 2 * MINUTE)
    assert (play.incident()["state"], play.incident()["resolved_ms"]) == ("resolved", NOW + 2 * MINUTE)


WINDOW = Window("w", "maintenance", (Matcher("key", frozenset({"T-1"})),), NOW + MINUTE, NOW + HOUR, why="upgrade")


def test_what_falls_into_a_maintenance_window_is_held_and_judged_once_at_its_end() -> None:
    play = Play(policy(WINDOW))
    assert told(play.find(finding(deadline_ms=NOW + MINUTE), NOW + MINUTE)) == []
    row = play.alert()
    assert (row["state"], row["excused"], row["suppressed_until_ms"]) == ("suppressed", 1, NOW + HOUR)
    assert told(play.time(NOW + HOUR - 1)) == []
    assert told(play.time(NOW + HOUR)) == [("anna", "opened", 1)]
    assert (play.alert()["state"], play.alert()["excused"]) == ("open", 0)
    assert told(play.time(NOW + HOUR + 1)) == []


def test_what_is_put_right_within_the_window_is_never_told() -> None:
    play = Play(policy(WINDOW))
    play.find(finding(deadline_ms=NOW + MINUTE), NOW + MINUTE)
    play.find(late(deadline_ms=NOW + MINUTE), NOW + 2 * MINUTE)
    assert told(play.run(NOW + 2 * HOUR)) == []
    assert (play.alert()["state"], play.alert()["excused"]) == ("resolved", 1)


@pytest.mark.parametrize(("due", "excused"), [(MINUTE - 1, 0), (MINUTE, 1), (MINUTE + 1, 1)])
def test_a_window_excuses_what_was_due_in_it_and_nothing_that_was_due_before(due: int, excused: int) -> None:
    play = Play(policy(WINDOW))
    play.find(finding(deadline_ms=NOW + due), NOW + MINUTE + SECOND)
    assert (play.alert()["state"], play.alert()["excused"]) == ("suppressed", excused)
    play.find(late(deadline_ms=NOW + due), NOW + 2 * MINUTE)
    assert (play.alert()["state"], play.alert()["excused"]) == ("resolved", excused)


def test_whether_a_window_excuses_is_asked_of_the_last_deadline() -> None:
    play = Play(policy(WINDOW))
    play.find(finding(kind="early", deadline_ms=NOW), NOW + MINUTE)
    assert play.alert()["excused"] == 0
    play.find(finding(kind="early", deadline_ms=NOW + MINUTE), NOW + MINUTE)
    assert play.alert()["excused"] == 1


def test_an_open_miss_counts_on_while_a_window_hides_it() -> None:
    play = Play(policy(WINDOW))
    play.find(finding())
    play.run(NOW + 30 * MINUTE)
    assert (play.alert()["state"], play.alert()["excused"]) == ("suppressed", 0)


@pytest.mark.parametrize("what", ["ack", "suppress"])
@pytest.mark.parametrize(("at", "excused"), [(-1, 1), (0, 0), (1, 0)])
def test_what_was_due_in_a_window_stays_excused_up_to_its_end_whatever_people_do(
    what: str, at: int, excused: int
) -> None:
    play = Play(policy(WINDOW))
    play.find(finding(deadline_ms=NOW + MINUTE), NOW + MINUTE)
    play.act(action(what, play.id(), until_ms=NOW + 3 * HOUR))
    play.run(NOW + HOUR + at)
    assert play.alert()["excused"] == excused
    play.find(late(deadline_ms=NOW + MINUTE))
    assert (play.alert()["state"], play.alert()["excused"]) == ("resolved", excused)


@pytest.mark.parametrize(("at", "state"), [(-1, "open"), (0, "suppressed"), (1, "suppressed")])
def test_a_silence_that_begins_while_an_alert_is_open_halts_it_and_its_end_tells_again(at: int, state: str) -> None:
    silence = Window("s", "silence", (Matcher("key", frozenset({"T-1"})),), NOW + MINUTE, NOW + HOUR, by="eve")
    play = Play(policy(silence))
    play.find(finding())
    effects = play.time(NOW + MINUTE + at)
    assert play.alert()["state"] == state
    assert (play.id() in halted(effects)) == (state == "suppressed")
    play.run(NOW + HOUR - 1)
    assert ("anna", "opened", 1) in told(play.run(NOW + HOUR)) or play.alert()["state"] == "open"


def test_a_silence_that_is_ended_early_tells_again_and_one_that_is_changed_holds() -> None:
    silence = Window("s", "silence", (Matcher("key", frozenset({"T-1"})),), NOW, NOW + HOUR)
    longer = Window("s", "silence", (Matcher("key", frozenset({"T-1"})),), NOW, NOW + 2 * HOUR)
    play = Play(policy(silence))
    play.find(finding())
    play.configure(policy(longer))
    play.time(NOW + MINUTE)
    assert play.alert()["suppressed_until_ms"] == NOW + 2 * HOUR
    play.configure(policy())
    assert told(play.time(NOW + 2 * MINUTE)) == [("anna", "opened", 1)]


def test_the_graph_is_that_of_the_rules() -> None:
    batch = {"workflow": "batch", "key": "batch_id", "steps": {"a": {"on": "a", "start": True}, "b": {"on": "b"}}}
    part = {
        "workflow": "part",
        "key": "part_id",
        "groups": ["batch_id"],
        "steps": {"x": {"on": "x", "start": True}, "y": {"on": "y"}},
        "flow": ["x -> y"],
    }
    graph = graph_of(compile_workflow(one, version=1, lane="main") for one in (batch, part))
    assert graph.is_upstream("part", "x", "y")
    assert not graph.is_upstream("part", "y", "x")
    assert not graph.is_upstream("nothing", "y", "x")
    assert graph.parents == {"part": (("batch_id", "batch"),)}


def test_rules_that_come_later_count_from_then_on() -> None:
    play = Play(graph=graph_of(()))
    play.find(finding(rule="send"))
    play.desk.know(GRAPH)
    play.find(finding(rule="reply"))
    assert by_rule(play)["reply"]["state"] == "suppressed"


def logged_only(severity: str = "low", **more: Escalation) -> Policy:
    """Nobody is told of alerts of one severity."""
    of_severity = (Matcher("severity", frozenset({severity})),)
    below = (Branch(Route("log", escalation="slow"), of_severity),)
    rules = policy(routes=Branch(Route("all", "desk", "desk"), below=below))
    return replace(rules, escalations=rules.escalations | more)


TWELVE_HOURS = Escalation((Step(12 * HOUR, (Target("person", "anna"),)),))


@pytest.mark.parametrize("rules", [logged_only(), logged_only(slow=Escalation((Step(0, ()),)))])
@pytest.mark.parametrize("first", ["send", "reply"])
def test_what_nobody_is_told_of_explains_nothing(rules: Policy, first: str) -> None:
    play = Play(rules)
    rows = [finding(rule="send", severity="low"), finding(rule="reply", severity="critical")]
    for row in rows if first == "send" else reversed(rows):
        play.find(row)
    assert by_rule(play)["reply"]["state"] == "open"
    assert [one[:2] for one in told(play.run(NOW + HOUR))][:1] == [("ben", "escalated")]
    assert told(play.effects)[0] == ("anna", "opened", 1)


def test_a_cause_that_will_be_told_much_later_explains_nothing_until_then() -> None:
    play = Play(logged_only("medium", slow=TWELVE_HOURS))
    play.find(finding(rule="send", severity="medium"))
    assert told(play.find(finding(rule="reply", severity="critical"))) == [("anna", "opened", 1)]


def test_where_nobody_is_told_of_anything_causes_are_shown_as_well() -> None:
    play = Play(EMPTY)
    play.find(blind(severity="low"))
    play.find(finding(severity="critical"))
    assert play.alert()["explained_by"] == play.id("gateway")


def test_a_cause_is_as_severe_as_the_worst_that_it_hides_and_told_like_that() -> None:
    night = Branch(Route("night", "duty", "second"), (Matcher("severity", frozenset({"critical"})),))
    play = Play(policy(routes=Branch(Route("all", "desk", "desk"), below=(night,))))
    play.find(finding(rule="send", severity="low"))
    play.find(finding(rule="reply", severity="critical"))
    rules = by_rule(play)
    assert (rules["reply"]["state"], rules["reply"]["explained_by"]) == ("suppressed", rules["send"]["id"])
    assert (rules["send"]["severity"], rules["send"]["route"]) == ("critical", "night")
    assert told(play.run(NOW + 2 * MINUTE)) == [("ben", "update", 1)]
    assert messages(play.effects)[-1].row["alerts"][0]["severity"] == "critical"


def test_what_gets_worse_behind_its_cause_makes_that_worse_or_is_told_where_somebody_is_at_the_cause() -> None:
    play = Play()
    play.find(finding(rule="send", severity="medium"))
    play.find(finding(kind="at_risk", severity="low", deadline_ms=NOW - MINUTE))
    play.find(finding(severity="high"))
    assert (by_rule(play)["send"]["severity"], by_rule(play)["reply"]["state"]) == ("high", "suppressed")
    play.act(action("ack", str(by_rule(play)["send"]["id"])))
    assert told(play.find(finding(severity="critical", deadline_ms=NOW))) == [("anna", "opened", 1)]


def test_a_cause_found_last_is_as_severe_as_what_it_hides() -> None:
    play = Play()
    play.find(finding(rule="reply", severity="critical"))
    play.find(finding(rule="send", severity="medium"))
    assert (by_rule(play)["send"]["severity"], by_rule(play)["reply"]["state"]) == ("critical", "suppressed")
    play.find(finding(rule="send", severity="medium", deadline_ms=NOW))
    assert by_rule(play)["send"]["severity"] == "critical"


def test_what_is_worse_than_an_acknowledged_cause_is_told() -> None:
    play = Play()
    play.find(blind(severity="high"))
    play.act(action("ack", play.id("gateway")))
    assert told(play.find(finding("T-1", severity="high"))) == []
    assert told(play.find(finding("T-2", severity="critical"))) == [("anna", "opened", 1)]


def test_the_one_that_leads_an_incident_is_as_severe_as_the_worst_and_acknowledged_hides_no_worse() -> None:
    play = Play()
    for number in range(5):
        play.find(finding(f"T-{number}", severity="low"))
    play.find(finding("T-5", severity="high"))
    leader = next(key for key, row in alerts(play.effects).items() if row["state"] == "open")
    assert (play.alert(leader)["severity"], play.alert("T-5")["state"]) == ("high", "suppressed")
    play.act(action("ack", play.id(leader)))
    play.find(finding("T-6", severity="critical"))
    play.find(finding("T-7", severity="low"))
    assert (play.alert("T-6")["state"], play.alert("T-7")["state"]) == ("open", "suppressed")


def test_a_silenced_cause_keeps_quiet_whatever_it_explains() -> None:
    silence = Window("s", "silence", (Matcher("kind", frozenset({"blind"})),), NOW, NOW + HOUR)
    play = Play(policy(silence))
    play.find(blind(severity="low"))
    assert told(play.find(finding(severity="critical"))) == []
    assert play.alert()["explained_by"] == play.id("gateway")


def test_a_silenced_cause_that_becomes_as_severe_as_what_it_hides_is_told_if_the_silence_is_not_about_that() -> None:
    play = Play(policy(Window("s", "silence", (Matcher("severity", frozenset({"low"})),), NOW, NOW + HOUR)))
    for key in ("T-1", "T-2"):
        play.find(finding(key, severity="critical"))
    play.find(blind(severity="low"))
    play.run(NOW + SECOND)
    assert (play.alert("gateway")["state"], play.alert("gateway")["severity"]) == ("open", "critical")
    assert [play.alert(key)["explained_by"] for key in ("T-1", "T-2")] == [play.id("gateway")] * 2
    assert ("anna", "opened", 1) in told(play.effects)
