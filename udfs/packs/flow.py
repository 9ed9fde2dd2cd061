"""The graph behind `flow`: chains of steps and groups of steps, and what they put before what.

A link of a chain is a step, alternatives `(b | c)`, of which one is taken, or parallel steps `(b & c)`, all of which
must have happened before the chain goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from udfs.core.spec import IGNORE, Pair

ARROW = "->"
ONE_OF = "|"
ALL_OF = "&"


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a chain: `kind` is ONE_OF or ALL_OF for a group of steps, "" for a single one."""

    names: tuple[str, ...]
    kind: str = ""


def parse_chain(chain: str) -> list[Link]:
    """The links of `a -> (b | c) -> d`. Raises ValueError with what would be right."""
    return [_link(part.strip(), chain) for part in chain.split(ARROW)]


def _link(part: str, chain: str) -> Link:
    if not part:
        raise ValueError(f"`{chain}` has an arrow without a step beside it; write `a -> b -> c`")
    if not part.startswith("("):
        return Link((part,))
    inside = part[1:-1]
    kinds = [kind for kind in (ONE_OF, ALL_OF) if kind in inside]
    names = tuple(name.strip() for name in inside.split(kinds[0])) if len(kinds) == 1 else ()
    if not part.endswith(")") or not names or not all(names) or "(" in inside or ")" in inside:
        text = f"`{part}` is no group of steps; write `(b | c)` for one of them, `(b & c)` for all of them"
        raise ValueError(f"{text}, and other branches as further chains")
    if len(set(names)) < len(names):
        raise ValueError(f"`{part}` names a step twice; leave one out")
    return Link(names, kinds[0])


def split_chain(chain: str) -> list[str]:
    """The step names in a chain. Raises ValueError as `parse_chain` does."""
    return [name for link in parse_chain(chain) for name in link.names]


def edges(chains: Iterable[str]) -> list[tuple[str, str]]:
    """The neighbours in all chains, each pair once, in a fixed order."""
    neighbours = [pair for chain in chains for pair in pairwise(parse_chain(chain))]
    return sorted({(one, other) for first, second in neighbours for one in first.names for other in second.names})


def groups(chains: Iterable[str], kind: str) -> list[tuple[str, ...]]:
    """The alternatives (ONE_OF), or the parallel steps (ALL_OF), of all chains, in a fixed order."""
    return sorted({tuple(sorted(link.names)) for chain in chains for link in parse_chain(chain) if link.kind == kind})


def joins(chains: Iterable[str]) -> list[tuple[tuple[str, ...], str]]:
    """The parallel steps and the step that joins them, in a fixed order."""
    neighbours = [pair for chain in chains for pair in pairwise(parse_chain(chain))]
    return sorted(
        {
            (tuple(sorted(first.names)), name)
            for first, second in neighbours
            if first.kind == ALL_OF
            for name in second.names
        }
    )


def reach(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` steps, a bit mask of the steps that can be reached from it in one hop or more."""
    reached = [0] * count
    for source, target in pairs:
        reached[source] |= 1 << target
    # Warshall's closure, a row at a time: whoever reaches `middle` reaches what `middle` reaches.
    for middle in range(count):
        for source in range(count):
            if reached[source] >> middle & 1:
                reached[source] |= reached[middle]
    return reached


def before_and_after(count: int, pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """For each step the masks (before, after) of the steps that the flow puts strictly on that side of it.

    Two steps that reach each other are on a common loop and have no order.
    """
    reached = reach(count, pairs)
    masks = [[0, 0] for _ in range(count)]
    for first in range(count):
        for second in range(count):
            if reached[first] >> second & 1 and not reached[second] >> first & 1:
                masks[first][1] |= 1 << second
                masks[second][0] |= 1 << first
    return [(before, after) for before, after in masks]


def judged(masks: list[tuple[int, int]], special: Iterable[Pair], policy: str) -> list[tuple[int, int]]:
    """The masks (before, after) without the pairs of steps whose order is ignored, by `policy` or by their own."""
    kept = [[0, 0] if policy == IGNORE else [before, after] for before, after in masks]
    for pair in special:
        if pair.policy == IGNORE:
            kept[pair.first][1] &= ~(1 << pair.second)
            kept[pair.second][0] &= ~(1 << pair.first)
        elif policy == IGNORE:
            kept[pair.first][1] |= 1 << pair.second
            kept[pair.second][0] |= 1 << pair.first
    return [(before, after) for before, after in kept]
