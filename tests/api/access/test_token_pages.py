"""The page of one's API tokens: the secret is shown once, and a form can't give more than one has."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.access.tables import answers
from tests.api.access.conftest import records_of, signed_in

FORM = {"name": "nightly", "scopes": ["read", "act"], "days": "30"}
PAGE = "/account/tokens"


def secret_of(page: str) -> str:
    found = re.search(r"dm_[\w-]{20,}", page)
    assert found is not None
    return found[0]


def opens(client: TestClient, secret: str) -> int:
    client.cookies.clear()
    return client.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"}).status_code


def test_a_token_is_made_on_the_page_shown_once_and_revoked_there(guarded: TestClient) -> None:
    signed_in(guarded, "ops", "operator")
    assert "You have none" in guarded.get(PAGE).text
    made = guarded.post(PAGE, data=FORM, headers={"Idempotency-Key": "k"})
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    secret = secret_of(made.text)
    listed = guarded.get(PAGE).text
    assert secret not in listed
    assert "nightly" in listed
    assert secret[:9] in listed
    with records_of(guarded).reading() as connection:
        assert connection.execute(select(answers)).all() == [], "no secret is kept for an idempotency key"
    cookies = dict(guarded.cookies)
    assert opens(guarded, secret) == 200
    guarded.cookies.update(cookies)
    path = re.search(r'action="(/account/tokens/\w+/revoke)"', listed)
    assert path is not None
    gone = guarded.post(path[1], follow_redirects=False)
    assert (gone.status_code, gone.headers["location"]) == (303, PAGE)
    assert guarded.post(path[1]).status_code == 404, "it is revoked once"
    assert opens(guarded, secret) == 401


def test_the_page_offers_what_one_may_and_refuses_the_rest(guarded: TestClient) -> None:
    signed_in(guarded, "eve", "viewer")
    offered = re.findall(r'name="scopes" value="(\w+)"', guarded.get(PAGE).text)
    assert offered == ["read", "survey"]
    beyond = guarded.post(PAGE, data=FORM | {"scopes": ["read", "erase"]})
    assert beyond.status_code == 403
    assert "erase" in beyond.text
    assert "You have none" in guarded.get(PAGE).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": " "}, "a name"),
        ({"scopes": []}, "at least one thing"),
        ({"days": "0"}, "a number of days"),
        ({"days": "soon"}, "a number of days"),
        ({"groups": "acme"}, "is no group"),
    ],
)
def test_a_form_that_is_not_whole_says_what_it_needs_and_keeps_what_was_typed(
    guarded: TestClient, wrong: dict[str, str], said: str
) -> None:
    signed_in(guarded, "ops", "operator")
    answer = guarded.post(PAGE, data={**FORM, "workflows": "typed,<b>", **wrong})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="typed,&lt;b&gt;"' in answer.text
    assert "You have none" in answer.text


def test_a_token_is_limited_as_its_owner_and_further_by_the_form(guarded: TestClient) -> None:
    signed_in(guarded, "ops", "operator", Limits(groups={"customer": frozenset({"acme", "zorg"})}))
    made = guarded.post(PAGE, data=FORM | {"groups": "customer:acme, customer:other"})
    guarded.cookies.clear()
    me = guarded.get("/api/v1/me", headers={"Authorization": f"Bearer {secret_of(made.text)}"}).json()
    assert me["limits"]["groups"] == {"customer": ["acme"]}


def test_nobody_revokes_anothers_token_on_this_page_and_other_sites_nothing(guarded: TestClient) -> None:
    signed_in(guarded, "ops", "operator")
    guarded.post(PAGE, data=FORM)
    path = re.search(r'action="(/account/tokens/\w+/revoke)"', guarded.get(PAGE).text)
    assert path is not None
    assert guarded.post(path[1], headers={"Origin": "https://evil.example"}).status_code == 403
    assert guarded.post(PAGE, data=FORM, headers={"Origin": "https://evil.example"}).status_code == 403
    signed_in(guarded, "boss", "admin")
    assert guarded.post(path[1]).status_code == 404, "what an admin ends, they end by the API"
