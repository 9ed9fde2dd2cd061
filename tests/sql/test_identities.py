"""A replay changes nothing: whatever is inserted twice, in whatever batches, counts once, and the last word holds."""

from __future__ import annotations

import functools
import random
from typing import Any

import pytest

from api import standing
from api.paging import FAR
from api.store import Store
from tests.api.rows import T0, event, finding, history, insert, item, lines, progress, transition

AGGREGATES: dict[str, dict[str, Any]] = {
    "workflows/list": {"lane": "", "workflow": "", "limit": 1000},
    "steps/passed": {"lane": "", "workflow": "w", "since_ms": 0, "limit": 1000},
    "steps/backlog": {"lane": "", "workflow": "w", "now_ms": T0 + 10_000_000, "limit": 1000},
    "steps/broken": {"lane": "", "workflow": "w", "since_ms": 0, "limit": 1000},
    "findings/counts": {"lane": "", "workflow": "", "since_ms": -FAR, "until_ms": FAR, "limit": 1000},
}
STORY = {"lane": "main", "workflow": "w", "key": "K-1", "from_ms": -FAR, "until_ms": FAR}


def aggregates(store: Store) -> dict[str, Any]:
    """Every aggregate, whole and by group."""
    found = {}
    for name, parameters in AGGREGATES.items():
        for group in ("", "market"):
            asked = standing.workflows if name == "workflows/list" else functools.partial(Store.query, name=name)
            rows = asked(store, group=group, **parameters)
            found[name, group] = sorted(rows, key=lambda row: sorted(map(str, row.items())))
    return found


def load(store: Store, tables: dict[str, list[dict[str, Any]]], cuts: random.Random) -> None:
    """Insert each table's rows in their order, cut into batches of drawn sizes."""
    for table, rows in tables.items():
        place = 0
        while place < len(rows):
            size = cuts.randint(1, max(2, len(rows) // 3))
            store.insert(table, lines(rows[place : place + size]))
            place += size


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_second_insert_in_batches_with_other_boundaries_changes_no_aggregate(store: Store, seed: int) -> None:
    tables = history(300)
    load(store, tables, random.Random(seed))
    before = aggregates(store)
    assert sum(row["items"] for row in before["workflows/list", ""]) == 300
    load(store, tables, random.Random(seed + 100))
    assert aggregates(store) == before


def test_aggregates_stay_the_same_when_the_parts_are_merged(store: Store) -> None:
    tables = history(200)
    load(store, tables, random.Random(1))
    load(store, tables, random.Random(2))
    before = aggregates(store)
    for table in tables:
        store.command("OPTIMIZE TABLE {table:Identifier} FINAL", table=table)
    assert aggregates(store) == before


def test_aggregates_count_what_is_there(store: Store) -> None:
    tables = history(200)
    load(store, tables, random.Random(4))
    [whole] = standing.workflows(store, lane="", workflow="", group="", limit=9)
    last = {row["key"]: row for row in tables["items"]}
    assert whole["completed"] == sum(row["status"] == "completed" for row in last.values())
    assert whole["in_flight"] == sum(row["status"] == "in_flight" for row in last.values())
    assert whole["missing"] == sum(row["missing"] for row in last.values())
    steps = {
        row["step"]: row for row in store.query("steps/passed", lane="", workflow="w", group="", since_ms=0, limit=9)
    }
    hops = {(row["key"], row["event_id"]): row for row in tables["transitions"]}
    assert {name: row["passed"] for name, row in steps.items()} == {
        name: sum(hop["step"] == name for hop in hops.values()) for name in steps
    }
    took = sorted(hop["duration_ms"] for hop in hops.values() if hop["step"] == "b")
    assert steps["b"]["duration_ms"][0] in took
    assert steps["a"]["duration_ms"] == []


@pytest.mark.parametrize("same_part", [True, False])
def test_the_transition_emitted_last_holds(store: Store, same_part: bool) -> None:
    said = [transition(duration_ms=n) for n in (5, 9, 2)]
    if same_part:
        insert(store, "transitions", *said)
    else:
        for row in said:
            insert(store, "transitions", row)
    [row] = store.query("items/timeline", **STORY)
    assert row["duration_ms"] == 2


def test_the_last_word_holds_when_earlier_batches_come_again_in_order(store: Store) -> None:
    said = [finding(severity=word) for word in ("low", "medium", "high", "critical")]
    for batch in (said[:1], said[1:3], said[3:], said[:2], said[2:]):
        insert(store, "findings", *batch)
    [row] = store.query("items/findings", **STORY)
    assert row["severity"] == "critical"
    store.command("OPTIMIZE TABLE findings FINAL")
    assert store.query("items/findings", **STORY) == [row]


def test_the_item_with_the_highest_revision_holds_in_any_order(store: Store) -> None:
    for rev in (3, 1, 2):
        insert(store, "items", item(rev=rev, events=rev))
    [row] = store.query("items/one", workflow="w", key="K-1", lane="", at_ms=FAR)
    assert row["events"] == 3


def test_one_key_in_two_lanes_is_two_items(store: Store) -> None:
    insert(store, "items", item(lane="main"), item(lane="replay-1"))
    assert [row["lane"] for row in store.query("items/one", workflow="w", key="K-1", lane="", at_ms=FAR)] == [
        "main",
        "replay-1",
    ]


def test_a_keys_next_run_leaves_what_was_counted_of_the_one_before(store: Store) -> None:
    day = 86_400_000
    first = item(key="DAILY_FEED", status="completed", ended_ms=T0 + day, missing=1, late=1, rev=T0 << 20)
    insert(store, "items", first)
    insert(
        store, "items", item(key="DAILY_FEED", run_ms=T0 + 9 * day, started_ms=T0 + 9 * day, rev=(T0 + 9 * day) << 20)
    )
    store.command("OPTIMIZE TABLE items FINAL")
    [row] = standing.workflows(store, lane="", workflow="", group="", limit=9)
    counted = {name: row[name] for name in ("items", "completed", "in_flight", "missing", "late")}
    assert counted == {"items": 2, "completed": 1, "in_flight": 1, "missing": 1, "late": 1}


def test_copies_of_an_event_with_another_time_are_kept_apart(store: Store) -> None:
    insert(store, "events", event(), event(), event(time_ms=T0 + 1))
    assert store.run("SELECT count() AS n FROM events FINAL") == [{"n": 2}]


def test_instants_are_read_as_milliseconds(store: Store) -> None:
    insert(store, "events", event(time_ms=1_700_000_000_123))
    [row] = store.run("SELECT toString(time) AS time, toString(received) AS received FROM events")
    assert row["time"] == "2023-11-14 22:13:20.123"


def test_a_lanes_clock_is_the_least_of_its_present_subtasks(store: Store) -> None:
    insert(store, "progress", *(progress(subtask=n, parallelism=2, watermark_ms=T0 + n, at_ms=T0) for n in (0, 1)))
    assert store.query("lanes/list", limit=9)[0]["watermark_ms"] == T0
    insert(store, "progress", progress(subtask=0, parallelism=1, watermark_ms=T0 + 50, at_ms=T0 + 9))
    [lane] = store.query("lanes/list", limit=9)
    assert (lane["watermark_ms"], lane["subtasks"]) == (T0 + 50, 1)


def test_a_row_without_its_identity_is_refused(store: Store) -> None:
    from api.store import TABLES, StoreError

    for table in TABLES:
        with pytest.raises(StoreError) as refused:
            store.insert(table, b"{}")
        assert refused.value.bad_row
