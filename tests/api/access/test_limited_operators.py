"""An operator who is limited acts on the alerts inside their limits; all others are not there for them."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import signed_in
from tests.api.alertrows import alert, delivery
from tests.api.job import Job
from tests.api.rows import T0, insert
from udfs.alerting.links import Link, sign
from udfs.linksecret import link_secret

OURS, OTHERS, NOWHERE = "a" * 32, "b" * 32, "c" * 32
LIMITED = {
    "by workflow": Limits(frozenset({"ours"})),
    "by group": Limits(None, {"customer": frozenset({"acme"})}),
    "by both": Limits(frozenset({"ours"}), {"customer": frozenset({"acme"})}),
}
KINDS: dict[str, dict[str, Any]] = {
    "ack": {"why": "on it"},
    "unack": {},
    "suppress": {"until": "2030-01-01T00:00:00Z"},
    "unsuppress": {},
    "resolve": {},
    "comment": {"text": "asked them"},
    "assign": {"assignee": "ben"},
    "escalate": {},
}


@pytest.fixture
def desk(guarded: TestClient, store: Store) -> TestClient:
    """Alerts of two customers, each in a workflow of its own."""
    insert(store, "alerts", alert(id=OURS, workflow="ours", groups={"customer": "acme"}))
    insert(store, "alerts", alert(id=OTHERS, workflow="others", groups={"customer": "zorg"}))
    return guarded


@pytest.fixture
def job(desk: TestClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(desk, monkeypatch)


def test_the_link_in_a_message_does_for_them_what_it_does_for_a_stranger(
    desk: TestClient, job: Job, settings: Settings, store: Store
) -> None:
    insert(store, "deliveries", delivery(id="m1", alerts=[OURS], outcome="sent"))
    told = time.time_ns() // 1_000_000
    secret = link_secret(settings.home, os.environ)
    link = sign(Link("ack", {}, "anna", told + 60_000, message="m1", told_ms=told), secret)
    stranger = desk.get(f"/ack/{link}")
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    assert (stranger.status_code, desk.get(f"/ack/{link}").text) == (200, stranger.text)
    assert "Done" in desk.post(f"/ack/{link}").text
    assert [action["alerts"] for action in job.actions] == [[OURS]]


@pytest.mark.parametrize("limits", LIMITED)
def test_they_act_on_their_own_alerts_and_anothers_is_not_there(desk: TestClient, job: Job, limits: str) -> None:
    signed_in(desk, "anna", "operator", LIMITED[limits])
    for kind, body in KINDS.items():
        assert desk.post(f"/api/v1/alerts/{OURS}/{kind}", json=body).status_code == 200, kind
        for other in (OTHERS, NOWHERE):
            answer = desk.post(f"/api/v1/alerts/{other}/{kind}", json=body)
            assert answer.status_code == 404, (kind, other)
            assert answer.json()["detail"] == f"There is no alert '{other}'.", "both are told alike"
    assert {alert for action in job.actions for alert in action["alerts"]} == {OURS}
    assert [action["kind"] for action in job.actions] == list(KINDS)
    assert {action["who"] for action in job.actions} == {"anna"}


def test_of_many_alerts_only_their_own_are_touched_and_the_answer_says_so(desk: TestClient, job: Job) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    url = "/api/v1/alerts/actions"
    answer = desk.post(url, json={"kind": "ack", "alerts": [OTHERS, OURS, NOWHERE, OURS]})
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["alerts"]] == [OURS]
    assert answer.json()["detail"] == "2 of 3 alerts are not there."
    assert job.actions[0]["alerts"] == [OURS]
    assert desk.post(url, json={"kind": "ack", "alerts": [OTHERS, NOWHERE]}).status_code == 404
    assert len(job.actions) == 1


def test_what_became_of_an_action_is_told_to_who_may_see_its_alerts(desk: TestClient, job: Job) -> None:
    signed_in(desk, "root", "admin")
    both = desk.post("/api/v1/alerts/actions", json={"kind": "ack", "alerts": [OURS, OTHERS]}).json()["id"]
    own = desk.post(f"/api/v1/alerts/{OURS}/ack").json()["id"]
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    assert desk.get(f"/api/v1/actions/{both}").status_code == 404
    assert desk.get(f"/api/v1/actions/{own}").json()["alerts"][0]["id"] == OURS


def test_an_alert_that_moved_to_another_customer_is_theirs_no_longer(desk: TestClient, store: Store, job: Job) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    moved = alert(id=OURS, workflow="ours", groups={"customer": "zorg"}, rev=T0 << 21)
    insert(store, "alerts", moved)
    assert desk.post(f"/api/v1/alerts/{OURS}/ack").status_code == 404
    assert job.actions == []


def test_a_viewer_with_limits_acts_on_nothing_and_no_operator_with_limits_on_deliveries(
    desk: TestClient, job: Job
) -> None:
    signed_in(desk, "vera", "viewer", LIMITED["by group"])
    assert desk.post(f"/api/v1/alerts/{OURS}/ack").status_code == 403
    assert desk.post("/api/v1/incidents/x/resolve").status_code == 403
    assert "Acknowledge" not in desk.get(f"/alerts/{OURS}").text
    assert "Silence" not in desk.get(f"/alerts/{OURS}").text
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    assert "Acknowledge" in desk.get(f"/alerts/{OURS}").text
    assert desk.post("/api/v1/deliveries/x/retry").status_code == 403
    assert job.actions == []


def test_a_token_acts_within_the_limits_of_its_owner(desk: TestClient, job: Job) -> None:
    signed_in(desk, "anna", "operator", LIMITED["by group"])
    secret = desk.post("/api/v1/tokens", json={"name": "t", "scopes": ["read", "act"]}).json()["secret"]
    reader = desk.post("/api/v1/tokens", json={"name": "r", "scopes": ["read"]}).json()["secret"]
    desk.cookies.clear()

    def asked(token: str, id: str) -> int:
        return desk.post(f"/api/v1/alerts/{id}/ack", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [asked(secret, OURS), asked(secret, OTHERS), asked(reader, OURS)] == [200, 404, 403]


def test_without_limits_one_acts_on_an_alert_that_the_store_has_not_got_yet(desk: TestClient, job: Job) -> None:
    signed_in(desk, "ops", "operator")
    assert desk.post(f"/api/v1/alerts/{NOWHERE}/ack").status_code == 200
