"""Every route is in the matrix, and each role gets through exactly where the matrix says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from api.access.matrix import CLOSED, MATRIX, WITHIN, allowed, needed
from api.access.roles import ROLES, SCOPES, Limits, of_role, of_token
from tests.api.access.conftest import signed_in

LEFT_OUT = ("/logout", "/api/v1/me/sessions", "/account/sign-out-everywhere", "/api/v1/alerts/live")
"""Three would end the session that the others need, one never ends."""


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and template of every route, also of those that the OpenAPI schema leaves out."""
    for context in iter_route_contexts(app.routes):
        for method in sorted((context.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, context.path


def test_the_matrix_names_every_route_and_no_other(guarded: TestClient) -> None:
    found = set(routes(guarded.app))  # type: ignore[arg-type]
    assert found - MATRIX.keys() == set(), "say in api/access/matrix.py who may ask for these"
    assert MATRIX.keys() - found == set()


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_each_role_gets_through_where_the_matrix_says(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    publisher = guarded.app.state.context.publisher  # type: ignore[attr-defined]
    monkeypatch.setattr(publisher, "publish", lambda records: None)
    monkeypatch.setattr(publisher, "reachable", lambda: False)
    monkeypatch.setattr("api.rulebook.Rulebook.refresh", lambda self: None)
    monkeypatch.setattr(guarded.app.state.context.live, "stopping", lambda: True)  # type: ignore[attr-defined]
    if role != "nobody":
        signed_in(guarded, "anna", role)
    actions = ROLES.get(role, frozenset())
    asked = [route for route in MATRIX if route[1] not in LEFT_OUT or role == "nobody"]
    for method, path in asked:
        action = MATRIX[method, path]
        body = {"json": {}} if method != "GET" else {}
        status = guarded.request(method, re.sub(r"\{[^}]*\}", "x", path), follow_redirects=False, **body).status_code
        if action is None:
            assert status not in (401, 403) or path == "/login", (method, path, status)
        elif role == "nobody":
            assert status == 401, (method, path, status)
        elif action in actions:
            assert status not in (401, 403), (method, path, status)
        else:
            assert status == 403, (method, path, status)


def test_a_route_without_an_entry_is_closed_even_for_an_admin() -> None:
    admin = of_role("admin", Limits())
    assert needed("GET", "/api/v1/new") == CLOSED
    assert not allowed(admin, "GET", "/api/v1/new")
    assert allowed(admin, "HEAD", "/healthz")


def test_a_limited_editor_puts_rules_of_their_own_workflow_only(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "editor", Limits(frozenset({"trade"})))
    for workflow, status in (("trade", 422), ("payment", 403)):
        assert guarded.put(f"/api/v1/rules/{workflow}", json={}).status_code == status
    assert guarded.post("/api/v1/events", json={}).status_code == 403


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_gets_through_where_its_one_scope_is_asked_for_and_nowhere_else(scope: str) -> None:
    token = of_token(frozenset({scope, "self"}), Limits(), of_role("admin", Limits()))
    for (method, path), action in MATRIX.items():
        assert allowed(token, method, path) == (action in (scope, None)), (method, path)
    limited = of_token(frozenset({scope}), Limits(frozenset({"w"})), of_role("admin", Limits()))
    through = {route for route in MATRIX if allowed(limited, *route, "other")}
    filtered = {route for route, action in MATRIX.items() if action is None or action == "read" == scope}
    assert through == filtered | {route for route in WITHIN if MATRIX[route] == scope}
