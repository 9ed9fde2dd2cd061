"""From when on alerts that share something are one incident, and how much makes it weigh more, is the policy's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import MINUTE, NOW, Play, finding, halted, messages, policy, told
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import EMPTY, Branch, Gathering, Policy, Route
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
