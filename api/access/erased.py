"""What was erased: which rows that come from Kafka again must not be loaded. Pure.

Of what was erased only digests are kept, so a row's key and values are digested to be compared. Without an erasure
nothing of this costs anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

KEY, VALUE = "key", "value"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_APART = re.compile(r'["\s{}\[\](),;<>=|]+')
"""What stands between the words of a record that is no JSON."""


def digest(value: str) -> str:
    """What is kept of an erased key or value."""
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Erased:
    """The digests of erased keys, and of erased values (which may be keys too)."""

    keys: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> Erased:
        """Out of the rows of sql/queries/erasures/list.sql."""
        kept: dict[str, set[str]] = {KEY: set(), VALUE: set()}
        for row in rows:
            kept[row["kind"]].add(row["digest"])
        return cls(frozenset(kept[KEY] | kept[VALUE]), frozenset(kept[VALUE]))

    def __bool__(self) -> bool:
        return bool(self.keys)

    def without(self, table: str, lines: bytes) -> bytes:
        """The rows (JSON, one a line) without those that were erased. What is no JSON stays, for who can tell."""
        return b"\n".join(line for line in lines.split(b"\n") if not self._hits(table, line))

    def _hits(self, table: str, line: bytes) -> bool:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return False
        if not isinstance(row, dict):
            return False
        if table == "dead_letters":
            return any(digest(word) in self.keys for word in _words(row.get("raw", "")))
        if digest(str(row.get("key", ""))) in self.keys:
            return True
        if not self.values:
            return False
        data = row.get("data")
        record = _parsed(data) if isinstance(data, str) else data
        return any(digest(text) in self.values for text in [*texts(row.get("groups")), *texts(record)])


def texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, and every number as it is written."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _parsed(text: str) -> Any:
    """A record that comes as its text; the words of one that was cut."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return [*_QUOTED.findall(text), *_APART.split(text)]


def _words(raw: str) -> Iterator[str]:
    """The texts of a dead letter's bytes, and its words where they are no JSON."""
    try:
        text = base64.b64decode(raw).decode(errors="replace")
    except (binascii.Error, ValueError):
        return iter(())
    return texts(_parsed(text))
