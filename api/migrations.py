"""Brings a store to the schema of sql/schema: each file once, in order, recorded with its hash; then the retention."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from pathlib import Path

from api.store import SQL, Store, StoreError, sql

log = logging.getLogger(__name__)
SCHEMA = SQL / "schema"


class MigrationError(Exception):
    """The store's schema and the files in sql/schema don't fit each other; the text says what to do."""


def migrate(store: Store, folder: Path = SCHEMA) -> list[str]:
    """Apply what is new in `folder`; returns the names applied.

    Raises MigrationError when an applied file has changed since, or the store knows one that isn't here. A file that
    failed half-way is run again from its start, so its statements say IF NOT EXISTS. Where no statement can say so,
    `done/` has a query of the same name that finds a row if the file's work is there already: then it is only recorded.
    """
    store.command(sql("schema/migrations_table"))
    applied = {row["name"]: row["sha256"] for row in store.query("schema/applied")}
    files = {path.stem: path.read_text() for path in sorted(folder.glob("*.sql"))}
    for name in applied.keys() - files.keys():
        raise MigrationError(
            f"The store has had migration {name}, which this version of Daymark does not know. "
            "Run the version that wrote it, or a newer one."
        )
    for name, text in files.items():
        if name in applied and applied[name] != _digest(text):
            raise MigrationError(
                f"sql/schema/{name}.sql has changed since it was applied to this store. "
                "Put it back as it was, and make the change in a new, higher-numbered file."
            )
    fresh = [name for name in files if name not in applied]
    for name in fresh:
        _apply(store, name, files[name], folder / "done" / f"{name}.sql")
    return fresh


def set_retention(store: Store, days: Mapping[str, int]) -> list[str]:
    """Give each table its TTL, counted from the insertion of a row; 0 keeps for ever. Returns the tables altered.

    The event's own time would not do: a replay of last year's log would be gone as it arrives.
    """
    changed = []
    for table, wanted in days.items():
        [row] = store.query("schema/ttl", table=table)
        match = re.search(r"TTL inserted_at \+ toIntervalDay\((?:_CAST\()?(\d+)", row["engine_full"])
        held = int(match[1]) if match else 0
        if held == wanted:
            continue
        store.command(sql("schema/set_ttl" if wanted else "schema/remove_ttl"), table=table, days=wanted)
        log.info("retention changed", extra={"table": table, "days": wanted, "before": held})
        changed.append(table)
    return changed


def _apply(store: Store, name: str, text: str, done: Path) -> None:
    there = done.exists() and store.run(done.read_text())
    for statement in [] if there else re.split(r";\s*(?:\n|$)", text):
        if not statement.strip():
            continue
        try:
            store.command(statement)
        except StoreError as error:
            raise MigrationError(f"sql/schema/{name}.sql could not be applied: {error}") from error
    store.command(sql("schema/record"), name=name, sha256=_digest(text))
    log.info("migration applied", extra={"migration": name})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
