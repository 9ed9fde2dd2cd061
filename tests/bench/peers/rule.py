"""The rule by hand, in event time, for Python's peers. The order of arrival within the watermark's slack is nothing."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

LIMIT, RETAIN, SLACK = 300_000, 700_000, 1000
NUMBER = {"A": 0, "B": 1, "C": 2, "D": 3}
EDGE = ("A-B", "B-C", "C-D")
SEEN, MISSED, TIMES, TIMER, KEPT = 0, 1, 2, 6, 7
"""Places in a trade's state: types seen (bits), hops reported missing (bits), four times, its timer, its last one."""

Emit = Callable[[str, str, "str | None", int], None]


class Rule:
    """`state`: by trade. `heap`: (instant, trade); an entry that is no longer its trade's timer counts for nothing."""

    __slots__ = ("heap", "state")

    def __init__(self) -> None:
        self.state: dict[str, list[int]] = {}
        self.heap: list[tuple[int, str]] = []

    def event(self, key: str, kind: str, ts: int, emit: Emit) -> None:
        n = NUMBER[kind]
        s = self.state.get(key)
        if s is None:
            s = self.state[key] = [0, 0, 0, 0, 0, 0, 0, 0]
        seen = s[SEEN]
        if seen >> n & 1:
            emit("DUPLICATE", key, kind, ts)
            return
        seen |= 1 << n
        s[SEEN] = seen
        s[TIMES + n] = ts
        if n and seen >> (n - 1) & 1:
            self._pair(s, key, n - 1, emit)
        if n < 3:
            if seen >> (n + 1) & 1:
                self._pair(s, key, n, emit)
            else:
                due = ts + LIMIT
                if not s[TIMER] or s[TIMER] > due:
                    s[TIMER] = due
                    heappush(self.heap, (due, key))
        if seen == 15:
            emit("COMPLETED", key, None, ts)

    def _pair(self, s: list[int], key: str, i: int, emit: Emit) -> None:
        first, second = s[TIMES + i], s[TIMES + i + 1]
        if second < first:
            emit("OUT_OF_ORDER", key, EDGE[i], first)
        elif second - first > LIMIT:
            if not s[MISSED] >> i & 1:
                s[MISSED] |= 1 << i
                emit("MISSING", key, EDGE[i], first + LIMIT)
            emit("LATE", key, EDGE[i], second)

    def advance(self, watermark: int, emit: Emit) -> None:
        heap = self.heap
        while heap and heap[0][0] <= watermark:
            now, key = heappop(heap)
            s = self.state.get(key)
            if s is None or s[TIMER] != now:
                continue
            following = self._due(s, key, now, emit) if s[SEEN] != 15 else 0
            if following:
                s[TIMER] = following
                heappush(heap, (following, key))
            else:
                del self.state[key]

    def _due(self, s: list[int], key: str, now: int, emit: Emit) -> int:
        """Reports the hops that are overdue now; returns when to look again, 0 for never."""
        following = 0
        for i in (0, 1, 2):
            if s[SEEN] >> i & 3 == 1:
                due = s[TIMES + i] + LIMIT
                if due > now:
                    following = min(following, due) if following else due
                elif not s[MISSED] >> i & 1:
                    s[MISSED] |= 1 << i
                    emit("MISSING", key, EDGE[i], due)
        if not following and not s[KEPT]:
            s[KEPT] = following = now + RETAIN  # for one that comes late
        return following
