"""The log of events: one page of it, how many there are over time, and what they look like."""

from __future__ import annotations

import time
from typing import Any

from api import views
from api.screens.charts import WIDTH, ceiling, columns
from api.store import Store

Row = dict[str, Any]
DAY_MS = 86_400_000
COLUMNS = 60
SAMPLE = 3_000
MINUTE_MS = 60_000


def lane_of(store: Store, stale_s: int, lane: str, usual: str) -> tuple[str, int, list[str]]:
    """(lane, its time, all lanes): the lane asked for, else the live one, else the one whose clock moved last."""
    clocks = views.lanes(store, stale_s)
    names = [row["lane"] for row in clocks]
    latest = max(clocks, key=lambda row: row["moved_ms"], default=None)
    chosen = lane or (usual if usual in names or latest is None else latest["lane"])
    own = next((row for row in clocks if row["lane"] == chosen), None)
    now = (own["watermark_ms"] or own["moved_ms"]) if own else time.time_ns() // 1_000_000
    return chosen, now, names


def span_of(since: int, until: int) -> int:
    """How long a column of the histogram is, ms: a round time, so that there are at most 60 of them."""
    least = max((until - since) / COLUMNS, 1)
    fixed = [1_000, 5_000, 15_000, MINUTE_MS, 300_000, 900_000, 3_600_000, 10_800_000, 21_600_000, DAY_MS]
    return next((one for one in fixed if one >= least), int(ceiling(least / DAY_MS)) * DAY_MS)


def histogram(store: Store, filters: Row) -> Row:
    """`events` in each span from `since_ms` on, and the chart of it."""
    span = span_of(filters["since_ms"], filters["until_ms"])
    since = filters["since_ms"] // span * span
    found = {
        row["place"]: row["events"]
        for row in store.query("events/histogram", **(filters | {"since_ms": since}), span_ms=span)
    }
    many = -((since - filters["until_ms"]) // span)
    counts = [found.get(place, 0) for place in range(many)]
    return {
        "since_ms": since,
        "span_ms": span,
        "events": counts,
        "total": sum(counts),
        "chart": columns(counts, [], width=2 * WIDTH),
    }


def patterns(store: Store, filters: Row) -> list[Row]:
    """The shapes of the latest 3,000 events that fit, the commonest first, with the share of each in percent."""
    rows = store.query("events/patterns", **filters, sample=SAMPLE)
    total = sum(row["events"] for row in rows) or 1
    return [{**row, "share": 100 * row["events"] / total} for row in rows]
