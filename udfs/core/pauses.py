"""What is remembered of when an item's clocks stood still, once that has left its trace."""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

MOST: Final = 128
"""So many pauses are remembered one by one."""

Span = tuple[int, int, int]
"""A pause: when it began (epoch ms), the `seq` of what began it, and when it ended (NEVER: not yet)."""


@mypyc_attr(acyclic=True)
class Pauses:
    """The pauses of an item up to the occurrence (`time`, `seq`), epoch ms: what came until then may have left
    the trace.

    Of more than MOST the two oldest become one that is as long as both: nothing changes for a clock that started before
    them and counts real time.
    """

    __slots__ = ("seq", "spans", "time")

    def __init__(self, time: int, seq: int, spans: list[Span]) -> None:
        self.time = time
        self.seq = seq
        while len(spans) > MOST:
            (began, by, ended), (again, _, until) = spans[:2]
            spans = [(began, by, ended + until - again), *spans[2:]]
        self.spans = spans

    def stored(self) -> tuple[Any, ...]:
        """For `encode` of udfs.core.codec; `restored` reads it."""
        return (self.time, self.seq, self.spans)


def restored(fields: list[Any]) -> Pauses:
    """The pauses that `stored` wrote."""
    return Pauses(fields[0], fields[1], [(began, by, ended) for began, by, ended in fields[2]])
