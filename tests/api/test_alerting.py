"""Alerting documents over HTTP: nothing unfit is taken, nothing in use is deleted, no update is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.records import database
from api.settings import Settings
from api.store import Store
from tests.api.alertrows import alert
from tests.api.job import Job
from tests.api.rows import insert
from udfs.packs.alertfile import load_alerting

URL = "/api/v1/alerting"
MAIL = {"type": "email", "server": "mail.example.com:587", "from": "daymark@example.com"}
ANNA = {"email": "anna@example.com", "by": "mail"}
DESK = {"steps": [{"notify": {"person": "anna"}}, {"after": "15m", "notify": {"person": "ben"}}]}
FILE = {
    "channel/mail": MAIL,
    "person/anna": ANNA,
    "person/ben": {"email": "ben@example.com", "by": "mail"},
    "escalation/desk": DESK,
    "routes/main": {"escalation": "desk"},
    "on_call/desk": {"zone": "UTC", "layers": [{"people": ["anna", "ben"], "every": "1w", "from": "2026-01-05"}]},
}


@pytest.fixture
def filled(client: TestClient, job: Job) -> TestClient:
    answer = client.put(URL, json={"documents": FILE})
    assert answer.status_code == 200, answer.text
    job.sent.clear()
    return client


def sent(job: Job) -> dict[str, Any]:
    return {record.key.decode(): record.value and orjson.loads(record.value) for record in job.sent}


def test_a_document_is_put_read_with_its_etag_and_sent_to_the_job(client: TestClient, job: Job) -> None:
    put = client.put(f"{URL}/channel/mail", json=MAIL)
    assert (put.status_code, put.json()["changed"], put.json()["version"]) == (200, True, 1)
    found = client.get(f"{URL}/channel/mail")
    assert (found.headers["etag"], found.json()["body"]) == ('"1"', MAIL)
    assert (job.sent[0].topic, sent(job)) == ("daymark.alerting", {"channel/mail": MAIL})


def test_a_change_needs_the_version_that_it_changes(filled: TestClient) -> None:
    url, other = f"{URL}/person/anna", ANNA | {"phone": "+31612345678"}
    assert filled.put(url, json=ANNA).status_code == 200  # what is there already
    unsaid = filled.put(url, json=other)
    assert unsaid.status_code == 409
    assert 'If-Match: "1"' in unsaid.json()["detail"]
    assert filled.put(url, json=other, headers={"If-None-Match": "*"}).status_code == 412
    assert filled.put(url, json=other, headers={"If-Match": '"7"'}).status_code == 412
    assert filled.put(url, json=other, headers={"If-Match": "nonsense"}).status_code == 412
    assert filled.put(url, json=other, headers={"If-Match": '"1"'}).headers["etag"] == '"2"'
    assert filled.put(url, json=ANNA, headers={"If-Match": '"1"'}).status_code == 412  # somebody else was faster
    assert filled.put(url, json=ANNA, headers={"If-Match": "*"}).json()["version"] == 3
    assert [one["version"] for one in filled.get(f"{url}/versions").json()] == [3, 2, 1]


def test_a_document_that_is_wrong_gets_every_fault_and_changes_nothing(client: TestClient, job: Job) -> None:
    wrong = {"steps": [{"notify": {"person": "anna"}}], "reapeat": {}, "zone": "Nowhere/City"}
    answer = client.put(f"{URL}/escalation/desk", json=wrong)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) >= 2
    assert all(fault["field"].startswith("escalation/desk") for fault in answer.json()["errors"])
    assert client.get(URL).json() == []
    assert job.sent == []


def test_what_another_document_names_cannot_be_deleted(filled: TestClient, job: Job) -> None:
    refused = filled.delete(f"{URL}/person/anna")
    assert refused.status_code == 409
    assert any("escalation/desk" in fault["field"] for fault in refused.json()["errors"])
    assert filled.delete(f"{URL}/routes/main", headers={"If-Match": '"9"'}).status_code == 412
    assert filled.delete(f"{URL}/routes/main", headers={"If-Match": '"1"'}).json()["deleted"] is True
    assert filled.delete(f"{URL}/routes/main").status_code == 404
    assert filled.get(f"{URL}/routes/main").status_code == 404
    assert sent(job) == {"routes/main": None}


def test_many_are_applied_together_or_not_at_all(filled: TestClient, job: Job) -> None:
    broken = {"documents": {"person/carla": {"by": "pigeon"}, "person/dora": ANNA}}
    assert filled.put(URL, json=broken).status_code == 422
    assert len(filled.get(URL).json()) == len(FILE)
    again = filled.put(URL, json={"documents": FILE}).json()
    assert (again["changed"], again["deleted"], len(again["unchanged"])) == ([], [], len(FILE))
    assert job.sent == []


def test_pruning_deletes_what_the_file_does_not_have_but_no_silence(filled: TestClient, job: Job) -> None:
    silence = {"match": "book = FX", "from": "2026-03-02T08:00Z", "until": "2036-03-02T10:00Z"}
    assert filled.put(f"{URL}/silence/noise", json=silence).status_code == 200
    fewer = {key: body for key, body in FILE.items() if key != "on_call/desk"}
    done = filled.put(URL, json={"documents": fewer, "prune": True}).json()
    assert done["deleted"] == ["on_call/desk"]
    assert filled.get(f"{URL}/silence").json()[0]["name"] == "noise"


def test_the_file_of_the_demo_can_be_applied(client: TestClient, job: Job) -> None:
    file, _ = load_alerting(Path(__file__).parents[2] / "rules" / "alerting.yaml")
    assert client.put(URL, json={"documents": file}).status_code == 200
    assert client.get("/api/v1/on-call").json()[0]["people"][0] in ("anna", "ben")


def test_garbage_is_refused(client: TestClient) -> None:
    for body in (b"", b"{", b"[]", b'"x"', b"\xff", b'{"documents": []}', b'{"document": {}}'):
        assert client.put(URL, content=body).status_code in (400, 422), body
        assert client.put(f"{URL}/person/anna", content=body).status_code in (400, 422), body


def test_more_than_a_document_may_have_is_refused(filled: TestClient) -> None:
    assert filled.put(f"{URL}/person/anna", content=b" " * 1_000_001).status_code == 413
    assert filled.put(f"{URL}/team/a", json={"description": "x" * 950_000, "members": ["anna"]}).status_code == 413
    assert filled.put(f"{URL}/dragon/a", json={}).status_code == 422


def test_documents_are_kept_while_kafka_is_away(client: TestClient) -> None:
    assert client.put(f"{URL}/channel/mail", json=MAIL).status_code == 200
    assert client.app.state.context.relay.waiting() == 1  # type: ignore[attr-defined]


def test_questions_are_answered_from_the_documents(filled: TestClient) -> None:
    at = "2026-01-06T00:00:00Z"
    [now] = filled.get("/api/v1/on-call", params={"at": at}).json()
    assert (now["schedule"], now["people"]) == ("desk", ["anna"])
    shifts = filled.get("/api/v1/on-call/desk", params={"at": at, "count": 3}).json()
    assert [shift["people"] for shift in shifts] == [["anna"], ["ben"], ["anna"]]
    assert filled.get("/api/v1/on-call/none").status_code == 404
    asked = {"labels": {"workflow": "w", "severity": "high"}, "at": at}
    [route] = filled.post(f"{URL}/explain", json=asked).json()["routes"]
    assert [step["recipients"][0]["person"] for step in route["steps"]] == ["anna", "ben"]
    assert route["steps"][1]["due_ms"] - route["steps"][0]["due_ms"] == 900_000


def test_a_preview_says_which_alerts_a_silence_would_hide_and_when(filled: TestClient, store: Store) -> None:
    insert(
        store,
        "alerts",
        alert(id="a" * 32),
        alert(id="b" * 32, groups={"market": "US"}),
        alert(id="c" * 32, state="resolved"),
    )
    body = {"match": "market = EU", "from": "2026-03-02T08:00Z", "until": "2026-03-02T10:00Z"}
    asked = {"kind": "silence", "body": body, "at": "2026-03-01T00:00:00Z"}
    found = filled.post(f"{URL}/preview", json=asked).json()
    assert found["alerts"] == ["a" * 32]
    assert [one["end_ms"] - one["begin_ms"] for one in found["openings"]] == [7_200_000]
    assert filled.post(f"{URL}/preview", json=asked | {"body": {"match": "?"}}).status_code == 422


def test_a_channel_shows_its_message_and_sends_one_as_a_test(filled: TestClient, job: Job, store: Store) -> None:
    insert(store, "alerts", alert(summary="reply is missing: K-77"))
    assert "T-123" in filled.get(f"{URL}/channel/mail/preview").json()["text"]
    assert "K-77" in filled.get(f"{URL}/channel/mail/preview", params={"alert": "a" * 32}).json()["html"]
    assert filled.get(f"{URL}/channel/none/preview").status_code == 404
    assert filled.get(f"{URL}/channel/mail/preview", params={"alert": "none"}).status_code == 404
    answer = filled.post(f"{URL}/channel/mail/test", json={"person": "anna"})
    assert answer.status_code == 202
    [record] = job.sent
    told = orjson.loads(record.value or b"")
    assert record.topic == "daymark.notifications"
    assert (told["type"], told["id"], told["address"]) == ("test", answer.json()["id"], "anna@example.com")
    assert filled.post(f"{URL}/channel/mail/test", json={"person": "zoe"}).status_code == 422


def test_documents_that_go_too_deep_are_refused(client: TestClient) -> None:
    for depth in (100, 400, 900):
        body = b'{"match": "a = b", "routes": [' * depth + b"]}" * depth
        answer = client.put(f"{URL}/routes/main", content=body)
        assert answer.status_code in (200, 400, 409, 422), depth
    deep = b'{"a":' * 5_000 + b"1" + b"}" * 5_000
    assert client.put(URL, content=b'{"documents": ' + deep + b"}").status_code == 400


def test_whether_the_records_answer_and_what_waits_for_kafka_is_told(client: TestClient) -> None:
    client.put(f"{URL}/channel/mail", json=MAIL)
    assert client.get("/readyz").json()["parts"]["records"] == "ok"
    assert "daymark_outbox_waiting 1.0" in client.get("/metrics").text


def test_records_that_are_busy_for_long_are_a_503_and_nothing_is_lost(
    serve: Callable[[Settings], TestClient], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 100)
    client = serve(settings)
    other = sqlite3.connect(settings.home / "records.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")  # another process writes and doesn't end
    busy = client.put(f"{URL}/channel/mail", json=MAIL)
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert client.get(f"{URL}/channel/mail").status_code == 404  # reading never waits
    other.close()
    assert client.put(f"{URL}/channel/mail", json=MAIL).status_code == 200
