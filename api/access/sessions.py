"""Sessions of browsers, and the one-time links that begin one. The secret is the browser's; its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from api.access.lockout import FORGOTTEN_MS
from api.access.people import User, read
from api.access.tables import attempts, links, sessions, users
from api.records.database import Records, Transaction

NOTED_MS = 60_000  # how often it is written down that a session, or a token, is in use


def fingerprint(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def begin(tx: Transaction, user: str | None, address: str, agent: str, now_ms: int, previous: str = "") -> str:
    """A new session's secret. `previous` is the secret that the browser had until now: its session ends, so that one
    planted before the sign-in is worth nothing after it. Without a user it is the server's own token's."""
    if previous:
        end(tx, fingerprint(previous))
    secret = secrets.token_urlsafe(32)
    row = {"id": fingerprint(secret), "user": user, "created_ms": now_ms, "seen_ms": now_ms}
    tx.connection.execute(insert(sessions).values({**row, "address": address[:64], "agent": agent[:200]}))
    if user:
        tx.connection.execute(update(users).where(users.c.name == user).values(seen_ms=now_ms))
    return secret


def find(records: Records, secret: str, now_ms: int, idle_ms: int, longest_ms: int) -> tuple[str, User | None] | None:
    """A session's id and user; None if it isn't there, or has expired, or its user is gone or disabled."""
    mark = fingerprint(secret)
    with records.reading() as connection:
        row = connection.execute(select(sessions).where(sessions.c.id == mark)).first()
        if row is None or now_ms >= row.seen_ms + idle_ms or now_ms >= row.created_ms + longest_ms:
            return None
        user = read(connection, row.user) if row.user else None
    if row.user and (user is None or user.disabled):
        return None
    if now_ms >= row.seen_ms + NOTED_MS:
        with records.transaction() as tx:
            tx.connection.execute(update(sessions).where(sessions.c.id == mark).values(seen_ms=now_ms))
    return mark, user


def end(tx: Transaction, mark: str) -> None:
    """End one session."""
    tx.connection.execute(delete(sessions).where(sessions.c.id == mark))


def end_all(tx: Transaction, user: str, but: str = "") -> int:
    """End all sessions of a user, but perhaps one; returns how many."""
    others = delete(sessions).where(sessions.c.user == user, sessions.c.id != but)
    return int(tx.connection.execute(others).rowcount)


def listed(connection: Connection, user: str) -> list[dict[str, Any]]:
    """A user's sessions, the one used last first."""
    query = select(sessions).where(sessions.c.user == user).order_by(sessions.c.seen_ms.desc())
    return [dict(row._mapping) for row in connection.execute(query)]


def sweep(tx: Transaction, now_ms: int, idle_ms: int, longest_ms: int) -> None:
    """Forget what has expired."""
    expired = (sessions.c.seen_ms <= now_ms - idle_ms) | (sessions.c.created_ms <= now_ms - longest_ms)
    tx.connection.execute(delete(sessions).where(expired))
    tx.connection.execute(delete(links).where(links.c.expires_ms <= now_ms))
    tx.connection.execute(delete(attempts).where(attempts.c.last_ms <= now_ms - FORGOTTEN_MS))


def link(tx: Transaction, purpose: str, held: dict[str, Any], expires_ms: int) -> str:
    """The secret of a new one-time link, which holds what is needed when it comes back."""
    secret = secrets.token_urlsafe(32)
    row = {"id": fingerprint(secret), "purpose": purpose, "held": held, "expires_ms": expires_ms}
    tx.connection.execute(insert(links).values(row))
    return secret


def used(tx: Transaction, purpose: str, secret: str, now_ms: int) -> dict[str, Any] | None:
    """What a link holds, which then is used up; None if it was, has expired, or never was."""
    same = (links.c.id == fingerprint(secret)) & (links.c.purpose == purpose)
    row = tx.connection.execute(select(links).where(same)).first()
    tx.connection.execute(delete(links).where(same))
    return row.held if row and now_ms < row.expires_ms else None


def held(connection: Connection, purpose: str, secret: str, now_ms: int) -> dict[str, Any] | None:
    """What a link holds that can still be used; None for any other."""
    same = (links.c.id == fingerprint(secret)) & (links.c.purpose == purpose) & (links.c.expires_ms > now_ms)
    row = connection.execute(select(links.c.held).where(same)).first()
    return row.held if row else None
