"""A graph in layers, from left to right: pure geometry, by Sugiyama's method (grandalf)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from grandalf.graphs import Edge, Graph, Vertex
from grandalf.layouts import DummyVertex, SugiyamaLayout, VertexViewer

WIDTH, HEIGHT = 176, 84
BETWEEN_LAYERS, BETWEEN_NODES, MARGIN = 64, 28, 24
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where nodes (their upper left corner) and edges (the points that they pass) lie, and how large the whole is."""

    width: float
    height: float
    nodes: dict[str, Point]
    edges: dict[tuple[str, str], tuple[Point, ...]]


@lru_cache(maxsize=256)
def layout(names: tuple[str, ...], edges: tuple[tuple[str, str], ...], starts: frozenset[str]) -> Layout:
    """The layout of a graph; parts of it that no edge connects lie one below the other. Edges lead from one step to
    another; where they make a loop, seen from the start steps, the last of them is drawn backwards."""
    vertices = {name: Vertex(name) for name in names}
    for vertex in vertices.values():
        vertex.view = VertexViewer(HEIGHT, WIDTH)  # grandalf's layers lie one below the other, ours beside each other
    back = _leading_back(names, edges, starts)
    drawn = [Edge(vertices[one], vertices[other]) for one, other in edges if (one, other) not in back]
    nodes: dict[str, Point] = {}
    paths: dict[tuple[str, str], tuple[Point, ...]] = {}
    top = float(MARGIN)
    for part in Graph(list(vertices.values()), drawn).C:
        sugiyama = SugiyamaLayout(part)
        sugiyama.xspace, sugiyama.yspace = BETWEEN_NODES, BETWEEN_LAYERS
        sugiyama.init_all(roots=[vertex for vertex in part.sV if not vertex.e_in()])
        sugiyama.draw(8)
        centres = [vertex.view.xy for layer in sugiyama.layers for vertex in layer]
        highest, lowest = min(x for x, _ in centres), max(x for x, _ in centres)
        shift, left = top - highest + HEIGHT / 2, MARGIN - min(y for _, y in centres) + WIDTH / 2
        for vertex in part.sV:
            across, along = vertex.view.xy
            nodes[vertex.data] = (along + left - WIDTH / 2, across + shift - HEIGHT / 2)
        for edge in part.sE:
            ends = edge.v[0].data, edge.v[1].data
            between = [v.view.xy for _, v in sorted(sugiyama.ctrls.get(edge, {}).items()) if isinstance(v, DummyVertex)]
            bends = [(along + left, across + shift) for across, along in between]
            paths[ends] = _path(nodes[ends[0]], nodes[ends[1]], bends)
        top += lowest - highest + HEIGHT + BETWEEN_NODES
    for ends in sorted(back):
        paths[ends] = _path(nodes[ends[0]], nodes[ends[1]], [])
    width = max((x for x, _ in nodes.values()), default=0) + WIDTH + MARGIN
    deepest = max((y for path in paths.values() for _, y in path), default=0)
    return Layout(width, max(top - BETWEEN_NODES, deepest) + MARGIN, nodes, paths)


def _leading_back(
    names: tuple[str, ...], edges: tuple[tuple[str, str], ...], starts: frozenset[str]
) -> set[tuple[str, str]]:
    """The edges that close a loop, by a walk in depth from the start steps; grandalf breaks some loops wrongly."""
    onward: dict[str, list[str]] = {name: [] for name in names}
    for one, other in edges:
        onward[one].append(other)
    back: set[tuple[str, str]] = set()
    done: set[str] = set()
    for root in sorted(names, key=lambda name: name not in starts):
        if root in done:
            continue
        way, left = [root], [iter(onward[root])]
        while way:
            name = next(left[-1], None)
            if name is None:
                done.add(way.pop())
                left.pop()
            elif name in way:
                back.add((way[-1], name))
            elif name not in done:
                way.append(name)
                left.append(iter(onward[name]))
    return back


def _path(one: Point, other: Point, bends: list[Point]) -> tuple[Point, ...]:
    """From the right side of a node to the left side of another; backwards from below to below, under what is there."""
    middle = HEIGHT / 2
    if other[0] > one[0]:
        return ((one[0] + WIDTH, one[1] + middle), *bends, (other[0], other[1] + middle))
    low = max(one[1], other[1]) + HEIGHT + BETWEEN_NODES / 2
    start, end = one[0] + WIDTH / 2, other[0] + WIDTH / 2
    return ((start, one[1] + HEIGHT), (start, low), (end, low), (end, other[1] + HEIGHT))


def curve(points: tuple[Point, ...]) -> str:
    """An SVG path through the points: level where it leaves and arrives; straight lines where it leads backwards."""
    (x, y), *rest = points
    if rest[-1][0] < x:
        return f"M{x:.0f} {y:.0f}" + "".join(f"L{a:.0f} {b:.0f}" for a, b in rest)
    parts = [f"M{x:.0f} {y:.0f}"]
    for (a, b), (c, d) in pairwise(points):
        half = (a + c) / 2
        parts.append(f"C{half:.0f} {b:.0f} {half:.0f} {d:.0f} {c:.0f} {d:.0f}")
    return "".join(parts)
