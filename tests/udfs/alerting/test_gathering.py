"""From when on alerts that share something are one incident, and how much makes it weigh more, is the policy's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    finding,
    halted,
    late,
    messages,
    policy,
    told,
)
from udfs.alerting.effects import AlertChanged, Logged
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import EMPTY, Branch, Gathering, Policy, Route
from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import render
from udfs.packs.alertcompile import compile_policy


def gathering(**said: float) -> Policy:
    return replace(policy(), incidents=Gathering(**said))  # type: ignore[arg-type]


@pytest.mark.parametrize(("count", "gathered"), [(2, False), (3, True), (4, True)])
def test_so_many_that_share_something_are_an_incident(count: int, gathered: bool) -> None:
    play = Play(gathering(alerts=3))
    for number in range(count):
        play.find(finding(f"T-{number}"))
    assert bool(play.alert("T-0")["incident"]) == gathered


@pytest.mark.parametrize(("apart", "gathered"), [(59_999, True), (60_000, True), (60_001, False)])
def test_if_they_come_within_so_long(apart: int, gathered: bool) -> None:
    play = Play(gathering(alerts=2, within_ms=MINUTE))
    play.find(finding("T-1"))
    play.find(finding("T-2"), NOW + apart)
    assert bool(play.alert("T-1")["incident"]) == gathered
    if gathered:
        assert play.incident()["evidence"] == ["2 alerts of trades reply came within 1 min"]
        play.find(finding("T-3"), NOW + apart + MINUTE)
        play.find(finding("T-4"), NOW + apart + 2 * MINUTE + 1)
        assert [play.alert(key)["state"] for key in ("T-3", "T-4")] == ["suppressed", "open"]


def test_of_those_that_come_at_one_moment_the_one_that_is_told_explains_the_others() -> None:
    """Whichever of them that is: were it hidden, the first message would be called off, and the next is minutes off."""
    for first in range(5):
        play = Play(policy())
        keys = [f"T-{number}" for number in (first, *{0, 1, 2, 3, 4} - {first})]
        effects = [effect for key in keys for effect in play.find(finding(key))]
        [message] = messages(effects)
        assert [row["key"] for row in message.row["alerts"]] == [keys[0]]
        assert play.alert(keys[0])["state"] == "open"
        assert message.row["revs"].keys().isdisjoint(halted(effects))


@pytest.mark.parametrize(("amount", "priority"), [(24.99, "P3"), (25, "P2"), (25.01, "P2")])
def test_from_so_much_value_on_its_priority_is_higher(amount: float, priority: str) -> None:
    play = Play(gathering(alerts=2, value=50))
    for key in ("T-1", "T-2"):
        play.find(finding(key, amount=amount))
    play.run(NOW + MINUTE)
    assert play.incident()["priority"] == priority


def test_the_routes_say_it_and_without_them_it_is_as_ever() -> None:
    routes = {"incidents": {"alerts": 3, "within": "1h", "value": 2.5}}
    assert compile_policy({"routes/main": routes}).incidents == Gathering(3, 60 * MINUTE, 2.5)
    assert compile_policy({"routes/main": {"incidents": {"alerts": 9}}}).incidents == Gathering(alerts=9)
    assert compile_policy({}).incidents == EMPTY.incidents == Gathering(5, 10 * MINUTE, 1_000_000)


def test_none_of_them_is_hidden_behind_one_that_nobody_hears_of() -> None:
    quiet = Branch(Route("quiet", escalation="none"), (Matcher("key", frozenset({"T-0"})),))
    loud = Branch(Route("loud", escalation="second", group_by=("key",)))
    play = Play(policy(routes=Branch(below=(quiet, loud))))
    for number in range(5):
        play.find(finding(f"T-{number}"), NOW + number)
    assert play.alert("T-0")["incident"], "the oldest would be told for all"
    assert told(play.run(NOW + 2 * MINUTE + 4)) == [("ben", "opened", 1)] * 4


def test_an_alert_that_gets_worse_makes_no_incident_worse_than_it_is() -> None:
    play = Play(gathering(alerts=2))
    play.find(finding("T-1", severity="critical"))
    play.find(finding("T-2", "at_risk", severity="low"), NOW + 1)
    play.find(finding("T-2", severity="high"))
    play.run(NOW + MINUTE)
    assert (play.alert("T-2")["severity"], play.incident()["priority"]) == ("high", "P2")


def of_one_market(count: int) -> Play:
    """Trades of one market go missing; of those that are found within a while one is told, for all."""
    play = Play()
    for number in range(count):
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}), NOW + number * SECOND)
    return play


def test_who_acknowledges_one_for_several_is_told_when_more_go_missing_and_once_for_all_of_those() -> None:
    play = of_one_market(5)
    play.run(NOW + MINUTE)
    play.act(action("ack", play.id("T-0")))
    for number in range(5, 12):
        play.run(NOW + number * MINUTE)
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}))
    effects = play.run(NOW + 12 * MINUTE)
    assert play.alert("T-5")["state"] == "escalated"
    assert {play.alert(f"T-{number}")["explained_by"] for number in range(6, 12)} == {play.id("T-5")}
    assert {play.alert(f"T-{number}")["explained_by"] for number in range(1, 5)} == {play.id("T-0")}
    assert play.alert("T-5")["incident"] == play.alert("T-0")["incident"]
    assert play.incident()["alerts"] == 12
    first = next(one for one in messages(play.effects) if play.id("T-5") in one.row["revs"])
    assert (first.row["person"], first.row["count"], first.row["at_ms"]) == ("anna", 1, NOW + 5 * MINUTE)
    assert told(effects) == []


def test_each_acknowledgement_is_about_what_was_there() -> None:
    play = of_one_market(5)
    for number, leader in ((5, "T-0"), (6, "T-5"), (7, "T-6")):
        play.run(NOW + number * MINUTE)
        play.act(action("ack", play.id(leader)))
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}))
        assert play.alert(f"T-{number}")["state"] == "open"
    assert play.alert("T-4")["state"] == "suppressed"


def test_one_of_another_incident_does_not_change_over_to_one_that_was_acknowledged() -> None:
    play = of_one_market(5)
    play.find(finding("T-9", rule="send", groups={"market": "XETRA"}))
    play.find(finding("T-9", groups={"market": "XETRA"}))
    incident = play.alert("T-9")["incident"]
    play.act(action("ack", play.id("T-0")))
    play.act(action("unsuppress", next(id for id, rule in rules_of(play, "T-9") if rule == "reply")))
    assert play.alert("T-9")["incident"] == incident


def rules_of(play: Play, key: str) -> list[tuple[str, str]]:
    rows = [one.row for one in play.effects if isinstance(one, AlertChanged)]
    return [(row["id"], row["rule"]) for row in rows if row["key"] == key]


def test_the_end_of_one_that_was_told_for_others_says_that_those_are_not_over() -> None:
    play = of_one_market(5)
    play.run(NOW + MINUTE)
    [end] = messages(play.find(late("T-0", groups={"market": "XETRA"}), NOW + MINUTE))
    assert end.row["title"].startswith("Resolved: ")
    assert end.row["title"].endswith(" (stood for 4 more, not over yet)")
    mail = render({"type": "email"}, end.row, Addresses())
    assert "\n  stood for 4 more, not over yet\n" in mail.text
    assert "stood for 4 more, not over yet" in mail.html


def test_the_log_says_in_which_episode_an_alert_was_of_which_incident_and_what_it_was() -> None:
    play = of_one_market(5)
    first = play.incident()["id"]
    entries = [one.row for one in play.effects if isinstance(one, Logged) and one.row["what"] == "joined"]
    assert {(row["incident"], row["opened_ms"]) for row in entries} == {(first, NOW + n * SECOND) for n in range(5)}
    assert all(row["why"].startswith("trades T-") for row in entries)
    for number in range(5):
        play.find(late(f"T-{number}", groups={"market": "XETRA"}), NOW + MINUTE)
    effects = play.find(finding("T-0", groups={"market": "XETRA"}, deadline_ms=NOW + MINUTE), NOW + HOUR)
    again = [one.row for one in effects if isinstance(one, Logged)]
    assert {(row["incident"], row["opened_ms"]) for row in again} == {("", NOW + HOUR)}


def test_a_note_about_an_incident_stands_in_the_log_of_the_alert_that_leads_it() -> None:
    play = of_one_market(5)
    incident = play.incident()["id"]
    for text in ("We look into it.", "It is mended."):
        play.act(action("incident_note", incident=incident, text=text))
    noted = [one.row for one in play.effects if isinstance(one, Logged) and one.row["what"] == "noted"]
    assert [(row["alert"], row["who"], row["why"]) for row in noted] == [
        (play.id("T-0"), "anna", "We look into it."),
        (play.id("T-0"), "anna", "It is mended."),
    ]
    other = of_one_market(5)
    for number in range(5):
        other.find(late(f"T-{number}", groups={"market": "XETRA"}), NOW + MINUTE)
    other.find(finding("T-0", groups={"market": "XETRA"}, deadline_ms=NOW + MINUTE), NOW + HOUR)
    effects = other.act(action("incident_note", incident=incident, text="what it was"))
    assert [one.row["what"] for one in effects if isinstance(one, Logged)] == [], "its alert is of another episode now"
    assert other.incident()["note"] == "what it was"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_open_incidents_that_share_the_same_the_later_goes_on_in_whatever_order_they_were_stored(
    turned: bool,
) -> None:
    play = of_one_market(5)
    for number in range(5, 10):
        play.find(finding(f"T-{number}", groups={"market": "XETRA"}), NOW + HOUR + number * SECOND)
    later = play.alert("T-9")["incident"]
    assert later != play.alert("T-0")["incident"]
    play.saved = dict(sorted(play.saved.items(), key=lambda one: one[0] == f"i/{later}", reverse=turned))
    play.restart()
    play.find(finding("T-10", groups={"market": "XETRA"}), NOW + HOUR + MINUTE)
    assert play.alert("T-10")["incident"] == later
