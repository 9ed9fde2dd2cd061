"""Where a route gives alerts another severity: routes go by what was found, silences and tools by what people see."""

from __future__ import annotations

from typing import Any

import pytest

from api import alertmanager
from tests.udfs.alerting.build import MINUTE, NOW, Play, action, answer, finding
from udfs.alerting.matchers import labels_of
from udfs.alerting.policy import Policy
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertquestions import explain, preview

DOCUMENTS: dict[str, Any] = {
    "person/anna": {"email": "anna@example.org", "by": "mail"},
    "channel/mail": {"type": "email", "server": "127.0.0.1:25", "from": "daymark@example.org"},
    "escalation/page": {"steps": [{"notify": {"person": "anna"}}]},
    "escalation/other": {"steps": [{"notify": {"person": "anna"}}]},
    "routes/main": {
        "escalation": "page",
        "routes": [
            {"name": "critical", "match": "severity = critical", "escalation": "other"},
            {"name": "trades", "match": "workflow = trades", "severity": "critical"},
        ],
    },
}


def silence(severity: str) -> dict[str, Any]:
    return {"match": f"severity = {severity}", "from": "2023-11-14T22:00:00Z", "until": "2023-11-15T22:00:00Z"}


def policy(**silences: str) -> Policy:
    return compile_policy(DOCUMENTS | {f"silence/{name}": silence(severity) for name, severity in silences.items()})


@pytest.mark.parametrize(("severity", "hides"), [("critical", True), ("high", False)])
def test_a_silence_hides_what_its_preview_shows(severity: str, hides: bool) -> None:
    play = Play(policy())
    play.find(finding(severity="high"))
    row = play.alert()
    assert (row["severity"], row["route"]) == ("critical", "main/trades")
    found, _ = preview("silence", "s", silence(severity), DOCUMENTS, [labels_of(row)], NOW)
    assert found == ([0] if hides else [])
    play.configure(policy(s=severity))
    play.run(NOW + MINUTE)
    assert play.alert()["state"] == ("suppressed" if hides else "open")
    mute = explain(policy(s=severity), {"workflow": "trades", "severity": "high"}, NOW).mute
    assert (mute is not None) is hides


def test_what_a_silence_keeps_quiet_from_its_beginning_can_not_be_escalated() -> None:
    play = Play(policy(s="critical"))
    play.find(finding(severity="high"))
    assert play.alert()["state"] == "suppressed"
    play.end(action("unsuppress", play.id()))
    found = play.end(action("escalate", play.id()))
    assert answer(found)["outcome"] == "refused"


@pytest.mark.parametrize(("severity", "receiver"), [("high", "page"), ("critical", "other")])
def test_tools_see_the_receiver_that_the_job_tells(severity: str, receiver: str) -> None:
    play = Play(policy())
    play.find(finding(severity=severity))
    row = play.alert()
    assert row["escalation"] == receiver
    assert alertmanager.receivers(row, play.policy) == [receiver]
    [group] = alertmanager.groups([row], play.policy, NOW)
    assert group["receiver"] == {"name": receiver}


def test_of_an_alert_that_was_routed_by_older_documents_the_receiver_is_that_of_the_new_ones() -> None:
    play = Play(policy())
    play.find(finding(severity="high"))
    newer = compile_policy(DOCUMENTS | {"routes/main": {"escalation": "other"}})
    assert alertmanager.receivers(play.alert(), newer) == ["other"]
