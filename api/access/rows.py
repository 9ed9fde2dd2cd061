"""The rows that somebody with limits may see: a filter that ClickHouse adds to whatever a statement reads.

`additional_table_filters` takes no bound parameters (error 456, also of the embedded engine), so the limits go in as
hexadecimal digits, out of which no text can break, and ClickHouse takes them apart. The span of time that a query asks
for goes in as two integers. A table without a filter in sql/limits shows nothing to anybody with limits.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from api.access.roles import Limits
from api.store import SQL, TABLES, Store

FAR = 2**63 - 1


@functools.cache
def _filter(table: str) -> str:
    """The filter of a table as sql/limits/<table>.sql has it, on one line without its comments."""
    file = SQL / "limits" / f"{table}.sql"
    if not file.exists():
        return "0"
    return " ".join(line.strip() for line in file.read_text().splitlines() if not line.lstrip().startswith("--"))


def filters(limits: Limits, tables: Iterable[str] = TABLES) -> str:
    """The value of `additional_table_filters` for some limits."""
    held = orjson.dumps(limits.as_json(), option=orjson.OPT_SORT_KEYS).hex()
    named = [_among("workflow", limits.workflows)] if limits.workflows is not None else ["1"]
    grouped = [_among(f"groups[{_text(name)}]", values) for name, values in sorted(limits.groups.items())]
    parts = {"{limits}": held, "{workflows}": " AND ".join(named), "{groups}": " AND ".join(grouped) or "1"}
    pairs = []
    for table in tables:
        text = _filter(table)
        for place, condition in parts.items():
            text = text.replace(place, condition)
        pairs.append(f"'{table}':'{_quoted(text)}'")
    return "{" + ",".join(pairs) + "}"


def _among(column: str, values: Iterable[str]) -> str:
    """That a column has one of some values: a set, since ClickHouse finds one in the table's order and in each row."""
    texts = ", ".join(_text(value) for value in sorted(values))
    return f"{column} IN ({texts})" if texts else "0"


def _text(value: str) -> str:
    return f"unhex('{value.encode().hex()}')"


def seen_by(store: Store, limits: Limits) -> Store:
    """The store as somebody with these limits sees it."""
    if not limits:
        return store
    text = filters(limits)
    narrow = store.filtered(lambda asked: spanned(text, asked), lambda row: _told(row, limits))
    narrow.wider = None if limits.workflows is None else seen_by(store, Limits(None, limits.groups))
    return narrow


def _told(row: dict[str, Any], limits: Limits) -> dict[str, Any]:
    """A row as somebody limited sees it: a source that is blind feeds the workflows of others, too, which it names."""
    if row.get("kind") == "blind" and "occurrence" in row:
        fed = row["occurrence"].split(",")
        row["occurrence"] = ",".join(name for name in fed if name in (limits.workflows or ()))
    return row


def spanned(text: str, asked: Mapping[str, Any]) -> str:
    """A filter for a query with these parameters: its span of time is theirs (epoch ms), or all of it, and of it only
    their `instants`, if they are told."""
    since = int(asked.get("since_ms", asked.get("from_ms", -FAR)))
    until = int(asked.get("until_ms", FAR))
    only = ""
    if "instants" in asked:
        instants = ",".join(str(int(at)) for at in asked["instants"])
        only = f" AND at_ms IN ({instants})" if instants else " AND 0"
    return text.replace("{since}", str(since)).replace("{until}", str(until)).replace("{instants}", only)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
