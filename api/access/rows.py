"""The rows that somebody with limits may see: a filter that ClickHouse adds to whatever a statement reads.

`additional_table_filters` takes no bound parameters (error 456, also of the embedded engine), so the limits go in as
hexadecimal digits, out of which no text can break, and ClickHouse takes them apart. A table without a filter in
sql/limits shows nothing to anybody with limits.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import orjson

from api.access.roles import Limits
from api.store import SQL, TABLES, Store

PLACE = "{limits}"


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
    pairs = [f"'{table}':'{_quoted(_filter(table).replace(PLACE, held))}'" for table in tables]
    return "{" + ",".join(pairs) + "}"


def seen_by(store: Store, limits: Limits) -> Store:
    """The store as somebody with these limits sees it."""
    return store.filtered(filters(limits)) if limits else store


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
