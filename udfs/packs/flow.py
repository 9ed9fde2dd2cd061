"""The graph behind `flow`: chains of step names, and what they put before what."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

ARROW = "->"


def split_chain(chain: str) -> list[str]:
    """The step names of `a -> b -> c`. Raises ValueError if one of them is empty."""
    names = [name.strip() for name in chain.split(ARROW)]
    if not all(names):
        raise ValueError(f"`{chain}` has an arrow without a step beside it; write `a -> b -> c`")
    return names


def edges(chains: Iterable[str]) -> list[tuple[str, str]]:
    """The neighbours in all chains, each pair once, in a fixed order."""
    return sorted({pair for names in map(split_chain, chains) for pair in pairwise(names)})


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
