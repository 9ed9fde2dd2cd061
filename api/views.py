"""What the routes and the page show: rows of the store, put together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from api import standing
from api.clock import now_ms
from api.paging import FAR, MAX_LIMIT
from api.store import Store
from udfs.core.forecast import chance

ENDED = 2**62  # a watermark beyond this is a lane's end mark
ALL = 1_000_000  # rows: more lanes than this are not shown by any route
AGEING_MS = standing.AGES_MS
WARNED_MS = 30 * 86_400_000
"""How far back warnings are looked for: none comes so long before its deadline."""

QUANTILES = ("p50", "p95", "p99")
SPANS = ("duration_ms", "queue_ms", "work_ms")
Row = dict[str, Any]


def lanes(store: Store, stale_s: int, limit: int = ALL, silent: list[Row] | None = None) -> list[Row]:
    """Each lane with its clock, and its sources that are blind (`silent`: those of `blind_sources`). `state`: live,
    behind (its clock moves, but lags), blind (it stands still), ended."""
    sources: dict[str, list[str]] = defaultdict(list)
    for row in blind_sources(store) if silent is None else silent:
        sources[row["lane"]].append(row["source"])
    found = [_lane(row, stale_s) for row in store.query("lanes/list", limit=limit)]
    return [{**row, "blind_sources": sources[row["lane"]]} for row in found]


def blind_sources(store: Store) -> list[Row]:
    """The sources that were silent for longer than their heartbeat and are not back yet: {lane, source, workflows}."""
    return store.query("lanes/blind", limit=ALL)


def _lane(row: Row, stale_s: int) -> Row:
    now, mark = row["now_ms"], row["watermark_ms"]
    age, lag = max(0, now - row["moved_ms"]), max(0, now - mark)
    if mark >= ENDED:
        return {**row, "state": "ended", "watermark_ms": None, "age_ms": age, "lag_ms": None}
    state = "blind" if age > stale_s * 1000 else "behind" if lag > stale_s * 1000 else "live"
    return {**row, "state": state, "age_ms": age, "lag_ms": lag}


def workflows(
    store: Store,
    stale_s: int,
    *,
    lane: str = "",
    workflow: str = "",
    group: str = "",
    limit: int = MAX_LIMIT,
    known: list[Row] | None = None,
    silent: list[Row] | None = None,
    brief: bool = False,
) -> list[Row]:
    """Each workflow in each lane with its counts, its lane's clock (`known`: those of `lanes`) and its status.
    `silent`: the sources of `blind_sources`. `brief` leaves out the counts but those that the status is made of.

    `status` is grey while the lane's clock stands still (or nobody has heard of it), and while a source of the workflow
    is blind, unless items are known to be overdue: silence is never green. It is amber while the lane lags, and while
    items are `at_risk`: warned of a deadline, and still without its step.
    """
    silent = blind_sources(store) if silent is None else silent
    clocks = {row["lane"]: row for row in (lanes(store, stale_s, silent=silent) if known is None else known)}
    warned = _at_risk(store, clocks.values(), lane=lane, workflow=workflow, group="" if brief else group)
    if brief:
        found = standing.brief(store, lane=lane, workflow=workflow, limit=limit)
    else:
        found = standing.workflows(store, lane=lane, workflow=workflow, group=group, limit=limit)
    blind: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in silent:
        for name in source["workflows"]:
            blind[source["lane"], name].append(source["source"])
    for row in found:
        clock = clocks.get(row["lane"])
        row["at_risk"] = warned.get((row["lane"], row["workflow"], row["value"]), 0)
        row["lane_state"] = clock["state"] if clock else "blind"
        row["watermark_ms"] = clock["watermark_ms"] if clock else None
        row["duration_ms"] = quantiles(row.get("duration_ms", []))
        row["blind_sources"] = blind[row["lane"], row["workflow"]]
        row["status"] = _status(row)
    return found


def _status(row: Row) -> str:
    if row["lane_state"] == "blind":
        return "blind"
    if row["lane_state"] == "ended":
        return "ended"
    if row["blind_sources"] and not row["overdue"]:
        return "blind"
    if row["overdue"]:
        return "red"
    return "amber" if row["at_risk"] or row["lane_state"] == "behind" else "green"


def _at_risk(store: Store, clocks: Iterable[Row], **where: str) -> dict[tuple[str, str, str], int]:
    """How many items are at risk, by lane, workflow and value of the group; none in (lane, workflow) that has none."""
    since = min((row["watermark_ms"] or row["now_ms"] for row in clocks), default=0) - WARNED_MS
    rows = store.query("workflows/at_risk", **where, since_ms=since)
    return {(row["lane"], row["workflow"], row["value"]): row["at_risk"] for row in rows}


def quantiles(values: list[float | None]) -> Row | None:
    """{p50, p95, p99} in ms; None where nothing was measured."""
    return dict(zip(QUANTILES, values, strict=True)) if values else None


def clock_of(store: Store, lane: str, stale_s: int) -> int:
    """Now, as a lane sees it: its watermark; the wall clock for a lane that has ended or that nobody has heard of."""
    marks = {row["lane"]: row["watermark_ms"] for row in lanes(store, stale_s)}
    mark = marks.get(lane)
    return now_ms() if mark is None else int(mark)


def steps(
    store: Store, workflow: str, lane: str, *, group: str, since_ms: int, now_ms: int, limit: int = MAX_LIMIT
) -> list[Row]:
    """The steps of a workflow in the order in which they happen, by group value: passed, waiting, broken, durations.

    Of more than `limit` rows the first ones by name: those that each of the queries has told of if it had to.
    """
    where = {"workflow": workflow, "lane": lane, "group": group, "limit": limit}
    merged: dict[tuple[str, str], Row] = defaultdict(_empty_step)
    for name, extra in (
        ("steps/passed", {"since_ms": since_ms}),
        ("steps/backlog", {"now_ms": now_ms}),
        ("steps/broken", {"since_ms": since_ms}),
    ):
        for row in store.query(name, **where, **extra):
            merged[row["step"], row["value"]].update(row)
    kept = [merged[name] for name in sorted(merged)[:limit]]
    rank = _ranks(store.query("steps/order", workflow=workflow, lane=lane, since_ms=since_ms))
    for row in kept:
        row.update({name: quantiles(row[name]) for name in SPANS})
        row.pop("lane", None)
    return sorted(kept, key=lambda row: (rank.get(row["step"], len(rank)), row["step"], row["value"]))


def _empty_step() -> Row:
    counts = dict.fromkeys(("passed", "waiting", "overdue", "missing", "late", "other"), 0)
    times: Row = {"last_ms": None, "oldest_ms": None, "amount": None, **{name: [] for name in SPANS}}
    return {**counts, **times, "ageing": [0] * (len(AGEING_MS) + 1)}


def _ranks(rows: Iterable[Row]) -> dict[str, int]:
    """How many steps come before each one on its usual way."""
    previous = {row["step"]: row["previous"] for row in rows}
    ranks = {}
    for step in previous:
        seen, at = {step}, previous[step]
        while at and at not in seen:
            seen.add(at)
            at = previous.get(at, "")
        ranks[step] = len(seen)
    return ranks


def item(store: Store, workflow: str, key: str, lane: str, stale_s: int, *, at_ms: int = FAR) -> Row | None:
    """One run of an item with its steps, events, findings and deadlines; None if no lane knows it.

    The run is the one under way at `at_ms`, by default the newest. Without a lane the one with the latest news answers;
    `lanes` names all that know the key, `runs` the key's runs in the lane shown.
    """
    chosen = next(iter(store.query("items/one", workflow=workflow, key=key, lane=lane, at_ms=at_ms)), None)
    if chosen is None:
        return None
    runs = store.query("items/runs", workflow=workflow, key=key)
    where = {"workflow": workflow, "key": key, "lane": chosen["lane"]}
    where |= {"from_ms": chosen["from_ms"], "until_ms": chosen["until_ms"]}
    findings = store.query("items/findings", **where)
    now = clock_of(store, chosen["lane"], stale_s)
    return {
        **chosen,
        "lanes": sorted({row["lane"] for row in runs}),
        "runs": [row for row in runs if row["lane"] == chosen["lane"]],
        "now_ms": now,
        "timeline": _timeline(store, where, findings),
        "deadlines": _deadlines(chosen, findings, now),
        "findings": findings,
    }


def _timeline(store: Store, where: Row, findings: list[Row]) -> list[Row]:
    events = {(row["source"], row["id"], row["time_ms"]): row for row in store.query("items/events", **where)}
    found = defaultdict(list)
    for finding in findings:
        if finding["event_id"]:
            found[finding["event_id"]].append(finding["id"])
    steps = store.query("items/timeline", **where)
    for row in steps:
        row["event"] = events.get((row["source"], row["event_id"], row["at_ms"]))
        row["findings"] = found.get(row["event_id"], [])
    return steps


def _deadlines(item: Row, findings: list[Row], now_ms: int) -> list[Row]:
    """The item's deadlines: broken ones as found, pending ones as armed."""
    broken: dict[tuple[str, int], Row] = {}
    for finding in findings:
        if finding["kind"] in ("missing", "late", "reported_late", "early"):
            at = (finding["rule"], finding["deadline_ms"])
            if at in broken and finding["kind"] == "missing":
                continue  # it has come since
            broken[at] = {
                "id": finding["rule"],
                "due_ms": finding["deadline_ms"],
                "step": finding["step"],
                "since_ms": finding["since_ms"],
                "at_ms": finding["at_ms"],
                "state": finding["kind"],
                "chance": None,
            }
    chances = {(one["id"], one["due_ms"]): _chance(one, now_ms) for one in item["forecast"]}
    pending = [
        {
            **{"id": p["id"], "due_ms": p["due_ms"], "step": "", "since_ms": None, "at_ms": None, "state": "pending"},
            "chance": chances.get((p["id"], p["due_ms"])),
        }
        for p in item["pending"]
        if (p["id"], p["due_ms"]) not in broken
    ]
    return sorted([*broken.values(), *pending], key=lambda row: (row["due_ms"], row["id"]))


def _chance(forecast: Row, now_ms: int) -> float:
    """The chance that a deadline is missed, seen from now."""
    since = forecast["since_ms"]
    return round(chance(tuple(forecast["quantiles"]), now_ms - since, forecast["due_ms"] - since), 3)


def latest_findings(store: Store, limit: int, lane: str = "") -> list[Row]:
    """The newest findings of all workflows."""
    empty = dict.fromkeys(("workflow", "kind", "rule", "severity", "step", "key", "group_name", "group_value"), "")
    first = {"resumed": 0, "after_ms": 0, "after_lane": "", "after_id": ""}
    return store.query("findings/list", lane=lane, since_ms=-FAR, until_ms=FAR, limit=limit, **empty, **first)
