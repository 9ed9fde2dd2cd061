"""Erases what is known of a person: in ClickHouse at once, and when Kafka is read again.

Rows about a person go. Where a row is about more than them (what people wrote on alerts and incidents, whom a message
went to, the audit), their name in it is replaced.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import delete, select

from api import customerlinks
from api.access import audit, forms, together
from api.access.erased import EVENT, KEY, Erased, digest, masked, place
from api.access.tables import answers
from api.access.together import Together
from api.problems import ProblemError
from api.records.database import Transaction
from api.store import SQL, Store, sql

WAIT_S = 30.0
LONG = "SETTINGS mutations_sync = 2, max_execution_time = 3600"
"""Rows are taken out of a table by writing what is left of its parts anew, which takes longer than a screen may."""


@dataclass(frozen=True)
class Gone:
    """What an erasure has done: how many rows of each table are gone, what stood for what was given (its forms, and
    other keys that led to nothing else), and which keys it had part in with others."""

    rows: dict[str, int]
    values: tuple[str, ...]
    together: Together


def tables() -> list[str]:
    """The tables that may hold rows about a person: those that sql/erasures says how to find them in. Alerts are the
    last, since others are found by them."""
    return sorted((path.stem for path in (SQL / "erasures").glob("*.sql")), key=lambda name: (name == "alerts", name))


def read(store: Store) -> Erased:
    """What was erased. Raises StoreError."""
    return Erased.of(store.query("erasures/list"))


def erase(store: Store, kind: str, value: str, secret: bytes, now_ms: int) -> Gone:
    """Erase by key or value. Once more does no harm. `secret` is that of hashed fields. Raises StoreError.

    The digests are noted first, while the loader is between two batches: one that began before is in the tables by then
    and is erased with the rest, one that begins later leaves out what was erased. Raises a 503 problem if the loader
    does not come to that, since ClickHouse does not take its rows.
    """
    given = forms.values(value, secret)
    others = together.found(store, given) if kind == KEY else Together()
    values = [*given, *(one for key in others.also for one in forms.values(key, secret))]
    if not store.loading.acquire(timeout=WAIT_S):
        raise ProblemError(503, "Loader at work", "A batch is being loaded and does not end. Try again in a moment.")
    where = {"kind": kind, "values": values, "quoted": forms.quoted(values), "anywhere": forms.anywhere(values)}
    patterns = {"number": forms.number(values), "pattern": forms.standing(values)}
    try:
        noted = [(kind, one) for one in values]
        if kind == KEY:
            noted += [(EVENT, place(row)) for row in store.run(_apart(), **where, **patterns)]
        rows = ({"kind": sort, "digest": digest(one), "at_ms": now_ms} for sort, one in noted)
        store.insert("erasures", b"\n".join(map(orjson.dumps, rows)))
    finally:
        store.loading.release()
    gone = {}
    for table in tables():
        condition = (SQL / "erasures" / f"{table}.sql").read_text()
        [found] = store.run(f"{sql('erasures/count')}{condition} {LONG}", table=table, **where, **patterns)
        store.command(f"{sql('erasures/delete')}{condition} {LONG}", table=table, **where, **patterns)
        gone[table] = found["rows"]
    for mask in sorted((SQL / "masks").glob("*.sql")):
        store.command(mask.read_text(), anywhere=where["anywhere"], **patterns)
    return Gone(gone, tuple(values), others)


def _apart() -> str:
    """The events that go, though their keys don't: others have part in those."""
    return f"{sql('erasures/apart')}({(SQL / 'erasures' / 'events.sql').read_text()}) {LONG}"


def redact(tx: Transaction, values: Iterable[str]) -> list[int]:
    """Replace texts in the audit, and forget kept answers that hold one; returns which entries. What replaces them is
    for the caller to write down (`audit.redactions`)."""
    given = list(values)
    written = [one.encode(errors="replace") for one in forms.anywhere(given)]
    kept = tx.connection.execute(select(answers.c.id, answers.c.body).execution_options(yield_per=100))
    holding = [row.id for row in kept if any(one in row.body for one in written)]
    tx.connection.execute(delete(answers).where(answers.c.id.in_(holding)))
    for value in given:
        customerlinks.forget(tx, value)
    return audit.redact(tx.connection, given, masked)
