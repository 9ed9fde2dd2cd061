"""What the screens cost with ten million events and a million items: python -m tests.bench.screens [folder] [items].

The rows are made inside the embedded engine (nothing of Kafka or Flink is measured), half of the loader's traffic a
second time, so that FINAL has copies to find. Each endpoint is asked over ASGI, in process, first the JSON behind each
screen, then its page; a table says p50 and p95 beside the target of 300 ms (search: 1 s).
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from api.main import create_app
from api.settings import Settings
from api.store import Store

ROUNDS = 20
DAYS = 10
HOPS = 10
TARGET_MS, SEARCH_MS = 300, 1_000
WORKFLOWS = 4

MADE = "SELECT {first:UInt64} + intDiv(number, 10) AS i, number % 10 AS k FROM numbers({many:UInt64})"
AT = "{base:Int64} + i * {every:Int64} + k * 30000 + cityHash64(i, k) % 20000"
BEFORE = "{base:Int64} + i * {every:Int64} + (k - 1) * 30000 + cityHash64(i, k - 1) % 20000"
KEY = "concat('K-', leftPad(toString(i), 8, '0'))"
ID = "lower(hex(sipHash64(i, k)))"
GROUPS = "map('market', ['EU', 'US', 'APAC'][1 + i % 3], 'book', concat('BK-', toString(i % 20)))"
WORKFLOW = f"concat('workflow_', toString(i % {WORKFLOWS}))"
STATEMENTS = (  # constants of this file, put together: nothing of it comes from outside
    f"""INSERT INTO transitions (lane, workflow, version, key, event_id, source, event_type, step, previous, at_ms,
        previous_at_ms, duration_ms, groups)
    SELECT 'main', {WORKFLOW}, 1, {KEY}, {ID}, '/s', concat('t.s', toString(k)), concat('s', toString(k)),
        if(k = 0, '', concat('s', toString(k - 1))), {AT} AS at, if(k = 0, NULL, {BEFORE}),
        if(k = 0, NULL, at - ({BEFORE})),
        {GROUPS} FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO events (lane, source, id, type, time_ms, received_ms, key_name, key, groups, data, truncated,
        duplicate, topic, partition, offset)
    SELECT 'main', '/s', {ID}, concat('t.s', toString(k)), {AT} AS at, at + 5, 'id', {KEY}, {GROUPS},
        concat('{{"id":"', {ID}, '","type":"t.s', toString(k), '","data":{{"id":"', {KEY}, '","amount":',
               toString(i % 9999), ',"counterparty":"Bank ', toString(i % 977), '"}}}}'), 0, 0, 't', 0, i * 10 + k
    FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO items (lane, workflow, version, rule_hash, key, run_ms, status, step, started_ms, updated_ms,
        ended_ms, events, missing, late, other, overdue, next_due_ms, pending, groups, amount, rev)
    SELECT 'main', {WORKFLOW}, 1, 'h', {KEY}, {{base:Int64}} + i * {{every:Int64}} + cityHash64(i, 0) % 20000 AS run,
        if(k = 9 AND i % 100 != 1, if(i % 50 = 0, 'failed', 'completed'), 'in_flight'), concat('s', toString(k)), run,
        {AT} AS at, if(k = 9 AND i % 100 != 1, at, NULL), k + 1, i % 97 = 0, 0, i % 201 = 0, i % 97 = 0,
        if(k < 9, at + 60000, NULL), [], {GROUPS}, i % 9999, at
    FROM ({MADE}) WHERE at < {{now:Int64}}""",  # noqa: S608
    f"""INSERT INTO findings (id, lane, workflow, version, rule_hash, rule, kind, severity, key, groups, step, because,
        occurrence, deadline_ms, at_ms, delta_ms, since_ms, event_id, received_ms, runbook)
    SELECT {ID}, 'main', {WORKFLOW}, 1, 'h', 'reply', 'missing', ['critical', 'high', 'medium'][1 + i % 3], {KEY},
        {GROUPS}, 's3', 's2', '1', {AT}, NULL, NULL, {AT} - 60000, '', 0, ''
    FROM ({MADE}) WHERE k = 0 AND i % 97 = 0""",  # noqa: S608
)


def load(store: Store, items: int, now: int) -> None:
    """The history of ten days, in ten parts."""
    every = DAYS * 86_400_000 // items
    for part in range(10):
        first = part * items // 10
        many = ((part + 1) * items // 10 - first) * HOPS
        about = {"first": first, "many": many, "base": now - DAYS * 86_400_000, "every": every, "now": now}
        for statement in STATEMENTS:
            store.command(statement, **about)
        print(f"screens: {(part + 1) * items // 10:,} items loaded", flush=True)
    row = f'{{"lane":"main","subtask":0,"parallelism":1,"watermark_ms":{now},"at_ms":{now}}}'
    store.insert("progress", row.encode())


def endpoints(key: str, workflow: str) -> dict[str, int]:
    """What is asked, and in how many ms it should be answered."""
    quick = [
        "/api/v1/overview",
        "/",
        "/wall",
        f"/api/v1/workflows/{workflow}/map",
        f"/map?workflow={workflow}",
        f"/map?workflow={workflow}&group=market:EU",
        f"/api/v1/workflows/{workflow}/steps/s4",
        f"/steps?workflow={workflow}&step=s4",
        f"/api/v1/items/{workflow}/{key}",
        f"/items/{workflow}/{key}",
        "/alerts",
        "/events",
        "/api/v1/events/histogram",
        "/api/v1/events/patterns",
        "/dead-letters",
    ]
    search = [f"/items?key={key}", f"/api/v1/search?key={key}", f"/events?text={key}", "/events?text=Bank%20976"]
    return {**dict.fromkeys(quick, TARGET_MS), **dict.fromkeys(search, SEARCH_MS)}


def main(folder: Path, items: int) -> None:
    """Load what is not there yet, ask, and print the table."""
    settings = Settings(
        home=folder, loader=False, kafka="127.0.0.1:1", stalled_every_s=0, statistics_every_s=0, sign_in="off"
    )
    now = time.time_ns() // 1_000_000
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        store = app.state.context.store
        if not store.run("SELECT 1 FROM items LIMIT 1"):
            load(store, items, now)
        number = items // 2
        asked = endpoints(f"K-{number:08d}", f"workflow_{number % WORKFLOWS}")
        print(f"{'endpoint':58} {'p50 ms':>8} {'p95 ms':>8} {'target':>8}")
        for path, target in asked.items():
            times = []
            for _ in range(ROUNDS + 1):
                began = time.perf_counter()
                answer = client.get(path, follow_redirects=False)
                times.append((time.perf_counter() - began) * 1000)
                if answer.status_code not in (200, 303):
                    raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
            ordered = sorted(times[1:])
            p95 = ordered[int(0.95 * len(ordered)) - 1]
            fault = "" if p95 < target else "  too slow"
            print(f"{path[:58]:58} {statistics.median(ordered):8.0f} {p95:8.0f} {target:8}{fault}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="daymark-screens-") as temporary:
        main(Path(given[0]) if given else Path(temporary), int(given[1]) if len(given) > 1 else 1_000_000)
