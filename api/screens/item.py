"""One item: its waterfall, its deadlines, and why each finding was made."""

from __future__ import annotations

from typing import Any

from api import views
from api.paging import FAR, after_item
from api.screens.events import instants
from api.store import Store

Row = dict[str, Any]
FOUND = 200


def item(store: Store, workflow: str, key: str, lane: str, stale_s: int, *, at_ms: int = FAR) -> Row | None:
    """`views.item`, with `aliases`: other keys in its records, and `related`: other items with one of its keys."""
    found = views.item(store, workflow, key, lane, stale_s, at_ms=at_ms)
    if found is None:
        return None
    records = [hop["event"] for hop in found["timeline"] if hop["event"]]
    keys = {(record["key_name"], record["key"]) for record in records}
    found["aliases"] = sorted((name, value) for name, value in keys if value and value != key)
    related = [row for name in [key, *(value for _, value in found["aliases"][:2])] for row in search(store, name, "")]
    own = (found["lane"], workflow, key)
    distinct = {(row["lane"], row["workflow"], row["key"]): row for row in related}
    found["related"] = [row for place, row in distinct.items() if place != own]
    return found


def search(store: Store, key: str, lane: str, limit: int = FOUND, cursor: str = "") -> list[Row]:
    """The items that are known by this key, whichever of their keys it is, the one with the latest news first."""
    about = {"key": key, "lane": lane, "limit": limit, **after_item(cursor)}
    return store.query("items/found", **about, **instants(store, key=key, lane=lane))


def waterfall(item: Row) -> Row:
    """Where the bars of hops and the marks of deadlines stand, in percent of the time shown.

    `wait` is the bar from the latest step to now, of an item that is in flight.
    """
    hops, deadlines = item["timeline"], item["deadlines"]
    instants = [hop["at_ms"] for hop in hops] + [row["due_ms"] for row in deadlines] or [item["started_ms"]]
    open_ = item["status"] == "in_flight" and hops
    if open_ and (deadlines or item["now_ms"] - max(instants) < 4 * (max(instants) - min(instants) + 1)):
        instants.append(item["now_ms"])
    first, last = min(instants), max(instants)
    width = max(last - first, 1)

    def at(ms: int) -> float:
        return float(round(100 * (ms - first) / width, 3))

    bars = []
    for hop in hops:
        start = hop["previous_at_ms"] if hop["previous_at_ms"] is not None else hop["at_ms"]
        left, right = at(min(start, hop["at_ms"])), at(hop["at_ms"])
        share = hop["queue_ms"] / hop["duration_ms"] if hop["queue_ms"] and hop["duration_ms"] else 0
        queue = round((right - left) * min(share, 1), 3)
        bars.append({"x": left, "width": max(right - left, 0.4), "queue": queue})
    marks = [{"x": at(row["due_ms"]), "state": row["state"], "id": row["id"]} for row in deadlines]
    wait = None
    if open_ and instants[-1] == item["now_ms"] and item["now_ms"] > hops[-1]["at_ms"]:
        since = max(hop["at_ms"] for hop in hops)
        wait = {"from": at(since), "to": at(item["now_ms"]), "ms": item["now_ms"] - since}
    return {"hops": bars, "marks": marks, "first": first, "last": last, "wait": wait}
