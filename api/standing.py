"""How items stand, put together from how they stand in each partition (api/partitions.py)."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from api.partitions import by_partition, settled
from api.store import Store

Row = dict[str, Any]
AGES_MS = (60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000)
LEVELS = (0.5, 0.95, 0.99)
STATES = ("items", "in_flight", "completed", "failed", "expired", "closed")
FOUND = ("missing", "late", "other", "overdue")


def workflows(store: Store, *, lane: str, workflow: str, group: str, limit: int) -> list[Row]:
    """How the items of each workflow stand in each lane, or of each value of a group: counts, `last_event_ms`,
    `amount_in_flight`, what is due next (`due_ms`, and `due_run`: when its run began), and quantiles of the ms that
    completed runs took. Raises StoreError."""
    about = {"lane": lane, "workflow": workflow, "group": group, "limit": limit}
    rows = _grouped(by_partition(store, "workflows/list", packed="took_ms", **about), "workflow", "lane", "value")
    return [_workflow(ones) for ones in rows[:limit]]


def _workflow(rows: list[Row]) -> Row:
    due = min(((row["due_ms"], row["due_run"]) for row in rows if row["due_ms"] is not None), default=(None, None))
    return {
        **{name: rows[0][name] for name in ("lane", "workflow", "value")},
        **{name: sum(row[name] for row in rows) for name in (*STATES, *FOUND)},
        "last_event_ms": max(row["last_event_ms"] for row in rows),
        "amount_in_flight": _sum(row["amount_in_flight"] for row in rows),
        "due_ms": due[0],
        "due_run": due[1],
        "duration_ms": quantiles([row["took_ms"] for row in rows]),
    }


def brief(store: Store, *, lane: str, workflow: str, limit: int) -> list[Row]:
    """Of what `workflows` says only `overdue` and `last_event_ms`. Raises StoreError."""
    found = by_partition(store, "workflows/brief", lane=lane, workflow=workflow, limit=limit)
    return [
        {
            **{name: rows[0][name] for name in ("lane", "workflow", "value")},
            "overdue": sum(row["overdue"] for row in rows),
            "last_event_ms": max(row["last_event_ms"] for row in rows),
        }
        for rows in _grouped(found, "workflow", "lane", "value")[:limit]
    ]


def backlog(store: Store, **where: Any) -> list[Row]:
    """What waits at each step of a workflow now, of one group's value if the filter names one. Raises StoreError."""
    return [
        {
            "step": rows[0]["step"],
            "waiting": sum(row["waiting"] for row in rows),
            "overdue": sum(row["overdue"] for row in rows),
            "oldest_ms": min(row["oldest_ms"] for row in rows),
            "due_ms": min((row["due_ms"] for row in rows if row["due_ms"] is not None), default=None),
            "amount": _sum(row["amount"] for row in rows),
        }
        for rows in _grouped(by_partition(store, "map/backlog", **where), "step")
    ]


def broken(store: Store, **where: Any) -> list[Row]:
    """Deadlines that are missed, or likely to be, of what is in flight in a workflow: by the step that started their
    clock and the one awaited. Raises StoreError."""
    return store.query("map/broken", **where, **settled(store))


def waiting(store: Store, now_ms: int, **where: Any) -> Row:
    """What waits at one step: how many, `overdue`, their `amount`, and `ageing`: how many of each age, by the limits
    of AGES_MS. Raises StoreError."""
    rows = by_partition(store, "steps/waiting", packed="since_ms", **where)
    younger = [sum(len(one) - bisect_right(one, now_ms - age) for one in _column(rows, "since_ms")) for age in AGES_MS]
    many = sum(row["waiting"] for row in rows)
    return {
        "waiting": many,
        "overdue": sum(row["overdue"] for row in rows),
        "amount": _sum(_column(rows, "amount")),
        "ageing": [later - sooner for sooner, later in zip((0, *younger), (*younger, many), strict=True)],
    }


def oldest(store: Store, limit: int, *, by_due: bool, **where: Any) -> list[Row]:
    """The items that have waited longest at a step, or those that are due next there. Raises StoreError."""
    rows = by_partition(store, "steps/oldest", by_due=int(by_due), limit=limit, **where)
    return sorted(rows, key=lambda row: (row["place"], row["key"], row["run_ms"]))[:limit]


def absolute(store: Store, lane: str, named: Iterable[tuple[str, str]], now_ms: int) -> list[Row]:
    """Of deadlines named by (workflow, rule) the first instant after now that items in flight wait for, of each
    workflow, and how many do. Raises StoreError."""
    names, rules = (list(column) for column in zip(*named, strict=True))
    found = by_partition(store, "overview/absolute", lane=lane, workflows=names, rules=rules)
    coming = _grouped([row for row in found if row["due_ms"] > now_ms], "workflow", "due_ms", "rule")
    first: dict[str, Row] = {}
    for rows in coming:
        first.setdefault(rows[0]["workflow"], {**rows[0], "items": sum(row["items"] for row in rows)})
    return list(first.values())


def quantiles(runs: Sequence[array[int]]) -> list[int]:
    """The values at 50, 95 and 99 percent of all numbers in some ordered arrays, as ClickHouse's `quantileExact` finds
    them; empty where there are none."""
    held = [run for run in runs if run]
    many = sum(len(run) for run in held)
    return [_at(held, int(level * many)) for level in LEVELS] if held else []


def _at(runs: list[array[int]], place: int) -> int:
    """The number at a place, from 0 on, of all in some ordered arrays: the least with more than that below or alike."""
    least, most = min(run[0] for run in runs), max(run[-1] for run in runs)
    while least < most:
        middle = (least + most) // 2
        if sum(bisect_right(run, middle) for run in runs) > place:
            most = middle
        else:
            least = middle + 1
    return least


def _grouped(rows: list[Row], *names: str) -> list[list[Row]]:
    """The rows that are alike in some columns, in the order of these."""
    found: dict[tuple[Hashable, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return [found[place] for place in sorted(found)]


def _column(rows: list[Row], name: str) -> list[Any]:
    return [row[name] for row in rows]


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
