"""The items of one bucket: all of them are in state, those used lately are kept decoded."""

from __future__ import annotations

from collections.abc import Iterable

from udfs.core.codec import decode, encode
from udfs.core.state import Item, next_verdict
from udfs.operators.store import Store


class Items:
    """Items by storage key, read from `store` one by one when they are asked for.

    The decoded ones live in two generations: what is asked for is young, and when there are too many of those, they
    become the old ones and the old ones go. So the ones used least lately go, without a note of each use.

    `count` is how many items the bucket has in all. When as many are decoded, none can be in the store only, so a key
    that was never seen costs no read.
    """

    def __init__(self, store: Store, count: int) -> None:
        self.count = count
        self._store = store
        self._young: dict[str, Item] = {}
        self._old: dict[str, Item] = {}
        self._changes: dict[str, Item | None] = {}  # since the last save; None: removed

    def __len__(self) -> int:
        """How many items are kept decoded."""
        return len(self._young) + len(self._old)

    def get(self, where: str) -> Item | None:
        """The item, or None if there is none. Raises what `decode` raises."""
        item = self._young.get(where)
        if item is not None:
            return item
        item = self._old.pop(where, None)
        if item is None:
            if len(self._young) + len(self._old) >= self.count or where in self._changes:
                return None
            stored = self._store.get(where)
            if stored is None:
                return None
            item = _as_looked_at(decode(stored))
        self._young[where] = item
        return item

    def adopt(self, where: str, stored: bytes) -> Item:
        """Takes over an item that is in the store, but not in `count` yet. Raises what `decode` raises."""
        self.count += 1
        item = self._young[where] = _as_looked_at(decode(stored))
        return item

    def keep(self, where: str, item: Item) -> None:
        """The item is new, or has changed; `get` was asked for it before."""
        if where not in self._young:
            self.count += 1
        self._young[where] = item
        self._changes[where] = item

    def remove(self, where: str) -> None:
        """The item is no more; `get` was asked for it before."""
        if self._young.pop(where, None) is not None:
            self.count -= 1
        self._changes[where] = None

    def forget(self, where: str) -> None:
        """The item may be spoilt: read it again, unless it has changes to be saved."""
        if where not in self._changes:
            self._young.pop(where, None)

    def keys(self) -> Iterable[str]:
        """The storage keys of all items that were there at the last `save`."""
        return self._store.keys()

    def changed(self) -> list[Item]:
        """The items that have changed since the last `save`, without those that are no more."""
        return [item for item in self._changes.values() if item is not None]

    def save(self) -> None:
        """Writes what has changed to the store; nothing is written if an item can't be encoded."""
        if not self._changes:
            return
        puts = {where: encode(item) for where, item in self._changes.items() if item is not None}
        if puts:
            self._store.put_all(puts)
        for where, item in self._changes.items():
            if item is None:
                self._store.remove(where)
        self._changes = {}

    def shrink(self, limit: int) -> None:
        """Keeps about `limit` items decoded at most, those used last. Only after `save`."""
        if len(self._young) > limit // 2:
            self._old = self._young
            self._young = {}


def _as_looked_at(item: Item) -> Item:
    """An item that was looked at too early is not stored again, though its `due` has moved on: it does here too.

    Else a deadline that starts later would seem to be behind one that the wheel has no entry for any more.
    """
    if not item.trace:
        return item  # a run that has not begun is due at once
    item.due = next_verdict(item)
    return item
