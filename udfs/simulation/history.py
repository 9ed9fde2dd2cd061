"""Events as the event log keeps them, read back for a simulation: personal data is masked or hashed in them already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import orjson

from udfs.core.event import Event
from udfs.core.source import Unreadable
from udfs.packs.mapping import SourceMapping, compile_mapping
from udfs.packs.pii import MASKED

Row = dict[str, Any]
"""A row of the table `events`: `data` is the record's JSON text, `groups` a mapping."""


class History:
    """Reads rows for the correlation keys that somebody asks for. `unusable` counts masked keys, by name."""

    def __init__(self, mappings: Sequence[dict[str, Any]], keys: Collection[str]) -> None:
        """`mappings` are definitions of source mappings. Raises PackError for an unusable one."""
        self._mappings = [_plain(one) for one in mappings]
        self._keys = frozenset(keys)
        self.unusable: Counter[str] = Counter()
        self.truncated = 0

    def copies(self, row: Row) -> dict[str, Event]:
        """The event that a row is, for each of the keys that it shows."""
        data = self._data(row)
        found: dict[str, Event] = {}
        if row["key_name"] in self._keys:
            found[row["key_name"]] = _event(row, row["key"], data)
        if data is not None:
            for mapping in self._mappings:
                if mapping.matches(data):
                    self._add(found, mapping, row, data)
        return found

    def _add(self, found: dict[str, Event], mapping: SourceMapping, row: Row, data: dict[str, Any]) -> None:
        for name in mapping.key_names:
            if name not in self._keys:
                continue
            try:
                seen = mapping.event(data, name, "", row["received_ms"], row["time_ms"])
            except Unreadable:
                continue
            if name in found:
                found[name].started, found[name].amount = seen.started, seen.amount
            elif seen.key == MASKED:
                self.unusable[name] += 1
            else:
                found[name] = _event(row, seen.key, data)
                found[name].started, found[name].amount = seen.started, seen.amount

    def _data(self, row: Row) -> dict[str, Any] | None:
        if row["truncated"]:
            self.truncated += 1
            return None
        try:
            data = orjson.loads(row["data"])
        except orjson.JSONDecodeError:
            return None
        return data if isinstance(data, dict) else None


def _plain(definition: dict[str, Any]) -> SourceMapping:
    """The mapping without `pii`: what was personal has been masked or hashed, and isn't hashed once more."""
    return compile_mapping({name: value for name, value in definition.items() if name != "pii"}, pii_key=b"")


def _event(row: Row, key: str, data: dict[str, Any] | None) -> Event:
    groups = tuple((str(name), str(value)) for name, value in row["groups"].items())
    texts = (row["id"], row["source"], row["type"])
    return Event(*texts, row["time_ms"], key, groups, data, None, None, row["received_ms"])


def caveats(definition: dict[str, Any], mappings: Sequence[dict[str, Any]]) -> list[str]:
    """What a simulation on history can't judge of a workflow, since the log doesn't keep it."""
    told = []
    hidden = {path: how for mapping in mappings for path, how in (mapping.get("pii") or {}).items()}
    used = {path for step in definition.get("steps", {}).values() for path in (step or {}).get("where") or {}}
    duplicates = definition.get("duplicates") or {}
    used |= {*(duplicates.get("content") or ())}
    for path in sorted(used & hidden.keys()):
        how = "masked" if hidden[path] == "mask" else "hashed"
        told.append(
            f"`{path}` is personal and stored {how}, so what the rule asks of it can't be answered from history."
        )
    keys = definition.get("key")
    for name in keys[1:] if isinstance(keys, list) else ():
        if any(hidden.get((one.get("keys") or {}).get(name)) == "mask" for one in mappings):
            told.append(f"The key `{name}` is masked by its source mapping; no event can be found by it here.")
    if duplicates.get("policy", "ignore") != "ignore":
        told.append("The log keeps one copy of an event, so copies with the same id are not found here.")
    if {"stalled", "predict"} & definition.keys():
        told.append(
            "`stalled` and `predict` go by published statistics; here only what the rule itself calls usual holds."
        )
    return told
