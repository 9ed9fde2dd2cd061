"""Signing in at an OpenID provider: real HTTP, real signatures, and nothing that is not vouched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select, update
from starlette.testclient import TestClient

from api.access import passwords, people, sessions, tables, tokens
from api.access.roles import UNLIMITED
from api.access.who import COOKIE
from api.settings import Settings, SettingsError, from_env
from tests.api.access.conftest import NOW, PASSWORD, put_user, records_of
from tests.api.access.provider import Provider, running


@pytest.fixture(scope="module")
def one_provider() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(one_provider: Provider) -> Provider:
    one_provider.forged, one_provider.signing = {}, one_provider.key
    one_provider.claims = {"sub": "s-1", "preferred_username": "anna", "groups": ["ops", "other"]}
    return one_provider


@pytest.fixture
def client(app_of: Callable[[Settings], TestClient], settings: Settings, provider: Provider) -> TestClient:
    there = {"oidc_issuer": provider.url, "oidc_client": "daymark", "oidc_roles": ["ops=operator", "boss=admin"]}
    return app_of(settings.model_copy(update={"sign_in": "required", **there}))


def came_back(client: TestClient) -> Any:
    """Through the provider, and back with what it gave."""
    to = client.get("/login/oidc", follow_redirects=False)
    assert to.status_code == 303, to.text
    back = httpx.get(to.headers["location"]).headers["location"]
    return client.get(back, follow_redirects=False)


def test_a_person_signs_in_with_the_best_role_of_their_groups(client: TestClient, provider: Provider) -> None:
    answer = came_back(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = client.get("/api/v1/me").json()
    assert (me["name"], "act" in me["actions"], "rules" in me["actions"]) == ("anna", True, False)
    provider.claims["groups"] = ["ops", "boss"]
    came_back(client)
    assert "manage" in client.get("/api/v1/me").json()["actions"]


def test_who_left_the_groups_is_not_let_in_again(client: TestClient, provider: Provider) -> None:
    came_back(client)
    client.cookies.clear()
    provider.claims["groups"] = []
    refused = came_back(client)
    assert refused.status_code == 401
    assert "None of your groups has a role" in refused.text


def test_who_left_the_groups_keeps_no_session_and_no_token(client: TestClient, provider: Provider) -> None:
    came_back(client)
    wanted = {"name": "t", "scopes": ["read"], "days": 366}
    own = {"Origin": "http://127.0.0.1"}
    secret = client.post("/api/v1/tokens", json=wanted, headers=own).json()["secret"]
    session = dict(client.cookies)
    client.cookies.clear()
    provider.claims["groups"] = []
    came_back(client)
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    client.cookies.update(session)
    assert client.get("/api/v1/me").status_code == 401
    client.cookies.clear()
    provider.claims["groups"] = ["ops"]
    assert came_back(client).status_code == 303, "back in the group, back in"


@pytest.mark.parametrize(("days", "held"), [(30, [200, 401, 401]), (0, [200, 200, 200])])
def test_a_token_holds_for_days_from_the_last_sign_in_since_nobody_tells_us_who_has_left(
    app_of: Callable[[Settings], TestClient], settings: Settings, provider: Provider, days: int, held: list[int]
) -> None:
    there = {"oidc_issuer": provider.url, "oidc_client": "daymark", "oidc_roles": ["ops=operator"]}
    client = app_of(settings.model_copy(update={"sign_in": "required", "oidc_token_days": days, **there}))
    came_back(client)
    wanted = {"name": "t", "scopes": ["read"], "days": 366}
    own = {"Origin": "http://127.0.0.1"}
    secret = client.post("/api/v1/tokens", json=wanted, headers=own).json()["secret"]
    client.cookies.clear()
    records = records_of(client)
    with records.reading() as connection:
        user = people.read(connection, "anna")
    assert user is not None
    assert user.seen_ms is not None
    over = user.seen_ms + 30 * tokens.DAY_MS
    away = days * tokens.DAY_MS
    found = [tokens.find(records, secret, at, away) is not None for at in (over - 1, over, over + 1)]
    assert found == [status == 200 for status in held], "a moment before, at it, and after"
    with records.transaction() as tx:  # long ago
        tx.connection.execute(update(tables.users).values(seen_ms=user.seen_ms - 40 * tokens.DAY_MS))
    answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == held[2]
    assert days == 0 or "its owner has to sign in again" in answer.json()["detail"]
    assert came_back(client).status_code == 303
    client.cookies.clear()
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code == 200, "it holds again"


def test_a_local_users_token_needs_no_sign_in_and_a_session_ends_by_itself(
    client: TestClient, provider: Provider
) -> None:
    records = records_of(client)
    put_user(records, "root", "admin")
    with records.transaction() as tx:
        _, secret = tokens.create(tx, "root", "t", frozenset({"read"}), UNLIMITED, 366, "root", "", NOW)
    assert tokens.find(records, secret, NOW + 365 * tokens.DAY_MS, 30 * tokens.DAY_MS) is not None
    came_back(client)
    longest = Settings().session_max_s * 1000
    with records.reading() as connection:
        [began] = connection.execute(select(tables.sessions.c.created_ms)).scalars()
    ends = began + longest
    live = [sessions.find(records, client.cookies[COOKIE], at, 2 * longest, longest) for at in (ends - 1, ends)]
    assert [one is not None for one in live] == [True, False], "used or not"


def limits_of(client: TestClient) -> Any:
    return client.get("/api/v1/me").json()["limits"]


def test_a_new_person_sees_nothing_until_an_admin_says_what(client: TestClient) -> None:
    came_back(client)
    assert limits_of(client) == {"workflows": [], "groups": {}}
    assert client.get("/api/v1/rules").json() == []
    put_user(records_of(client), "root", "admin")
    acme = {"role": "operator", "limits": {"groups": {"customer": ["acme"]}}}
    person = dict(client.cookies)
    client.cookies.clear()
    own = {"Origin": "http://127.0.0.1"}
    client.post("/login", data={"name": "root", "password": PASSWORD}, headers=own)
    assert client.put("/api/v1/users/anna", json=acme, headers=own).status_code == 200
    client.cookies.clear()
    client.cookies.update(person)
    assert limits_of(client) == {"workflows": None, "groups": {"customer": ["acme"]}}
    came_back(client)
    assert limits_of(client) == {"workflows": None, "groups": {"customer": ["acme"]}}, "also after the next sign-in"


def test_who_becomes_an_admin_by_groups_sees_all_and_nothing_when_no_longer_one(
    client: TestClient, provider: Provider
) -> None:
    for groups, sees in ((["ops"], []), (["boss"], None), (["ops"], [])):
        provider.claims["groups"] = groups
        assert came_back(client).status_code == 303
        assert limits_of(client)["workflows"] == sees


@pytest.mark.parametrize(
    ("groups", "workflows", "values"),
    [
        (["ops"], [], {}),
        (["ops", "all"], None, {}),
        (["ops", "acme"], None, {"customer": ["acme"]}),
        (["ops", "acme", "zorg", "desk"], ["orders"], {"customer": ["acme", "zorg"]}),
    ],
)
def test_groups_may_say_what_a_person_sees(
    app_of: Callable[[Settings], TestClient],
    settings: Settings,
    provider: Provider,
    groups: list[str],
    workflows: list[str] | None,
    values: dict[str, list[str]],
) -> None:
    there = {"oidc_issuer": provider.url, "oidc_client": "daymark", "oidc_roles": ["ops=operator"]}
    seen = ["all=*", "acme=customer:acme", "zorg=customer:zorg", "desk=workflow:orders"]
    client = app_of(settings.model_copy(update={"sign_in": "required", "oidc_limits": seen, **there}))
    provider.claims["groups"] = ["ops", "all"]
    came_back(client)
    provider.claims["groups"] = groups
    came_back(client)
    assert limits_of(client) == {"workflows": workflows, "groups": values}, "at each sign-in anew"


def test_a_user_who_was_prepared_is_taken_over_once(client: TestClient, provider: Provider) -> None:
    put_user(records_of(client), "root", "admin")
    own = {"Origin": "http://127.0.0.1"}
    client.post("/login", data={"name": "root", "password": PASSWORD}, headers=own)
    wanted = {"role": "viewer", "limits": {"groups": {"customer": ["acme"]}}, "openid": True}
    assert client.put("/api/v1/users/anna", json=wanted, headers=own).status_code == 200
    assert client.put("/api/v1/users/root", json=wanted, headers=own).status_code == 422, "a local user"
    client.cookies.clear()
    came_back(client)
    assert limits_of(client) == {"workflows": None, "groups": {"customer": ["acme"]}}
    client.cookies.clear()
    provider.claims["sub"] = "s-2"
    assert came_back(client).status_code == 401, "somebody else of that name"


def test_the_providers_word_counts_also_of_the_last_admin(client: TestClient, provider: Provider) -> None:
    provider.claims["groups"] = ["boss"]
    came_back(client)
    provider.claims["groups"] = ["ops"]
    assert came_back(client).status_code == 303
    provider.claims["groups"] = []
    assert came_back(client).status_code == 401


def test_a_person_does_not_become_a_local_user_of_the_same_name(client: TestClient) -> None:
    put_user(records_of(client), "anna", "admin")
    refused = came_back(client)
    assert refused.status_code == 401
    assert "another user named" in refused.text
    assert client.post("/login", data={"name": "anna", "password": PASSWORD}, follow_redirects=False).status_code == 303


def test_a_person_whose_name_changed_is_the_same_user(client: TestClient, provider: Provider) -> None:
    came_back(client)
    provider.claims["preferred_username"] = "anna.meyer"
    came_back(client)
    assert client.get("/api/v1/me").json()["name"] == "anna"


@pytest.mark.parametrize(
    "lie",
    [
        {"aud": "another"},
        {"iss": "http://127.0.0.1:1"},
        {"exp": 1},
        {"nonce": "replayed"},
        {"nonce": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_with_a_claim_that_is_wrong_is_not_believed(
    client: TestClient, provider: Provider, lie: dict[str, Any]
) -> None:
    provider.forged = lie
    assert came_back(client).status_code == 401
    assert client.get("/api/v1/me").status_code == 401


def test_a_token_that_somebody_else_signed_is_not_believed(client: TestClient, provider: Provider) -> None:
    provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert came_back(client).status_code == 401


def test_keys_that_changed_are_read_again(client: TestClient, provider: Provider) -> None:
    came_back(client)
    client.cookies.clear()
    provider.key = provider.signing = RSAKey.generate_key(2048, {"kid": "one"})
    assert came_back(client).status_code == 303


def test_a_way_back_that_was_not_begun_here_or_was_used_leads_nowhere(client: TestClient) -> None:
    to = client.get("/login/oidc", follow_redirects=False)
    back = httpx.get(to.headers["location"]).headers["location"]
    kept = dict(client.cookies)
    client.cookies.clear()  # another browser
    assert client.get(back, follow_redirects=False).status_code == 400
    client.cookies.update(kept)
    wrong = back.replace("state=", "state=x")
    assert client.get(wrong, follow_redirects=False).status_code == 400
    assert client.get(back, follow_redirects=False).status_code == 400  # the wrong one has used it up
    client.cookies.clear()
    assert came_back(client).status_code == 303


def test_a_provider_that_is_away_is_said_and_passwords_still_count(
    app_of: Callable[[Settings], TestClient], settings: Settings
) -> None:
    there = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client": "daymark", "sign_in": "required"}
    client = app_of(settings.model_copy(update=there))
    assert client.get("/login/oidc").status_code == 502
    put_user(records_of(client), "ben", "viewer")
    assert client.post("/login", data={"name": "ben", "password": PASSWORD}, follow_redirects=False).status_code == 303


def test_settings_of_a_provider_that_make_no_sense_are_named() -> None:
    with pytest.raises(SettingsError, match="DAYMARK_OIDC_ROLES"):
        from_env({"DAYMARK_OIDC_ROLES": "ops=king"})
    with pytest.raises(SettingsError, match="belong together"):
        from_env({"DAYMARK_OIDC_ISSUER": "https://login.example"}).require_safe()
    with pytest.raises(SettingsError) as told:
        from_env({"DAYMARK_OIDC_ISSUER": "login", "DAYMARK_OIDC_SECRET": "hush"})
    assert "hush" not in str(told.value)


def test_who_signs_in_at_the_provider_gets_no_password_here(client: TestClient, provider: Provider) -> None:
    """Else it would still let them in when the provider no longer does."""
    came_back(client)
    answer = client.post("/api/v1/me/password", json={"new": PASSWORD * 2}, headers={"Origin": "http://127.0.0.1"})
    assert answer.status_code == 403
    with records_of(client).transaction() as tx:
        people.set_hash(tx, "anna", passwords.hashed(PASSWORD))  # from a time before this was refused
    with pytest.raises(people.Refused):
        people.sign_in(records_of(client), "anna", PASSWORD, "10.0.0.1", NOW)


@pytest.mark.parametrize("name", ["cli", "api-token"])
def test_a_name_of_the_servers_own_is_not_taken_from_the_provider(
    client: TestClient, provider: Provider, name: str
) -> None:
    provider.claims |= {"sub": f"s-{name}", "preferred_username": name}
    refused = came_back(client)
    assert refused.status_code == 401
    assert "own in the audit" in refused.text


def test_a_name_that_would_pass_for_a_token_in_the_audit_is_written_otherwise(
    client: TestClient, provider: Provider
) -> None:
    provider.claims |= {"sub": "s-9", "preferred_username": "ben (token nightly)\n"}
    came_back(client)
    assert client.get("/api/v1/me").json()["name"] == "ben _token nightly__"
