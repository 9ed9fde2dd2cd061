"""How the channels do, by which people are told: from what was recorded of each attempt. What decides is pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api.clock import now_ms
from api.paging import MAX_LIMIT
from api.store import Store

DAY_MS = 86_400_000
DOWN_AFTER = 5
"""Failures in a row after which the dispatcher leaves a channel alone for a while."""

SILENT_MS = 30_000
"""A dispatcher says every ten seconds that it lives."""

Row = dict[str, Any]


def state(row: Mapping[str, Any]) -> str:
    """`works`, `fails` (but may be no more than one message's fault), `down`, or `unused` in the time looked at."""
    if row["failing"]:
        return "down" if row["failing"] >= DOWN_AFTER else "fails"
    return "works" if row["sent"] else "unused"


def seen(store: Store, now: int) -> list[Row]:
    """The channels that were used within a day before `now` (epoch ms). Raises StoreError."""
    rows = store.query("channels/list", since_ms=now - DAY_MS, limit=MAX_LIMIT)
    never = ("sent_ms", "failed_ms")
    return [row | {"state": state(row)} | {name: row[name] or None for name in never} for row in rows]


def listed(rows: Iterable[Row], documents: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Channels that were used or that there are, by name; `documents` are those that there are."""
    used = {row["channel"]: row for row in rows}
    none = dict.fromkeys(("sent", "waiting", "dead", "failed", "failing"), 0) | {"sent_ms": None, "failed_ms": None}
    return [
        none
        | {"channel": name, "detail": "", "type": str(documents.get(name, {}).get("type", "")), "state": "unused"}
        | used.get(name, {})
        | {"exists": name in documents}
        for name in sorted({*used, *documents})
    ]


def troubled(store: Store) -> list[Row]:
    """The channels that are down, for whoever looks at alerts. Raises StoreError."""
    return [row for row in seen(store, now_ms()) if row["state"] == "down"]


def dispatcher(said: Mapping[str, Any] | None, now: int) -> Row | None:
    """Who sends, by what was last heard of it: its state is `sends`, `silent` or `ended`. None: nobody was heard."""
    if said is None:
        return None
    is_silent = now - int(said.get("at_ms") or 0) >= SILENT_MS
    found = "ended" if said.get("what") == "ends" else "silent" if is_silent else "sends"
    return {"run": said.get("run"), "place": said.get("place", ""), "state": found, "heard_ms": said.get("at_ms")}
