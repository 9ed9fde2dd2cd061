"""Who changed what, when, from where: entries in a chain, each with the hash of the one before it.

A changed, removed or reordered entry breaks the chain. Entries cut off at the end don't: for that the last hash must
have been kept elsewhere (`daymark audit verify --head`).

What was erased (api/access/erasure.py) is replaced in the entries that hold it. They keep their hash, so that the chain
goes on, and a later entry, `erase`, says what they hash to since: only what the chain itself owns up to may differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from api.access.tables import audit
from api.records.database import Change

FIRST = "0" * 64
"""What stands for the hash before the first entry."""

LONGEST = 512
ERASE = "erase"
Row = dict[str, Any]
REDACTED = ("subject", "before", "after")
PARTS = {"id", "at_ms", "who", "origin", "action", "subject", "before", "after", "previous"}


@dataclass(frozen=True)
class Verdict:
    """What became of the chain: how many entries hold, the last hash, and the first fault (`at` is its id). `redacted`
    of them have another text than at first, and an erasure says so."""

    entries: int
    head: str
    at: int | None = None
    fault: str = ""
    redacted: int = 0


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


def redact(connection: Connection, values: Iterable[str], masked: Callable[[str, str], str]) -> list[int]:
    """Replace texts in the subject of entries and in what they say of before and after, as `masked` does it.

    Returns the ids of those that said so far what the chain says they do. Any other was changed by somebody: the text
    goes from it too, but nothing may own up to it, so that `verify` still finds it.
    """
    owned = _owned(connection)
    honest: dict[int, bool] = {}
    for value in values:
        escaped = orjson.dumps(value.encode(errors="replace").decode()).decode()[1:-1]
        holding = audit.c.entry.contains(escaped, autoescape=True) & (audit.c.action != ERASE)
        for row in connection.execute(select(audit.c.id, audit.c.entry, audit.c.hash).where(holding)).all():
            entry = _read(row.entry)
            if entry is None:
                continue
            parts = {name: _masked(entry[name], masked, value) for name in REDACTED}
            if any(entry[name] != part for name, part in parts.items()):
                honest.setdefault(row.id, digest(row.entry) in (row.hash, owned.get(str(row.id))))
                fresh = {"entry": canonical(entry | parts), "subject": parts["subject"][:LONGEST]}
                connection.execute(update(audit).where(audit.c.id == row.id).values(fresh))
    return [number for number, was in honest.items() if was]


def _owned(connection: Connection) -> dict[str, str]:
    """What entries hash to by the last erasure that owned up to them, by id."""
    query = select(audit.c.entry, audit.c.hash).where(audit.c.action == ERASE).order_by(audit.c.id)
    owned: dict[str, str] = {}
    for row in connection.execute(query):
        owned |= _redacted(row.entry) if digest(row.entry) == row.hash else {}
    return owned


def redactions(connection: Connection, ids: Iterable[int]) -> dict[str, str]:
    """What entries that were redacted hash to now, by id: for the `redacted` of the entry that says so."""
    rows = connection.execute(select(audit.c.id, audit.c.entry).where(audit.c.id.in_(list(ids))))
    return {str(row.id): digest(row.entry) for row in rows}


def _masked(value: Any, masked: Callable[[str, str], str], erased: str) -> Any:
    if isinstance(value, dict):
        return {masked(name, erased): _masked(part, masked, erased) for name, part in value.items()}
    if isinstance(value, list):
        return [_masked(part, masked, erased) for part in value]
    return masked(value, erased) if isinstance(value, str) else value


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
    return [_shown(row) for row in connection.execute(query)]


def verify(connection: Connection, head: str = "") -> Verdict:
    """Follow the whole chain. `head` is the last hash as it was kept elsewhere: it must be one of the entries'."""
    total = connection.execute(select(func.count()).select_from(audit)).scalar_one()
    rows = connection.execute(select(audit).order_by(audit.c.id).execution_options(yield_per=1000))
    return followed((dict(row._mapping) for row in rows), total, head)


def followed(rows: Iterable[Mapping[str, Any]], total: int, head: str = "") -> Verdict:
    """The verdict on rows in the order of their ids. Pure."""
    previous, count, met = FIRST, 0, head in ("", FIRST)
    redacted = set()
    differing: dict[str, tuple[str, Verdict]] = {}  # entries that hash to something else, until one owns up to it
    for row in rows:
        if fault := _fault(row, count + 1, previous):
            return Verdict(count, previous, row["id"], fault)
        if (now := digest(row["entry"])) != row["hash"]:
            fault = f"entry {count + 1} was changed: its hash is not that of what it says"
            differing[str(row["id"])] = now, Verdict(count, previous, row["id"], fault)
        elif row["action"] == ERASE:
            for number, owned in _redacted(row["entry"]).items():
                if number in differing and differing[number][0] == owned:
                    del differing[number]
                    redacted.add(number)
        previous, count = row["hash"], count + 1
        met = met or previous == head
    if differing:
        return next(iter(differing.values()))[1]
    if count != total:
        return Verdict(count, previous, None, f"{total} entries were there at the start, {count} were read")
    if not met:
        return Verdict(count, previous, None, "no entry has the hash given as head: entries were cut off or rewritten")
    return Verdict(count, previous, redacted=len(redacted))


def _fault(row: Mapping[str, Any], number: int, previous: str) -> str:
    """What is wrong with a row that should be the entry `number` behind the hash `previous`; '' when nothing is."""
    if row["id"] != number:
        return f"entry {number} is missing: entry {row['id']} follows entry {number - 1}"
    entry = _read(row["entry"])
    if entry is None:
        return f"entry {number} was changed: it can't be read"
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


def _read(text: str) -> Row | None:
    """What an entry says; None for one that isn't as `append` writes them: somebody has changed it."""
    try:
        entry = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(entry, dict) or not entry.keys() >= PARTS:
        return None
    return entry if all(isinstance(entry[name], str) for name in ("who", "action", "subject")) else None


def _redacted(text: str) -> dict[str, str]:
    after = (_read(text) or {}).get("after")
    return after.get("redacted", {}) if isinstance(after, dict) else {}


def _shown(row: Any) -> Row:
    entry = _read(row.entry)
    if entry is None:
        told = {"id": row.id, "at_ms": row.at_ms, "who": row.who, "action": row.action, "subject": row.subject}
        entry = {
            **told,
            "origin": "",
            "before": None,
            "after": "this entry can't be read: it was changed",
            "previous": "",
        }
    return entry | {"hash": row.hash, "changes": changes(entry["before"], entry["after"])}


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
