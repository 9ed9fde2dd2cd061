"""The decoded buckets of one task: rebuilt lazily from state, bounded by the number of their items."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sized
from typing import Generic, TypeVar

B = TypeVar("B", bound=Sized)


class BucketCache(Generic[B]):
    """Buckets by number, the least recently used of which give way when there are more than `limit` items in all.

    `load` makes a bucket from state; it is called in the context of the bucket's key, so only for that key. A bucket
    may be dropped at any time between two calls, since all it knows is in state by then.
    """

    def __init__(self, load: Callable[[int], B], limit: int) -> None:
        self._load = load
        self._limit = limit
        self._buckets: OrderedDict[int, B] = OrderedDict()
        self._sizes: dict[int, int] = {}
        self.items = 0

    def get(self, number: int) -> B:
        """The bucket whose key is the current one."""
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = self._load(number)
            self.resized(number)
        else:
            self._buckets.move_to_end(number)
        return bucket

    def resized(self, number: int) -> None:
        """Take note of a bucket's size after it has changed, and make room. The bucket itself stays."""
        size = len(self._buckets[number])
        self.items += size - self._sizes.get(number, 0)
        self._sizes[number] = size
        while self.items > self._limit and len(self._buckets) > 1:
            self.drop(next(iter(self._buckets)))

    def drop(self, number: int) -> None:
        """Forget a bucket; the next `get` reads it from state again. Harmless for one that is not here."""
        if self._buckets.pop(number, None) is not None:
            self.items -= self._sizes.pop(number)
