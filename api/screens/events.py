"""The log of events: one page of it, how many there are over time, and what they look like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from api import views
from api.clock import now_ms
from api.paging import FAR
from api.screens.charts import WIDTH, ceiling, columns
from api.store import Store

Row = dict[str, Any]
DAY_MS = 86_400_000
COLUMNS = 60
SAMPLE, ENOUGH = 3_000, 100
MINUTE_MS = 60_000
FIRST_MS = 10 * MINUTE_MS
WIDER = 4
"""How much further back each look goes than the one before."""

YEAR_MS = 366 * DAY_MS
FEW = 1_000
NEVER: Row = {"instants": []}
ANY = {"lane": "", "type": "", "source": "", "key": "", "id": "", "pattern": "", "since_ms": -FAR, "until_ms": FAR}
SHAPES = 20


def lane_of(store: Store, stale_s: int, lane: str, usual: str) -> tuple[str, int, list[str]]:
    """(lane, its time, all lanes): the lane asked for, else the live one, else the one whose clock moved last."""
    clocks = views.lanes(store, stale_s)
    names = [row["lane"] for row in clocks]
    latest = max(clocks, key=lambda row: row["moved_ms"], default=None)
    chosen = lane or (usual if usual in names or latest is None else latest["lane"])
    own = next((row for row in clocks if row["lane"] == chosen), None)
    now = (own["watermark_ms"] or own["moved_ms"]) if own else now_ms()
    return chosen, now, names


def span_of(since: int, until: int) -> int:
    """How long a column of the histogram is, ms: a round time, so that there are at most 60 of them."""
    least = max((until - since) / COLUMNS, 1)
    fixed = [1_000, 5_000, 15_000, MINUTE_MS, 300_000, 900_000, 3_600_000, 10_800_000, 21_600_000, DAY_MS]
    return next((one for one in fixed if one >= least), int(ceiling(least / DAY_MS)) * DAY_MS)


def instants(store: Store, **filters: Any) -> Row:
    """When the events that fit were, for somebody limited to workflows, if that is seldom: {"instants": epoch ms}.

    Such a person's events are told by the transitions of the time that is asked for: all of them, unless it is known
    at which instants to look. Empty for who has no such limit, and where many events fit.
    """
    asked = ANY | filters
    if store.wider is None or "instants" in asked or not (asked["pattern"] or asked["key"] or asked["id"]):
        return {}
    found = store.wider.query("events/instants", **asked | {"limit": FEW + 1})
    return {"instants": [row["time_ms"] for row in found]} if len(found) <= FEW else {}


def bounded(store: Store, filters: Row) -> Row:
    """The filters of what is counted. Somebody limited to workflows sees the last day of a longer time (`shortened`),
    unless few events fit: what it costs to tell theirs grows with all that happened meanwhile."""
    since = max(filters["since_ms"], filters["until_ms"] - DAY_MS)
    if store.wider is None or since == filters["since_ms"]:
        return filters
    few = instants(store, **filters)
    return filters | (few or {"since_ms": since, "shortened": True})


def histogram(store: Store, filters: Row) -> Row:
    """`events` in each span from `since_ms` on, and the chart of it; of filters that are `bounded`."""
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
        "shortened": filters.get("shortened", False),
        "chart": columns(counts, [], width=2 * WIDTH),
    }


def patterns(store: Store, filters: Row) -> list[Row]:
    """The shapes of up to 3,000 of the latest events that fit, the commonest first, with the share of each in percent.
    100 are enough not to look further back. The filters are `bounded`."""
    shapes: dict[tuple[str, str], Row] = {}
    left = SAMPLE
    for since, until in _spans(filters, filters["until_ms"]):
        for row in store.query("events/patterns", **(filters | {"since_ms": since, "until_ms": until}), sample=left):
            left -= row["events"]
            known = shapes.setdefault((row["type"], row["shape"]), row)
            if known is not row:  # seen in a later span
                known["events"] += row["events"]
                known["first_ms"] = row["first_ms"]
        if left <= SAMPLE - ENOUGH:
            break
    rows = sorted(shapes.values(), key=lambda row: (-row["events"], row["type"], row["shape"]))[:SHAPES]
    total = SAMPLE - left
    return [{**row, "share": 100 * row["events"] / total} for row in rows]


def latest(store: Store, name: str, limit: int, filters: Row) -> list[Row]:
    """The rows of a query for the newest events that fit, at most `limit`, out of as little of the table as will do:
    what is frequent is found in the last minutes, and for what is rare there is an index."""
    rows: list[Row] = []
    filters = instants(store, **filters) | filters
    until = min(filters["until_ms"], filters["after_ms"] + 1) if filters["resumed"] else filters["until_ms"]
    for begin, end in _spans(filters, until):
        asked = filters | {"since_ms": begin, "until_ms": end}
        few = instants(store, **asked)
        if few != NEVER:
            rows += store.query(name, **few | asked, limit=limit - len(rows))
        if len(rows) >= limit:
            break
    return rows


def _spans(filters: Row, until: int) -> Iterable[tuple[int, int]]:
    """The spans to look through one after the other: all of the time at once where it is known how few events fit."""
    if "instants" in filters:
        return [(filters["since_ms"], until)] if filters["instants"] else []
    return backwards(filters["since_ms"], until, now_ms())


def exported(store: Store, filters: Row, kinds: tuple[str, str], limit: int, page: int) -> Iterator[bytes]:
    """A file of the events that fit, the oldest first, page by page, so that no more than one is in memory and no
    client of the store is kept by somebody who reads slowly. `kinds`: ClickHouse's format of the first page, and that
    of the rest."""
    place = {"after_ms": filters["since_ms"] - 1, "after_source": "", "after_id": ""}
    kind, left = kinds[0], limit
    while True:
        since = max(filters["since_ms"], place["after_ms"])
        asked = filters | place | {"since_ms": since}
        [end] = store.query("events/export_page", **asked, limit=min(page, left))
        last = {name: end[name] for name in ("last_ms", "last_source", "last_id")}
        more = {"until_ms": end["last_ms"] + 1, "guarded": int(kind.startswith("CSV"))}
        yield store.file("events/export", kind, **(asked | last | more))
        left -= end["rows"]
        if end["rows"] < page or left <= 0:
            return
        kind, place = kinds[1], {name.replace("last", "after"): value for name, value in last.items()}


def backwards(since: int, until: int, now: int) -> Iterator[tuple[int, int]]:
    """Spans of time that make up the one from `since` to `until`, the latest first, each longer than the one before.
    All epoch ms; `now` is about when the newest events are."""
    end, newest, reach = until, min(until, now), FIRST_MS
    while end > since:
        begin = max(since, newest - reach) if reach < YEAR_MS else since
        yield begin, end
        end, reach = begin, reach * WIDER
