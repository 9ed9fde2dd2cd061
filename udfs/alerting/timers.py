"""Who is to be looked at when."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush


class Timers:
    """One instant (epoch ms) for each name. What was set before stays in the heap and is passed over."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._set: dict[str, int] = {}

    def put(self, name: str, at: int | None) -> None:
        """Sets the instant of a name; None: it has none."""
        if at is None:
            self._set.pop(name, None)
        elif self._set.get(name) != at:
            self._set[name] = at
            heappush(self._heap, (at, name))

    def next(self) -> int | None:
        """The earliest instant."""
        while self._heap and self._set.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: int) -> Iterator[str]:
        """Takes out what is due by now, the earliest first; what is put meanwhile as well."""
        while (first := self.next()) is not None and first <= now:
            _, name = heappop(self._heap)
            del self._set[name]
            yield name
