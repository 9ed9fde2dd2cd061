"""Nobody reads without the token, no page runs foreign script, no other machine gets in by accident."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.settings import Settings, SettingsError, from_env
from api.store import Store
from tests.api.rows import event, finding, insert, item, transition

TOKEN = "a-token-of-some-length"
EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"

OPEN = ("/healthz", "/readyz", "/api/v1/public/", "/status/")
"""What needs no sign-in: signs of life, and the public status page's figures."""

FLAT = EVIL.replace("/", "")  # names of workflows have no slash


@pytest.fixture
def guarded(serve: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    return serve(settings.model_copy(update={"api_token": TOKEN, "sign_in": "required"}))


def test_every_route_but_health_sign_in_and_the_status_page_wants_the_token(guarded: TestClient) -> None:
    document = guarded.get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {TOKEN}"}).json()
    paths = [re.sub(r"\{[^}]*\}", "k", path) for path, methods in document["paths"].items() if "get" in methods]
    for path in [*paths, "/", "/docs", "/items/w/k", "/fragments/overview", "/api/v1/openapi.json", "/nowhere"]:
        if not path.startswith(OPEN):
            assert guarded.get(path, follow_redirects=False).status_code == 401, path
    assert guarded.post("/api/v1/events", json={}).status_code == 401
    assert guarded.get("/healthz").status_code == 200


def test_the_right_token_opens_and_a_wrong_one_does_not(guarded: TestClient) -> None:
    for header in (f"Bearer {TOKEN}", f"bearer {TOKEN}"):
        assert guarded.get("/api/v1/lanes", headers={"Authorization": header}).status_code == 200
    for header in ("Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer é"):
        refused = guarded.get("/api/v1/lanes", headers={"Authorization": header.encode()})
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"


def test_a_browser_signs_in_with_the_token_and_never_keeps_it(guarded: TestClient) -> None:
    asked = guarded.get("/", headers={"accept": "text/html"}, follow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    assert guarded.post("/login", data={"token": "wrong"}).status_code == 401
    signed = guarded.post("/login", data={"token": TOKEN}, follow_redirects=False)
    assert signed.status_code == 303
    cookie = signed.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert TOKEN not in cookie
    assert guarded.get("/").status_code == 200


def test_a_sign_in_is_cut_off_at_4_kib(guarded: TestClient) -> None:
    def much() -> Iterator[bytes]:
        for _ in range(1000):
            yield b"token=" + b"x" * 1018

    refused = guarded.post("/login", content=much())
    assert refused.status_code == 413
    assert "4,096 bytes" in refused.json()["detail"]
    padded = f"token={TOKEN}&" + "x" * 4000
    assert guarded.post("/login", content=padded, follow_redirects=False).status_code == 303


def test_payloads_and_keys_are_text_on_the_page(client: TestClient, store: Store) -> None:
    groups = {"market": EVIL}
    insert(
        store,
        "events",
        event(data='{"x": "' + EVIL.replace('"', '\\"') + '"}', key=EVIL, groups=groups, source=EVIL, type=EVIL),
    )
    insert(store, "transitions", transition(key=EVIL, source=EVIL, step=EVIL, workflow=FLAT, groups=groups))
    insert(
        store,
        "findings",
        finding(key=EVIL, step=EVIL, because=EVIL, workflow=FLAT, groups=groups, rule=EVIL, runbook=EVIL),
    )
    insert(store, "items", item(key=EVIL, step=EVIL, workflow=FLAT, groups=groups, status=EVIL))
    overview = client.get("/").text
    [path] = {line.split('"')[1] for line in overview.splitlines() if 'href="/items/' in line}
    page = client.get(path.replace("&amp;", "&"))
    assert page.status_code == 200
    for text in (overview, client.get("/fragments/overview").text, page.text):
        assert "<img src=x" not in text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


def test_pages_carry_a_policy_without_inline_script_or_style_and_need_none(client: TestClient, store: Store) -> None:
    insert(store, "items", item())
    insert(store, "transitions", transition())
    for path in ("/", "/items/w/K-1", "/login", "/docs", "/nowhere", "/items/w/none"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        for inline in ("style=", "<style", "onclick", "<script>"):
            assert inline not in answer.text, (path, inline)
        assert "access-control-allow-origin" not in answer.headers


def test_a_foreign_host_name_is_not_answered(client: TestClient) -> None:
    assert client.get("/api/v1/lanes", headers={"Host": "evil.example"}).status_code == 400
    for own in ("localhost:8420", "[::1]:8420", "[::1]", "127.0.0.1"):
        assert client.get("/api/v1/lanes", headers={"Host": own}).status_code == 200, own
    assert client.get("/api/v1/lanes", headers={"Host": "[::2]:8420"}).status_code == 400


def test_the_server_does_not_bind_other_interfaces_without_a_sign_in(tmp_path: Path) -> None:
    env = {**os.environ, "DAYMARK_HOME": str(tmp_path), "DAYMARK_HOST": "0.0.0.0", "DAYMARK_SIGN_IN": "off"}  # noqa: S104
    done = subprocess.run([sys.executable, "-m", "api.main"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "DAYMARK_SIGN_IN is off" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("dsn", "says"),
    [
        ("clickhouse://u:hush/hush@127.0.0.1:8123/db", "DAYMARK_DSN: "),
        ("mysql://u:hush@h/db", "DAYMARK_DSN: "),
        ("clickhouse://u:hush@127.0.0.1:1/db", "ClickHouse at 127.0.0.1:1 can't be opened"),
        ("chdb:///dev/null/x", "/dev/null/x can't be opened"),
    ],
)
def test_a_store_that_cannot_be_opened_is_one_clear_line_without_the_password(
    tmp_path: Path, dsn: str, says: str
) -> None:
    env = {**os.environ, "DAYMARK_HOME": str(tmp_path), "DAYMARK_DSN": dsn, "DAYMARK_LOADER": "false"}
    done = subprocess.run([sys.executable, "-m", "api.main"], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "hush" not in done.stderr + done.stdout


def test_a_setting_that_makes_no_sense_is_named_with_its_variable() -> None:
    with pytest.raises(SettingsError) as wrong:
        from_env({"DAYMARK_PORT": "many", "DAYMARK_RETENTION_EVENTS": "soon"})
    assert "DAYMARK_PORT='many'" in str(wrong.value)
    assert "DAYMARK_RETENTION_EVENTS='soon'" in str(wrong.value)
    assert from_env({"DAYMARK_RETENTION_EVENTS": "2w"}).retention["events"] == 14
    with pytest.raises(SettingsError, match="at least 16"):
        Settings(api_token="short").require_safe()
