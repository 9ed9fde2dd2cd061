"""The API and the core of alerts fit each other: what one writes the other takes, down to the columns of the store."""

from __future__ import annotations

import os
import time
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.publish import Record
from api.settings import Settings
from api.store import Store
from tests.api.job import Job
from tests.api.rows import finding, insert
from tests.api.test_alerting import FILE
from tests.api.test_alertmanager import moment, silence
from udfs.alerting.desk import Desk
from udfs.alerting.effects import AlertChanged, Applied, Effect, IncidentChanged, Logged, Notify
from udfs.alerting.graph import NOTHING
from udfs.alerting.links import Link, sign
from udfs.alerting.policy import EMPTY
from udfs.linksecret import link_secret
from udfs.packs.alertcompile import compile_policy

TABLES = {AlertChanged: "alerts", Logged: "alertlog", IncidentChanged: "incidents"}


class DeskJob(Job):
    """The core of alerts in the place of the alert job, and a loader that is always there."""

    def __init__(self, client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(client, monkeypatch)
        self.store, self.desk, self.documents = store, Desk(EMPTY, NOTHING), dict[str, Any]()
        self.now = time.time_ns() // 1_000_000
        self.told: list[dict[str, Any]] = []

    def _publish(self, records: Any) -> None:
        self.sent += records
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        self.now = max(self.now + 1, time.time_ns() // 1_000_000)
        if record.topic.endswith(".actions"):
            self._tell(self.desk.on_action(orjson.loads(record.value or b""), self.now))
            self.tick()
        elif record.topic.endswith(".alerting"):
            self.documents[record.key.decode()] = record.value and orjson.loads(record.value)
            self.desk.configure(compile_policy({key: body for key, body in self.documents.items() if body}))
            self.tick()

    def tick(self, later_ms: int = 1) -> None:
        self.now += later_ms
        self._tell(self.desk.on_time(self.now))

    def find(self, **given: Any) -> None:
        self.now += 1
        self._tell(self.desk.on_finding(finding(deadline_ms=self.now, **given), self.now))

    def _tell(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Applied):
                self.context.listener.hear("daymark.notifications", orjson.dumps(effect.row))
            elif isinstance(effect, Notify):
                self.told.append(effect.row)
            elif table := TABLES.get(type(effect)):
                insert(self.store, table, effect.row)


@pytest.fixture
def desk(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> DeskJob:
    job = DeskJob(client, store, monkeypatch)
    assert client.put("/api/v1/alerting", json={"documents": FILE}).status_code == 200
    return job


def only(client: TestClient) -> dict[str, Any]:
    [row] = client.get("/api/v1/alerts").json()["items"]
    return dict(row)


def test_an_alert_is_told_acknowledged_by_its_link_and_resolved_by_what_comes(
    client: TestClient, desk: DeskJob, settings: Settings
) -> None:
    desk.find(id="1" * 32)
    row = only(client)
    assert (row["state"], row["escalation"], desk.told[0]["person"]) == ("open", "desk", "anna")
    link = Link("ack", {row["id"]: row["episode"]}, "anna", desk.now + 60_000)
    token = sign(link, link_secret(settings.home, os.environ))
    assert "Acknowledge this alert?" in client.get(f"/ack/{token}").text
    assert "Done" in client.post(f"/ack/{token}").text
    assert (only(client)["state"], only(client)["acked_by"]) == ("acknowledged", "anna")
    desk.find(id="2" * 32, kind="late", at_ms=desk.now, delta_ms=60_000)
    whole = client.get(f"/api/v1/alerts/{row['id']}").json()
    assert (whole["state"], whole["delta_ms"]) == ("resolved", 60_000)
    assert {"opened", "acknowledged", "resolved"} <= {entry["what"] for entry in whole["log"]}
    refused = client.post(f"/api/v1/alerts/{row['id']}/ack")
    assert (refused.status_code, "has ended" in refused.json()["detail"]) == (409, True)


def test_each_action_is_taken_and_answered(client: TestClient, desk: DeskJob) -> None:
    desk.find(id="1" * 32)
    url = f"/api/v1/alerts/{only(client)['id']}"
    until = moment(time.time() + 3_600)
    steps: list[tuple[str, dict[str, Any], str]] = [
        ("comment", {"text": "looking"}, "open"),
        ("assign", {"assignee": "ben"}, "open"),
        ("escalate", {}, "escalated"),
        ("ack", {"until": until}, "acknowledged"),
        ("unack", {"why": "not mine"}, "open"),
        ("suppress", {"until": until, "why": "known"}, "suppressed"),
        ("unsuppress", {}, "open"),
        ("resolve", {"why": "gone"}, "resolved"),
    ]
    for kind, body, state in steps:
        answer = client.post(f"{url}/{kind}", json=body)
        assert answer.status_code == 200, (kind, answer.text)
        assert only(client)["state"] == state, kind
        assert answer.json()["alerts"][0]["state"] == only(client)["state"]
    assert only(client)["assignee"] == "ben"
    many = client.post("/api/v1/alerts/actions", json={"kind": "ack", "alerts": [only(client)["id"], "none"]})
    assert many.status_code == 409


def test_a_silence_from_amtool_hides_the_alert_until_it_is_ended(client: TestClient, desk: DeskJob) -> None:
    desk.find(id="1" * 32)
    name = client.post("/api/v2/silences", json=silence()).json()["silenceID"]
    [row] = client.get("/api/v2/alerts").json()
    assert (row["status"]["state"], row["status"]["silencedBy"]) == ("suppressed", [name])
    client.delete(f"/api/v2/silence/{name}")
    desk.tick(1_000)
    [row] = client.get("/api/v2/alerts").json()
    assert (row["status"]["state"], row["status"]["silencedBy"]) == ("active", [])


def test_an_incident_is_noted_merged_resolved_and_written_about(client: TestClient, desk: DeskJob) -> None:
    for market in ("EU", "US"):
        for number in range(6):
            key = f"{market}-{number}"
            desk.find(id=f"{market}{number}".ljust(32, "0"), key=key, groups={"market": market}, event_id=key)
    incidents = client.get("/api/v1/incidents").json()["items"]
    assert incidents, "six alerts of one rule and market are an incident"
    first = incidents[0]["id"]
    note = client.post(f"/api/v1/incidents/{first}/note", json={"text": "we know", "public": True})
    assert note.status_code == 200, note.text
    for other in incidents[1:]:
        merged = client.post(f"/api/v1/incidents/{first}/merge", json={"alerts": [other["id"]]})
        assert merged.status_code == 200, merged.text
    whole = client.get(f"/api/v1/incidents/{first}").json()
    assert (whole["note"], whole["public"]) == ("we know", 1)
    assert len(whole["members"]) == 12
    assert client.post(f"/api/v1/incidents/{first}/resolve", json={"why": "over"}).status_code == 200
    desk.tick(1_000)
    assert client.get(f"/api/v1/incidents/{first}").json()["state"] == "resolved"
    text = client.get(f"/api/v1/incidents/{first}/post-mortem").text
    assert "we know" in text
    assert "over" in text
