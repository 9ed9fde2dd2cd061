"""What an attacker would try, and what comes of it."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from api.access import people
from api.access.people import Refused
from api.access.rates import ANONYMOUS, network
from api.access.roles import Limits
from api.access.tables import attempts, sessions
from api.access.who import COOKIE
from api.records.database import Records
from api.runbooks import runbook
from api.settings import Settings
from api.store import Store
from api.templating import templates
from tests.api.access.conftest import HOME, NOW, PASSWORD, put_user, records_of, signed_in
from tests.api.rows import T0, event, insert

FORMULAS = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1")


def test_no_cell_of_a_csv_export_is_a_formula(guarded: TestClient, store: Store) -> None:
    signed_in(guarded, "anna", "viewer")
    names = ("source", "id", "type", "key", "data")
    rows = [event(**dict.fromkeys(names, formula), time_ms=T0 + n) for n, formula in enumerate(FORMULAS)]
    insert(store, "events", *rows, event(id="plain", data='{"n": -1}', groups={"=g": "=v"}))
    asked = {"lane": "main", "since": T0 - 1, "until": T0 + 99}
    text = guarded.get("/api/v1/events/export", params=asked | {"format": "csv"}).text
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row if cell]
    assert [cell for cell in cells if cell[0] in "=+-@\t\r\n"] == []
    assert {f"'{formula}" for formula in FORMULAS} <= set(cells)
    lines = guarded.get("/api/v1/events/export", params=asked | {"format": "ndjson"}).text
    assert "'" not in lines, "for programs it is as it came"


def enter(records: Records, name: str, password: str, address: str, at: int = NOW) -> people.User:
    return people.sign_in(records, name, password, address, at)


def test_ones_own_right_password_is_no_way_to_go_on_trying_others(records: Records) -> None:
    put_user(records, "mallory", "viewer")
    for number in range(19):
        with pytest.raises(Refused, match="wrong"):
            enter(records, f"u{number}", "wrong", "10.0.0.1")
    for _ in range(3):
        enter(records, "mallory", PASSWORD, "10.0.0.1")
    with pytest.raises(Refused, match="wrong"):
        enter(records, "u20", "wrong", "10.0.0.1")
    with pytest.raises(Refused, match="Too many"):
        enter(records, "u21", "wrong", "10.0.0.1")


def test_a_right_password_costs_its_address_nothing(records: Records) -> None:
    put_user(records, "anna", "viewer")
    for _ in range(30):
        enter(records, "anna", PASSWORD, "10.0.0.1")
    with records.reading() as connection:
        assert connection.execute(select(attempts)).all() == []


def test_all_addresses_of_a_subscriber_are_counted_as_one(records: Records) -> None:
    assert network("2001:db8:1:2:3:4:5:6") == network("2001:db8:1:2::9") != network("2001:db8:1:3::9")
    assert network("::ffff:10.0.0.1") == network("10.0.0.1") == "10.0.0.1"
    assert network("testclient") == "testclient"
    for number in range(20):
        with pytest.raises(Refused, match="wrong"):
            enter(records, f"u{number}", "wrong", f"2001:db8::{number + 1:x}")
    with pytest.raises(Refused, match="Too many"):
        enter(records, "u", "wrong", "2001:db8::ffff")


def test_a_session_planted_before_the_sign_in_is_worth_nothing_after_it(guarded: TestClient) -> None:
    guarded.cookies.set(COOKIE, "planted")
    records = records_of(guarded)
    put_user(records, "anna", "viewer")
    guarded.post("/login", data={"name": "anna", "password": PASSWORD}, follow_redirects=False)
    victim = guarded.cookies.get(COOKIE, domain="127.0.0.1") or ""
    attacker = TestClient(guarded.app, base_url="http://127.0.0.1", cookies={COOKIE: "planted"})
    assert attacker.get("/api/v1/me").status_code == 401
    assert victim != "planted"
    with records.reading() as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


FOREIGN: list[dict[str, str]] = [
    {},
    {"Origin": "null"},
    {"Origin": "http://evil.example"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "https://127.0.0.1"},
    {"Origin": "http://127.0.0.1:81"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
]


def test_a_write_by_cookie_that_does_not_come_from_our_pages_is_refused(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "admin")
    del guarded.headers["Origin"]
    writes = (("/logout", None), ("/api/v1/erasures", {"key": "K-1"}), ("/account/sign-out-everywhere", None))
    for headers, (path, body) in itertools.product(FOREIGN, writes):
        answer = guarded.post(path, json=body, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, (path, headers)
    assert guarded.get("/api/v1/me").status_code == 200


def test_a_sign_in_leads_to_our_own_page_whatever_the_address_says(guarded: TestClient) -> None:
    put_user(records_of(guarded), "anna", "viewer")
    ways = ("next", "url", "redirect", "return_to", "continue")
    answer = guarded.post(
        "/login",
        params=dict.fromkeys(ways, "https://evil.example/"),
        data={"name": "anna", "password": PASSWORD, **dict.fromkeys(ways, "//evil.example")},
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    stranger = TestClient(guarded.app, base_url="http://127.0.0.1", headers={"Accept": "text/html"})
    assert stranger.get("//evil.example/", follow_redirects=False).headers["location"] == "/login"


def test_what_a_stranger_may_ask_for_and_writes_is_counted(
    app_of: Callable[[Settings], TestClient], settings: Settings
) -> None:
    client = app_of(settings.model_copy(update={"sign_in": "required"}))
    codes = [client.post(f"/welcome/{number}", follow_redirects=False).status_code for number in range(ANONYMOUS + 1)]
    assert codes == [410] * ANONYMOUS + [429]
    assert client.get("/login/oidc").status_code == 429


def test_nobody_is_called_what_the_audit_calls_others(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    for name in ("cli", "local", "api-token", "link", "anna (token t)", "a\nb", " ", "x" * 129, "a/b"):
        form = {"name": name, "role": "viewer", "password": PASSWORD}
        assert guarded.post("/users", data=form, follow_redirects=False).status_code == 422, name
        path = "/api/v1/users/" + name.replace("\n", "%0A").replace("/", "%2F")
        assert guarded.put(path, json={"role": "viewer"}).status_code in (404, 405, 422), name
    for name in (" anna", "anna ", "anna%0A"):  # the form of the sign-in takes blanks at the ends away
        assert guarded.put(f"/api/v1/users/{name}", json={"role": "viewer"}).status_code == 422, name
    for name in ("cli", "api-token", "anna "):
        assert guarded.post("/api/v1/sign-in-links", json={"user": name}).status_code == 422, name
    assert [user["name"] for user in guarded.get("/api/v1/users").json()] == ["root"]
    for name in ("a", "anna b", "x" * 128, "é.@+-_"):
        assert guarded.put(f"/api/v1/users/{name}", json={"role": "viewer"}).status_code == 200, name


def test_where_things_are_is_told_to_those_who_are_signed_in(guarded: TestClient, settings: Settings) -> None:
    stranger = TestClient(guarded.app, base_url="http://127.0.0.1")
    assert settings.kafka not in stranger.get("/readyz").text
    assert stranger.get("/readyz").json()["parts"]["kafka"] == "does not answer"
    signed_in(guarded, "anna", "viewer")
    assert settings.kafka in guarded.get("/readyz").text


def test_counts_of_all_tenants_are_not_for_those_with_limits(guarded: TestClient) -> None:
    signed_in(guarded, "anna", "viewer", Limits(frozenset({"w"})))
    assert guarded.get("/metrics").status_code == 403
    signed_in(guarded, "ben", "viewer")
    assert guarded.get("/metrics").status_code == 200


def test_a_runbooks_path_leads_nowhere_but_into_the_pack(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (tmp_path / "secret.md").write_text("secret")
    (pack / "link.md").symlink_to(tmp_path / "secret.md")
    (pack / "fine.md").write_text("[a](javascript:alert(1)) <script>alert(1)</script> ![x](http://x/y.png)")
    for path in ("../secret.md", str(tmp_path / "secret.md"), "link.md", "a\0b.md", "x" * 5000 + ".md", "", "."):
        assert runbook([pack], path) is None, path
    shown = runbook([pack], "fine.md")
    assert shown is not None
    assert not any(word in shown for word in ("<script", 'href="javascript', "<img"))


EVIL = '"><script>alert(1)</script><a href="javascript:alert(1)'


def test_a_maps_drawing_is_text_whatever_steps_and_groups_are_called() -> None:
    """The template alone: every text that comes from rules or records, in every place of the drawing."""
    step = {
        "step": EVIL, "status": "green", "waiting": 1, "overdue": 1, "at_risk": 0, "passed": 1, "amount": 1.0,
        "duration_ms": {"p50": 1, "p95": 2}, "end": "", "oldest_ms": None, "due_ms": None,
    }  # fmt: skip
    line: dict[str, Any] = {"path": "M0 0", "x": 1.0, "y": 1.0}
    drawing = {"width": 1, "height": 1, "node_width": 1, "node_height": 1, "nodes": {EVIL: (0.0, 0.0)}}
    shown = {
        "workflow": EVIL, "lane": EVIL, "group": EVIL, "status": "green", "live": True, "at_ms": T0, "now_ms": T0,
        "window_ms": 1, "drawing": drawing | {"lines": {(EVIL, EVIL): line}}, "steps": [step],
        "edges": [{"from": EVIL, "to": EVIL, "status": "green", "passed": 1, "overdue": 1}],
        "heat": [{"step": EVIL, "share": 1.0, "usual_ms": 1, "cells": [None]}],
    }  # fmt: skip
    html = templates.get_template("_map.html").render(map=shown)
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert "&lt;script&gt;" in html


def test_an_address_below_static_opens_nothing_else(guarded: TestClient) -> None:
    for path in (
        "/static/../api/v1/users",
        "/static/%2e%2e/api/v1/users",
        "/static/..%2fmain.py",
        "/static//etc/passwd",
    ):
        answer = guarded.get(f"/static/{path}", headers=HOME)
        assert answer.status_code in (401, 404), path
        assert "root" not in answer.text
