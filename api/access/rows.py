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

PLACE = "{limits}"
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
    pairs = [f"'{table}':'{_quoted(_filter(table).replace(PLACE, held))}'" for table in tables]
    return "{" + ",".join(pairs) + "}"


def seen_by(store: Store, limits: Limits) -> Store:
    """The store as somebody with these limits sees it."""
    if not limits:
        return store
    text = filters(limits)
    return store.filtered(lambda asked: spanned(text, asked))


def spanned(text: str, asked: Mapping[str, Any]) -> str:
    """A filter for a query with these parameters: its span of time is theirs (epoch ms), or all of it."""
    since = int(asked.get("since_ms", asked.get("from_ms", -FAR)))
    until = int(asked.get("until_ms", FAR))
    return text.replace("{since}", str(since)).replace("{until}", str(until))


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
