"""What the screens cost with ten million events and a million items: python -m tests.bench.screens [folder] [items].

Each endpoint is asked over ASGI, in process, first the JSON behind each screen, then its page. Beside the time that an
answer took stands the processor's time that the process spent on it, with all of the engine's threads: on a machine
that is shared the former says how busy the others are, the latter what an answer costs. Before each question an
item of the latest day has news, so that what is kept of that day (api/partitions.py) does not hold any more.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.access.rows import seen_by
from api.context import context_of
from api.main import create_app
from api.routes import overview
from api.settings import Settings
from api.store import Store
from tests.bench import screendata
from tests.bench.section import Options, Result, Target

ROUNDS = 20
WATCHERS, UPDATES = 50, 20
LIVE_MS = 2_000
ITEMS, SMOKE_ITEMS = 1_000_000, 10_000
TARGET_MS, SEARCH_MS = 300, 1_000
ENDPOINTS = {
    TARGET_MS: (
        "/api/v1/overview",
        "/",
        "/wall",
        "/api/v1/workflows",
        "/api/v1/workflows/{workflow}/map",
        "/map?workflow={workflow}",
        "/map?workflow={workflow}&group=market:EU",
        "/map?workflow={workflow}&at={earlier}",
        "/api/v1/workflows/{workflow}/steps/s4",
        "/steps?workflow={workflow}&step=s4",
        "/api/v1/items/{workflow}/{key}",
        "/items/{workflow}/{key}",
        "/items",
        "/api/v1/items?status=in_flight&sort=due",
        "/alerts",
        "/incidents",
        "/events",
        "/api/v1/events/histogram",
        "/api/v1/events/patterns",
        "/api/v1/findings",
        "/dead-letters",
        "/status",
    ),
    SEARCH_MS: (
        "/items?key={key}",
        "/api/v1/search?key={key}",
        "/events?text={key}",
        "/events?text=Bank%20976",
        "/events?text=counterparty",
        "/api/v1/events?text={key}",
        "/api/v1/events?text=Bank%20976",
        "/api/v1/events?text=counterparty",
        "/api/v1/events?text=nosuchword",
        "/events?text=Bank%20976&since={first}",
        "/events?text={key}&since={first}",
    ),
}
"""What is asked, by the ms within which 95 of 100 answers should be there."""

LIMITED = {
    TARGET_MS: (
        "/api/v1/overview",
        "/api/v1/workflows/{workflow}/map",
        "/api/v1/workflows/{workflow}/steps/s4",
        "/items",
        "/api/v1/findings",
        "/api/v1/events/patterns",
    ),
    SEARCH_MS: (
        "/api/v1/search?key={key}",
        "/api/v1/events?text={key}",
        "/api/v1/events?text=nosuchword",
        "/api/v1/events/histogram",
        "/api/v1/events/histogram?since={first}",
        "/events?text={key}&since={first}",
    ),
}
"""What is asked by somebody limited to one workflow and one value of a group."""


def asked(store: Store, endpoints: dict[int, tuple[str, ...]] = ENDPOINTS) -> dict[str, int]:
    """The endpoints for the data of a store, with their targets."""
    [span] = store.run("SELECT toInt64(max(watermark_ms)) AS now, count() AS lanes FROM progress")
    [held] = store.run("SELECT uniq(lane, workflow, key) AS items FROM items")
    key, workflow = screendata.an_item(store, held["items"] // 2)
    now = span["now"]
    about = {"key": key, "workflow": workflow, "earlier": now - 7_200_000, "first": now - 11 * 86_400_000}
    return {path.format(**about): target for target, paths in endpoints.items() for path in paths}


@contextmanager
def serving(folder: Path, items: int) -> Iterator[tuple[TestClient, Store]]:
    """The app over the data in a folder, which are made if they aren't there."""
    settings = Settings(
        home=folder, loader=False, kafka="127.0.0.1:1", stalled_every_s=0, statistics_every_s=0, sign_in="off"
    )
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        store = app.state.context.store
        if not store.run("SELECT 1 FROM items LIMIT 1"):
            screendata.load(store, items, time.time_ns() // 1_000_000)
        yield client, store


@contextmanager
def limited(client: TestClient, store: Store) -> Iterator[None]:
    """Whoever asks is limited to the workflow and one group of the item that is asked for."""
    app: Any = client.app
    workflow = screendata.an_item(store, store.run("SELECT uniq(lane, workflow, key) AS n FROM items")[0]["n"] // 2)[1]
    limits = Limits(frozenset({workflow}), {"market": frozenset({"EU"})})
    seen = replace(app.state.context, store=seen_by(store, limits))
    app.dependency_overrides[context_of] = lambda: seen
    try:
        yield
    finally:
        del app.dependency_overrides[context_of]


def measured(client: TestClient, store: Store, path: str, target: int) -> dict[str, Any]:
    """A row of the table for one endpoint."""
    times, spent = [], []
    [latest] = store.run("SELECT * EXCEPT inserted_at FROM items ORDER BY run_ms DESC LIMIT 1")
    for _ in range(ROUNDS + 1):
        store.insert("items", orjson.dumps(latest))
        began, cpu = time.perf_counter(), time.process_time()
        answer = client.get(path, follow_redirects=False)
        times.append((time.perf_counter() - began) * 1000)
        spent.append((time.process_time() - cpu) * 1000)
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
    ordered = sorted(times[1:])
    return {
        "endpoint": path,
        "p50": round(statistics.median(ordered)),
        "p95": round(ordered[int(0.95 * len(ordered)) - 1]),
        "processor p50": round(statistics.median(spent[1:])),
        "target": target,
    }


async def delays(client: TestClient, store: Store) -> tuple[list[float], float]:
    """(ms from the insert of a finding until the last of the walls has it, for each; renderings a finding)."""
    ctx = client.app.state.context  # type: ignore[attr-defined]
    [row] = store.run("SELECT * FROM findings ORDER BY deadline_ms DESC LIMIT 1")
    walls = [ctx.live.watch(("overview", ""), lambda: overview._fragment(ctx, "overview", "")) for _ in range(WATCHERS)]

    async def until(wall: AsyncIterator[bytes], text: str) -> None:
        while text.encode() not in await anext(wall):
            pass

    await asyncio.gather(*(until(wall, row["key"]) for wall in walls))
    took, before = [], ctx.live.rendered
    for number in range(UPDATES):
        name = f"LIVE-{time.time_ns()}"
        fresh = row | {"id": name, "key": name, "deadline_ms": row["deadline_ms"] + number + 1}
        began = time.perf_counter()
        await asyncio.to_thread(store.insert, "findings", orjson.dumps(fresh))
        await asyncio.gather(*(until(wall, name) for wall in walls))
        took.append((time.perf_counter() - began) * 1000)
    for wall in walls:
        await wall.aclose()
    return took, (ctx.live.rendered - before) / UPDATES


def watched(client: TestClient, store: Store) -> dict[str, Any]:
    """A row about the walls that are watched."""
    took, rendered = asyncio.run(delays(client, store))
    p95 = sorted(took)[int(0.95 * len(took)) - 1]
    row = {"walls": WATCHERS, "updates": UPDATES, "p50": round(statistics.median(took)), "p95": round(p95)}
    return {**row, "renderings an update": round(rendered, 1)}


def table(folder: Path, items: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """A row for each endpoint, and one for the walls that are watched; printed as they are measured."""
    rows = []
    with serving(folder, items) as (client, store):
        walls = watched(client, store)
        print(f"screens: {walls}", flush=True)
        rows += [told(measured(client, store, path, target)) for path, target in asked(store).items()]
        with limited(client, store):
            for path, target in asked(store, LIMITED).items():
                row = measured(client, store, path, target)
                rows.append(told({**row, "endpoint": f"{path} (limited)"}))
    return rows, walls


def told(row: dict[str, Any]) -> dict[str, Any]:
    """The row, printed."""
    line = "{endpoint:64} p50 {p50:5} p95 {p95:5} processor {processor p50:5}".format(**row)
    print(f"screens: {line}", flush=True)
    return row


def run(options: Options) -> Result:
    """The section of docs/benchmarks.md. Data that are there already are taken from the folder SCREENS_DATA."""
    folder = Path(os.environ.get("SCREENS_DATA", options.work))
    items = SMOKE_ITEMS if options.smoke else ITEMS
    rows, walls = table(folder, items)
    targets: list[Target] = [
        {
            "name": f"the slowest of {name}, p95, ms",
            "target": f"< {target}",
            "measured": (worst := max(row["p95"] for row in rows if row["target"] == target)),
            "met": worst < target,
        }
        for name, target in (("the screens' data and pages", TARGET_MS), ("the searches", SEARCH_MS))
    ]
    slowest = walls["p95"]
    name = f"a row's insert → {WATCHERS} walls, p95, ms"
    targets.append({"name": name, "target": f"< {LIVE_MS}", "measured": slowest, "met": slowest < LIVE_MS})
    return {
        "title": "Screens",
        "notes": [
            f"{items:,} items of {screendata.WORKFLOWS} workflows in ten days, each with ten events, transitions and "
            "revisions of its row, in embedded ClickHouse; keys and ids are hashes. The last tenth came twice. Each "
            f"endpoint is asked {ROUNDS} times over ASGI within the process, one at a time, and before each question "
            "an item of the latest day has news: the time that an answer took, and the processor's time that the "
            "process spent on it in all of its threads, ms. Where it says limited, whoever asks may see one of four "
            "workflows and one of three markets."
        ],
        "targets": targets,
        "tables": [
            {"title": "Endpoints, ms", "rows": rows},
            {"title": "From a row's insert until the last of the walls shows it, ms", "rows": [walls]},
        ],
    }


if __name__ == "__main__":
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="daymark-screens-") as temporary:
        table(Path(given[0]) if given else Path(temporary), int(given[1]) if len(given) > 1 else ITEMS)
