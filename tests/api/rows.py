"""Rows as the job writes them, with what a test doesn't care about filled in."""

from __future__ import annotations

import hashlib
import random
from typing import Any

import orjson

from api.store import Store

T0 = 1_700_000_000_000
Row = dict[str, Any]


def event(**given: Any) -> Row:
    row = {
        "lane": "main",
        "source": "/s",
        "id": "e1",
        "type": "a",
        "time_ms": T0,
        "received_ms": T0 + 5,
        "key_name": "id",
        "key": "K-1",
        "groups": {"market": "EU"},
        "data": '{"data": {"id": "K-1"}}',
        "truncated": 0,
        "duplicate": 0,
        "topic": "daymark.events.main",
        "partition": 0,
        "offset": 1,
    }
    return row | given


def transition(**given: Any) -> Row:
    row = {
        "lane": "main",
        "workflow": "w",
        "version": 1,
        "key": "K-1",
        "event_id": "e1",
        "source": "/s",
        "event_type": "a",
        "step": "a",
        "previous": "",
        "at_ms": T0,
        "previous_at_ms": None,
        "duration_ms": None,
        "queue_ms": None,
        "work_ms": None,
        "groups": {"market": "EU"},
    }
    return row | given


def item(**given: Any) -> Row:
    row = {
        "lane": "main",
        "workflow": "w",
        "version": 1,
        "rule_hash": "h",
        "key": "K-1",
        "run_ms": T0,
        "status": "in_flight",
        "step": "a",
        "started_ms": T0,
        "updated_ms": T0,
        "ended_ms": None,
        "events": 1,
        "missing": 0,
        "late": 0,
        "other": 0,
        "overdue": 0,
        "next_due_ms": None,
        "pending": [],
        "groups": {"market": "EU"},
        "amount": 10.0,
        "rev": 1,
    }
    return row | given


def finding(**given: Any) -> Row:
    row = {
        "id": "f" * 32,
        "lane": "main",
        "workflow": "w",
        "version": 1,
        "rule_hash": "h",
        "rule": "reply",
        "kind": "missing",
        "severity": "critical",
        "key": "K-1",
        "groups": {"market": "EU"},
        "step": "b",
        "because": "a",
        "occurrence": "1",
        "deadline_ms": T0 + 300_000,
        "at_ms": None,
        "delta_ms": None,
        "since_ms": T0,
        "event_id": "",
        "received_ms": 0,
        "runbook": "",
        "amount": None,
    }
    return row | given


def progress(**given: Any) -> Row:
    return {"lane": "main", "subtask": 0, "parallelism": 1, "watermark_ms": T0, "at_ms": T0} | given


def lines(rows: list[Row]) -> bytes:
    return b"\n".join(map(orjson.dumps, rows))


def insert(store: Store, table: str, *rows: Row) -> None:
    store.insert(table, lines(list(rows)))


def history(items: int, seed: int = 7) -> dict[str, list[Row]]:
    """A deterministic business history by table, with transitions and findings said twice, differently."""
    draw = random.Random(seed)
    tables: dict[str, list[Row]] = {name: [] for name in ("events", "transitions", "items", "findings")}
    for number in range(items):
        key, groups = f"K-{number:05d}", {"market": draw.choice(("EU", "US", "APAC"))}
        at, previous, broken = T0 + number * 1000, "", 0
        for step in ("a", "b", "c")[: draw.randint(1, 3)]:
            took = draw.randint(1, 600_000) if previous else None
            at, name = at + (took or 0), hashlib.sha256(f"{key}{step}".encode()).hexdigest()[:32]
            tables["events"].append(event(id=name, type=step, time_ms=at, key=key, groups=groups))
            hop = transition(
                key=key, event_id=name, step=step, previous=previous, at_ms=at, duration_ms=took, groups=groups
            )
            tables["transitions"] += [hop | {"duration_ms": 1}, hop]  # the first word is replaced by the second
            if took and took > 300_000:
                broken += 1
                told = finding(id=name, key=key, step=step, deadline_ms=at - took + 300_000, groups=groups)
                tables["findings"] += [told | {"severity": "low"}, told]
            row = item(key=key, run_ms=T0 + number * 1000, started_ms=T0 + number * 1000, groups=groups)
            row |= {"step": step, "updated_ms": at, "missing": broken, "late": broken, "rev": at}
            done = step == "c"
            tables["items"].append(row | {"status": "completed", "ended_ms": at} if done else row)
            previous = step
    return tables
