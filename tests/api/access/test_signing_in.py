"""Signing in: passwords with a lockout, sessions that end, tokens that may less than their owner, one-time links."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.access import answers as answering
from api.access import passwords, people, sessions
from api.access.people import LastAdmin, Refused, User
from api.access.roles import Limits
from api.access.tables import answers, attempts, tokens, users
from api.access.tables import sessions as sessions_table
from api.access.who import local_token
from api.publish import PublishError
from api.records.database import Records
from api.settings import Settings
from tests.api.access.conftest import HOME, NOW, PASSWORD, put_user, records_of, signed_in

IDLE, LONGEST = 60_000, 600_000
EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-03-01T08:00:00Z", "data": {}}


def enter(records: Records, password: str, at_ms: int, name: str = "anna", address: str = "10.0.0.1") -> User:
    return people.sign_in(records, name, password, address, at_ms)


def test_the_right_password_signs_in_and_no_other(records: Records) -> None:
    put_user(records, "anna", "viewer")
    assert enter(records, PASSWORD, NOW).name == "anna"
    for name, password in (("anna", "wrong"), ("anna", ""), ("Anna", PASSWORD), ("nobody", PASSWORD), ("", "")):
        with pytest.raises(Refused, match="Name or password is wrong"):
            enter(records, password, NOW, name)


def test_passwords_are_kept_as_argon2id_and_a_weak_one_is_refused(records: Records) -> None:
    put_user(records, "anna", "viewer")
    with records.reading() as connection:
        kept = connection.execute(select(users.c.password)).scalar_one()
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    for weak in ("short", "a" * 20, "annaannaanna1", "x" * 300):
        assert passwords.fault(weak, "anna")
    assert passwords.fault(PASSWORD, "anna") == ""


def test_failures_are_locked_out_for_a_while_and_a_right_password_too(records: Records) -> None:
    put_user(records, "anna", "viewer")
    for _ in range(5):
        with pytest.raises(Refused, match="wrong"):
            enter(records, "wrong", NOW)
    for at_ms in (NOW, NOW + 999):
        with pytest.raises(Refused, match="Too many failed attempts") as told:
            enter(records, PASSWORD, at_ms)
        assert told.value.wait_ms == NOW + 1000 - at_ms
    assert enter(records, PASSWORD, NOW + 1000).name == "anna"
    with records.reading() as connection:
        left = connection.execute(select(attempts.c.kind, attempts.c.failures)).all()
    assert left == [("address", 5)], "those failures did happen there"


def test_one_address_is_locked_out_whomever_it_tries(records: Records) -> None:
    for number in range(20):
        with pytest.raises(Refused, match="wrong"):
            enter(records, "wrong", NOW, f"u{number}")
    put_user(records, "anna", "viewer")
    with pytest.raises(Refused, match="Too many"):
        enter(records, PASSWORD, NOW)
    assert enter(records, PASSWORD, NOW, address="10.0.0.2").name == "anna"


def test_a_session_ends_when_idle_and_after_its_longest(records: Records) -> None:
    put_user(records, "anna", "viewer")
    with records.transaction() as tx:
        secret = sessions.begin(tx, "anna", "10.0.0.1", "Firefox", NOW)

    def there(at_ms: int) -> bool:
        return sessions.find(records, secret, at_ms, IDLE, LONGEST) is not None

    assert there(NOW)
    assert there(NOW + IDLE - 1)
    assert not there(NOW + IDLE)
    for step in range(1, 10):  # used now and then
        sessions.find(records, secret, NOW + step * 60_000, 2 * IDLE, LONGEST)
    assert sessions.find(records, secret, NOW + LONGEST - 1, 2 * IDLE, LONGEST) is not None
    assert sessions.find(records, secret, NOW + LONGEST, 2 * IDLE, LONGEST) is None
    with records.transaction() as tx:
        sessions.sweep(tx, NOW + LONGEST, IDLE, LONGEST)
        assert tx.connection.execute(select(sessions_table)).all() == []


def test_somebody_who_is_disabled_or_gone_is_out_at_once(records: Records) -> None:
    put_user(records, "root", "admin")
    put_user(records, "anna", "viewer")
    with records.transaction() as tx:
        secret = sessions.begin(tx, "anna", "", "", NOW)
        people.put(tx, User("anna", "viewer", disabled=True), "test", "", NOW)
    assert sessions.find(records, secret, NOW, IDLE, LONGEST) is None
    with pytest.raises(Refused):
        enter(records, PASSWORD, NOW)


def test_the_last_admin_stays(records: Records) -> None:
    put_user(records, "root", "admin")
    limited = {"role": "admin", "limits": Limits(frozenset({"w"}))}
    for change in ({"role": "viewer"}, {"role": "admin", "disabled": True}, limited):
        with pytest.raises(LastAdmin), records.transaction() as tx:
            people.put(tx, User("root", **change), "test", "", NOW)  # type: ignore[arg-type]
    with pytest.raises(LastAdmin), records.transaction() as tx:
        people.remove(tx, "root", "test", "", NOW)
    put_user(records, "other", "admin", limits=Limits(frozenset({"w"})))
    for nobody in ({"limits": Limits(frozenset({"v"}))}, {"disabled": True}):  # who manages none is none to lose
        with records.transaction() as tx:
            people.put(tx, User("other", "admin", **nobody), "test", "", NOW)  # type: ignore[arg-type]
    with pytest.raises(LastAdmin, match="without limits"), records.transaction() as tx:
        people.remove(tx, "root", "test", "", NOW)
    with records.transaction() as tx:
        assert people.anybody(tx.connection)
        tx.connection.execute(users.update().where(users.c.name == "root").values(limits={"workflows": ["w"]}))
        assert not people.anybody(tx.connection), "so that the next start prints a link"


def test_a_sign_in_changes_the_session_and_the_cookie_is_safe(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "viewer")
    first = guarded.cookies["daymark"]
    again = guarded.post("/login", data={"name": "anna", "password": PASSWORD}, follow_redirects=False)
    cookie = again.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert guarded.cookies["daymark"] != first
    guarded.cookies.set("daymark", first, domain="127.0.0.1")
    guarded.cookies.clear()
    assert guarded.get("/api/v1/me", cookies={"daymark": first}).status_code == 401


def test_signing_out_ends_the_session_everywhere_if_asked(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "viewer")
    one = guarded.cookies["daymark"]
    guarded.cookies.clear()
    guarded.post("/login", data={"name": "anna", "password": PASSWORD})
    assert guarded.get("/api/v1/me").json()["name"] == "anna"
    assert guarded.delete("/api/v1/me/sessions").status_code == 204
    assert guarded.get("/api/v1/me").status_code == 401
    assert guarded.get("/api/v1/me", cookies={"daymark": one}).status_code == 401
    signed_in(guarded, "ben", "viewer")
    guarded.post("/logout")
    assert guarded.get("/api/v1/me").status_code == 401


def test_a_password_is_changed_by_who_knows_it_and_other_sessions_end(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "viewer")
    other = guarded.cookies["daymark"]
    guarded.cookies.clear()
    guarded.post("/login", data={"name": "anna", "password": PASSWORD})
    new = "another good phrase"
    assert guarded.post("/api/v1/me/password", json={"current": "wrong", "new": new}).status_code == 403
    assert guarded.post("/api/v1/me/password", json={"current": PASSWORD, "new": "short"}).status_code == 422
    assert guarded.post("/api/v1/me/password", json={"current": PASSWORD, "new": new}).status_code == 204
    assert guarded.get("/api/v1/me").status_code == 200
    assert guarded.get("/api/v1/me", cookies={"daymark": other}).status_code == 401


def test_a_write_by_cookie_from_another_site_is_refused_and_by_token_it_counts(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "viewer")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert guarded.delete("/api/v1/me/sessions", headers=headers).status_code == 403
    guarded.headers.pop("Origin")
    assert guarded.delete("/api/v1/me/sessions").status_code == 403
    assert guarded.get("/api/v1/me").status_code == 200


def test_a_token_is_shown_once_does_what_its_scopes_say_and_ends(guarded: TestClient) -> None:
    signed_in(guarded, "ops", "operator")
    beyond = guarded.post("/api/v1/tokens", json={"name": "ci", "scopes": ["rules"]})
    assert beyond.status_code == 403
    made = guarded.post("/api/v1/tokens", json={"name": "ci", "scopes": ["read"], "days": 1}).json()
    [listed] = guarded.get("/api/v1/tokens").json()
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    assert made["secret"].startswith(listed["prefix"])
    with records_of(guarded).reading() as connection:
        assert made["secret"] not in str(connection.execute(select(tokens)).all())
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    guarded.cookies.clear()
    guarded.headers.pop("Origin")
    assert guarded.get("/api/v1/lanes", headers=bearer).status_code == 200
    assert guarded.post("/api/v1/events", json={}, headers=bearer).status_code == 403
    assert guarded.get("/api/v1/tokens", headers=bearer).status_code == 403
    signed_in(guarded, "eve", "viewer")
    guarded.headers.update(HOME)
    assert guarded.delete(f"/api/v1/tokens/{made['id']}").status_code == 404
    signed_in(guarded, "root", "admin")
    assert guarded.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
    guarded.cookies.clear()
    assert guarded.get("/api/v1/lanes", headers=bearer).status_code == 401


def test_a_token_that_has_expired_or_whose_owner_is_disabled_opens_nothing(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(guarded, "ops", "operator")
    made = guarded.post("/api/v1/tokens", json={"name": "ci", "scopes": ["read"], "days": 1}).json()
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    guarded.cookies.clear()
    for at_ms, status in ((made["expires_ms"] - 1, 200), (made["expires_ms"], 401), (made["expires_ms"] + 1, 401)):
        with monkeypatch.context() as clock:
            clock.setattr("api.access.who.now_ms", lambda at_ms=at_ms: at_ms)
            assert guarded.get("/api/v1/lanes", headers=bearer).status_code == status
    put_user(records_of(guarded), "ops", "operator", disabled=True)
    assert guarded.get("/api/v1/lanes", headers=bearer).status_code == 401


def test_the_first_start_has_one_link_which_counts_once(guarded: TestClient, settings: Settings) -> None:
    cli = {"Authorization": f"Bearer {local_token(settings.home)}"}
    made = guarded.post("/api/v1/sign-in-links", json={"unless_somebody": True}, headers=cli).json()
    first = guarded.post(made["path"], follow_redirects=False)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert guarded.get("/api/v1/me").json()["name"] == "admin"
    assert guarded.get(made["path"], follow_redirects=False).headers["location"] == "/"  # the same browser
    guarded.cookies.clear()
    assert guarded.get(made["path"]).status_code == 410
    again = guarded.post("/api/v1/sign-in-links", json={"unless_somebody": True}, headers=cli).json()
    guarded.post(again["path"])
    assert guarded.post("/api/v1/me/password", json={"new": PASSWORD}).status_code == 204
    none = guarded.post("/api/v1/sign-in-links", json={"unless_somebody": True}, headers=cli).json()
    assert none["path"] is None


def test_the_database_is_the_owners_alone(guarded: TestClient, settings: Settings) -> None:
    signed_in(guarded, "anna", "viewer")
    assert {file.stat().st_mode & 0o777 for file in settings.home.glob("records.db*")} == {0o600}


@pytest.mark.parametrize(("url", "secure"), [("https://daymark.example", True), ("http://daymark.example", False)])
def test_cookies_are_secure_where_browsers_come_by_https_to_a_proxy(
    app_of: Callable[[Settings], TestClient], settings: Settings, url: str, secure: bool
) -> None:
    client = app_of(settings.model_copy(update={"sign_in": "required", "public_url": url}))
    put_user(records_of(client), "anna", "viewer")
    form = {"name": "anna", "password": PASSWORD}
    answer = client.post("/login", data=form, headers={"Origin": url}, follow_redirects=False)
    assert ("Secure" in answer.headers["set-cookie"], "strict-transport-security" in answer.headers) == (secure, secure)


def test_a_proxy_may_call_us_by_another_name(app_of: Callable[[Settings], TestClient], settings: Settings) -> None:
    there = {"sign_in": "required", "public_url": "https://Daymark.example"}
    client = app_of(settings.model_copy(update=there))
    client.base_url = "https://127.0.0.1"  # type: ignore[assignment]  # the client's cookies are secure, too
    client.headers["Origin"] = "https://daymark.example"
    signed_in(client, "anna", "viewer")
    assert client.delete("/api/v1/me/sessions").status_code == 204


def test_the_token_of_the_command_line_is_the_owners_alone(settings: Settings) -> None:
    token = local_token(settings.home)
    file = settings.home / "token"
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert local_token(settings.home) == token
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in settings.home.glob("token*")] == ["token"]


def test_a_write_with_an_idempotency_key_is_done_once(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []
    monkeypatch.setattr(guarded.app.state.context.publisher, "publish", done.append)  # type: ignore[attr-defined]
    signed_in(guarded, "ops", "operator")
    key = {"Idempotency-Key": "k1"}
    first = guarded.post("/api/v1/events", json=EVENT, headers=key)
    again = guarded.post("/api/v1/events", json=EVENT, headers=key)
    assert (first.status_code, again.status_code, again.json()) == (202, 202, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(done) == 1
    assert guarded.post("/api/v1/events", json=EVENT | {"id": "2"}, headers=key).status_code == 422
    assert guarded.post("/api/v1/events", json=EVENT, headers={"Idempotency-Key": "k2"}).status_code == 202
    signed_in(guarded, "other", "operator")
    assert guarded.post("/api/v1/events", json=EVENT, headers=key).status_code == 202
    assert len(done) == 3
    with records_of(guarded).transaction() as tx:  # one that is still at work
        tx.connection.execute(answers.update().values(status=0))
    assert guarded.post("/api/v1/events", json=EVENT, headers=key).status_code == 409


def test_a_write_that_failed_is_done_when_it_is_sent_again(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = [PublishError("away"), None]

    def publish(records: object) -> None:
        if outcome := outcomes.pop(0):
            raise outcome

    monkeypatch.setattr(guarded.app.state.context.publisher, "publish", publish)  # type: ignore[attr-defined]
    signed_in(guarded, "ops", "operator")
    key = {"Idempotency-Key": "k1"}
    assert [guarded.post("/api/v1/events", json=EVENT, headers=key).status_code for _ in range(2)] == [503, 202]


def test_an_answer_is_not_given_again_to_who_may_less_by_now(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(guarded.app.state.context.publisher, "publish", done.append)  # type: ignore[attr-defined]
    signed_in(guarded, "ops", "operator")
    key = {"Idempotency-Key": "k1"}
    assert guarded.post("/api/v1/events", json=EVENT, headers=key).status_code == 202
    put_user(records_of(guarded), "ops", "viewer")
    guarded.post("/login", data={"name": "ops", "password": PASSWORD})
    again = guarded.post("/api/v1/events", json=EVENT, headers=key)
    assert (again.status_code, "idempotency-replayed" in again.headers, len(done)) == (422, False, 1)
    assert guarded.post("/api/v1/events", json=EVENT, headers={"Idempotency-Key": "k2"}).status_code == 403


def test_two_tokens_of_one_name_are_two_for_keys_and_rates(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(guarded.app.state.context.publisher, "publish", done.append)  # type: ignore[attr-defined]
    signed_in(guarded, "ops", "operator")
    wanted = {"name": "t", "scopes": ["events"], "days": 1}
    secrets = [guarded.post("/api/v1/tokens", json=wanted).json()["secret"] for _ in range(2)]
    guarded.cookies.clear()
    for secret in secrets:
        own = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "k1"}
        assert guarded.post("/api/v1/events", json=EVENT, headers=own).status_code == 202
    assert len(done) == 2


def test_a_write_that_takes_long_stays_at_work(records: Records) -> None:
    assert answering.begin(records, "here", "r", NOW) is None
    answering.alive(records, "here", NOW + 50_000)
    for at in (60_000, 109_999):
        with pytest.raises(answering.AtWork):
            answering.begin(records, "here", "r", NOW + at)
    assert answering.begin(records, "here", "r", NOW + 110_000) is None, "it was killed, and may be done again"


def test_while_a_write_is_at_work_it_says_so(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    said = threading.Event()
    monkeypatch.setattr(answering, "ALIVE_S", 0.01)
    monkeypatch.setattr(answering, "alive", lambda *_: said.set())
    publisher = guarded.app.state.context.publisher  # type: ignore[attr-defined]
    monkeypatch.setattr(publisher, "publish", lambda _: said.wait(20))
    signed_in(guarded, "ops", "operator")
    assert guarded.post("/api/v1/events", json=EVENT, headers={"Idempotency-Key": "k"}).status_code == 202
    assert said.is_set()


@pytest.mark.parametrize(
    ("method", "path", "form"),
    [
        ("POST", "/login", {"name": "ops", "password": PASSWORD}),
        ("PUT", "/api/v1/users/ops", None),
        ("POST", "/users", {"name": "ops", "role": "admin", "password": PASSWORD}),
    ],
)
def test_a_key_means_nothing_where_a_password_is_sent(
    guarded: TestClient, method: str, path: str, form: dict[str, str] | None
) -> None:
    signed_in(guarded, "ops", "admin")
    body = None if form else {"role": "admin", "password": PASSWORD}
    for _ in range(2):
        answer = guarded.request(
            method, path, data=form, json=body, headers={"Idempotency-Key": "k"}, follow_redirects=False
        )
        assert answer.status_code in (200, 303), answer.text
        assert path != "/login" or "set-cookie" in answer.headers
        guarded.post("/login", data={"name": "ops", "password": PASSWORD})
    with records_of(guarded).reading() as connection:
        assert connection.execute(select(answers)).all() == []


def test_no_secret_is_kept_for_an_idempotency_key(guarded: TestClient) -> None:
    signed_in(guarded, "ops", "operator")
    made = guarded.post("/api/v1/tokens", json={"name": "t", "scopes": ["read"]}, headers={"Idempotency-Key": "k"})
    assert made.status_code == 201
    with records_of(guarded).reading() as connection:
        assert connection.execute(select(answers)).all() == []


def test_who_asks_too_often_waits(app_of: Callable[[Settings], TestClient], settings: Settings) -> None:
    client = app_of(settings.model_copy(update={"sign_in": "required", "rate_limit": 3}))
    client.headers["Authorization"] = f"Bearer {local_token(settings.home)}"
    assert [client.get("/api/v1/me").status_code for _ in range(3)] == [200] * 3
    refused = client.get("/api/v1/me")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    client.headers["Authorization"] = "Bearer wrong"
    answers = [client.get("/api/v1/me").status_code for _ in range(61)]
    assert answers == [401] * 60 + [429]


@pytest.mark.parametrize("more", [{}, {"Idempotency-Key": "k"}])
def test_a_body_of_100_mb_is_refused_before_it_is_read(guarded: TestClient, more: dict[str, str]) -> None:
    signed_in(guarded, "root", "admin")
    json = {"Content-Type": "application/json", **more}

    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 1_000_000

    for path in ("/api/v1/users/x", "/api/v1/rules/w"):
        declared = guarded.put(path, content=b"", headers={"Content-Length": "100000000", **json})
        undeclared = guarded.put(path, content=parts(), headers=json)
        assert (declared.status_code, undeclared.status_code) == (413, 413)
        assert "5,000,000 bytes" in undeclared.json()["detail"]


def test_limits_of_users_are_shown_and_kept(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    limits = {"workflows": ["trade"], "groups": {"customer": ["acme"]}}
    put = guarded.put("/api/v1/users/ann", json={"role": "viewer", "limits": limits, "password": PASSWORD})
    assert put.json()["limits"] == limits
    assert [user["name"] for user in guarded.get("/api/v1/users").json()] == ["ann", "root"]
    assert guarded.put("/api/v1/users/root", json={"role": "viewer"}).status_code == 409
    assert guarded.delete("/api/v1/users/ann").status_code == 204
    with records_of(guarded).reading() as connection:
        assert people.read(connection, "ann") is None
    assert Limits.of(limits)
