"""What belongs to an incident stays with it: its alerts as they were when they were of it, though they have come back
since; what became of it and them; the events of its items."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.store import Store
from tests.api.alertrows import FP, alert, delivery, incident, logged
from tests.api.rows import T0, event, insert, transition

ID, NEXT = "i" * 32, "j" * 32
DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000


def entry(at: int, n: int, what: str, **given: Any) -> dict[str, Any]:
    return logged(at_ms=T0 + at, rev=(T0 + at) << 20, n=n, what=what, opened_ms=T0, incident=ID) | given


@pytest.fixture
def again(client: TestClient, store: Store) -> TestClient:
    """An alert was of an incident yesterday, and is of another one today."""
    insert(
        store, "incidents", incident(alerts=1, cause=FP, state="resolved", resolved_ms=T0 + 5 * MINUTE, title="blind")
    )
    today = {"opened_ms": T0 + DAY, "incident": NEXT}
    insert(store, "alerts", alert(episode=2, breach_ms=T0 + DAY, summary="of today", count=7, **today))
    ended = {"from": "open", "to": "resolved"}
    rows = [
        entry(0, 0, "opened", incident=""),
        entry(MINUTE, 1, "joined", why="of yesterday"),
        entry(2 * MINUTE, 2, "noted", why="We look into it.", who="ben"),
        entry(5 * MINUTE, 3, "resolved", **ended),
        entry(6 * MINUTE, 4, "counted", **ended | {"from": "resolved"}),
        entry(DAY, 5, "reopened", incident="", opened_ms=T0 + DAY),
        entry(DAY, 6, "joined", why="of today", **today),
    ]
    insert(store, "alertlog", *rows)
    insert(store, "deliveries", delivery(id="a", at_ms=T0 + 1), delivery(id="b", at_ms=T0 + DAY))
    return client


def test_an_incident_has_its_alerts_as_they_were_though_they_came_back(again: TestClient) -> None:
    [member] = again.get(f"/api/v1/incidents/{ID}").json()["members"]
    assert (member["id"], member["summary"], member["state"]) == (FP, "of yesterday", "resolved")
    assert (member["opened_ms"], member["ended_ms"], member["incident"]) == (T0, T0 + 5 * MINUTE, ID)
    assert again.get(f"/incidents/{ID}").status_code == 200


def test_its_timeline_and_deliveries_are_of_then_and_of_itself(again: TestClient) -> None:
    found = again.get(f"/api/v1/incidents/{ID}").json()
    said = [(row["alert"], row["what"]) for row in found["timeline"]]
    of_it = [(FP, "joined"), (FP, "noted"), (FP, "resolved"), ("", "resolved"), (FP, "counted")]
    assert said == [("", "opened"), (FP, "opened"), *of_it]
    assert [row["id"] for row in found["deliveries"]] == ["a"]
    text = again.get(f"/api/v1/incidents/{ID}/post-mortem").text
    assert "| the incident |" in text
    assert "of yesterday" in text
    assert "of today" not in text


def test_one_that_was_merged_into_another_is_of_that(again: TestClient, store: Store) -> None:
    other = {"alert": "b" * 32, "opened_ms": T0 + 1}
    insert(store, "alerts", alert(id="b" * 32, incident="k" * 32, opened_ms=T0 + 1))
    insert(store, "alertlog", entry(MINUTE, 1, "joined", **other))
    assert [row["id"] for row in again.get(f"/api/v1/incidents/{ID}").json()["members"]] == [FP, "b" * 32]
    insert(store, "alertlog", entry(3 * MINUTE, 2, "merged", **other | {"incident": "k" * 32}))
    assert [row["id"] for row in again.get(f"/api/v1/incidents/{ID}").json()["members"]] == [FP]


def test_of_an_earlier_daymark_the_alerts_say_which_incident_they_are_of(client: TestClient, store: Store) -> None:
    insert(store, "incidents", incident(resolved_ms=T0 + MINUTE))
    insert(store, "alerts", alert(incident=ID))
    insert(store, "alertlog", logged(), logged(n=1, at_ms=T0 - DAY, rev=1), logged(n=2, at_ms=T0 + DAY))
    found = client.get(f"/api/v1/incidents/{ID}").json()
    assert [row["id"] for row in found["members"]] == [FP]
    assert [(row["alert"], row["at_ms"]) for row in found["timeline"]] == [("", T0), (FP, T0), ("", T0 + MINUTE)]


def test_the_events_of_its_items_come_with_it_those_about_the_breach(client: TestClient, store: Store) -> None:
    insert(store, "incidents", incident(resolved_ms=T0 + HOUR))
    insert(store, "alerts", alert(incident=ID), alert(id="b" * 32, key="source", workflow="", incident=ID))
    times = {"before": -DAY - 1, "first": -DAY, "last": 2 * HOUR - 1, "behind": 2 * HOUR}
    for id, at in times.items():
        insert(store, "events", event(id=id, time_ms=T0 + at))
        insert(store, "transitions", transition(event_id=id, at_ms=T0 + at))
    insert(store, "events", event(id="other", key="K-2"))
    insert(store, "transitions", transition(event_id="other", key="K-2"))
    found = client.get(f"/api/v1/incidents/{ID}").json()["events"]
    assert [row["id"] for row in found] == ["first", "last"]
    assert "first" in client.get(f"/incidents/{ID}").text
    assert "| first |" in client.get(f"/api/v1/incidents/{ID}/post-mortem").text


def test_of_an_item_with_many_events_the_nearest_to_the_breach_are_shown(client: TestClient, store: Store) -> None:
    insert(store, "incidents", incident(resolved_ms=T0 + HOUR))
    insert(store, "alerts", alert(incident=ID))
    for number in range(30):
        insert(store, "events", event(id=f"e{number:02}", time_ms=T0 - number * MINUTE))
        insert(store, "transitions", transition(event_id=f"e{number:02}", at_ms=T0 - number * MINUTE))
    found = client.get(f"/api/v1/incidents/{ID}").json()["events"]
    assert [row["id"] for row in found] == [f"e{number:02}" for number in reversed(range(20))]
