"""What was erased: which rows that come from Kafka again must not be loaded. Pure.

Of what was erased only digests are kept, so a row's key and values are digested to be compared. Without an erasure
nothing of this costs anything.
"""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

KEY, VALUE, EVENT = "key", "value", "event"
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORD = re.compile(r"[^\s\"{}\[\](),;<>=|]+")
_STOPS = ".,:;!?'\""
MOST_WORDS = 6
ERASED = "[erased]"
WRITTEN = {
    "alerts": ("summary", "because", "occurrence", "assignee", "acked_by", "suppressed_by"),
    "alertlog": ("who", "why"),
    "deliveries": ("person", "address", "detail"),
    "incidents": ("title", "cause", "evidence", "groups", "note"),
}
"""Columns in which people, or the job, wrote of more than one person (as in sql/masks)."""
_APART = re.compile(r'["\s{}\[\](),;<>=|]+')
"""What stands between the words of a record that is no JSON."""


@functools.lru_cache(1 << 14)  # names and usual values come with each record
def digest(value: str) -> str:
    """What is kept of an erased key or value."""
    return hashlib.sha256(value.encode(errors="replace")).hexdigest()


@dataclass(frozen=True)
class Erased:
    """The digests of erased keys, of erased values (which may be keys too), and of events (by `place`) about what was
    erased alone, though their key is others', too."""

    keys: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> Erased:
        """Out of the rows of sql/queries/erasures/list.sql."""
        kept: dict[str, set[str]] = {KEY: set(), VALUE: set(), EVENT: set()}
        for row in rows:
            kept[row["kind"]].add(row["digest"])
        return cls(frozenset(kept[KEY] | kept[VALUE]), frozenset(kept[VALUE]), frozenset(kept[EVENT]))

    def __bool__(self) -> bool:
        return bool(self.keys)

    def without(self, table: str, lines: bytes) -> bytes:
        """The rows (JSON, one a line) without those that were erased, and the words of others without what was. What is
        no JSON stays, for who can tell."""
        left = (self._left(table, line) for line in lines.split(b"\n"))
        return b"\n".join(line for line in left if line is not None)

    def _left(self, table: str, line: bytes) -> bytes | None:
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return line
        if not isinstance(row, dict):
            return line
        if self._hits(table, row):
            return None
        fresh = {name: self._cleaned(row[name]) for name in WRITTEN.get(table, ()) if name in row}
        if table == "events" and "data" in row:
            fresh["data"] = self._unnamed(row["data"])
        return orjson.dumps(row | fresh) if any(row[name] != value for name, value in fresh.items()) else line

    def _unnamed(self, data: Any) -> Any:
        """A record, or its text, that names what was erased no more: as a value, or as a word in one."""
        record = data
        if isinstance(data, str):
            try:
                record = orjson.loads(data)
            except orjson.JSONDecodeError:
                return self._cleaned(data, 1)
        fresh = self._cleaned(record, 1)
        return fresh if record is data else data if fresh == record else orjson.dumps(fresh).decode()

    def _cleaned(self, value: Any, most: int = MOST_WORDS) -> Any:
        """A JSON value none of whose values, or of the texts in them (up to `most` words in a row), was erased."""
        if isinstance(value, dict):
            return {name: self._cleaned(part, most) for name, part in value.items()}
        if isinstance(value, list):
            return [self._cleaned(part, most) for part in value]
        if not isinstance(value, str):
            return ERASED if any(digest(text) in self.keys for text in texts(value)) else value
        for found in [one for one in {value, *phrases(value, most)} if digest(one) in self.keys]:
            value = ERASED if found == value else masked(value, found)
        return value

    def _hits(self, table: str, row: dict[str, Any]) -> bool:
        if table == "dead_letters":
            return any(digest(word) in self.keys for word in _words(row.get("raw", "")))
        if digest(str(row.get("key", ""))) in self.keys:
            return True
        if self.events and table == "events" and digest(place(row)) in self.events:
            return True
        if not self.values:
            return False
        data = row.get("data")
        record = _parsed(data) if isinstance(data, str) else data
        return any(digest(text) in self.values for text in [*texts(row.get("groups")), *texts(record)])


def masked(text: str, value: str) -> str:
    """A text with something replaced where it stands for itself: K-1 is not in K-10, nor in K-1-2."""
    return re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", ERASED, text)


def place(row: Mapping[str, Any]) -> str:
    """Which event a row is."""
    return "\0".join(str(row.get(name, "")) for name in ("lane", "source", "id"))


def phrases(text: str, most: int = MOST_WORDS) -> Iterator[str]:
    """The words of a text, and up to `most` in a row, as they stand there, without the stops around them."""
    words = [match.span() for match in _WORD.finditer(text)]
    for first, (start, _) in enumerate(words):
        for _, end in words[first : first + most]:
            yield text[start:end].strip(_STOPS)


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
