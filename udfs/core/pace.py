"""What is remembered of an item's pace: up to when what happened must be followed by something."""

from __future__ import annotations

from typing import Any

from mypy_extensions import mypyc_attr


@mypyc_attr(acyclic=True)
class Pace:
    """`open` has, by `seq`, the occurrences of which it is not settled yet whether the item stood still there, each
    with the instant (epoch ms) from which on it does. `seen` is the highest `seq` that was looked at, `told` that of
    the occurrence that was told last (-1: none), `count` how many were told in all."""

    __slots__ = ("count", "open", "seen", "told")

    def __init__(self, open: dict[int, int], seen: int = -1, told: int = -1, count: int = 0) -> None:
        self.open = open
        self.seen = seen
        self.told = told
        self.count = count

    def stored(self) -> tuple[Any, ...]:
        """For `encode` of udfs.core.codec, which reads it as Pace(*stored)."""
        return (self.open, self.seen, self.told, self.count)
