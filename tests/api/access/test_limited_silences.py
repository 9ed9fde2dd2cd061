"""Somebody with limits makes silences that hide theirs alone, sees those, and posts alerts of their own."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.records import documents
from api.records.documents import Document
from api.store import Store
from tests.api.access.conftest import records_of, signed_in
from tests.api.alertrows import alert
from tests.api.job import Job
from tests.api.rows import insert

ACME = Limits(None, {"customer": frozenset({"acme"})})
ORDERS = Limits(frozenset({"orders"}))
SPAN = {"from": "2026-03-02T08:00:00Z", "until": "2099-03-02T09:00:00Z"}
V1 = "/api/v1/alerting/silence"
V2 = "/api/v2/silences"


def posted(**labels: str) -> dict[str, Any]:
    """A silence as amtool posts it."""
    matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in labels.items()]
    span = {"startsAt": SPAN["from"], "endsAt": SPAN["until"]}
    return {"matchers": matchers, **span, "createdBy": "anna", "comment": "planned"}


def silences(client: TestClient) -> dict[str, Any]:
    """The matchers of those that are stored, by name."""
    with records_of(client).reading() as connection:
        return {one.name: one.body["match"] for one in documents.listed(connection, "silence")}


@pytest.fixture
def job(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    made = Job(guarded, monkeypatch)
    with records_of(guarded).transaction() as tx:
        for name, match in (("all", ["rule = reply"]), ("zorgs", ["customer = zorg"]), ("acmes", ["customer = acme"])):
            documents.put(tx, "t", Document("silence", name, 0, {"match": match, **SPAN}, "root", 1))
    return made


@pytest.mark.parametrize(("limits", "added"), [(ACME, 'customer = "acme"'), (ORDERS, 'workflow = "orders"')])
def test_what_keeps_a_silence_within_the_limits_is_added(
    guarded: TestClient, job: Job, limits: Limits, added: str
) -> None:
    signed_in(guarded, "anna", "operator", limits)
    answer = guarded.put(f"{V1}/mine", json={"match": ["rule = reply"], **SPAN})
    assert (answer.status_code, answer.json()["body"]["match"]) == (200, ["rule = reply", added])
    id = guarded.post(V2, json=posted(alertname="reply")).json()["silenceID"]
    assert silences(guarded)[id] == ['rule = "reply"', added]
    sent = [orjson.loads(record.value or b"") for record in job.sent if record.topic.endswith(".alerting")]
    assert [one["match"][-1] for one in sent] == [added, added], "what the alert job goes by"


def test_a_silence_that_names_anothers_is_refused_with_the_reason(guarded: TestClient, job: Job) -> None:
    before = silences(guarded)
    signed_in(guarded, "anna", "operator", ACME)
    for answer in (
        guarded.put(f"{V1}/mine", json={"match": ["customer = zorg"], **SPAN}),
        guarded.put(f"{V1}/mine", json={"match": ["customer in [acme, zorg]"], **SPAN}),
        guarded.post(V2, json=posted(customer="zorg")),
    ):
        assert answer.status_code == 403
        assert "your limits" in answer.text
    assert silences(guarded) == before


def test_only_their_own_silences_are_there_for_them(guarded: TestClient, job: Job) -> None:
    signed_in(guarded, "anna", "operator", ACME)
    assert [one["name"] for one in guarded.get(V1).json()] == ["acmes"]
    assert [one["id"] for one in guarded.get(V2).json()] == ["acmes"]
    for other in ("all", "zorgs", "nowhere"):
        assert guarded.get(f"{V1}/{other}").status_code == 404
        assert guarded.get(f"/api/v2/silence/{other}").status_code == 404
        assert guarded.delete(f"{V1}/{other}", headers={"If-Match": "*"}).status_code == 404
        assert guarded.delete(f"/api/v2/silence/{other}").status_code == 404
        assert guarded.post(V2, json=posted(customer="acme") | {"id": other}).status_code == 404
    for other in ("all", "zorgs"):
        taken = guarded.put(f"{V1}/{other}", json={"match": ["customer = acme"], **SPAN}, headers={"If-Match": "*"})
        assert (taken.status_code, taken.json()["detail"][-18:]) == (403, "take another name.")
    assert len(silences(guarded)) == 3


def test_their_own_silence_is_changed_and_ended(guarded: TestClient, job: Job) -> None:
    signed_in(guarded, "anna", "operator", ACME)
    tag = guarded.get(f"{V1}/acmes").headers["ETag"]
    longer = {"match": ["customer = acme"], **SPAN, "why": "longer"}
    assert guarded.put(f"{V1}/acmes", json=longer, headers={"If-Match": tag}).status_code == 200
    assert guarded.post(V2, json=posted(customer="acme") | {"id": "acmes"}).status_code == 200
    assert guarded.delete("/api/v2/silence/acmes").status_code == 200
    assert guarded.delete(f"{V1}/acmes", headers={"If-Match": "*"}).status_code == 200
    assert {"all", "zorgs"} <= silences(guarded).keys()


def test_old_silences_of_others_are_left_to_others(guarded: TestClient, job: Job) -> None:
    past = {"from": "2001-03-02T08:00:00Z", "until": "2001-03-02T09:00:00Z"}
    with records_of(guarded).transaction() as tx:
        for name, match in (("old zorgs", ["customer = zorg"]), ("old acmes", ["customer = acme"])):
            documents.put(tx, "t", Document("silence", name, 0, {"match": match, **past}, "root", 1))
    signed_in(guarded, "anna", "operator", ACME)
    assert guarded.post(V2, json=posted(alertname="reply")).status_code == 200
    assert ("old acmes" in silences(guarded), "old zorgs" in silences(guarded)) == (False, True)


@pytest.mark.parametrize("kind", ["maintenance", "person", "routes", "channel", "team"])
def test_all_other_documents_are_closed_to_them(guarded: TestClient, job: Job, kind: str) -> None:
    for role in ("operator", "editor"):
        signed_in(guarded, role, role, ACME)
        for answer in (
            guarded.get(f"/api/v1/alerting/{kind}"),
            guarded.get(f"/api/v1/alerting/{kind}/x"),
            guarded.put(f"/api/v1/alerting/{kind}/x", json={}),
            guarded.delete(f"/api/v1/alerting/{kind}/x"),
        ):
            assert answer.status_code == 403, (kind, role, answer.request.method)


def test_who_may_not_act_sees_their_silences_and_makes_none(guarded: TestClient, job: Job) -> None:
    signed_in(guarded, "vera", "viewer", ACME)
    assert [one["name"] for one in guarded.get(V1).json()] == ["acmes"]
    assert guarded.put(f"{V1}/mine", json={"match": ["customer = acme"], **SPAN}).status_code == 403
    assert guarded.post(V2, json=posted(customer="acme")).status_code == 403
    assert guarded.delete(f"{V1}/acmes").status_code == 403


def test_the_page_of_an_alert_shows_what_its_silence_would_be(guarded: TestClient, store: Store, job: Job) -> None:
    insert(store, "alerts", alert(workflow="orders", groups={"customer": "acme"}))
    signed_in(guarded, "anna", "operator", ACME)
    page = guarded.get(f"/alerts/{'a' * 32}").text
    assert "Silence all like this" in page
    assert "rule = &#34;reply&#34;, customer = &#34;acme&#34;" in page
    signed_in(guarded, "ben", "operator", Limits(None, {"key": frozenset({"K-1"})}))
    assert "Silence all like this" not in guarded.get(f"/alerts/{'a' * 32}").text


def test_alerts_of_others_are_posted_within_the_limits_or_none_is(guarded: TestClient, job: Job) -> None:
    url = "/api/v2/alerts"
    ours = {"labels": {"alertname": "DiskFull", "customer": "acme", "host": "a"}}
    signed_in(guarded, "anna", "operator", ACME)
    assert guarded.post(url, json=[ours]).status_code == 200
    for labels in ({"customer": "zorg"}, {"host": "a"}, {"exported_customer": "acme"}, {"customer": "acme "}):
        answer = guarded.post(url, json=[ours, {"labels": {"alertname": "DiskFull", **labels}}])
        assert answer.status_code == 403, labels
        assert "it needs `customer` in acme. None was taken." in answer.json()
    signed_in(guarded, "ben", "operator", ORDERS)
    refused = guarded.post(url, json=[{"labels": {"alertname": "DiskFull", "workflow": "orders"}}])
    assert (refused.status_code, "belongs to no workflow" in refused.json()) == (403, True)
    signed_in(guarded, "vera", "viewer", ACME)
    assert guarded.post(url, json=[ours]).status_code == 403
    assert [
        orjson.loads(record.value or b"")["groups"] for record in job.sent if record.topic.endswith("findings")
    ] == [{"customer": "acme", "host": "a"}]
