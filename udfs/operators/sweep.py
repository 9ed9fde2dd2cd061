"""What has been done to the open items of a bucket since the versions of their workflows changed, and what is left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from udfs.core.ids import SEPARATOR

NAME: Final = "swept"
"""Under this name the index keeps what has been done."""

SLICE: Final = 1000
"""Items at a time, so that a bucket of many is not busy for long."""


class Sweep:
    """Goes through the items of the workflows whose plans have changed, a slice at a time.

    What counts as done is stored only when all has been seen. After a restart in the middle it is all seen again, which
    changes nothing where it was done.
    """

    def __init__(self) -> None:
        self._done: dict[str, str] = {}  # workflow -> digest of its plan
        self._wanted: dict[str, str] = {}  # likewise, of those under way
        self._left: list[str] = []
        self._is_stored = True

    def found(self, stored: bytes) -> None:
        """This is what the index holds."""
        self._done = orjson.loads(stored)

    def wants(self, planned: dict[str, str]) -> bool:
        """Whether some of these plans have not been carried out yet, and nothing is under way."""
        return not self._wanted and any(self._done.get(name) != digest for name, digest in planned.items())

    def begin(self, planned: dict[str, str], keys: Iterable[str]) -> None:
        """Carry these plans out; `keys` are the storage keys of all items."""
        self._wanted = {name: digest for name, digest in planned.items() if self._done.get(name) != digest}
        self._left = [where for where in keys if workflow_of(where) in self._wanted]

    def is_under_way(self) -> bool:
        return bool(self._wanted)

    def take(self, most: int) -> list[str]:
        """The storage keys of the next items to look at; none: all have been taken."""
        taken = self._left[-most:]
        del self._left[-most:]
        return taken

    def end(self) -> list[str]:
        """All have been looked at. Returns the workflows whose plans are carried out now."""
        self._done |= self._wanted
        self._is_stored = False
        finished, self._wanted = list(self._wanted), {}
        return finished

    def save(self, puts: dict[str, bytes]) -> None:
        """Adds what has to be stored to `puts`."""
        if not self._is_stored:
            self._is_stored = True
            puts[NAME] = orjson.dumps(self._done)


def workflow_of(where: str) -> str:
    """The workflow of a storage key, of before or after it was withdrawn (see `Plan.prefix`)."""
    return where.partition(SEPARATOR)[0].partition("@")[0]
