"""The public status: what is listed and nothing else, for everybody, and grey where nothing is known."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.main import create_app
from api.migrations import migrate
from api.settings import Settings
from api.status.cache import Cache
from api.store import Store, StoreError
from tests.api.access.conftest import signed_in
from tests.api.alertrows import alert, delivery, incident, logged
from tests.api.rows import event, finding, insert, item, progress, transition
from tests.api.test_levels import MAPPING, PACK

SECRET = "zorg"
"""In all that nobody may see."""

PAGE = """
title: How we are
components:
  trades: {name: Trades, description: What you send us., workflows: [w]}
  silent: {name: Statements, workflows: [unheard]}
  counted: {name: Orders, workflows: [w], counts: true}
"""
PATHS = ("/status", "/api/v1/public/status", "/status/badge/trades.svg")


@pytest.fixture(scope="module")
def app_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An app where people have to sign in, its clock just moved."""
    home = tmp_path_factory.mktemp("status")
    for name, text in (("workflow", PACK), ("mapping", MAPPING)):
        (home / f"{name}.yaml").write_text(text)
    page = home / "page" / "status.yaml"
    page.parent.mkdir()
    page.write_text(PAGE)
    app = create_app(Settings(home=home, packs=[home], loader=False, kafka="127.0.0.1:1", status_page=page))
    context = app.state.context
    migrate(context.store)
    context.records.migrate()
    fill(context.store)
    yield TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False)
    context.records.close()
    context.store.close()


@pytest.fixture
def client(app_client: TestClient) -> TestClient:
    """With nothing kept of what was asked before."""
    state = app_client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, cache=Cache())
    return app_client


def fill(store: Store) -> None:
    """An hour of work on listed and other workflows, with the secret wherever a row has room for it."""
    now = time.time_ns() // 1_000_000
    insert(store, "progress", progress(watermark_ms=now, at_ms=now), progress(lane=SECRET, watermark_ms=now, at_ms=now))
    groups = {SECRET: SECRET}
    for n, (workflow, lane) in enumerate((("w", "main"), (f"{SECRET}_orders", "main"), ("w", f"{SECRET}-replay"))):
        common: dict[str, Any] = {"workflow": workflow, "lane": lane, "key": f"{SECRET}-{n}", "groups": groups}
        began = now - 3_600_000
        insert(store, "items", item(**common, run_ms=began, overdue=1, missing=1))
        insert(store, "transitions", transition(**common, at_ms=began, event_id=f"{SECRET}{n}"))
        told = {
            "rule": f"{SECRET}-rule",
            "because": SECRET,
            "runbook": SECRET,
            "deadline_ms": began + 1,
            "since_ms": began,
        }
        insert(store, "findings", finding(**common, id=f"{SECRET}{n}", **told))
        ids = {"id": f"{SECRET}a{n}", "incident": f"{SECRET}i{n}", "summary": SECRET, "rule": SECRET, "team": SECRET}
        insert(store, "alerts", alert(**common | ids))
        about = {"id": f"{SECRET}i{n}", "lane": lane, "title": SECRET, "groups": {SECRET: [SECRET]}, "opened_ms": began}
        said = {
            "note": f"Some are late.<b> {n}" if n == 0 else SECRET,
            "note_ms": began,
            "public": 1,
            "evidence": [SECRET],
        }
        insert(store, "incidents", incident(**about, **said))
    hidden = {"id": "hidden", "title": SECRET, "note": SECRET, "opened_ms": now}
    insert(store, "incidents", incident(**hidden, public=0))
    insert(store, "alerts", alert(id="h" * 32, incident="hidden"))
    insert(store, "alertlog", logged(why=SECRET, who=SECRET))
    insert(store, "deliveries", delivery(person=SECRET, address=SECRET))
    insert(store, "events", event(key=SECRET, data=SECRET, source=SECRET, time_ms=now))


def asked(client: TestClient) -> dict[str, Any]:
    answer = client.get("/api/v1/public/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_nothing_that_is_not_listed_is_told(client: TestClient) -> None:
    for path in (*PATHS, "/status/badge/silent.svg"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert SECRET not in answer.text.lower(), path
        assert "reply" not in answer.text, path
        assert "market" not in answer.text, path
    assert asked(client)["components"][0]["counts"] is None


def test_other_routes_stay_closed(client: TestClient) -> None:
    for path in ("/api/v1/slo", "/api/v1/workflows", "/status/badge/", "/status/", "/api/v1/public/"):
        assert client.get(path, follow_redirects=False).status_code in (401, 404), path


def test_components_stand_as_their_workflows_do_and_silence_is_not_green(client: TestClient) -> None:
    found = asked(client)
    assert {one["id"]: one["state"] for one in found["components"]} == {
        "trades": "degraded",
        "silent": "unknown",
        "counted": "degraded",
    }
    assert found["state"] == "degraded"
    trades, silent, counted = found["components"]
    assert counted["counts"] == {"in_flight": 1, "late": 1}
    assert len(trades["days"]) == len(silent["days"]) == 90
    assert {day["state"] for day in silent["days"]} == {"unknown"}
    assert silent["met_percent"] is None


def test_an_incident_is_told_by_its_public_note_and_its_components(client: TestClient) -> None:
    [told] = asked(client)["incidents"]
    assert told["components"] == ["Trades", "Orders"]
    assert told["note"] == "Some are late.<b> 0"
    assert "Some are late.&lt;b&gt; 0" in client.get("/status").text


def test_history_tells_the_days_on_which_what_was_due_was_missed(client: TestClient, app_client: TestClient) -> None:
    store = app_client.app.state.context.store  # type: ignore[attr-defined]
    before = time.time_ns() // 1_000_000 - 10 * 86_400_000
    met = {"workflow": "w", "groups": {}}
    for key, came in (("fine", True), ("broken", False)):
        insert(store, "transitions", transition(**met, key=key, step="a", event_id=f"{key}a", at_ms=before))
        if came:
            insert(store, "transitions", transition(**met, key=key, step="b", event_id=f"{key}b", at_ms=before + 1))
        else:
            told = {"key": key, "deadline_ms": before + 2, "since_ms": before, "id": "history"}
            insert(store, "findings", finding(**met | told))
    days = {day["day"]: day for day in asked(client)["components"][0]["days"]}
    bad = [day for day in days.values() if day["met_percent"] == 50.0]
    assert [day["state"] for day in bad] == ["degraded"]


def test_fifty_watchers_cost_one_set_of_queries(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_for: list[str] = []
    query = Store.query

    def counted(self: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
        asked_for.append(name)
        return query(self, name, **parameters)

    monkeypatch.setattr(Store, "query", counted)
    client.get("/status")
    once = len(asked_for)
    for number in range(50):
        assert client.get(PATHS[number % 3]).status_code == 200
    assert once == len(asked_for) > 0


def test_who_may_see_little_of_it_sees_the_same_page_and_leaves_it_as_it_is_for_all(client: TestClient) -> None:
    honest = asked(client)["components"]
    state = client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, cache=Cache())
    visitor = TestClient(client.app, base_url="http://127.0.0.1")
    signed_in(visitor, "us", "viewer", Limits(None, {"market": frozenset({"US"})}))

    assert asked(visitor)["components"] == honest
    assert asked(client)["components"] == honest


def test_an_unchanged_answer_is_not_sent_again(client: TestClient) -> None:
    for path in PATHS:
        first = client.get(path)
        assert first.headers["cache-control"] == "public, max-age=5"
        again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def test_while_the_store_is_away_everything_is_unknown(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise StoreError(f"at {SECRET}: away")

    monkeypatch.setattr(Store, "query", away)
    found = asked(client)
    assert (found["reachable"], found["state"]) == (False, "unknown")
    assert {one["state"] for one in found["components"]} == {"unknown"}
    page = client.get("/status")
    assert page.status_code == 200
    assert "tell how things stand" in page.text
    assert SECRET not in page.text


def test_badges_are_images_that_other_sites_may_show(client: TestClient) -> None:
    answer = client.get("/status/badge/trades.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert ET.fromstring(answer.text).attrib["aria-label"] == "Trades: degraded"  # noqa: S314
    assert client.get("/status/badge/none.svg").status_code == 404
