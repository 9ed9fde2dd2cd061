"""Loader and store: rows a second from Kafka into embedded ClickHouse, what they weigh, and what the first page costs.

The detect job turns a million events into the rows that it writes in life: events, transitions, items, findings.
Then it stops, and a serving process on an empty store loads them all. The page is asked for over HTTP; its queries,
and those of the lists behind it, once more one by one in the engine itself, which also tells what the parts on disk
weigh.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from api import views
from api.paging import FAR
from api.store import Store
from tests.bench.live import EVENTS, LATENESS_MS, Live, live, wait_for
from tests.bench.load import plan
from tests.bench.load.plan import Plan
from tests.bench.section import Options, Result
from tests.bench.spread import spread

TARGET_ROWS = 100_000
RATE = 1_000
WORKFLOW = "trade_lifecycle"
STALE_S = 30
LOAD_SECONDS = 900
PARTS = """
SELECT table, sum(rows) AS rows, sum(bytes_on_disk) AS bytes, count() AS parts
FROM system.parts WHERE active AND database = currentDatabase() GROUP BY table ORDER BY bytes DESC
"""

NOTE = """\
The detect job has written its rows (events, transitions, items, findings) and has stopped; a serving process on an
empty store loads them all. Measured from the first batch that is in to the last, rows of all tables together. The
page is asked for over HTTP, its queries once more one by one in the engine itself, with nothing else going on."""


def run(options: Options) -> Result:
    """Measure; see the module."""
    events, rounds = (100_000, 10) if options.smoke else (1_000_000, 50)
    start_ms = (int(time.time()) - events // RATE - 60) * 1000
    sent = Plan("store", start_ms, RATE, events, width=RATE * 20, copy_every=200, strand_every=100)
    with live(options.work / "home") as system:
        written = _detected(system, sent)
        serving_home = system.home / "serving"
        serving = system.serve(serving_home)
        way = _loaded(system, written)
        pages = [("page /", _times(rounds, lambda: httpx.get(system.url, timeout=60).raise_for_status()))]
        serving.stop()
        store = Store(f"chdb://{serving_home / 'clickhouse'}")
        try:
            pages += [(name, _times(rounds, query)) for name, query in _queries(store).items()]
            weights = store.run(PARTS)
        finally:
            store.close()
    return _result(written, way, weights, pages)


def _detected(system: Live, sent: Plan) -> int:
    """Have the job write all of its rows, and stop it; returns how many events there were."""
    written = int(plan.report(plan.start(sent, system.bootstrap, EVENTS, paced=False))["written"])
    print(f"store: {written:,} events through the detect job", flush=True)
    job = system.detect()
    system.await_time(sent.end_ms - LATENESS_MS - 1, LOAD_SECONDS)
    system.cluster.stop_with_savepoint(job, "main")
    system.cluster.stop()
    return written


def _loaded(system: Live, events: int) -> list[tuple[float, float]]:
    """Follow the loader until nothing waits: (seconds, rows) from the first batch to the last."""
    way: list[tuple[float, float]] = []

    def done() -> bool:
        rows, waiting = system.loaded()
        total = sum(rows.values())
        if total and (not way or total > way[-1][1]):
            way.append((time.monotonic(), total))
        return rows.get("events", 0) >= events and not waiting

    wait_for(done, LOAD_SECONDS)
    return [(round(at - way[0][0], 2), total) for at, total in way]


def _queries(store: Store) -> dict[str, Callable[[], object]]:
    """What the overview asks, and the two lists that one comes to from there."""
    everything = dict.fromkeys(("workflow", "lane", "status", "step", "key_prefix", "group_name", "group_value"), "")
    first = dict.fromkeys(("resumed", "after_place", "after_run"), 0)
    first |= dict.fromkeys(("after_lane", "after_workflow", "after_key"), "")
    items = {**everything, **first, "has_findings": -1, "sort": "updated", "limit": 50}
    since = {"lane": "", "group": "", "since_ms": -FAR, "now_ms": int(time.time() * 1000)}
    return {
        "overview: lanes": lambda: views.lanes(store, STALE_S),
        "overview: workflows": lambda: views.workflows(store, STALE_S),
        "overview: latest findings": lambda: views.latest_findings(store, 25),
        "items, latest 50": lambda: store.query("items/list", **items),
        "steps of a workflow": lambda: views.steps(store, WORKFLOW, **since),
    }


def _times(rounds: int, call: Callable[[], object]) -> list[float]:
    """Milliseconds of each of `rounds` calls, one of them before to warm up."""
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _result(
    events: int,
    way: list[tuple[float, float]],
    weights: list[dict[str, Any]],
    pages: list[tuple[str, list[float]]],
) -> Result:
    seconds, rows = way[-1][0], way[-1][1] - way[0][1]  # the first batch was in when the clock was started
    speed = round(rows / seconds) if seconds else 0
    total = sum(weight["bytes"] for weight in weights)
    return {
        "title": "Loader and store",
        "notes": [NOTE],
        "targets": [
            {
                "name": "rows/s into embedded ClickHouse from Kafka",
                "target": f"≥ {TARGET_ROWS:,}",
                "measured": speed,
                "met": speed >= TARGET_ROWS,
            }
        ],
        "tables": [
            {
                "title": "From Kafka into embedded ClickHouse",
                "rows": [
                    {
                        "events": events,
                        "rows": round(way[-1][1]),
                        "seconds": seconds,
                        "rows/s": speed,
                        "events/s": round(events * rows / way[-1][1] / seconds) if seconds else 0,
                        "bytes on disk per event, all tables": round(total / events, 1),
                    }
                ],
            },
            {
                "title": "On disk",
                "rows": [{**weight, "bytes per event": round(weight["bytes"] / events, 1)} for weight in weights],
            },
            {
                "title": f"What the first page asks, at {events:,} events, ms",
                "rows": [{"query": name, "p50": spread(times).p50, "p95": spread(times).p95} for name, times in pages],
            },
        ],
        "charts": [{"title": "Rows loaded", "x": "s", "y": "rows", "series": {"rows": way}}],
    }
