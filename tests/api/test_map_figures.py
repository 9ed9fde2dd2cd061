"""The figures of map and overview are those of the items: nothing that came, ended or is of an earlier run is owed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.store import Store
from tests.api.rows import T0, finding, insert, item, progress, transition

MINUTE = 60_000


def mapped(client: TestClient, at: int = 0) -> tuple[dict[str, Any], dict[tuple[str, str], Any]]:
    """What the map says of steps, and of edges, now or at an instant."""
    told = client.get("/api/v1/workflows/w/map", params={"lane": "main", "at": at}).json()
    return {row["step"]: row for row in told["steps"]}, {(row["from"], row["to"]): row for row in told["edges"]}


def clock(store: Store, minutes: int) -> None:
    """Time as far as that, and an item by which the map knows the way a, b, c."""
    for step, previous in (("b", "a"), ("c", "b")):
        there = {"key": "K-2", "step": step, "previous": previous, "event_id": step}
        insert(store, "transitions", transition(**there, at_ms=T0 - MINUTE))
    insert(store, "progress", progress(watermark_ms=T0 + minutes * MINUTE, at_ms=time.time_ns() // 1_000_000))


def moved(store: Store, *hops: tuple[str, int], key: str = "K-1") -> None:
    """Moves of an item: steps and the minutes at which they happened."""
    before: tuple[str, int | None] = ("", None)
    for step, minute in hops:
        at = T0 + minute * MINUTE
        known = {"previous": before[0], "previous_at_ms": before[1]}
        insert(store, "transitions", transition(key=key, step=step, at_ms=at, event_id=f"{key}{minute}", **known))
        before = (step, at)


WARNED = {"kind": "at_risk", "rule": "reply", "because": "a", "step": "b", "deadline_ms": T0 + 4 * MINUTE}


@pytest.mark.parametrize(("came", "at_risk"), [(None, 1), (5, 0)])
@pytest.mark.parametrize("minute", [0, 6], ids=["now", "in the past"])
def test_a_warning_holds_until_its_step_comes(
    client: TestClient, store: Store, came: int | None, at_risk: int, minute: int
) -> None:
    clock(store, 40 if minute else 6)
    insert(store, "findings", finding(**WARNED, since_ms=T0))
    moved(store, ("a", 0), *([("b", came)] if came else []))
    waits = [] if came else [{"id": "reply", "due_ms": T0 + 7 * MINUTE}]
    insert(store, "items", item(step="b" if came else "a", other=1, pending=waits))
    _, edges = mapped(client, T0 + minute * MINUTE if minute else 0)
    assert edges["a", "b"]["at_risk"] == at_risk


@pytest.mark.parametrize(("minute", "waiting"), [(1, 0), (2, 0), (10, 0), (29, 0), (31, 0)])
def test_what_was_completed_did_not_wait_though_it_moved_once_more(
    client: TestClient, store: Store, minute: int, waiting: int
) -> None:
    clock(store, 40)
    moved(store, ("a", 0), ("b", 1), ("c", 2), ("b", 30))
    ended = {"status": "completed", "step": "c", "ended_ms": T0 + 2 * MINUTE, "updated_ms": T0 + 30 * MINUTE}
    insert(store, "items", item(**ended))
    steps, _ = mapped(client, T0 + minute * MINUTE)
    assert steps["c"]["waiting"] == waiting


def test_what_waited_in_the_past_is_counted_where_it_waited(client: TestClient, store: Store) -> None:
    clock(store, 40)
    moved(store, ("a", 0), ("b", 20))
    insert(store, "items", item(step="b", updated_ms=T0 + 20 * MINUTE))
    assert mapped(client, T0 + 10 * MINUTE)[0]["a"]["waiting"] == 1


def runs(store: Store) -> None:
    """A key that came twice: its first run missed a deadline and ended at 20 minutes, its second is open since 30 and
    has missed one at 35."""
    clock(store, 50)
    begun = T0 + 30 * MINUTE
    ended = {"status": "failed", "step": "x", "missing": 1, "ended_ms": T0 + 20 * MINUTE}
    insert(store, "items", item(**ended, updated_ms=T0 + 20 * MINUTE))
    insert(store, "items", item(run_ms=begun, started_ms=begun, updated_ms=begun, missing=1, overdue=1))
    broken = {"rule": "reply", "because": "a", "step": "b"}
    insert(store, "findings", finding(**broken, id="1" * 32, since_ms=T0, deadline_ms=T0 + 5 * MINUTE))
    second = {"since_ms": begun, "deadline_ms": begun + 5 * MINUTE, "occurrence": "2"}
    insert(store, "findings", finding(**broken, id="2" * 32, **second))
    moved(store, ("a", 0), ("x", 20))
    moved(store, ("a", 30))


def test_of_an_earlier_run_nothing_is_broken_now(client: TestClient, store: Store) -> None:
    runs(store)
    [row] = client.get("/api/v1/overview", params={"lane": "main"}).json()["open"]
    assert row["id"] == "2" * 32
    assert mapped(client)[1]["a", "b"]["overdue"] == 1


@pytest.mark.parametrize(("minute", "overdue"), [(4, 0), (5, 1), (19, 1), (20, 0), (34, 0), (35, 1)])
def test_in_the_past_a_run_owes_until_it_ends(client: TestClient, store: Store, minute: int, overdue: int) -> None:
    runs(store)
    _, edges = mapped(client, T0 + minute * MINUTE)
    assert edges["a", "b"]["overdue"] == overdue


@pytest.mark.parametrize("status", ["expired", "closed"])
@pytest.mark.parametrize(("minute", "waiting"), [(9, 1), (10, 0), (11, 0)])
def test_what_ended_where_it_waited_had_waited_there(
    client: TestClient, store: Store, status: str, minute: int, waiting: int
) -> None:
    clock(store, 40)
    moved(store, ("a", 0))
    insert(store, "items", item(status=status, ended_ms=T0 + 10 * MINUTE))
    steps, _ = mapped(client, T0 + minute * MINUTE)
    assert steps["a"]["waiting"] == waiting


def test_value_at_risk_in_the_past_is_that_of_all_that_waited(client: TestClient, store: Store) -> None:
    clock(store, 40)
    moved(store, ("a", 0))
    moved(store, ("a", 0), ("b", 20), key="K-3")
    insert(store, "items", item(amount=100.0))
    insert(store, "items", item(key="K-3", step="b", updated_ms=T0 + 20 * MINUTE, amount=900.0))
    there = mapped(client, T0 + 10 * MINUTE)[0]["a"]
    assert (there["waiting"], there["amount"]) == (2, 1_000.0)


def test_an_overdue_item_is_counted_once_where_it_waits(client: TestClient, store: Store) -> None:
    clock(store, 10)
    moved(store, ("a", 0), ("c", 1))
    insert(store, "items", item(step="c", updated_ms=T0 + MINUTE, overdue=1, missing=1))
    broken = {"rule": "reply", "because": "a", "step": "b", "since_ms": T0}
    insert(store, "findings", finding(**broken, deadline_ms=T0 + 5 * MINUTE))
    steps, edges = mapped(client)
    assert {name: (row["overdue"], row["status"]) for name, row in steps.items() if row["overdue"]} == {"c": (1, "red")}
    assert edges["a", "b"]["overdue"] == 1
    alone = client.get("/api/v1/workflows/w/steps/c", params={"lane": "main"}).json()
    assert (alone["overdue"], alone["status"]) == (1, "red")


def test_a_warning_that_is_over_is_not_counted_again_by_the_overview_when_its_clock_starts_anew(
    client: TestClient, store: Store
) -> None:
    clock(store, 10)
    moved(store, ("a", 0), ("b", 5), ("a", 9))
    waits = [{"id": "reply", "due_ms": T0 + 14 * MINUTE}]
    insert(store, "items", item(updated_ms=T0 + 9 * MINUTE, other=1, pending=waits))
    told = finding(**WARNED, since_ms=T0)
    for row in (told, told | {"at_ms": T0 + 5 * MINUTE}):
        insert(store, "findings", row)
    [tile] = client.get("/api/v1/overview", params={"lane": "main"}).json()["tiles"]
    assert tile["at_risk"] == sum(row["at_risk"] for row in mapped(client)[0].values()) == 0


def test_what_happens_at_this_very_instant_is_in_the_last_cell_of_the_heat_map(store: Store) -> None:
    hour = 60 * MINUTE
    insert(store, "transitions", transition(step="b", previous="a", at_ms=T0 + hour, duration_ms=hour))
    asked = {"since_ms": T0, "until_ms": T0 + hour + 1, "span_ms": 5 * MINUTE, "spans": 12}
    about = {"lane": "main", "workflow": "w", "group_name": "", "group_value": ""}
    assert [(row["step"], row["place"]) for row in store.query("map/heat", **about, **asked)] == [("b", 11)]


def test_the_maps_json_tells_where_time_is_lost_and_which_groups_there_are(client: TestClient, store: Store) -> None:
    clock(store, 0)
    insert(store, "items", item())
    for key, market, took in (("K-3", "EU", 4), ("K-4", "US", 1), ("K-5", "EU", 1)):
        moved = {"key": key, "step": "b", "previous": "a", "event_id": key, "groups": {"market": market}}
        insert(store, "transitions", transition(**moved, at_ms=T0 - MINUTE, duration_ms=took * MINUTE))
    told = client.get("/api/v1/workflows/w/map", params={"lane": "main"}).json()
    assert {(row["name"], row["value"]) for row in told["groups"]} == {("market", "EU"), ("market", "US")}
    [row] = told["heat"]
    assert (row["step"], row["share"], len(row["cells"])) == ("b", 1, 12)
    assert row["cells"][11] == {"mean_ms": 2 * MINUTE, "level": 3}, "twice the usual"
    assert row["cells"][:11] == [None] * 11
    only = client.get("/api/v1/workflows/w/map", params={"lane": "main", "group": "market:US"}).json()
    assert only["group"] == "market:US"
    assert only["heat"][0]["cells"][11]["mean_ms"] == MINUTE
