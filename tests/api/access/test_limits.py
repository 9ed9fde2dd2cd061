"""Somebody who is limited never sees another's item, whichever route they ask, and no parameter opens more."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.access.matrix import MATRIX
from api.access.roles import Limits, of_role
from api.access.rows import filters
from api.access.who import Who
from api.settings import Settings
from api.store import SQL, TABLES, Store
from api.trends import HOUR_MS, WEEK_MS
from tests.api.access.conftest import HOME, signed_in
from tests.api.alertrows import alert, incident, logged
from tests.api.rows import T0, event, finding, insert, item, progress, transition

ZORG = "zorg"  # in everything of the other tenant
LIMITED = {
    "by group": Limits(None, {"customer": frozenset({"acme"})}),
    "by workflow": Limits(frozenset({"acme_orders"})),
    "by both": Limits(frozenset({"acme_orders"}), {"customer": frozenset({"acme"})}),
    "by an empty list": Limits(frozenset()),
    "by a value with quotes": Limits(None, {"customer": frozenset({"') OR 1=1 --", '"}, 1', "\\'"})}),
}


def fill(store: Store, tenant: str, number: int) -> None:
    """An item with all that belongs to it, and the tenant's name in each of its parts."""
    key, workflow, groups = f"{tenant}-1", f"{tenant}_orders", {"customer": tenant}
    common: dict[str, Any] = {"workflow": workflow, "key": key, "groups": groups}
    data = orjson.dumps({"data": {"id": key, "note": tenant}}).decode()
    place = {"source": f"/{tenant}", "offset": number}
    insert(store, "events", event(id=f"{tenant}-e", key=key, groups=groups, type=f"{tenant}.sent", data=data, **place))
    insert(store, "items", item(**common, step=f"{tenant}-step"))
    for step, previous in ((f"{tenant}-first", ""), (f"{tenant}-step", f"{tenant}-first")):
        moved = {"event_id": f"{tenant}-e", "source": f"/{tenant}", "step": step, "previous": previous}
        insert(store, "transitions", transition(**common, **moved))
    insert(
        store,
        "findings",
        finding(**common, id=f"{tenant}".ljust(32, "0"), step=f"{tenant}-step", rule=f"{tenant}-rule"),
    )
    fp, about = tenant.ljust(32, "0"), {"workflow": workflow, "key": key, "groups": groups}
    insert(store, "alerts", alert(**about, id=fp, incident=fp, summary=f"{tenant}: too late"))
    insert(store, "alertlog", logged(alert=fp, why=tenant))
    insert(store, "incidents", incident(id=fp, title=tenant))
    raw = base64.b64encode(tenant.encode()).decode()
    letter = {"lane": "main", "topic": f"t.{tenant}", "partition": 0, "offset": number, "received_ms": T0}
    insert(store, "dead_letters", letter | {"reason": "not_json", "detail": tenant, "raw": raw})


@pytest.fixture
def tenants(guarded: TestClient, store: Store) -> TestClient:
    """Two tenants' data behind one app."""
    fill(store, "acme", 1)
    fill(store, ZORG, 2)
    insert(store, "progress", progress())
    return guarded


@pytest.mark.parametrize(("limits", "said"), [(LIMITED["by group"], "another alert"), (None, "zorg: too late")])
def test_the_log_of_ones_own_alert_says_its_cause_to_whoever_sees_that(
    tenants: TestClient, store: Store, limits: Limits | None, said: str
) -> None:
    acme, zorg = ("acme".ljust(32, "0"), ZORG.ljust(32, "0"))
    hidden = {"alert": acme, "what": "suppressed"}
    insert(store, "alertlog", logged(n=1, why=f"explained by {zorg}", **hidden))
    signed_in(tenants, "anna", "viewer", limits or Limits())
    for path in (f"/api/v1/alerts/{acme}", f"/api/v1/alerts/{acme}/log", f"/alerts/{acme}"):
        assert said in tenants.get(path).text
    insert(store, "alertlog", logged(n=2, why="explained: zorg-1 is missing", **hidden))  # of an earlier Daymark
    why = [row["why"] for row in tenants.get(f"/api/v1/alerts/{acme}/log").json()]
    assert why[-1] == "explained by another alert"
    insert(store, "alertlog", logged(n=3, who="eve", why="explained: it is known", **hidden))
    assert tenants.get(f"/api/v1/alerts/{acme}/log").json()[-1]["why"] == "explained: it is known"


def asked() -> Iterator[str]:
    """Every GET route that reads what happened, about the other tenant, and with each filter that might reach it."""
    for method, path in MATRIX:
        if method != "GET" or MATRIX[method, path] != "read" or "/live" in path:  # streams: tests of their own
            continue
        for tenant in (ZORG, "acme"):
            filled = re.sub(r"\{key[^}]*\}", f"{tenant}-1", path).replace("{workflow}", f"{tenant}_orders")
            filled = (
                filled.replace("{revision}", "0")
                .replace("{step}", f"{tenant}-step")
                .replace("{id}", tenant.ljust(32, "0"))
            )
            filled = re.sub(r"\{group\}/\{value[^}]*\}", f"customer/{tenant}", filled)
            wanted = {"/api/v1/search": f"?key={tenant}-1", "/customers": f"?group=customer&value={tenant}"}
            yield filled + wanted.get(path, "")
    for path in (
        f"/map?workflow={ZORG}_orders",
        f"/steps?workflow={ZORG}_orders&step={ZORG}-step",
        f"/items?key={ZORG}-1",
    ):
        yield path
    group = f"group=customer:{ZORG}"
    for path in ("findings", "items", f"items?key={ZORG}", f"findings?workflow={ZORG}_orders", f"events?text={ZORG}"):
        yield f"/api/v1/{path}{'&' if '?' in path else '?'}{group}"
    yield "/api/v1/workflows?group=customer"
    yield "/api/v1/findings/counts?group=customer"


def marked(answer: Any, path: str) -> bool:
    """Whether an answer says anything of the other tenant, but for what was asked for by name."""
    text = answer.text.replace(path, "").replace(f'name="key" value="{ZORG}-1"', "")
    if answer.status_code == 404:  # it repeats the name that was asked for
        return False
    return ZORG in text or base64.b64encode(ZORG.encode()).decode() in text


@pytest.mark.parametrize("name", ["by group", "by workflow"])
def test_no_route_tells_somebody_with_limits_of_another_tenant(ruled: TestClient, name: str) -> None:
    signed_in(ruled, "anna", "viewer", LIMITED[name])
    for path in asked():
        answer = ruled.get(path)
        expected = (403,) if path == "/metrics" else (200, 404)  # its counters are of all tenants
        assert answer.status_code in expected, (path, answer.text)
        assert not marked(answer, path), (path, answer.text)


RULE = """
workflow: {tenant}_orders
key: id
groups: [customer]
steps:
  {tenant}-first: {{on: {tenant}.first, start: true}}
  {tenant}-step: {{on: {tenant}.sent, end: completed}}
deadlines:
  - {{id: {tenant}-rule, after: {tenant}-first, expect: {tenant}-step, within: 5m}}
schedules:
  - {{id: {tenant}-daily, expect: {tenant}-step, key: [FEED], by: "08:00"}}
"""
MAPPING = (
    "source: s\ntopic: t\nid: id\ntype: type\ntime: time\nkeys: {id: data.id}\ngroups: {customer: data.customer}\n"
)


@pytest.fixture
def ruled(app_of: Callable[[Settings], TestClient], settings: Settings, store: Store, tmp_path: Path) -> TestClient:
    """Two tenants' data, and their rules in force."""
    packs = [tmp_path / tenant for tenant in ("acme", ZORG)]
    for pack in packs:
        pack.mkdir()
        (pack / "workflow.yaml").write_text(RULE.format(tenant=pack.name))
        (pack / "mapping.yaml").write_text(MAPPING)
    more = {"sign_in": "required", "rate_limit": 0, "packs": packs, "mappings": packs[:1]}
    client = app_of(settings.model_copy(update=more))
    client.headers.update(HOME)
    fill(store, "acme", 1)
    fill(store, ZORG, 2)
    insert(store, "progress", progress())
    return client


def test_somebody_limited_to_a_group_is_told_nothing_of_schedules_which_would_look_met(
    ruled: TestClient, store: Store
) -> None:
    missed = {"workflow": "acme_orders", "rule": "acme-daily", "step": "acme-step", "key": "FEED", "groups": {}}
    insert(store, "findings", finding(id="5" * 32, since_ms=None, deadline_ms=T0 - 3_600_000, **missed))
    told = {}
    for who, limits in (("root", None), ("anna", LIMITED["by group"])):
        signed_in(ruled, who, "viewer", limits)
        rows = ruled.get("/api/v1/slo").json()["levels"]
        told[who] = {row["deadline"] for row in rows if row["workflow"] == "acme_orders"}
    assert "acme-daily" in told["root"]
    assert "acme-daily" not in told["anna"]


def test_without_limits_the_same_routes_tell_of_both_tenants(tenants: TestClient) -> None:
    signed_in(tenants, "root", "admin")
    silent = {path for path in asked() if not marked(tenants.get(path), path)}
    said = {"/api/v1/slo", "/api/v1/lanes", "/api/v1/me", "/docs", "/api/v1/openapi.json"}
    said |= {"/fragments/map", "/fragments/steps", "/api/v1/events/histogram"}  # nothing is chosen, or only counted
    said |= {"/rules", "/api/v1/rules", "/api/v1/schemas/workflow"}
    said |= {"/api/v1/anomalies"}  # nothing happens here by the hour; see the test below
    own = {path for path in silent if "acme" in path or "/rules/" in path}  # no rules are in force here
    assert silent - own <= said


def test_somebody_with_limits_still_sees_all_of_their_own(tenants: TestClient) -> None:
    for name in ("by group", "by workflow", "by both"):
        signed_in(tenants, f"anna-{name[3:]}", "viewer", LIMITED[name])
        for path in ("items", "findings", "events", "alerts"):
            [row] = tenants.get(f"/api/v1/{path}").json()["items"]
            assert row["key"] == "acme-1", path
        assert [row["title"] for row in tenants.get("/api/v1/incidents").json()["items"]] == ["acme"]
        detail = tenants.get("/api/v1/items/acme_orders/acme-1").json()
        assert [hop["step"] for hop in detail["timeline"]] == ["acme-step"]
        assert tenants.get("/api/v1/items/zorg_orders/zorg-1").status_code == 404


@pytest.mark.parametrize("name", ["by group", "by workflow"])
def test_an_anomaly_and_a_trend_are_told_to_those_whose_they_are(tenants: TestClient, store: Store, name: str) -> None:
    hour = store.run("SELECT toUnixTimestamp(toStartOfHour(now())) * 1000 AS begun")[0]["begun"]
    insert(store, "progress", progress(watermark_ms=hour, at_ms=hour))
    for tenant in ("acme", ZORG):
        about = {"workflow": f"{tenant}_orders", "groups": {"customer": tenant}, "step": f"{tenant}-step"}
        keys = {f"{tenant}-{n}": hour - HOUR_MS - WEEK_MS + n for n in range(20)}
        insert(
            store, "transitions", *(transition(**about, key=key, event_id=key, at_ms=at) for key, at in keys.items())
        )
    signed_in(tenants, "root", "admin")
    assert {row["workflow"] for row in tenants.get("/api/v1/anomalies").json()["items"]} == {
        "acme_orders",
        "zorg_orders",
    }
    signed_in(tenants, "anna", "viewer", LIMITED[name])
    assert {row["workflow"] for row in tenants.get("/api/v1/anomalies").json()["items"]} == {"acme_orders"}
    assert tenants.get("/api/v1/workflows/acme_orders/trends").status_code == 200
    assert tenants.get("/api/v1/workflows/zorg_orders/trends").status_code == 404


def test_an_item_that_moved_to_another_tenant_is_gone_from_the_first(tenants: TestClient, store: Store) -> None:
    insert(store, "items", item(workflow="acme_orders", key="acme-1", groups={"customer": ZORG}, rev=9))
    signed_in(tenants, "anna", "viewer", LIMITED["by group"])
    assert tenants.get("/api/v1/items").json()["items"] == []


def test_a_source_that_is_blind_is_told_to_those_whose_workflow_it_feeds(tenants: TestClient, store: Store) -> None:
    now = store.run("SELECT toUnixTimestamp64Milli(now64(3)) AS now")[0]["now"]
    silent = {"kind": "blind", "workflow": "", "groups": {}, "key": "/feed", "deadline_ms": now - 1000}
    insert(store, "findings", finding(**silent, id="b" * 32, occurrence="acme_orders"))
    insert(store, "findings", finding(**silent, id="c" * 32, occurrence="zorg_orders") | {"key": "/zorgfeed"})
    signed_in(tenants, "anna", "viewer", LIMITED["by workflow"])
    assert tenants.get("/api/v1/lanes").json()[0]["blind_sources"] == ["/feed"]


def test_of_an_incident_that_holds_anothers_alerts_nothing_is_told(tenants: TestClient, store: Store) -> None:
    mixed = {"workflow": "zorg_orders", "groups": {"customer": ZORG}, "incident": "acme".ljust(32, "0")}
    insert(store, "alerts", alert(**mixed, id="m" * 32))
    insert(store, "incidents", incident(id=mixed["incident"], title="both", alerts=2, rev=T0 + 1 << 20))
    signed_in(tenants, "anna", "viewer", LIMITED["by group"])
    assert tenants.get("/api/v1/incidents").json()["items"] == []


def test_a_live_screen_is_shared_only_by_those_who_may_see_the_same(tenants: TestClient) -> None:
    names: set[Hashable] = set()
    context = tenants.app.state.context  # type: ignore[attr-defined]
    live = SimpleNamespace(stream=lambda name, *_: names.add(name))
    for limits in (LIMITED["by group"], LIMITED["by workflow"], LIMITED["by group"]):
        who = Who("anna", of_role("viewer", limits))
        replace(context, who=who, live=live).watch(("overview", ""), str)
    assert len(names) == 2


def test_tokens_are_limited_as_their_owners_are(tenants: TestClient) -> None:
    signed_in(tenants, "anna", "viewer", LIMITED["by group"])
    made = tenants.post("/api/v1/tokens", json={"name": "t", "scopes": ["read"]}).json()
    tenants.cookies.clear()
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    assert [row["key"] for row in tenants.get("/api/v1/items", headers=bearer).json()["items"]] == ["acme-1"]


def test_the_values_of_limits_are_digits_in_the_filter_and_every_table_has_one() -> None:
    text = filters(LIMITED["by a value with quotes"])
    assert "1=1" not in text
    assert "--" not in text
    shown = {path.stem for path in (SQL / "limits").glob("*.sql")}
    assert {table for table in TABLES if f"'{table}':'0'" in text} == set(TABLES) - shown


INJECTIONS = ("') OR 1=1; DROP TABLE items; --", "{limit:UInt32} %(x)s '")


def test_no_parameter_of_any_route_reaches_sql_as_sql(tenants: TestClient) -> None:
    signed_in(tenants, "root", "admin")
    document = tenants.get("/api/v1/openapi.json").json()
    tried = 0
    for path, methods in document["paths"].items():
        for parameter in methods.get("get", {}).get("parameters", []):
            for evil in INJECTIONS:
                where = {} if parameter["in"] == "path" else {parameter["name"]: evil}
                text = tenants.get(re.sub(r"\{[^}]*\}", evil if not where else "x", path), params=where)
                assert text.status_code in (200, 400, 404, 422), (path, parameter["name"], evil, text.text)
                told = text.status_code == 200 and text.headers["content-type"] == "application/json"
                if told and parameter["name"] in ("workflow", "key", "lane", "id", "step", "rule"):
                    rows = text.json()
                    found = rows.get("items") if isinstance(rows, dict) else rows
                    assert not found, (path, parameter["name"], evil)
                tried += 1
    assert tried > 100
    assert len(tenants.get("/api/v1/items").json()["items"]) == 2
