"""Erases what is known of a person: in ClickHouse at once, and when Kafka is read again."""

from __future__ import annotations

import orjson

from api.access.erased import Erased, digest
from api.problems import ProblemError
from api.store import SQL, Store, sql

WAIT_S = 30.0


def tables() -> list[str]:
    """The tables that may hold something of a person: those that sql/erasures says how to find it in."""
    return sorted(path.stem for path in (SQL / "erasures").glob("*.sql"))


def read(store: Store) -> Erased:
    """What was erased. Raises StoreError."""
    return Erased.of(store.query("erasures/list"))


def erase(store: Store, kind: str, value: str, now_ms: int) -> dict[str, int]:
    """Erase by key or value; how many rows of each table are gone. Once more does no harm. Raises StoreError.

    The digest is noted first, while the loader is between two batches: one that began before is in the tables by then
    and is erased with the rest, one that begins later leaves out what was erased. Raises a 503 problem if the loader
    does not come to that, since ClickHouse does not take its rows.
    """
    if not store.loading.acquire(timeout=WAIT_S):
        raise ProblemError(503, "Loader at work", "A batch is being loaded and does not end. Try again in a moment.")
    try:
        store.insert("erasures", orjson.dumps({"kind": kind, "digest": digest(value), "at_ms": now_ms}))
    finally:
        store.loading.release()
    given = {"kind": kind, "value": value, "quoted": _json(value), "escaped": _json(value)[1:-1]}
    gone = {}
    for table in tables():
        condition = (SQL / "erasures" / f"{table}.sql").read_text()
        [found] = store.run(f"{sql('erasures/count')}{condition}", table=table, **given)
        store.command(f"{sql('erasures/delete')}{condition} SETTINGS mutations_sync = 2", table=table, **given)
        gone[table] = found["rows"]
    return gone


def _json(value: str) -> str:
    return orjson.dumps(value.encode(errors="replace").decode()).decode()
