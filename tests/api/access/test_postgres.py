"""Users, sessions, tokens, rules, silences, kept answers, the audit: the whole app, on PostgreSQL as on SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.access import audit, people, provided, sessions, tokens
from api.access.matrix import MATRIX
from api.access.oidc import Person
from api.access.people import Refused
from api.access.roles import Limits
from api.records.database import Change, Records, url_of
from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import HOME, NOW, PASSWORD, put_user, records_of, signed_in
from tests.api.job import Job
from tests.api.rows import insert, item
from tests.api.test_rules_versions import TEXT, URL, approve, longer, put

SILENCE = {"match": ["rule = reply"], "from": "2026-03-02T08:00:00Z", "until": "2099-03-02T09:00:00Z"}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty relational store is."""
    if request.param == "sqlite":
        return url_of("", tmp_path)
    found = url_of(request.getfixturevalue("postgres"), tmp_path)
    opened = Records(found)
    with opened.transaction() as tx:
        tx.connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        tx.connection.exec_driver_sql("CREATE SCHEMA public")
    opened.close()
    return found


@pytest.fixture
def client(app_of: Callable[[Settings], TestClient], settings: Settings, url: str) -> TestClient:
    there = {"sign_in": "required", "records_url": url, "four_eyes": True, "rate_limit": 0}
    found = app_of(settings.model_copy(update=there))
    found.headers.update(HOME)
    return found


@pytest.fixture
def opened(url: str) -> Iterator[Records]:
    """The store alone, with its tables and the audit."""
    made = Records(url)
    made.migrate()
    made.watchers.append(audit.append)
    yield made
    made.close()


@pytest.fixture
def job(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    return Job(client, monkeypatch)


def test_a_day_of_people_and_their_rules(client: TestClient, store: Store, job: Job) -> None:
    insert(store, "items", item(groups={"customer": "acme"}))
    records = records_of(client)
    signed_in(client, "root", "admin")
    for name, limits in (("anna", None), ("ben", {"groups": {"customer": ["acme", 'a "b" \\ \u0000']}})):
        wanted = {"role": "editor", "password": PASSWORD, **({"limits": limits} if limits else {})}
        assert client.put(f"/api/v1/users/{name}", json=wanted).status_code == 200, name
    assert [row["name"] for row in client.get("/api/v1/users").json()] == ["anna", "ben", "root"]
    links = "/api/v1/customers/customer/acme/links"
    made = client.post(links, json={"days": 3})
    assert made.status_code == 201, made.text
    assert client.post(f"{links}/{made.json()['id']}/rotation").status_code in (200, 201)
    assert len(client.get(links).json()) == 1

    client.cookies.clear()
    client.post("/login", data={"name": "anna", "password": PASSWORD})
    once = {"Idempotency-Key": "once"}
    answers = [client.put(URL, json={"text": TEXT, "why": "new"}, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert client.put("/api/v1/alerting/silence/s", json=SILENCE).status_code == 200
    assert client.post(f"/api/v1/alerts/{'a' * 32}/ack", json={"why": "on it"}).json()["outcome"] == "applied"
    secret = client.post("/api/v1/tokens", json={"name": "t", "scopes": ["read"]}).json()["secret"]

    signed_in(client, "carl", "editor")
    assert approve(client).status_code == 202
    assert put(client, longer("6m"), known=1).status_code == 202
    assert [row["revision"] for row in client.get(f"{URL}/versions").json()] == [1]
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).json()["name"] == "anna (token t)"

    client.post("/login", data={"name": "root", "password": PASSWORD})
    assert client.delete("/api/v1/users/anna").status_code == 204
    assert client.get("/api/v1/audit/verification").json()["fault"] == ""
    erased = client.post("/api/v1/erasures", json={"value": "on it"}).json()
    assert erased["redacted"] == 1
    told = client.get("/api/v1/audit/verification").json()
    assert (told["fault"], told["redacted"]) == ("", 1)
    with records.reading() as connection:
        assert tokens.listed(connection) == []
        assert sessions.listed(connection, "anna") == []


def test_the_lockout_and_what_comes_from_a_provider(opened: Records) -> None:
    put_user(opened, "anna", "admin")
    for _ in range(5):
        with pytest.raises(Refused, match="wrong"):
            people.sign_in(opened, "anna", "another one!", "10.0.0.1", NOW)
    with pytest.raises(Refused, match="Too many"):
        people.sign_in(opened, "anna", PASSWORD, "10.0.0.1", NOW)
    assert people.sign_in(opened, "anna", PASSWORD, "10.0.0.1", NOW + 3_600_000).name == "anna"
    person = Person("issuer s-1", "carla", ("ops",))
    user = provided.admitted(opened, person, "operator", Limits(frozenset({"orders"})), "", NOW)
    assert (user.name, user.limits.workflows) == ("carla", frozenset({"orders"}))
    with opened.transaction() as tx:
        sessions.begin(tx, "carla", "10.0.0.1", "agent" * 99, NOW)
        tokens.create(tx, "carla", "t", frozenset({"read"}), Limits(), 1, "carla", "", NOW)
    with pytest.raises(Refused, match="None of your groups"):
        provided.admitted(opened, person, "", None, "", NOW)
    with opened.transaction() as tx:
        assert (sessions.listed(tx.connection, "carla"), tokens.listed(tx.connection)) == ([], [])
        sessions.sweep(tx, NOW + 1, 1, 1)


def test_who_reads_sees_one_state_though_others_write_meanwhile(opened: Records) -> None:
    def write() -> None:
        with opened.transaction() as tx:
            tx.changed(Change(NOW, "anna", "put", "x"))

    write()
    with opened.reading() as connection:
        before = len(audit.entries(connection))
        write()
        assert len(audit.entries(connection)) == before, "else verifying the audit counts what it hasn't read"
    with opened.reading() as connection:
        assert len(audit.entries(connection)) == before + 1


def test_a_sign_that_no_text_may_hold_is_no_fault_of_the_store(
    client: TestClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rulebook.Rulebook.refresh", lambda self: None)
    answer = client.post("/login", data={"name": "a\0b", "password": "x" * 12}, follow_redirects=False)
    assert answer.status_code == 401
    signed_in(client, "root", "admin")
    for method, path in sorted(MATRIX):
        if "{" not in path or "/live" in path:
            continue
        for sign in ("%00", "x" * 600):
            filled = path.replace("{key:key}", sign).replace("{token:path}", sign)
            for name in ("workflow", "name", "number", "id", "user", "group", "value", "code", "token", "schedule"):
                filled = filled.replace(f"{{{name}}}", sign)
            filled = filled.replace("{kind}", "person").replace("{step}", sign).replace("{revision}", "1")
            body = {"json": {}} if method != "GET" else {}
            status = client.request(method, filled, follow_redirects=False, **body).status_code
            assert status < 500, (method, filled[:80], status)
    long = {"name": "n" * 100, "scopes": ["read"]}
    signed_in(client, "u" * 128, "admin")
    secret = client.post("/api/v1/tokens", json={**long, "scopes": ["read", "act"]}).json()["secret"]
    client.cookies.clear()
    by = {"Authorization": f"Bearer {secret}"}
    assert client.put("/api/v1/alerting/silence/mine", json=SILENCE, headers=by).status_code == 200
    assert client.put(f"/api/v1/alerting/silence/{'s' * 300}", json=SILENCE, headers=by).status_code < 500
