"""GET /alerts and /deliveries: the last revision holds, filters and cursors agree with what is there."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.answering import measured, response
from api.store import Store
from tests.api.alertrows import FP, alert, delivery, logged
from tests.api.rows import T0, insert


def test_the_highest_revision_of_an_alert_holds_in_any_order(client: TestClient, store: Store) -> None:
    for rev, state in ((3, "acknowledged"), (1, "pending"), (2, "open")):
        insert(store, "alerts", alert(rev=rev, state=state))
    assert [row["state"] for row in client.get("/api/v1/alerts").json()["items"]] == ["acknowledged"]


@pytest.fixture
def many(client: TestClient, store: Store) -> TestClient:
    severities = ("low", "medium", "high", "critical")
    rows = [
        alert(
            id=f"{n:032x}",
            opened_ms=T0 + n // 2,
            changed_ms=T0 - n,
            respond_by_ms=T0 + n,
            severity=severities[n % 4],
            state=("open", "resolved", "acknowledged")[n % 3],
            key=f"K-{n}",
            explained_by=FP if n > 20 else "",
            groups={"market": "EU" if n % 2 else "US"},
        )
        for n in range(24)
    ]
    insert(store, "alerts", *rows)
    return client


def test_pages_of_alerts_hold_each_one_once_in_order(many: TestClient) -> None:
    for sort in ("opened", "changed", "severity", "respond_by"):
        _walk(many, sort)


def _walk(many: TestClient, sort: str) -> None:
    seen: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        page = many.get("/api/v1/alerts", params={"limit": 5, "cursor": cursor, "sort": sort}).json()
        seen, cursor = seen + page["items"], page["next"]
    assert len({row["id"] for row in seen}) == len(seen) == 24
    ranks = {"low": 1, "medium": 2, "high": 3, "critical": 4}
    order = {
        "opened": [row["opened_ms"] for row in seen],
        "changed": [row["changed_ms"] for row in seen],
        "severity": [(ranks[row["severity"]], row["opened_ms"]) for row in seen],
        "respond_by": [-row["respond_by_ms"] for row in seen],
    }[sort]
    assert order == sorted(order, reverse=True)


FILTERS: list[tuple[dict[str, Any], int]] = [
    ({"state": "active"}, 16),
    ({"state": ["open", "resolved"]}, 16),
    ({"state": "ended"}, 8),
    ({"severity": "critical"}, 6),
    ({"key": "K-3"}, 1),
    ({"group": "market:EU"}, 12),
    ({"explained_by": FP}, 3),
    ({"since": T0 + 5, "until": T0 + 6}, 2),
    ({"workflow": "other"}, 0),
    ({"team": "ops", "lane": "main", "rule": "reply", "kind": "missing", "step": "b"}, 24),
]


def test_filters_say_which_alerts(many: TestClient) -> None:
    for filters, count in FILTERS:
        found = many.get("/api/v1/alerts", params=filters | {"limit": 100}).json()["items"]
        assert len(found) == count, filters


NOW = time.time_ns() // 1_000_000
HOUR = 3_600_000
SOON, GONE = NOW + HOUR, NOW - HOUR
ANSWERS: list[tuple[dict[str, Any], str | None, str]] = [
    ({"respond_by_ms": SOON}, "waiting", ""),
    ({"respond_by_ms": SOON + 1, "state": "escalated"}, "waiting", ""),
    ({"respond_by_ms": GONE}, "overdue", ""),
    ({"respond_by_ms": GONE - 1, "state": "suppressed"}, "late", "nobody answered within 59 m 59 s"),
    ({"respond_by_ms": GONE, "answered_ms": GONE - 1}, "in_time", "answered after 59 m 59 s, within 1 h"),
    ({"respond_by_ms": GONE, "answered_ms": GONE}, "in_time", "answered after 1 h, within 1 h"),
    ({"respond_by_ms": GONE, "answered_ms": GONE + 1}, "late", "answered after 1 h, not within 1 h"),
    ({"respond_by_ms": GONE, "ended_ms": GONE, "state": "resolved"}, None, ""),
    ({"respond_by_ms": GONE, "ended_ms": GONE + 1, "state": "resolved"}, "late", "nobody answered within 1 h"),
    ({"answered_ms": GONE, "state": "acknowledged"}, None, "answered after 1 h"),
    ({}, None, ""),
]


def answers() -> list[dict[str, Any]]:
    return [alert(id=f"{n:032x}", **{"opened_ms": GONE - HOUR} | one) for n, (one, _, _) in enumerate(ANSWERS)]


def test_an_alert_is_answered_in_time_or_late_or_wants_an_answer() -> None:
    rows = answers()
    assert [response(row, NOW) for row in rows] == [word for _, word, _ in ANSWERS]
    assert [measured(row, NOW) for row in rows] == [text for _, _, text in ANSWERS]


@pytest.mark.parametrize(("after", "word"), [(-1, "overdue"), (0, "waiting"), (1, "waiting")])
def test_an_answer_is_overdue_when_its_instant_is_over(after: int, word: str) -> None:
    assert response(alert(respond_by_ms=NOW + after), NOW) == word


def test_alerts_are_found_by_whether_they_were_answered_in_time(client: TestClient, store: Store) -> None:
    rows = answers()
    insert(store, "alerts", *rows)
    for word in ("waiting", "overdue", "in_time", "late"):
        found = client.get("/api/v1/alerts", params={"response": word}).json()["items"]
        assert {row["id"] for row in found} == {row["id"] for row in rows if response(row, NOW) == word}, word
    soonest = client.get("/api/v1/alerts", params={"sort": "respond_by"}).json()["items"]
    assert [int(row["id"], 16) for row in soonest][:4] == [3, 2, 0, 1]
    assert [row["answered_after_ms"] for row in soonest if row["answered_ms"] == GONE] == [HOUR, HOUR]


def test_the_console_says_by_when_an_alert_is_to_be_answered_and_whether_it_was(
    client: TestClient, store: Store
) -> None:
    insert(store, "alerts", *answers())
    page = client.get("/alerts").text
    assert (page.count("answer by"), page.count("overdue since")) == (2, 1)
    assert client.get("/alerts", params={"response": "overdue"}).text.count('id="alert-') == 1
    assert "to be answered" in client.get(f"/alerts/{0:032x}").text
    assert "answered after 1 h, not within 1 h" in client.get(f"/alerts/{6:032x}").text


def test_an_unknown_state_is_refused(client: TestClient) -> None:
    assert client.get("/api/v1/alerts", params={"state": "sleepy"}).status_code == 422


def test_an_alert_comes_with_its_log_its_deliveries_and_what_it_explains(client: TestClient, store: Store) -> None:
    insert(store, "alerts", alert(), alert(id="b" * 32, explained_by=FP, state="suppressed"))
    insert(store, "alertlog", logged(n=1, what="notified"), logged(), logged(rev=(T0 << 20) + 1, what="acknowledged"))
    insert(store, "deliveries", delivery(attempt=2), delivery(outcome="retry"), delivery(alerts=["c" * 32], id="x"))
    found = client.get(f"/api/v1/alerts/{FP}").json()
    assert [row["what"] for row in found["log"]] == ["opened", "notified", "acknowledged"]
    assert found["log"][0]["to"] == "open"
    assert [row["outcome"] for row in found["deliveries"]] == ["retry", "sent"]
    assert found["explains"] == ["b" * 32]
    assert client.get(f"/api/v1/alerts/{FP}/log").json() == found["log"]


def test_an_unknown_alert_is_a_404(client: TestClient) -> None:
    assert client.get("/api/v1/alerts/nothing").status_code == 404


def test_alerts_are_counted_without_those_in_maintenance(client: TestClient, store: Store) -> None:
    rows = [alert(id=f"{n:032x}", state="open" if n < 3 else "resolved", excused=int(n == 0)) for n in range(5)]
    insert(store, "alerts", *rows, *rows)
    counts = {row["state"]: row["alerts"] for row in client.get("/api/v1/alerts/counts").json()}
    assert counts == {"open": 2, "resolved": 2}


def test_deliveries_are_found_by_alert_channel_person_and_outcome(client: TestClient, store: Store) -> None:
    rows = [delivery(id=f"n{n}", at_ms=T0 + n, outcome="sent" if n % 2 else "dead") for n in range(6)]
    insert(store, "deliveries", *rows, *rows)
    first = client.get("/api/v1/deliveries", params={"limit": 4, "alert": FP, "channel": "mail"}).json()
    rest = client.get("/api/v1/deliveries", params={"limit": 4, "alert": FP, "cursor": first["next"]}).json()
    assert [row["id"] for row in first["items"] + rest["items"]] == ["n5", "n4", "n3", "n2", "n1", "n0"]
    assert len(client.get("/api/v1/deliveries", params={"outcome": "dead"}).json()["items"]) == 3
    assert client.get("/api/v1/deliveries", params={"person": "ben"}).json()["items"] == []
