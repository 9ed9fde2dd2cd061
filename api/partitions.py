"""What was found in a partition of the items holds for as long as its parts are the same ones.

Items lie in 32 partitions by the day on which they began (sql/schema/0030), and a part of a ClickHouse table never
changes: rows that come, merges, expiry and erasure make parts with other names. So what a query found in a partition
is kept beside the names of its parts, and asked for again when they differ: a count over all items costs what has
changed in the days that something came for. The names are looked up before the query. If a part comes between the two,
the answer is newer than the names, which are not found any more at the next look, since no name is used twice.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from api.store import Store

Row = dict[str, Any]
MOST = 16_000_000
"""Numbers kept at most, of 4 or 8 bytes; a row counts as fifty. Beyond, what was not asked for longest goes."""

ROW = 50
LOOK_S = 0.1
"""How long a look at the parts is good for: one screen asks several questions. What this process changes is seen at
once."""

SMALL = 1 << 32


class Kept:
    """What was found, by question and partition, each with the names of the parts that it was found in. Safe to use
    from any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held: OrderedDict[Hashable, tuple[str, list[Row], int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()
        self._changes = 0
        self._seen: tuple[float, int, dict[str, str]] | None = None

    def changed(self) -> None:
        """Something was changed through this process: the parts are looked at anew."""
        with self._lock:
            self._changes += 1

    def clear(self) -> None:
        """Forget all of it: what was erased must not stay here, though nobody would be told of it."""
        with self._lock:
            self._changes += 1
            self._held.clear()
            self._weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def parts(self, look: Callable[[], dict[str, str]]) -> dict[str, str]:
        """The names of the parts by partition, as they were seen a moment ago, or as `look` sees them."""
        with self._lock:
            seen, changes = self._seen, self._changes
        if seen is None or seen[1] != changes or time.monotonic() - seen[0] > LOOK_S:
            seen = (time.monotonic(), changes, look())
            with self._lock:
                self._seen = seen
        return seen[2]

    def get(self, place: Hashable, parts: str) -> list[Row] | None:
        """What was found there, if the parts are still the same; None if they aren't, or nobody has asked."""
        with self._lock:
            held = self._held.get(place)
            if held is None or held[0] != parts:
                return None
            self._held.move_to_end(place)
            return held[1]

    def put(self, place: Hashable, parts: str, rows: list[Row]) -> None:
        """Keep what was found in these parts, and let go of what is too much."""
        weight = sum(ROW + sum(len(one) for one in row.values() if isinstance(one, array)) for row in rows) + ROW
        with self._lock:
            before = self._held.pop(place, None)
            self._held[place] = (parts, rows, weight)
            self._weight += weight - (before[2] if before else 0)
            while self._weight > self._most:
                self._weight -= self._held.popitem(last=False)[1][2]


def by_partition(store: Store, name: str, *, packed: str = "", **parameters: Any) -> list[Row]:
    """The rows of sql/queries/<name>.sql, which asks each of `partitions` by itself: those of all partitions, in no
    order, not to be changed. `packed` is a column with a long list of integers, kept as an array. Raises StoreError.

    Somebody with limits is answered out of what was found for the same limits.
    """
    asked = (name, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS), store.scope(parameters))
    parts = _parts(store)
    held = {partition: store.kept.get((asked, partition), names) for partition, names in parts.items()}
    changed = [partition for partition, rows in held.items() if rows is None]
    found = [row for rows in held.values() if rows is not None for row in rows]
    if not changed:
        return found
    fresh: dict[str, list[Row]] = defaultdict(list)
    for row in store.query(name, partitions=changed, **parameters):
        if packed:
            row[packed] = pack(row[packed])
        fresh[row.pop("partition")].append(row)
    for partition in changed:
        found += fresh[partition]
        store.kept.put((asked, partition), parts[partition], fresh[partition])
    return found


def settled(store: Store) -> dict[str, list[str]]:
    """The partitions by whether they have one part that was merged (`settled`), in which no row has an older copy, or
    not (`changing`). Raises StoreError."""
    found: dict[str, list[str]] = {"settled": [], "changing": []}
    for partition, names in _parts(store).items():
        merged = " " not in names and names.split("_")[3] != "0"  # partition, first and last block, level
        found["settled" if merged else "changing"].append(partition)
    return found


def _parts(store: Store) -> dict[str, str]:
    return store.kept.parts(lambda: {row["partition"]: row["parts"] for row in store.query("items/parts")})


def pack(numbers: Iterable[int]) -> array[int]:
    """Integers in as few bytes as they need."""
    whole = array("q", numbers)
    small = all(0 <= end < SMALL for end in (whole[0], whole[-1])) if whole else True  # they are in order
    return array("I", whole) if small else whole
