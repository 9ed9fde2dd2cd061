"""Amber: what was warned of and still waits. And the next deadline at a time of day."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.settings import Settings
from api.store import Store
from tests.api.rows import finding, insert, item, progress, transition

MINUTE = 60_000
PACK = """
workflow: w
key: id
steps:
  a: {on: a, start: true}
  b: {on: b}
  c: {on: c, end: completed}
deadlines:
  - {id: reply, after: a, expect: b, within: 10m, warn: 80%}
  - {id: close, after: a, expect: c, by: "18:00", warn: 1h}
"""


def warned(store: Store, now: int, **more: Any) -> dict[str, Any]:
    """An item that waits for `reply` and was warned of it a minute ago; the row, to be inserted again."""
    began = now - 9 * MINUTE
    due = now + MINUTE
    row = item(run_ms=began, started_ms=began, updated_ms=began, other=1, next_due_ms=due, **more)
    row["pending"] = [{"id": "reply", "due_ms": due}]
    said = finding(kind="at_risk", deadline_ms=now - MINUTE, since_ms=began, key=row["key"], groups=row["groups"])
    insert(store, "items", row)
    insert(store, "findings", said | {"id": f"{row['key']:0>32}"})
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    return row


def state(client: TestClient) -> tuple[str, int]:
    [row] = client.get("/api/v1/workflows").json()
    return row["status"], row["at_risk"]


def colours(client: TestClient) -> tuple[str, str, str]:
    """Of the tile, of the step on the map, and of the step's own page."""
    tile = client.get("/api/v1/overview").json()["tiles"][0]["status"]
    steps = client.get("/api/v1/workflows/w/map").json()["steps"]
    return (
        tile,
        next(one["status"] for one in steps if one["step"] == "a"),
        client.get("/api/v1/workflows/w/steps/a").json()["status"],
    )


def test_what_was_warned_of_is_amber_until_its_step_comes_and_red_when_it_does_not(
    client: TestClient, store: Store
) -> None:
    now = time.time_ns() // 1_000_000
    row = warned(store, now)
    assert state(client) == ("amber", 1)
    assert colours(client) == ("amber", "amber", "amber")
    assert '<span class="said">at risk</span>' in client.get("/").text
    assert "at risk" in client.get("/wall").text
    insert(store, "items", row | {"pending": [], "next_due_ms": None, "rev": 2})  # it came
    assert state(client) == ("green", 0)
    assert colours(client) == ("green", "green", "green")
    insert(store, "items", row | {"pending": [], "missing": 1, "overdue": 1, "rev": 3})  # or not
    assert state(client) == ("red", 0)


def test_a_warning_of_another_run_or_of_another_deadline_is_not_this_ones(client: TestClient, store: Store) -> None:
    now = time.time_ns() // 1_000_000
    row = warned(store, now)
    again = row | {"run_ms": now, "started_ms": now, "pending": [{"id": "reply", "due_ms": now + 10 * MINUTE}]}
    insert(store, "items", row | {"status": "completed", "pending": [], "rev": 2}, again)
    assert state(client) == ("green", 0)
    insert(store, "items", row | {"pending": [{"id": "close", "due_ms": now + MINUTE}], "rev": 3})
    assert state(client) == ("green", 0)


def test_what_is_at_risk_is_counted_by_group_and_only_for_who_may_see_it(client: TestClient, store: Store) -> None:
    now = time.time_ns() // 1_000_000
    warned(store, now)
    warned(store, now, key="K-2", groups={"market": "US"})
    rows = client.get("/api/v1/workflows", params={"group": "market"}).json()
    assert [(row["value"], row["at_risk"], row["status"]) for row in rows] == [("EU", 1, "amber"), ("US", 1, "amber")]


def test_a_map_of_the_past_is_amber_while_the_step_had_not_come(client: TestClient, store: Store) -> None:
    now = time.time_ns() // 1_000_000
    began = now - 9 * MINUTE
    row = warned(store, now)
    insert(store, "transitions", transition(at_ms=began))
    insert(store, "items", row | {"step": "b", "updated_ms": now - 10_000, "pending": [], "rev": 2})
    moved = transition(event_id="e2", step="b", previous="a", previous_at_ms=began, at_ms=now - 10_000)
    insert(store, "transitions", moved)

    def at(instant: int) -> str:
        steps = client.get("/api/v1/workflows/w/map", params={"at": instant}).json()["steps"]
        return str(next(one["status"] for one in steps if one["step"] == "a"))

    assert [at(now - MINUTE - 1), at(now - MINUTE), at(now - 10_001)] == ["green", "amber", "amber"]
    assert [at(now - 10_000), at(now - 1), at(0)] == ["green", "green", "green"]


def test_the_next_deadline_at_a_time_of_day_is_named_with_how_many_wait_for_it(
    serve: Callable[[Settings], TestClient], settings: Settings, store: Store, tmp_path: Path
) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "workflow.yaml").write_text(PACK)
    client = serve(settings.model_copy(update={"packs": [pack]}))
    now = time.time_ns() // 1_000_000
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    soon, later = now + 5 * MINUTE, now + 60 * MINUTE
    insert(
        store,
        "items",
        *(
            item(
                key=f"K-{n}",
                next_due_ms=soon,
                pending=[{"id": "reply", "due_ms": soon}, {"id": "close", "due_ms": due}],
            )
            for n, due in enumerate((later, later, later + 1, now - 1))
        ),
    )
    [tile] = client.get("/api/v1/overview").json()["tiles"]
    assert tile["next"]["due_ms"] == soon
    assert tile["absolute"] == {"id": "close", "due_ms": later, "items": 2}
    assert f'data-until="{later}"' in client.get("/").text
    assert f'data-until="{later}"' in client.get("/wall").text
