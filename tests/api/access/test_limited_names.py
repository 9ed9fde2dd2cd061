"""What is shown to somebody limited names nothing of others: not in parts of a row, nor in what a page adds to one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import HOME, signed_in
from tests.api.access.test_limits import LIMITED, ZORG, tenants
from tests.api.alertrows import incident
from tests.api.rows import T0, finding, insert, item, progress

__all__ = ["tenants"]  # a fixture
RULE = """workflow: acme_orders
key: id
steps:
  a: {on: a, start: true}
  b: {on: b, end: completed}
flow:
  - a -> b
deadlines:
  - {id: b, after: a, expect: b, within: 2h}
"""


@pytest.mark.parametrize("limits", ["by workflow", "by both"])
def test_of_the_workflows_that_a_blind_source_feeds_ones_own_are_named(
    tenants: TestClient, store: Store, limits: str
) -> None:
    silent = {"kind": "blind", "workflow": "", "groups": {}, "key": "/feed", "since_ms": None, "step": ""}
    insert(store, "findings", finding(**silent, id="b" * 32, occurrence="acme_orders,zorg_orders", deadline_ms=T0 + 9))
    signed_in(tenants, "anna", "viewer", LIMITED[limits])
    [told] = [row for row in tenants.get("/api/v1/findings").json()["items"] if row["kind"] == "blind"]
    assert told["occurrence"] == "acme_orders"
    assert ZORG not in tenants.get("/api/v1/overview", params={"since": T0}).text
    signed_in(tenants, "ben", "viewer", LIMITED["by group"])
    for path in ("/api/v1/findings", "/api/v1/overview", "/"):
        assert ZORG not in tenants.get(path).text, path


@pytest.mark.parametrize(("tenant", "shown"), [("acme", 1), (ZORG, 0)])
def test_an_incident_whose_cause_is_anothers_is_not_told_though_all_its_alerts_are_ones_own(
    tenants: TestClient, store: Store, tenant: str, shown: int
) -> None:
    own, cause = "acme".ljust(32, "0"), tenant.ljust(32, "0")
    fresh = incident(id=own, title=f"reply is missing: {tenant}-1", cause=cause, alerts=1, rev=T0 + 1 << 20)
    insert(store, "incidents", fresh)
    signed_in(tenants, "anna", "viewer", LIMITED["by both"])
    assert [row["cause"] for row in tenants.get("/api/v1/incidents").json()["items"]] == [cause] * shown
    assert tenants.get(f"/api/v1/incidents/{own}").status_code == (200 if shown else 404)


@pytest.mark.parametrize(("limits", "quoted"), [("by group", False), ("by workflow", True)])
def test_a_finding_quotes_its_rule_to_those_who_may_read_it(
    app_of: Callable[[Settings], TestClient], settings: Settings, store: Store, limits: str, quoted: bool
) -> None:
    pack = settings.home / "pack" / "workflow.yaml"
    pack.parent.mkdir()
    pack.write_text(RULE)
    client = app_of(settings.model_copy(update={"sign_in": "required", "rate_limit": 0, "packs": [pack.parent]}))
    client.headers.update(HOME)
    shown = {"workflow": "acme_orders", "key": "K-1", "groups": {"customer": "acme"}, "version": 1}
    insert(store, "items", item(**shown))
    insert(store, "findings", finding(**shown, rule="b", deadline_ms=T0 + 7_200_000))
    insert(store, "progress", progress())
    signed_in(client, "anna", "viewer", LIMITED[limits])
    page = client.get("/items/acme_orders/K-1")
    assert page.status_code == 200
    assert ("within: 2h" in page.text, 'href="/rules/acme_orders"' in page.text) == (quoted, quoted)
    assert client.get("/rules/acme_orders").status_code == (200 if quoted else 404)
