"""The overview and the wall: a tile for each workflow, and what is broken now."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from api import standing, views
from api.clock import now_ms
from api.partitions import settled
from api.rulebook import Rulebook
from api.store import Store
from udfs.core.spec import Deadline

Row = dict[str, Any]
BARS = 24
SPAN_MS = 5 * 60_000
OPEN = 40
RECENT_MS = 7 * 86_400_000
"""How far back something broken is looked for: what nobody has mended for a week is no news on a wall."""

ORDER = {"red": 0, "blind": 1, "amber": 2, "green": 3, "ended": 4}


def overview(store: Store, rulebook: Rulebook, stale_s: int, lane: str = "", limit: int = 1000) -> Row:
    """`tiles` with the worst first, `open` findings with the gravest first, `latest` ones, and the `lanes`.

    A tile has the counts of `views.workflows`, `next`: the deadline that comes next, `absolute`: the next one at a time
    of day, and `bars`: findings in each five minutes of the last two hours of the lane's time, from the oldest on.
    """
    silent = views.blind_sources(store)
    clocks = views.lanes(store, stale_s, silent=silent)
    now = {row["lane"]: row["watermark_ms"] or row["now_ms"] for row in clocks}
    tiles = views.workflows(store, stale_s, lane=lane, limit=limit, known=clocks, silent=silent)
    coming = scheduled(rulebook, now)
    absolute = at_times_of_day(store, rulebook, now, coming)
    bars = _bars(store, lane, max(now.values(), default=now_ms()))
    due = _due(store, tiles)
    for tile in tiles:
        place = (tile["lane"], tile["workflow"])
        tile["next"] = _next(tile, due, coming.get(place))
        tile["absolute"] = absolute.get(place)
        tile["bars"] = bars[place]
    tiles.sort(key=lambda tile: (ORDER[tile["status"]], tile["workflow"], tile["lane"]))
    since = min(now.values(), default=0) - RECENT_MS
    return {
        "tiles": tiles,
        "open": store.query("overview/open", lane=lane, workflow="", since_ms=since, limit=OPEN, **settled(store)),
        "findings": views.latest_findings(store, 25, lane),
        "lanes": clocks,
        "now": now,
        "clocks": {row["lane"]: row["watermark_ms"] for row in clocks},
        "lane": lane,
        "most": limit,
    }


def scheduled(rulebook: Rulebook, now: dict[str, int]) -> dict[tuple[str, str], Row]:
    """What schedules expect next in each workflow of the live lane, by (lane, workflow)."""
    lane = rulebook.engine.lane
    if lane not in now:
        return {}
    found: dict[tuple[str, str], Row] = {}
    for spec in rulebook.in_force(now[lane]):
        dues = [(due.at, one.id) for one in spec.schedules if (due := one.plan.after(now[lane])) is not None]
        if dues:
            at, name = min(dues)
            found[lane, spec.workflow] = {"id": name, "due_ms": at, "key": "", "run_ms": None}
    return found


def at_times_of_day(
    store: Store, rulebook: Rulebook, now: dict[str, int], coming: dict[tuple[str, str], Row]
) -> dict[tuple[str, str], Row]:
    """What is due next at a time of day in each workflow of the live lane, by (lane, workflow): a deadline that items
    wait for, or what a schedule expects (`coming`)."""
    lane = rulebook.engine.lane
    found = {place: {"id": one["id"], "due_ms": one["due_ms"], "items": 0} for place, one in coming.items()}
    if lane not in now:
        return found
    named = [(spec.workflow, one.id) for spec in rulebook.in_force(now[lane]) for one in spec.deadlines if _by(one)]
    if not named:
        return found
    for row in standing.absolute(store, lane, named, now[lane]):
        place = (lane, row["workflow"])
        waiting = {"id": row["rule"], "due_ms": row["due_ms"], "items": row["items"]}
        found[place] = min(waiting, found.get(place, waiting), key=lambda one: one["due_ms"])
    return found


def _by(deadline: Deadline) -> bool:
    return deadline.by is not None or any(form.by is not None for _, form in deadline.variants)


def _due(store: Store, tiles: list[Row]) -> dict[tuple[str, str, int, int], str]:
    """The keys of the items that are due next, by lane, workflow, run and instant."""
    waiting = [tile for tile in tiles if tile["due_ms"] is not None]
    if not waiting:
        return {}
    runs, dues = [tile["due_run"] for tile in waiting], [tile["due_ms"] for tile in waiting]
    rows = store.query("workflows/due", runs=runs, dues=dues)
    return {(row["lane"], row["workflow"], row["run_ms"], row["due_ms"]): row["key"] for row in rows}


def _next(tile: Row, keys: dict[tuple[str, str, int, int], str], coming: Row | None) -> Row | None:
    """The next deadline: of an item in flight, or of a schedule. An item that moved on in the meantime has no key."""
    due, run = tile.pop("due_ms"), tile.pop("due_run")
    waiting = None
    if due is not None:
        key = keys.get((tile["lane"], tile["workflow"], run, due), "")
        waiting = {"id": "", "due_ms": due, "key": key, "run_ms": run}
    both = [one for one in (waiting, coming) if one is not None]
    return min(both, key=lambda one: one["due_ms"], default=None)


def _bars(store: Store, lane: str, now_ms: int) -> dict[tuple[str, str], list[int]]:
    until = (now_ms // SPAN_MS + 1) * SPAN_MS
    since = until - BARS * SPAN_MS
    bars: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * BARS)
    for row in store.query("overview/rate", lane=lane, since_ms=since, until_ms=until, span_ms=SPAN_MS):
        bars[row["lane"], row["workflow"]][row["place"]] = row["findings"]
    return bars
