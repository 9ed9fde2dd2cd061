"""One-time links that sign somebody in: whom they make, and what uses them up."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from api.access import people, sessions
from api.access.people import User
from tests.api.access.conftest import NOW, records_of, signed_in


def link_for(client: TestClient, name: str) -> str:
    """The path of a new link, as an admin gets it."""
    made = client.post("/api/v1/sign-in-links", json={"user": name})
    assert made.status_code == 201, made.text
    path: str = made.json()["path"]
    return path


def opened(client: TestClient, path: str) -> TestClient:
    """The link, opened and used by a browser that nobody is signed in with."""
    client.cookies.clear()
    client.get(path, follow_redirects=False)
    client.post(path, follow_redirects=False)
    return client


def test_the_link_of_somebody_who_was_deleted_makes_nobody(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    assert guarded.put("/api/v1/users/bob", json={"role": "viewer"}).status_code == 200
    path = link_for(guarded, "bob")
    assert guarded.delete("/api/v1/users/bob").status_code == 204
    assert opened(guarded, path).get("/api/v1/me").status_code == 401


def test_links_go_with_their_user_so_that_another_of_that_name_has_none(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    before = link_for(guarded, "bob")
    guarded.put("/api/v1/users/bob", json={"role": "viewer"})
    guarded.delete("/api/v1/users/bob")
    guarded.put("/api/v1/users/bob", json={"role": "editor"})
    assert opened(guarded, before).get("/api/v1/me").status_code == 401


def test_a_link_that_was_made_for_somebody_creates_nobody_however_they_went(guarded: TestClient) -> None:
    records = records_of(guarded)
    with records.transaction() as tx:
        code = sessions.link(tx, "welcome", {"user": "bob", "creates": False}, 2 * NOW)
    assert opened(guarded, f"/welcome/{code}").get("/api/v1/me").status_code == 401
    with records.reading() as connection:
        assert people.read(connection, "bob") is None


def test_opening_a_link_uses_nothing_up_since_scanners_of_mail_do_it(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    path = link_for(guarded, "bob")
    guarded.cookies.clear()
    for _ in range(2):
        shown = guarded.get(path)
        assert (shown.status_code, "<button" in shown.text, "as bob, once" in shown.text) == (200, True, True)
        assert guarded.get("/api/v1/me").status_code == 401
    assert guarded.post(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert guarded.post(path, follow_redirects=False).headers["location"] == "/"
    guarded.cookies.clear()
    for ask in (guarded.get, guarded.post):
        assert ask(path).status_code == 410


@pytest.mark.parametrize(("role", "manages"), [(None, True), ("viewer", False)])
def test_a_link_signs_in_who_is_there_and_makes_an_admin_of_a_new_name(
    guarded: TestClient, role: str | None, manages: bool
) -> None:
    signed_in(guarded, "root", "admin")
    path = link_for(guarded, "bob")
    if role:  # made in the meantime
        with records_of(guarded).transaction() as tx:
            people.put(tx, User("bob", role), "test", "", NOW)
    me = opened(guarded, path).get("/api/v1/me").json()
    assert (me["name"], "manage" in me["actions"]) == ("bob", manages)
