"""Events whose place became known only after they happened: they wait in state until time has come to that instant."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

import msgspec

from udfs.operators.engine import Engine
from udfs.operators.routed import REFUSED, Routed, kept, taken_up
from udfs.operators.store import Store

MARK: Final = "\x1e"
"""What the names of their entries begin with."""


class Postponed:
    """They share `store` with what a bucket reads at the start. Instants are epoch ms.

    An event counts as if it had come with the watermark at the last ms before the instant at which it was `known`.
    """

    def __init__(self, engine: Engine, store: Store) -> None:
        self._engine = engine
        self._store = store
        self._heap: list[tuple[int, str]] = []  # when to take it, and its name
        self._added: dict[str, bytes] = {}
        self._passed: list[str] = []

    def __len__(self) -> int:
        return len(self._heap)

    def found(self, name: str) -> None:
        """There is an entry of this name in the store."""
        heappush(self._heap, (int(name[1:].partition(" ")[0]), name))

    def add(self, routed: Routed) -> None:
        """Keeps an event until `known`. A copy of the same record for the same item is kept once."""
        place = f"{routed.mapping}-{routed.partition}-{routed.offset}"
        name = f"{MARK}{routed.known - 1} {place} {routed.scheme} {routed.text}"
        if name not in self._added and self._store.get(name) is None:
            heappush(self._heap, (routed.known - 1, name))
            entry = (routed.scheme, routed.text, routed.known, kept(self._engine, routed))
            self._added[name] = msgspec.msgpack.encode(entry)

    def earliest(self) -> int | None:
        """The instant at which the first of them is to be taken."""
        return self._heap[0][0] if self._heap else None

    def pop(self, now: int) -> Routed | None:
        """The next one whose instant has come; None if there is none."""
        if not self._heap or self._heap[0][0] > now:
            return None
        name = heappop(self._heap)[1]
        entry = self._added.pop(name, None)
        if entry is None:
            entry = self._store.get(name)
            self._passed.append(name)
        if entry is None:
            raise ValueError(f"{name!r} is not in state")
        scheme, text, known, parcel = msgspec.msgpack.decode(entry)
        routed = taken_up(self._engine, parcel)
        if routed.own != REFUSED:
            routed.scheme, routed.text, routed.known = scheme, text, known
        return routed

    def save(self, puts: dict[str, bytes]) -> list[str]:
        """Adds what has to be stored to `puts`, and returns what has to go, since the last call."""
        puts.update(self._added)
        self._added = {}
        passed, self._passed = self._passed, []
        return passed
