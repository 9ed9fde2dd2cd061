"""The customer view: what was done for one value of a group, and links that show it to that customer alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.access.tables import answers
from api.customerlinks import listed, make, read
from api.main import create_app
from api.migrations import migrate
from api.settings import Settings
from api.status.cache import Cache
from api.store import Store
from tests.api.access.conftest import HOME, records_of, signed_in
from tests.api.rows import finding, insert, item, progress, transition
from tests.api.test_levels import MAPPING, PACK

ACME, ZORG = {"customer": "acme"}, {"customer": "zorg"}


@pytest.fixture(scope="module")
def app_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("customers")
    (home / "workflow.yaml").write_text(PACK)
    (home / "mapping.yaml").write_text(MAPPING)
    app = create_app(Settings(home=home, packs=[home], loader=False, kafka="127.0.0.1:1", rate_limit=0))
    context = app.state.context
    migrate(context.store)
    context.records.migrate()
    context.doorkeeper.open()
    fill(context.store)
    client = TestClient(app, base_url="http://127.0.0.1", headers=HOME)
    signed_in(client, "root", "admin")
    yield client
    context.records.close()
    context.store.close()


@pytest.fixture
def client(app_client: TestClient) -> TestClient:
    """With nothing kept of what was asked before, and nobody limited signed in."""
    state = app_client.app.state  # type: ignore[attr-defined]
    state.context = replace(state.context, cache=Cache())
    return app_client


def fill(store: Store) -> None:
    """Of acme: three completed, of which one was corrected and one late, one failed, one open; of zorg one open."""
    now = time.time_ns() // 1_000_000
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    began = now - 3_600_000
    for key, status, steps, groups in (
        ("A-1", "completed", "abc", ACME),
        ("A-2", "completed", "abc", ACME),
        ("A-3", "completed", "ac", ACME),
        ("A-4", "failed", "a", ACME),
        ("A-5", "in_flight", "a", ACME),
        ("Z-1", "in_flight", "a", ZORG),
    ):
        ended = None if status == "in_flight" else began + 60_000
        about: dict[str, Any] = {"key": key, "groups": groups}
        insert(store, "items", item(**about, status=status, run_ms=began, started_ms=began, ended_ms=ended))
        for n, step in enumerate(steps):
            moved = {"step": step, "event_id": f"{key}{step}", "at_ms": began + n * 1000}
            insert(store, "transitions", transition(**about, **moved))
    told = {"since_ms": began, "deadline_ms": began + 500, "groups": ACME}
    insert(store, "findings", finding(id="m" * 32, key="A-2", **told))
    insert(store, "findings", finding(id="l" * 32, key="A-2", kind="late", at_ms=began + 1000, **told))
    old = began - 60 * 86_400_000
    insert(
        store, "items", item(key="A-0", groups=ACME, status="completed", started_ms=old, run_ms=old, ended_ms=old + 1)
    )


def test_figures_are_of_the_span_and_what_is_open_is_now(client: TestClient) -> None:
    found = client.get("/api/v1/customers/customer/acme").json()
    total = found["total"]
    assert {name: total[name] for name in ("processed", "closed", "completed", "failed", "open")} == {
        "processed": 5,
        "closed": 4,
        "completed": 3,
        "failed": 1,
        "open": 1,
    }
    assert total["error_rate"] == 0.25
    assert (total["confirmed"], total["corrected"]) == (1, 2), "the pack says that c confirms and b corrects"
    assert total["correctness"] == pytest.approx(1 / 3)
    assert total["saved_minutes"] == 7.5
    assert client.get("/api/v1/customers/customer/acme?days=100").json()["total"]["completed"] == 4


def test_service_levels_come_by_month_with_what_was_asked_for(client: TestClient) -> None:
    months = client.get("/api/v1/customers/customer/acme").json()["months"]
    rows = [row for month in months for row in month["levels"] if row["deadline"] == "reply"]
    assert sum(row["met"] for row in rows) == 1
    assert sum(row["missed"] for row in rows) == 1
    assert {row["objective"] for row in rows} == {0.75}


def test_the_page_shows_the_same(client: TestClient) -> None:
    text = client.get("/customers/customer/acme").text
    assert "customer: acme" in text
    assert "33.33 %" in text
    assert client.get("/customers/customer/nobody").status_code == 404


def link(client: TestClient, value: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1/customers/customer/{value}/links", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_link_shows_one_customers_figures_without_a_sign_in_and_names_nothing(client: TestClient) -> None:
    acme, zorg = link(client, "acme"), link(client, "zorg")
    stranger = TestClient(client.app, base_url="http://127.0.0.1")
    seen, other = stranger.get(acme["json_path"]), stranger.get(zorg["json_path"])
    assert (seen.json()["total"]["processed"], other.json()["total"]["processed"]) == (5, 1)
    for word in ("acme", "zorg", "reply", "A-1", '"w"', "customer"):
        assert word not in seen.text, word
    image = stranger.get(acme["badge_path"])
    assert image.headers["content-type"] == "image/svg+xml"
    assert "on time: 75.0 %" in image.text
    assert "open: 1" in stranger.get(acme["badge_path"], params={"show": "open"}).text
    assert stranger.get("/api/v1/customers/customer/acme").status_code == 401


def test_only_an_admin_without_limits_makes_links(client: TestClient) -> None:
    editor = TestClient(client.app, base_url="http://127.0.0.1", headers=HOME)
    signed_in(editor, "ed", "editor")
    assert editor.post("/api/v1/customers/customer/acme/links", json={}).status_code == 403
    assert client.post("/api/v1/customers/customer/nobody/links", json={}).status_code == 404


def test_a_link_is_in_the_audit_without_its_token(client: TestClient) -> None:
    made = link(client, "acme", days=1)
    text = client.get("/api/v1/audit").text
    assert "customer-link/customer:acme" in text
    assert made["token"] not in text


def test_a_token_that_was_changed_or_has_expired_shows_nothing(client: TestClient) -> None:
    token = link(client, "acme")["token"]
    for wrong in (token[:-1], token[:-2] + "xx", "x", "a.b", "é"):
        assert client.get(f"/api/v1/public/customers/{wrong}").status_code == 404
        assert client.get(f"/status/customers/{wrong}.svg").status_code == 404


@pytest.mark.parametrize(("at", "counts"), [(999, True), (1000, False), (1001, False)])
def test_a_token_counts_until_its_end(client: TestClient, at: int, counts: bool) -> None:
    with records_of(client).transaction() as tx:
        made, token = make(tx, "customer", "acme", "root", 0, 1000)
        assert read(tx.connection, token, at) == (made if counts else None)
        assert listed(tx.connection, "customer", "acme", at).count(made) == counts
        assert read(tx.connection, token[::-1], at) is None


def test_one_link_is_taken_back_and_the_others_go_on(client: TestClient) -> None:
    first, second = link(client, "acme"), link(client, "acme")
    links = "/api/v1/customers/customer/acme/links"
    known = [one["id"] for one in client.get(links).json()]
    assert {first["id"], second["id"]} <= set(known)
    assert first["token"] not in client.get(links).text
    other = f"/api/v1/customers/customer/zorg/links/{first['id']}"
    assert client.delete(other).status_code == 404, "a link of somebody else"
    assert client.delete(f"{links}/{first['id']}").status_code == 204
    assert client.delete(f"{links}/{first['id']}").status_code == 404
    stranger = TestClient(client.app, base_url="http://127.0.0.1")
    assert stranger.get(first["json_path"]).status_code == 404
    assert stranger.get(first["badge_path"]).status_code == 404
    assert stranger.get(second["json_path"]).status_code == 200
    assert [(row["action"], row["who"]) for row in client.get("/api/v1/audit").json()["items"][:1]] == [
        ("delete", "root")
    ]


def test_a_link_gets_another_token_and_the_old_one_shows_nothing(client: TestClient) -> None:
    made = link(client, "acme")
    place = f"/api/v1/customers/customer/acme/links/{made['id']}/rotation"
    fresh = client.post(place).json()
    assert (fresh["id"], fresh["expires_ms"]) == (made["id"], made["expires_ms"])
    stranger = TestClient(client.app, base_url="http://127.0.0.1")
    assert stranger.get(made["json_path"]).status_code == 404
    assert stranger.get(fresh["json_path"]).status_code == 200
    assert client.post(place.replace(made["id"], "0" * 16)).status_code == 404


def test_a_token_is_not_kept_for_an_idempotency_key(client: TestClient) -> None:
    for place, body in (("links", {}), (f"links/{link(client, 'acme')['id']}/rotation", None)):
        answer = client.post(f"/api/v1/customers/customer/acme/{place}", json=body, headers={"Idempotency-Key": place})
        assert answer.status_code == 201
        with records_of(client).reading() as connection:
            rows = connection.execute(answers.select()).all()
        assert answer.json()["token"].encode() not in b"".join(row.body for row in rows)


@pytest.mark.parametrize("value", ["Maersk A/S", "100%", "a?b", "a\nb", "x//y/", "."])
def test_a_customer_may_have_any_name(client: TestClient, value: str) -> None:
    """A path can't hold a "." alone: clients drop it on the way. The page takes every value as a parameter."""
    store = client.app.state.context.store  # type: ignore[attr-defined]
    insert(store, "items", item(key="ANY " + value, groups={"customer": value}))
    assert client.get("/customers", params={"group": "customer", "value": value}).status_code == 200
    if value == ".":
        return
    place = f"/customers/customer/{quote(value, safe='')}"
    assert client.get(place).status_code == 200
    assert client.get("/api/v1" + place).json()["value"] == value
    made = client.post(f"/api/v1{place}/links", json={"days": 3}).json()
    assert [one["id"] for one in client.get(f"/api/v1{place}/links").json()] == [made["id"]]
    renewed = client.post(f"/api/v1{place}/links/{made['id']}/rotation").json()
    assert client.get(renewed["json_path"]).status_code == 200
    assert client.get(renewed["badge_path"]).status_code == 200
    assert client.delete(f"/api/v1{place}/links/{made['id']}").status_code == 204
    assert client.get(renewed["json_path"]).status_code == 404


def test_item_and_map_lead_to_the_customer_view_of_their_groups(client: TestClient) -> None:
    store = client.app.state.context.store  # type: ignore[attr-defined]
    insert(store, "items", item(key="LEADS", groups={"customer": "A/S"}))
    now = time.time_ns() // 1_000_000
    insert(
        store, "transitions", transition(key="LEADS", event_id="leads", at_ms=now - 900_000, groups={"customer": "A/S"})
    )
    link = 'href="/customers?group=customer&amp;value=A%2FS"'
    assert link in client.get("/items/w/LEADS").text
    assert link in client.get("/map?workflow=w").text
    assert client.get("/customers?group=customer&value=A%2FS").status_code == 200
