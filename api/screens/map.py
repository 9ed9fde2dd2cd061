"""The map of a workflow: its graph as configured, what moves along it, what waits where, and where time is lost."""

from __future__ import annotations

from typing import Any

from api import standing, views
from api.clock import now_ms
from api.paging import split_group
from api.rulebook import Rulebook
from api.screens.layout import HEIGHT, WIDTH, curve, layout
from api.store import Store
from udfs.core.spec import Spec
from udfs.packs.flow import edges as edges_of
from udfs.packs.sections import chains_of

Row = dict[str, Any]
WINDOW_MS = 3_600_000
BROKEN_MS = 7 * 86_400_000
CELLS = 12
HEAT = (1.25, 1.5, 2.0, 3.0, 5.0)
"""From how many times the usual on a cell is as hot as its place here."""


def chosen(store: Store, stale_s: int, workflow: str, lane: str) -> tuple[list[Row], Row | None]:
    """All workflows that have items, and the one to show: the one asked for, in the lane with the latest news."""
    known = views.workflows(store, stale_s, brief=True)
    fitting = [
        row for row in known if (not workflow or row["workflow"] == workflow) and (not lane or row["lane"] == lane)
    ]
    worst = {"red": 0, "amber": 1}
    return known, min(fitting, key=lambda row: (worst.get(row["status"], 2), -row["last_event_ms"]), default=None)


def workflow_map(store: Store, rulebook: Rulebook, about: Row, *, group: str = "", at_ms: int | None = None) -> Row:
    """The map of the workflow in `about` (a row of `views.workflows`) now, or as it was at an instant."""
    now = about["watermark_ms"] or now_ms()
    live = at_ms is None or at_ms >= now
    until = now if at_ms is None or live else at_ms
    where = {"lane": about["lane"], "workflow": about["workflow"], **split_group(group)}
    span = {"since_ms": until - WINDOW_MS, "until_ms": until + 1}
    moves = store.query("map/moves", **where, **span)
    names, edges, starts, ends = graph(spec_of(rulebook, about["workflow"], until), rulebook, moves)
    past = {"at_ms": until, "ends": list(ends)}
    backlog = standing.backlog(store, **where) if live else store.query("map/backlog_at", **where, **past)
    week = {"since_ms": until - BROKEN_MS, "at_ms": until}
    broken = standing.broken(store, **where, **week) if live else store.query("map/broken_at", **where, **week)
    if not live:  # how many of them were overdue is not kept: a step owes what its clock began
        for row in backlog:
            row["overdue"] = sum(owed["missing"] for owed in broken if owed["because"] == row["step"])
    steps = _steps(names, moves, backlog, broken)
    for row in steps:
        row["status"] = "blind" if live and about["status"] == "blind" else _colour(row)
        row["end"] = row["step"] in ends
    heat = store.query("map/heat", **where, **span, span_ms=WINDOW_MS // CELLS, spans=CELLS)
    return {
        "workflow": about["workflow"],
        "lane": about["lane"],
        "status": about["status"] if live else "ended",
        "now_ms": now,
        "watermark_ms": about["watermark_ms"],
        "at_ms": until,
        "live": live,
        "window_ms": WINDOW_MS,
        "group": group,
        "groups": store.query("map/groups", lane=about["lane"], workflow=about["workflow"], **span),
        "steps": steps,
        "edges": _edges(edges, moves, broken),
        "drawing": _drawing(names, edges, starts),
        "heat": _heat(names, heat, steps),
    }


def choices(store: Store, rulebook: Rulebook, about: Row) -> tuple[list[str], list[Row], str]:
    """(steps, groups, the step to look at first) of the workflow in `about`: the one where most is overdue."""
    now = about["watermark_ms"] or now_ms()
    where = {"lane": about["lane"], "workflow": about["workflow"]}
    backlog = standing.backlog(store, **where, group_name="", group_value="")
    groups = store.query("map/groups", **where, since_ms=now - WINDOW_MS, until_ms=now + 1)
    spec = spec_of(rulebook, about["workflow"], now)
    names = [step.name for step in spec.steps] if spec else []
    names += [row["step"] for row in backlog if row["step"] not in names]
    first = max(backlog, key=lambda row: (row["overdue"], row["waiting"]), default=None)
    return names, groups, first["step"] if first else next(iter(names), "")


def spec_of(rulebook: Rulebook, workflow: str, at_ms: int) -> Spec | None:
    """The version of a workflow that was in force at an instant; None where its rules are not known here."""
    return next((spec for spec in rulebook.in_force(at_ms) if spec.workflow == workflow), None)


def graph(
    spec: Spec | None, rulebook: Rulebook, moves: list[Row]
) -> tuple[list[str], list[tuple[str, str]], set[str], set[str]]:
    """(steps, edges, start steps, end steps) as configured: by the flow, or by the deadlines where there is none. Where
    the rules are not known, as they were seen."""
    seen = [(row["previous"], row["step"]) for row in moves if row["previous"] and row["previous"] != row["step"]]
    if spec is None:
        names = sorted({name for row in moves for name in (row["previous"], row["step"]) if name})
        return names, seen, {row["step"] for row in moves if not row["previous"]}, set()
    names = [step.name for step in spec.steps]
    chains = chains_of(rulebook.definition(spec).get("flow")) or []
    edges = edges_of(chains)
    if not edges:
        edges = [(names[one.after], names[one.expect]) for one in spec.deadlines if one.after >= 0 and one.tier == 0]
    edges = list(dict.fromkeys(edge for edge in edges if edge[0] != edge[1]))
    return names, edges, {s.name for s in spec.steps if s.start}, {s.name for s in spec.steps if s.end}


def _steps(names: list[str], moves: list[Row], backlog: list[Row], broken: list[Row]) -> list[Row]:
    """A row for each step, also for those that only history knows."""
    waits = {row["step"]: row for row in backlog}
    more = {row["step"] for row in [*moves, *backlog]} - set(names)
    found = []
    for name in [*names, *sorted(more)]:
        came = [row for row in moves if row["step"] == name]
        timed = [row for row in came if row["duration_ms"]]
        most = max(timed, key=lambda row: row["passed"], default=None)  # its usual way there
        wait = waits.get(name, {})
        found.append(
            {
                "step": name,
                "passed": sum(row["passed"] for row in came),
                "spent_ms": sum(row["spent_ms"] or 0 for row in came),
                "duration_ms": views.quantiles(most["duration_ms"]) if most else None,
                "waiting": wait.get("waiting", 0),
                "overdue": wait.get("overdue", 0),
                "at_risk": sum(row["at_risk"] for row in broken if row["because"] == name),
                "oldest_ms": wait.get("oldest_ms"),
                "due_ms": wait.get("due_ms"),
                "amount": wait.get("amount"),
            }
        )
    return found


def _edges(edges: list[tuple[str, str]], moves: list[Row], broken: list[Row]) -> list[Row]:
    passed = {(row["previous"], row["step"]): row for row in moves}
    owed = {(row["because"], row["step"]): row for row in broken}
    rows = []
    for one, other in edges:
        moved, owes = passed.get((one, other), {}), owed.get((one, other), {})
        row = {"from": one, "to": other, "passed": moved.get("passed", 0), "overdue": owes.get("missing", 0)}
        row |= {"at_risk": owes.get("at_risk", 0), "duration_ms": views.quantiles(moved.get("duration_ms") or [])}
        rows.append({**row, "status": _colour(row)})
    return rows


def _colour(row: Row) -> str:
    return "red" if row["overdue"] else "amber" if row["at_risk"] else "green"


def _drawing(names: list[str], edges: list[tuple[str, str]], starts: set[str]) -> Row:
    """Where everything is drawn, in pixels."""
    known = set(names)
    placed = layout(tuple(names), tuple(edge for edge in edges if known.issuperset(edge)), frozenset(starts))
    lines = {}
    for ends, points in placed.edges.items():
        middle = len(points) // 2
        (a, b), (c, d) = points[middle - 1], points[middle]
        lines[ends] = {"path": curve(points), "x": (a + c) / 2, "y": (b + d) / 2 - 6}
    size = {"width": placed.width, "height": placed.height, "node_width": WIDTH, "node_height": HEIGHT}
    return {**size, "nodes": placed.nodes, "lines": lines}


def _heat(names: list[str], cells: list[Row], steps: list[Row]) -> list[Row]:
    """For each step that took time: what share of all time it took, and how hot each span was beside what is usual."""
    total = sum(row["spent_ms"] for row in steps) or 1
    rows = []
    for step in sorted(steps, key=lambda row: -row["spent_ms"]):
        if not step["spent_ms"] or step["duration_ms"] is None:
            continue
        usual = max(step["duration_ms"]["p50"], 1)
        mean = {row["place"]: row["mean_ms"] for row in cells if row["step"] == step["step"]}
        row = [
            None
            if mean.get(place) is None
            else {"mean_ms": mean[place], "level": sum(mean[place] >= usual * hot for hot in HEAT)}
            for place in range(CELLS)
        ]
        rows.append({"step": step["step"], "share": step["spent_ms"] / total, "usual_ms": usual, "cells": row})
    return rows
