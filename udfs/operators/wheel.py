"""When to look at which item of a bucket: a timing wheel in state, so that items themselves need not be read for it."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from struct import Struct
from typing import Final

from udfs.core.state import NEVER
from udfs.operators.store import Store

SPAN: Final = 14
"""The narrowest slots are 2^14 ms wide, 16 seconds; each level above is 2^6 times as wide."""

STEP: Final = 6
LEVEL: Final = (1 << SPAN) - 1
FULL: Final = 4096
"""Bytes of a chunk that is not added to any more."""

_ENTRY: Final = Struct(">qI")


class Slot:
    """The entries of one span of time. Those in state are in `chunks` pieces; `added` are not there yet.

    `earliest` is not later than any entry. A slot that is `open` has all its entries on the heap as well.
    """

    def __init__(self, chunks: int, earliest: int) -> None:
        self.chunks = chunks
        self.earliest = earliest
        self.open = False
        self.added: list[tuple[int, str]] = []


class Wheel:
    """A hierarchical timing wheel (Varghese and Lauck, 1987): an entry, an instant and a storage key, lies in a slot
    that is the wider the further away it is. When the first instant of a wide slot comes, its entries move to narrower
    ones; those of a narrow slot go to a heap, which has them in exact order.

    Entries are never taken out. Who is woken for nothing looks when to be woken next.

    A slot's number is its first instant, whose lowest `SPAN` bits are 0, plus its level. Its pieces in `store` are
    named "<number>/<piece>". In memory there are the slots' numbers, and the entries that are due within seconds.
    """

    def __init__(self, store: Store) -> None:
        self.now = -NEVER
        self._store = store
        self._slots: dict[int, Slot] = {}
        self._ripe: list[tuple[int, int]] = []  # heap of (earliest, slot); valid while the slot says the same
        self._heap: list[tuple[int, str]] = []
        self._soon: dict[str, int] = {}  # the one entry of a key on the heap that counts
        self._opened: list[int] = []
        self._touched: dict[int, Slot] = {}
        self._passed: list[str] = []

    def found(self, name: str) -> None:
        """There is a piece of this name in the store."""
        number, _, piece = name.partition("/")
        slot = self._slot(int(number), int(number) & ~LEVEL)
        slot.chunks = max(slot.chunks, int(piece) + 1)

    def file(self, wake: int, where: str) -> None:
        """Wake `where` at this instant, or before."""
        shift, level = SPAN, 0
        while (wake - self.now) >> shift >> STEP > 0:
            shift += STEP
            level += 1
        number = (wake >> shift << shift) + level
        slot = self._slot(number, wake)
        if slot.open:
            if self._soon.get(where, NEVER) <= wake:
                return
            self._push(wake, where)
        slot.added.append((wake, where))
        self._touched[number] = slot

    def advance(self, now: int) -> None:
        """Time has come to `now`: opens the slots in which something is due."""
        self.now = now
        while self._ripe and self._ripe[0][0] <= now:
            number = heappop(self._ripe)[1]
            slot = self._slots.get(number)
            if slot is not None and not slot.open:
                self._open(number, slot)

    def pop(self) -> str | None:
        """The next one that is due, in order of time."""
        heap, soon = self._heap, self._soon
        while heap and heap[0][0] <= self.now:
            wake, where = heappop(heap)
            if soon.get(where) == wake:
                del soon[where]
                return where
        return None

    def forget(self, where: str) -> None:
        """Nothing is left to be woken; entries that can't be reached will wake it for nothing."""
        self._soon.pop(where, None)

    def earliest(self) -> int | None:
        """The next instant at which `advance` and `pop` have something to do."""
        heap, ripe = self._heap, self._ripe
        while heap and self._soon.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        while ripe and not self._is_ripe(ripe[0]):
            heappop(ripe)
        if heap and (not ripe or heap[0][0] <= ripe[0][0]):
            return heap[0][0]
        return ripe[0][0] if ripe else None

    def purge(self, is_dead: Callable[[str], bool]) -> None:
        """Takes out the entries of what is no more."""
        for number, slot in list(self._slots.items()):
            entries = self._entries(number, slot)
            kept = [(wake, where) for wake, where in entries if not is_dead(where)]
            if len(kept) < len(entries):
                self._passed += [f"{number}/{piece}" for piece in range(slot.chunks)]
                slot.chunks, slot.added = 0, kept
                if kept:
                    self._touched[number] = slot
                elif slot.open:
                    self._touched.pop(number, None)
                else:
                    self._discard(number, slot)

    def close(self) -> None:
        """All that was due has been taken: the open slots that have passed are no longer needed."""
        still: list[int] = []
        for number in self._opened:
            if number + LEVEL <= self.now:
                self._discard(number, self._slots[number])
            else:
                still.append(number)
        self._opened = still

    def save(self, puts: dict[str, bytes]) -> list[str]:
        """Adds what has to be stored to `puts`, and returns what has to go, since the last call."""
        for number, slot in self._touched.items():
            added = b"".join([_packed(wake, where) for wake, where in slot.added])
            slot.added = []
            last = f"{number}/{slot.chunks - 1}"
            begun = self._store.get(last) if slot.chunks else None
            if begun is not None and len(begun) < FULL:
                puts[last] = begun + added
            else:
                puts[f"{number}/{slot.chunks}"] = added
                slot.chunks += 1
        self._touched = {}
        passed, self._passed = self._passed, []
        return passed

    def _slot(self, number: int, earliest: int) -> Slot:
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = Slot(0, earliest)
            heappush(self._ripe, (earliest, number))
        elif earliest < slot.earliest:
            slot.earliest = earliest
            if not slot.open:
                heappush(self._ripe, (earliest, number))
        return slot

    def _is_ripe(self, entry: tuple[int, int]) -> bool:
        slot = self._slots.get(entry[1])
        return slot is not None and not slot.open and slot.earliest == entry[0]

    def _open(self, number: int, slot: Slot) -> None:
        entries = self._entries(number, slot)
        if number & LEVEL:
            self._discard(number, slot)
        else:
            slot.open = True
            self._opened.append(number)
        for wake, where in entries:
            if slot.open or wake <= self.now:  # what is due is taken before anything is saved
                if wake < self._soon.get(where, NEVER):
                    self._push(wake, where)
            else:
                self.file(wake, where)

    def _entries(self, number: int, slot: Slot) -> list[tuple[int, str]]:
        entries = slot.added
        for piece in range(slot.chunks):
            stored = self._store.get(f"{number}/{piece}")
            if stored is not None:
                entries = entries + _unpacked(stored)
        return entries

    def _discard(self, number: int, slot: Slot) -> None:
        del self._slots[number]
        self._touched.pop(number, None)
        self._passed += [f"{number}/{piece}" for piece in range(slot.chunks)]

    def _push(self, wake: int, where: str) -> None:
        self._soon[where] = wake
        heappush(self._heap, (wake, where))


def _packed(wake: int, where: str) -> bytes:
    name = where.encode("utf-8", "surrogatepass")
    return _ENTRY.pack(wake, len(name)) + name


def _unpacked(chunk: bytes) -> list[tuple[int, str]]:
    entries: list[tuple[int, str]] = []
    at, end = 0, len(chunk)
    while at < end:
        wake, length = _ENTRY.unpack_from(chunk, at)
        at += _ENTRY.size
        entries.append((wake, chunk[at : at + length].decode("utf-8", "surrogatepass")))
        at += length
    return entries
