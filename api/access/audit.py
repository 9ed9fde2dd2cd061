"""Who changed what, when, from where: entries in a chain, each with the hash of the one before it.

A changed, removed or reordered entry breaks the chain. Entries cut off at the end don't: for that the last hash must
have been kept elsewhere (`daymark audit verify --head`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select

from api.access.tables import audit
from api.records.database import Change

FIRST = "0" * 64
"""What stands for the hash before the first entry."""

LONGEST = 512
Row = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What became of the chain: how many entries hold, the last hash, and the first fault (`at` is its id)."""

    entries: int
    head: str
    at: int | None = None
    fault: str = ""


def canonical(entry: Mapping[str, Any]) -> str:
    """The one way to write an entry as JSON: names in order, no blanks, UTF-8."""
    return orjson.dumps(entry, option=orjson.OPT_SORT_KEYS).decode()


def digest(text: str) -> str:
    """The hash of an entry's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def append(connection: Connection, change: Change) -> None:
    """Write a change down, in the transaction that makes it. Writers come one at a time, so the chain has no fork."""
    newest = select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)
    last = connection.execute(newest).first()
    number, previous = (last.id + 1, last.hash) if last else (1, FIRST)
    entry = {
        "id": number,
        "at_ms": change.at_ms,
        "who": change.who,
        "origin": change.origin,
        "action": change.action,
        "subject": change.subject,
        "before": change.before,
        "after": change.after,
        "previous": previous,
    }
    text = canonical(entry)
    row = {"id": number, "entry": text, "hash": digest(text), "at_ms": change.at_ms}
    row |= {"who": change.who[:256], "action": change.action[:64], "subject": change.subject[:LONGEST]}
    connection.execute(insert(audit).values(row))


def latest(connection: Connection, subject: str) -> Any:
    """What a subject is by its last entry; None if it has none."""
    query = select(audit.c.entry).where(audit.c.subject == subject).order_by(audit.c.id.desc()).limit(1)
    text = connection.execute(query).scalar()
    return orjson.loads(text)["after"] if text else None


def entries(
    connection: Connection, *, before: int = 0, limit: int = 50, who: str = "", action: str = "", subject: str = ""
) -> list[Row]:
    """Entries that fit, the newest first, below the id `before` (0: from the newest). `subject` is how it begins."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before:
        query = query.where(audit.c.id < before)
    if who:
        query = query.where(audit.c.who == who)
    if action:
        query = query.where(audit.c.action == action)
    if subject:
        query = query.where(audit.c.subject.startswith(subject, autoescape=True))
    return [_shown(row.entry, row.hash) for row in connection.execute(query)]


def verify(connection: Connection, head: str = "") -> Verdict:
    """Follow the whole chain. `head` is the last hash as it was kept elsewhere: it must be one of the entries'."""
    total = connection.execute(select(func.count()).select_from(audit)).scalar_one()
    rows = connection.execute(select(audit).order_by(audit.c.id).execution_options(yield_per=1000))
    return followed((dict(row._mapping) for row in rows), total, head)


def followed(rows: Iterable[Mapping[str, Any]], total: int, head: str = "") -> Verdict:
    """The verdict on rows in the order of their ids. Pure."""
    previous, count, met = FIRST, 0, head in ("", FIRST)
    for row in rows:
        if fault := _fault(row, count + 1, previous):
            return Verdict(count, previous, row["id"], fault)
        previous, count = row["hash"], count + 1
        met = met or previous == head
    if count != total:
        return Verdict(count, previous, None, f"{total} entries were there at the start, {count} were read")
    if not met:
        return Verdict(count, previous, None, "no entry has the hash given as head: entries were cut off or rewritten")
    return Verdict(count, previous)


def _fault(row: Mapping[str, Any], number: int, previous: str) -> str:
    """What is wrong with a row that should be the entry `number` behind the hash `previous`; '' when nothing is."""
    if row["id"] != number:
        return f"entry {number} is missing: entry {row['id']} follows entry {number - 1}"
    if digest(row["entry"]) != row["hash"]:
        return f"entry {number} was changed: its hash is not that of what it says"
    entry = orjson.loads(row["entry"])
    if entry["previous"] != previous:
        return f"entry {number} does not follow entry {number - 1}: one of them was replaced or moved"
    shown = {
        "id": row["id"],
        "at_ms": row["at_ms"],
        "who": row["who"],
        "action": row["action"],
        "subject": row["subject"],
    }
    told = {name: entry[name] for name in shown}
    told |= {"who": entry["who"][:256], "action": entry["action"][:64], "subject": entry["subject"][:LONGEST]}
    return "" if shown == told else f"entry {number} was changed: its columns are not what it says"


def _shown(text: str, fingerprint: str) -> Row:
    entry: Row = orjson.loads(text)
    return entry | {"hash": fingerprint, "changes": changes(entry["before"], entry["after"])}


def changes(before: Any, after: Any, path: str = "") -> list[Row]:
    """What differs between two JSON values, place by place: {path, before, after}; in lists of things with ids, such as
    the deadlines of a rule, thing by thing. Pure."""
    before, after = _by_id(before, after)
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[Row] = []
        for name in sorted({*before, *after}):
            found += changes(before.get(name), after.get(name), f"{path}.{name}" if path else name)
        return found
    return [] if before == after else [{"path": path, "before": before, "after": after}]


def _by_id(*values: Any) -> tuple[Any, ...]:
    """Two lists of things that all have ids of their own, by these; anything else as it is."""
    for value in values:
        ids = [one.get("id") for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        if not ids or len(set(map(str, ids))) != len(value) or None in ids:
            return values
    return tuple({f"[{one['id']}]": one for one in value} for value in values)
