"""Alertmanager's API v2: the shapes that its OpenAPI description promises, and what its own client makes of them."""

from __future__ import annotations

import itertools
import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import orjson
import pytest
import uvicorn
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from starlette.testclient import TestClient

from api.routes import alertmanager
from api.stack import ports
from api.store import Store
from tests.api.alertrows import alert
from tests.api.job import Job
from tests.api.rows import T0, insert
from tests.kafka_help import eventually

Texts = dict[str, str]
HOUR = 3_600


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=False)


class Reference(Shape):
    name: str


class Status(Shape):
    state: Literal["unprocessed", "active", "suppressed"]
    silencedBy: list[str]
    inhibitedBy: list[str]
    mutedBy: list[str]


class Alert(Shape):
    labels: Texts
    annotations: Texts
    receivers: list[Reference]
    fingerprint: str
    startsAt: AwareDatetime
    updatedAt: AwareDatetime
    endsAt: AwareDatetime
    status: Status


class Group(Shape):
    labels: Texts
    routeLabels: Texts
    receiver: Reference
    alerts: list[Alert]


class Matcher(Shape):
    name: str
    value: str
    isRegex: bool
    isEqual: bool


class SilenceStatus(Shape):
    state: Literal["expired", "active", "pending"]


class Silence(Shape):
    id: str
    matchers: Annotated[list[Matcher], Field(min_length=1)]
    startsAt: AwareDatetime
    endsAt: AwareDatetime
    updatedAt: AwareDatetime
    createdBy: str
    comment: str
    annotations: Texts
    status: SilenceStatus


def silence(**given: Any) -> dict[str, Any]:
    now = time.time()
    matchers = [{"name": "alertname", "value": "reply", "isRegex": False, "isEqual": True}]
    stamps = {"startsAt": moment(now), "endsAt": moment(now + HOUR)}
    return {"matchers": matchers, "createdBy": "anna", "comment": "moving house", **stamps, **given}


def moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@pytest.fixture
def filled(client: TestClient, job: Job, store: Store) -> TestClient:
    insert(
        store,
        "alerts",
        alert(id="a1"),
        alert(id="a2", severity="critical", state="acknowledged", acked_by="ben", groups={"market": "US"}),
        alert(id="a3", state="suppressed", suppressed_by="silence s-1"),
        alert(id="a4", state="suppressed", explained_by="a1"),
        alert(id="a5", state="suppressed", suppressed_by="maintenance m-1", excused=1),
        alert(id="a6", state="pending", rule="eod"),
        alert(id="a7", state="resolved", ended_ms=T0 + 9),
    )
    return client


def ids(client: TestClient, **parameters: Any) -> list[str]:
    return [row["fingerprint"] for row in client.get("/api/v2/alerts", params=parameters).json()]


def test_alerts_have_the_promised_shape_and_those_that_ended_are_left_out(filled: TestClient) -> None:
    rows = TypeAdapter(list[Alert]).validate_json(filled.get("/api/v2/alerts").content)
    found = {row.fingerprint: row for row in rows}
    assert sorted(found) == ["a1", "a2", "a3", "a4", "a5", "a6"]
    assert found["a1"].labels["alertname"] == "reply"
    assert found["a1"].labels["market"] == "EU"
    assert found["a2"].status.state == "active"
    assert found["a3"].status.silencedBy == ["s-1"]
    assert found["a4"].status.inhibitedBy == ["a1"]
    assert (found["a5"].status.mutedBy, found["a5"].status.silencedBy) == (["m-1"], [])
    assert found["a6"].status.state == "unprocessed"


def test_filters_leave_out_what_they_say(filled: TestClient) -> None:
    everything = ["a1", "a2", "a3", "a4", "a5", "a6"]
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"filter": 'alertname="reply"'}, everything[:5]),
        ({"filter": "alertname=eod"}, ["a6"]),
        ({"filter": ['severity=~"crit.*|low"', "market!=EU"]}, ["a2"]),
        ({"filter": 'nothing=""'}, everything),
        ({"silenced": "false"}, ["a1", "a2", "a4", "a6"]),
        ({"inhibited": "false"}, ["a1", "a2", "a3", "a5", "a6"]),
        ({"active": "false"}, ["a3", "a4", "a5", "a6"]),
        ({"unprocessed": "false"}, everything[:5]),
        ({"receiver": "no.*"}, everything),
        ({"receiver": "desk"}, []),
        ({"receiver_matchers": 'owner="x"'}, []),
    ]
    for parameters, wanted in cases:
        assert ids(filled, **parameters) == wanted, parameters


def test_a_filter_finds_what_is_behind_many_alerts_that_do_not_fit(
    filled: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alertmanager, "MOST_ALERTS", 1)
    assert ids(filled, filter='severity="critical"') == ["a2"]


def test_what_is_no_matcher_is_a_400_with_a_text(filled: TestClient) -> None:
    slow = "(a+)+$"
    for path, parameters in (
        ("alerts", {"filter": "nonsense"}),
        ("alerts", {"filter": f'key=~"{slow}"'}),
        ("alerts", {"receiver": slow}),
        ("alerts", {"active": "perhaps"}),
        ("alerts/groups", {"filter": "="}),
        ("silences", {"filter": "?"}),
        ("receivers", {"receiver_matchers": "?"}),
    ):
        answer = filled.get(f"/api/v2/{path}", params=parameters)
        assert answer.status_code == 400, (path, parameters)
        assert isinstance(answer.json(), str)


def test_groups_hold_each_alert_under_the_labels_of_its_route(filled: TestClient) -> None:
    groups = TypeAdapter(list[Group]).validate_json(filled.get("/api/v2/alerts/groups").content)
    assert [(group.receiver.name, group.labels["alertname"], len(group.alerts)) for group in groups] == [
        ("none", "eod", 1),
        ("none", "reply", 5),
    ]
    parameters = {"filter": "severity=critical"}
    [only] = filled.get("/api/v2/alerts/groups", params=parameters).json()
    assert [row["fingerprint"] for row in only["alerts"]] == ["a2"]
    gone = {"muted": "false", "filter": "market=EU", "active": "false"}
    assert [len(group["alerts"]) for group in filled.get("/api/v2/alerts/groups", params=gone).json()] == [1]


def test_a_silence_is_a_document_that_the_job_gets(client: TestClient, job: Job) -> None:
    made = client.post("/api/v2/silences", json=silence())
    assert made.status_code == 200, made.text
    name = made.json()["silenceID"]
    shown = Silence.model_validate_json(client.get(f"/api/v2/silence/{name}").content)
    assert (shown.status.state, shown.createdBy, shown.comment) == ("active", "anna", "moving house")
    assert [one.name for one in shown.matchers] == ["alertname"]
    document = orjson.loads(job.sent[0].value or b"")
    assert (job.sent[0].key.decode(), document["match"]) == (f"silence/{name}", ['rule = "reply"'])
    assert client.get(f"/api/v1/alerting/silence/{name}").json()["body"] == document


def test_each_sort_of_matcher_comes_back_as_posted(client: TestClient, job: Job) -> None:
    for equal, regex in itertools.product((True, False), (True, False)):
        value = "a.c|d" if regex else 'say "hi" \\ to, [all]'
        matcher = {"name": "market", "value": value, "isRegex": regex, "isEqual": equal}
        name = client.post("/api/v2/silences", json=silence(matchers=[matcher])).json()["silenceID"]
        assert client.get(f"/api/v2/silence/{name}").json()["matchers"] == [matcher]


def test_a_label_of_any_name_is_silenced_and_filtered_by(client: TestClient, job: Job) -> None:
    for name in ("cost centre", "Kostenträger", 'say "x"'):
        matcher = {"name": name, "value": "17", "isRegex": False, "isEqual": True}
        id = client.post("/api/v2/silences", json=silence(matchers=[matcher])).json()["silenceID"]
        assert client.get(f"/api/v2/silence/{id}").json()["matchers"] == [matcher]
        text = f"{json.dumps(name, ensure_ascii=False)}=17"
        assert [one["id"] for one in client.get("/api/v2/silences", params={"filter": text}).json()] == [id]


def test_a_silence_is_prolonged_in_place_and_another_one_with_other_matchers(client: TestClient, job: Job) -> None:
    name = client.post("/api/v2/silences", json=silence()).json()["silenceID"]
    before = client.get(f"/api/v2/silence/{name}").json()
    longer = silence(id=name, endsAt=moment(time.time() + 2 * HOUR))
    assert client.post("/api/v2/silences", json=longer).json()["silenceID"] == name
    after = client.get(f"/api/v2/silence/{name}").json()
    assert after["startsAt"] == before["startsAt"]
    assert after["endsAt"] > before["endsAt"]
    other = [{"name": "market", "value": "EU", "isRegex": False}]
    new = client.post("/api/v2/silences", json=silence(id=name, matchers=other)).json()["silenceID"]
    assert new != name
    states = {one["id"]: one["status"]["state"] for one in client.get("/api/v2/silences").json()}
    assert states == {name: "expired", new: "active"}


def test_a_silence_that_is_ended_is_shown_as_expired(client: TestClient, job: Job) -> None:
    name = client.post("/api/v2/silences", json=silence()).json()["silenceID"]
    later = silence(startsAt=moment(time.time() + HOUR), endsAt=moment(time.time() + 2 * HOUR))
    coming = client.post("/api/v2/silences", json=later).json()["silenceID"]
    listed = TypeAdapter(list[Silence]).validate_json(client.get("/api/v2/silences").content)
    assert [(one.id, one.status.state) for one in listed] == [(name, "active"), (coming, "pending")]
    assert [one["id"] for one in client.get("/api/v2/silences", params={"active": "false"}).json()] == [coming]
    for one in (name, coming, coming):
        assert client.delete(f"/api/v2/silence/{one}").status_code == 200
    assert {one["status"]["state"] for one in client.get("/api/v2/silences").json()} == {"expired"}
    assert client.get("/api/v2/silences", params={"expired": "false"}).json() == []


def test_silences_are_found_by_their_matchers(client: TestClient, job: Job) -> None:
    name = client.post("/api/v2/silences", json=silence()).json()["silenceID"]
    for text, wanted in (("alertname=reply", [name]), ("alertname!=reply", []), ("alertname=~reply", []), ("a=b", [])):
        assert [one["id"] for one in client.get("/api/v2/silences", params={"filter": text}).json()] == wanted, text


def test_silences_that_make_no_sense_are_refused_with_a_text(client: TestClient, job: Job) -> None:
    now = time.time()
    wrong = [
        silence(endsAt=moment(now - 5)),
        silence(startsAt=moment(now + HOUR)),
        silence(matchers=[]),
        silence(matchers=[{"name": "", "value": "x", "isRegex": False}]),
        silence(matchers=[{"name": "key", "value": "(a+)+$", "isRegex": True}]),
        silence(matchers=[{"name": "severity", "value": "dreadful", "isRegex": False}]),
        {},
    ]
    for body in wrong:
        answer = client.post("/api/v2/silences", json=body)
        assert (answer.status_code, isinstance(answer.json(), str)) == (400, True), body
    assert client.post("/api/v2/silences", json=silence(id="none")).status_code == 404
    assert client.get("/api/v2/silence/none").status_code == 404
    assert client.delete("/api/v2/silence/none").status_code == 404
    assert job.sent == []


def test_status_and_receivers_have_the_promised_shape(client: TestClient) -> None:
    status = client.get("/api/v2/status").json()
    assert set(status) == {"cluster", "versionInfo", "config", "uptime"}
    assert status["cluster"]["status"] == "disabled"
    assert client.get("/api/v2/receivers").json() == [{"name": "none", "labels": {}}]


@contextmanager
def served(client: TestClient) -> Iterator[str]:
    """The client's app on a port, without starting it a second time."""
    port = ports.free()
    server = uvicorn.Server(uvicorn.Config(client.app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        eventually(lambda: ports.answers(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.mark.real
def test_amtool_works_with_it(filled: TestClient, amtool_program: str) -> None:
    with served(filled) as url:

        def amtool(*words: str) -> str:
            command = [amtool_program, f"--alertmanager.url={url}", *words]
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        rows = orjson.loads(amtool("alert", "query", "-o", "json", "alertname=reply"))
        assert {row["fingerprint"] for row in rows} == {"a1", "a2"}
        quiet = orjson.loads(amtool("alert", "query", "-o", "json", "--silenced", "--inhibited"))
        assert "a3" in {row["fingerprint"] for row in quiet}
        name = amtool("silence", "add", "alertname=reply", "market=~EU|US", "-c", "on it", "-a", "anna").strip()
        assert orjson.loads(amtool("silence", "query", "-o", "json"))[0]["id"] == name
        amtool("silence", "update", name, "-d", "3h")
        amtool("silence", "expire", name)
        assert orjson.loads(amtool("silence", "query", "-o", "json")) == []
        assert name in amtool("silence", "query", "-q", "--expired", "--within", "1h")
        assert "daymark" in amtool("config", "show").lower()
