"""Erases what is known of a person: in ClickHouse at once, and when Kafka is read again.

Rows about a person go. Where a row is about more than them (what people wrote on alerts and incidents, whom a message
went to, the audit), their name in it is replaced.
"""

from __future__ import annotations

import re

import orjson
from sqlalchemy import delete, select

from api import customerlinks
from api.access import audit
from api.access.erased import Erased, digest, masked
from api.access.tables import answers
from api.problems import ProblemError
from api.records.database import Transaction
from api.store import SQL, Store, sql

WAIT_S = 30.0
PATTERN = r"(^|[^\pL\pN_-])(?:{})($|[^\pL\pN_-])"
"""A text that stands for itself, as ClickHouse's expressions say it: K-1 is not in K-10, nor in K-1-2."""


def tables() -> list[str]:
    """The tables that may hold rows about a person: those that sql/erasures says how to find them in. Alerts are the
    last, since others are found by them."""
    return sorted((path.stem for path in (SQL / "erasures").glob("*.sql")), key=lambda name: (name == "alerts", name))


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
    for mask in sorted((SQL / "masks").glob("*.sql")):
        store.command(mask.read_text(), pattern=PATTERN.format(re.escape(value)))
    return gone


def redact(tx: Transaction, value: str) -> list[int]:
    """Replace a text in the audit, and forget kept answers that hold it; returns which entries. What replaces them is
    for the caller to write down (`audit.redactions`)."""
    written = (value.encode(errors="replace"), _json(value)[1:-1].encode())
    kept = tx.connection.execute(select(answers.c.id, answers.c.body).execution_options(yield_per=100))
    holding = [row.id for row in kept if any(one in row.body for one in written)]
    tx.connection.execute(delete(answers).where(answers.c.id.in_(holding)))
    customerlinks.forget(tx, value)
    return audit.redact(tx.connection, value, masked)


def _json(value: str) -> str:
    return orjson.dumps(value.encode(errors="replace").decode()).decode()
