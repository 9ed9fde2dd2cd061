"""Alerts that Prometheus or amtool send become findings, and live as alerts like all others: told, over, or silent."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api import foreign
from api.publish import Publisher, PublishError, Record
from api.store import Store
from tests.api.rows import insert
from tests.api.test_alerting import FILE
from tests.api.test_alertmanager import served
from tests.api.test_with_the_core_of_alerts import DeskJob, only

NOW = 1_700_000_000_000
LABELS = {"alertname": "DiskFull", "instance": "db1:9100", "severity": "page", "workflow": "theirs"}
MINUTE = 60_000


def found(begin: int | None = NOW, end: int | None = None, now: int = NOW, **labels: str) -> dict[str, Any]:
    return foreign.finding(LABELS | labels, {"summary": "disk of db1 is full"}, begin, end, "main", now)


def test_labels_become_rule_severity_key_and_groups() -> None:
    row = found()
    assert (row["rule"], row["severity"], row["because"]) == ("DiskFull", "critical", "disk of db1 is full")
    assert row["key"] == "instance=db1:9100, severity=page, workflow=theirs"
    assert row["groups"] == {"instance": "db1:9100", "exported_workflow": "theirs"}
    assert found(severity="unheard-of")["severity"] == "medium"
    assert found(severity="unheard-of")["groups"]["exported_severity"] == "unheard-of"


def test_one_alert_is_one_finding_however_often_it_is_sent_and_another_one_when_it_begins_anew() -> None:
    assert found(now=NOW + MINUTE)["id"] == found()["id"] == found(end=NOW - 1)["id"]
    others = [found(begin=NOW + 1), found(instance="db2:9100"), found(alertname="Other"), found(device="sda")]
    assert len({found()["id"], *(row["id"] for row in others)}) == 5
    long = found(path="x" * 1_000)
    assert len(long["key"]) <= 200
    assert long["key"] != found(path="x" * 1_001)["key"]


def test_other_labels_are_another_alert_whatever_their_names_and_values_have_in_them() -> None:
    others: list[dict[str, str]] = [{"a": "1, b=2"}, {"a": "1", "b": "2"}, {"a=1, b": "2"}, {'"a': "1"}, {"a": '"1"'}]
    keys = {found(**labels)["key"] for labels in others}
    assert len(keys) == len(others)
    assert "a=1, b=2, instance=db1:9100, severity=page, workflow=theirs" in keys


@pytest.mark.parametrize(
    ("end", "over", "until"),
    [(NOW - 1, NOW - 1, None), (NOW, NOW, None), (NOW + 1, None, NOW + 1), (None, None, NOW + foreign.RESOLVE_MS)],
)
def test_it_is_over_when_its_end_has_come(end: int | None, over: int | None, until: int | None) -> None:
    row = found(end=end)
    assert (row["at_ms"], row["until_ms"]) == (over, until)


class ForeignJob(DeskJob):
    """Takes findings too, as the alert job and the loader do."""

    def _take(self, record: Record) -> None:
        super()._take(record)
        if record.topic.endswith(".findings"):
            row = orjson.loads(record.value or b"")
            insert(self.store, "findings", row)
            self._tell(self.desk.on_finding(row, self.now))


@pytest.fixture
def desk(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> ForeignJob:
    job = ForeignJob(client, store, monkeypatch)
    assert client.put("/api/v1/alerting", json={"documents": FILE}).status_code == 200
    return job


def stamp(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))


def send(client: TestClient, began: int, ends: int, **labels: str) -> None:
    alert = {"labels": LABELS | labels, "annotations": {"summary": "disk of db1 is full"}, "generatorURL": "x"}
    answer = client.post("/api/v2/alerts", json=[alert | {"startsAt": stamp(began), "endsAt": stamp(ends)}])
    assert answer.status_code == 200, answer.text


def test_it_is_told_once_goes_on_as_long_as_it_is_sent_and_is_over_when_its_end_is(
    client: TestClient, desk: ForeignJob
) -> None:
    began = desk.now - MINUTE
    for _ in range(3):
        send(client, began, desk.now + 4 * MINUTE)
        desk.tick(3 * MINUTE)
    assert (only(client)["state"], only(client)["count"], len(desk.told)) == ("open", 1, 1)
    assert only(client)["summary"] == "DiskFull: disk of db1 is full"
    [shown] = client.get("/api/v2/alerts", params={"filter": 'instance="db1:9100"'}).json()
    assert shown["labels"]["alertname"] == "DiskFull"
    for page in ("/", "/alerts", f"/alerts/{only(client)['id']}"):
        assert client.get(page).status_code == 200, page
    send(client, began, time.time_ns() // 1_000_000 - 1_000)
    assert only(client)["state"] == "resolved"
    send(client, began, desk.now + 4 * MINUTE)
    assert only(client)["state"] == "resolved", "another sender was late with the old word"
    send(client, began + 2_000, desk.now + 4 * MINUTE)
    assert (only(client)["state"], only(client)["episode"]) == ("open", 2)


def test_a_warning_and_a_critical_alert_of_one_name_live_and_end_apart(client: TestClient, desk: ForeignJob) -> None:
    began = desk.now - MINUTE
    for severity in ("warning", "critical"):  # Prometheus' usual pair, here since the same instant
        send(client, began, desk.now + 4 * MINUTE, severity=severity)
    rows = client.get("/api/v1/alerts").json()["items"]
    assert {(row["severity"], row["state"]) for row in rows} == {("critical", "open"), ("medium", "open")}
    send(client, began, time.time_ns() // 1_000_000 - 1_000, severity="critical")
    rows = client.get("/api/v1/alerts", params={"all": 1}).json()["items"]
    assert {(row["severity"], row["state"]) for row in rows} == {("critical", "resolved"), ("medium", "open")}


def test_it_expires_when_nothing_more_is_heard_and_opens_again_when_something_is(
    client: TestClient, desk: ForeignJob
) -> None:
    began, until = desk.now - MINUTE, (desk.now + 4 * MINUTE) // 1_000 * 1_000
    send(client, began, until)
    desk.tick(until - desk.now - 1)
    assert only(client)["state"] == "open"
    desk.tick(1)
    assert only(client)["state"] == "expired"
    send(client, began, desk.now + 4 * MINUTE)
    assert (only(client)["state"], only(client)["episode"]) == ("open", 2)


def test_the_audit_says_when_an_alert_of_others_began_and_ended_and_not_that_it_was_repeated(
    client: TestClient, desk: ForeignJob
) -> None:
    began = desk.now - MINUTE
    for _ in range(3):
        send(client, began, desk.now + 4 * MINUTE)
    for _ in range(2):
        send(client, began, time.time_ns() // 1_000_000 - 1_000)
    rows = client.get("/api/v1/audit", params={"action": "post"}).json()["items"]
    assert [(row["who"], row["subject"], row["after"]["many"]) for row in rows] == [("operator", "alerts", 1)] * 2
    [ended, begun] = [row["after"]["alerts"][0] for row in rows]
    assert (begun["rule"], begun["at_ms"]) == ("DiskFull", None)
    assert "instance=db1:9100" in begun["key"]
    assert ended["at_ms"] is not None


def test_what_is_no_alert_is_refused_with_a_text_and_nothing_is_taken(client: TestClient, desk: ForeignJob) -> None:
    good = {"labels": LABELS}
    for body in ([{}], [good, {"labels": {"instance": "x"}}], [{"labels": {"alertname": "\0"}}], {}, [good] * 1_001):
        answer = client.post("/api/v2/alerts", json=body)
        assert (answer.status_code, isinstance(answer.json(), str)) == (400, True), body
    assert not [one for one in desk.sent if one.topic.endswith(".findings")]
    assert client.post("/api/v2/alerts", json=[]).status_code == 200


def test_while_kafka_is_away_whoever_sends_is_told_to_send_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise PublishError("no broker")

    monkeypatch.setattr(Publisher, "publish", away)
    answer = client.post("/api/v2/alerts", json=[{"labels": LABELS}])
    assert (answer.status_code, "send them again" in answer.json()) == (503, True)


@pytest.mark.real
def test_amtool_sends_an_alert_and_finds_it(client: TestClient, desk: ForeignJob, amtool_program: str) -> None:
    with served(client) as url:
        base = [amtool_program, f"--alertmanager.url={url}", "alert"]
        sent = ["add", "DiskFull", "instance=db1:9100", "severity=critical", "--annotation=summary=disk is full"]
        done = subprocess.run([*base, *sent], capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
        asked = [*base, "query", "-o", "json", "instance=db1:9100"]
        [row] = orjson.loads(subprocess.run(asked, capture_output=True, timeout=30, check=True).stdout)
    assert row["labels"]["alertname"] == "DiskFull"
    assert only(client)["summary"] == "DiskFull: disk is full"
