"""GET /incidents and the post-mortem: what belongs together comes together, and no text breaks the document."""

from __future__ import annotations

from starlette.testclient import TestClient

from api.incidents import cell
from api.store import Store
from tests.api.alertrows import FP, alert, delivery, incident, logged
from tests.api.rows import T0, insert

ID = "i" * 32
EVIL = "| a | <script>alert(1)</script>\n# heading `x` [l](javascript:1)"


def tell(store: Store) -> None:
    insert(store, "incidents", incident(cause=FP, rev=2, value=1234.5, resolved_ms=T0 + 90_000), incident(rev=1))
    insert(store, "alerts", alert(summary=EVIL), alert(id="b" * 32, incident=ID, opened_ms=T0 - 5), alert(id="c" * 32))
    insert(
        store, "alertlog", logged(), logged(alert="b" * 32, rev=(T0 << 20) + 1, what="commented", why=EVIL, who="ben")
    )
    insert(store, "deliveries", delivery(), delivery(attempt=2, outcome="failed"), delivery(id="x", alerts=["c" * 32]))


def test_an_incident_comes_with_its_cause_first_its_timeline_and_deliveries(client: TestClient, store: Store) -> None:
    tell(store)
    found = client.get(f"/api/v1/incidents/{ID}").json()
    assert [row["id"] for row in found["members"]] == [FP, "b" * 32]
    assert [row["what"] for row in found["timeline"] if row["alert"]] == ["opened", "commented"]
    assert [row["what"] for row in found["timeline"] if not row["alert"]] == ["opened", "resolved"]
    assert len(found["deliveries"]) == 2


def test_the_post_mortem_says_what_is_recorded_and_stays_a_document_whatever_was_written(
    client: TestClient, store: Store
) -> None:
    tell(store)
    answer = client.get(f"/api/v1/incidents/{ID}/post-mortem")
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    text = answer.text
    assert text.startswith("# Post-mortem: replies are missing\n")
    for part in (
        "after 1 m 30 s",
        "1,234.50",
        "- market: EU",
        "5 alerts of reply within 5 m",
        "1 of 2 attempts",
        "ben",
    ):
        assert part in text, part
    assert "<script>" not in text
    assert "\n# heading" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ") and "commented" in line]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == 6


def test_a_cell_is_one_line_without_markup() -> None:
    assert cell("a\n|b| <i>") == r"a \|b\| \<i\>"


def test_unknown_incidents_are_404s(client: TestClient) -> None:
    assert client.get("/api/v1/incidents/none").status_code == 404
    assert client.get("/api/v1/incidents/none/post-mortem").status_code == 404


def test_incidents_are_listed_newest_first_page_by_page(client: TestClient, store: Store) -> None:
    rows = [incident(id=f"i{n}", opened_ms=T0 + n // 2, state="open" if n % 2 else "resolved") for n in range(5)]
    insert(store, "incidents", *rows)
    first = client.get("/api/v1/incidents", params={"limit": 3}).json()
    rest = client.get("/api/v1/incidents", params={"limit": 3, "cursor": first["next"]}).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == ["i4", "i3", "i2", "i1", "i0"]
    assert rest["next"] is None
    assert len(client.get("/api/v1/incidents", params={"state": "open", "priority": "P2"}).json()["items"]) == 2
