"""A rule as a picture, also while it is being written: its steps, what leads where, and what is due within what."""

from __future__ import annotations

from typing import Any

from api.screens.layout import HEIGHT, WIDTH, curve, layout
from udfs.packs.flow import edges as edges_of
from udfs.packs.sections import chains_of
from udfs.packs.yamlfile import documents_in

Row = dict[str, Any]
MOST_STEPS, MOST_EDGES = 80, 240
"""More could not be read, and would take long to lay out."""


def drawing(text: str) -> Row | None:
    """Where each step and edge is drawn, as far as the text can be understood; None while it can't."""
    documents, _ = documents_in(text, "")
    data = documents[0].data if documents else None
    steps = data.get("steps") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(steps, dict) or not 0 < len(steps) <= MOST_STEPS:
        return None
    said = {str(name): one if isinstance(one, dict) else {} for name, one in steps.items()}
    due = _deadlines(data, said)
    edges = _flow(data, said) or list(due)
    edges = [ends for ends in dict.fromkeys(edges) if ends[0] != ends[1]]
    if len(edges) > MOST_EDGES:
        return None
    starts = frozenset(name for name, one in said.items() if one.get("start") is True)
    placed = layout(tuple(said), tuple(edges), starts)
    lines = []
    for ends, points in placed.edges.items():
        middle = len(points) // 2
        (a, b), (c, d) = points[middle - 1], points[middle]
        text_at = {"x": (a + c) / 2, "y": (b + d) / 2 - 6}
        lines.append({"from": ends[0], "to": ends[1], "path": curve(points), "due": due.get(ends, ""), **text_at})
    nodes = [
        {"name": name, "on": str(said[name].get("on", "")), "note": _note(said[name]), "x": place[0], "y": place[1]}
        for name, place in placed.nodes.items()
    ]
    size = {"width": placed.width, "height": placed.height, "node_width": WIDTH, "node_height": HEIGHT}
    return {**size, "nodes": nodes, "lines": lines}


def _flow(data: Row, steps: Row) -> list[tuple[str, str]]:
    """The edges of the chains that can be read, between steps that are there."""
    chains = chains_of(data.get("flow"))
    found: list[tuple[str, str]] = []
    for chain in chains if isinstance(chains, list) else ():
        try:
            found += edges_of([chain]) if isinstance(chain, str) else []
        except ValueError:
            continue
    return [ends for ends in found if ends[0] in steps and ends[1] in steps]


def _deadlines(data: Row, steps: Row) -> dict[tuple[str, str], str]:
    """What is due between which steps, in the words of the text."""
    found: dict[tuple[str, str], str] = {}
    deadlines = data.get("deadlines")
    for one in deadlines if isinstance(deadlines, list) else ():
        if not isinstance(one, dict):
            continue
        ends = (str(one.get("after", "")), str(one.get("expect", "")))
        if ends[0] in steps and ends[1] in steps:
            found.setdefault(ends, f"≤ {one['within']}" if "within" in one else f"by {one.get('by', '')}")
    return found


def _note(step: Row) -> str:
    if step.get("start") is True:
        return "start"
    return f"end: {step['end']}" if step.get("end") else ""
