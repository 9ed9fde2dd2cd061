"""A bucket's state in memory, which counts what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable

from udfs.operators.bucket import Bucket
from udfs.operators.engine import Engine


class Memory:
    """A `Store` on a dict."""

    def __init__(self, entries: dict[str, bytes] | None = None) -> None:
        self.entries = dict(entries or {})
        self.reads = 0
        self.writes = 0

    def get(self, key: str) -> bytes | None:
        self.reads += 1
        return self.entries.get(key)

    def put_all(self, dict_value: dict[str, bytes]) -> None:
        self.writes += len(dict_value)
        self.entries.update(dict_value)

    def remove(self, key: str) -> None:
        self.writes += 1
        self.entries.pop(key, None)

    def keys(self) -> Iterable[str]:
        return list(self.entries)

    def items(self) -> Iterable[tuple[str, bytes]]:
        self.reads += len(self.entries)
        return list(self.entries.items())


class State:
    """The two maps of a bucket. `items` may be given as an earlier Daymark left them, without an index."""

    def __init__(self, items: dict[str, bytes] | None = None) -> None:
        self.items = Memory(items)
        self.index = Memory()

    def bucket(self, engine: Engine) -> Bucket:
        """The bucket, as after a restart."""
        return Bucket(engine, "7", self.items, self.index)
