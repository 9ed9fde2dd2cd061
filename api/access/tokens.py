"""API tokens: for programs, with scopes and an end. Shown once; afterwards only how they begin."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from api.access.people import read
from api.access.roles import Limits, Permissions, of_token
from api.access.sessions import NOTED_MS, fingerprint
from api.access.tables import tokens
from api.records.database import Change, Records, Transaction

BEGINS = "dm_"
DAY_MS = 86_400_000
LONGEST_DAYS = 366


@dataclass(frozen=True)
class Token:
    """A token as it is listed."""

    id: str
    prefix: str
    user: str
    name: str
    scopes: tuple[str, ...]
    limits: Limits
    created_ms: int
    expires_ms: int
    used_ms: int | None = None

    def as_json(self) -> dict[str, Any]:
        """What the API and the audit show."""
        return {**vars(self), "scopes": list(self.scopes), "limits": self.limits.as_json()}


def create(
    tx: Transaction,
    user: str,
    name: str,
    scopes: frozenset[str],
    limits: Limits,
    days: int,
    who: str,
    origin: str,
    now_ms: int,
) -> tuple[Token, str]:
    """A new token of a user, and its secret, which is told this once."""
    secret = f"{BEGINS}{secrets.token_urlsafe(32)}"
    token = Token(
        id=secrets.token_hex(8),
        prefix=secret[: len(BEGINS) + 6],
        user=user,
        name=name,
        scopes=tuple(sorted(scopes)),
        limits=limits,
        created_ms=now_ms,
        expires_ms=now_ms + days * DAY_MS,
    )
    tx.connection.execute(insert(tokens).values({**token.as_json(), "hash": fingerprint(secret)}))
    tx.changed(Change(now_ms, who, "put", f"token/{token.id}", None, token.as_json(), origin))
    return token, secret


def find(records: Records, secret: str, now_ms: int, away_ms: int = 0) -> tuple[Token, Permissions] | None:
    """A token and what it may do now; None for one that isn't there, has expired, or whose user is gone or disabled.

    Nor does one hold whose owner signs in at an OpenID provider and hasn't for `away_ms`, if that isn't 0: nobody tells
    us that somebody has left, but who has left can't sign in."""
    with records.reading() as connection:
        row = connection.execute(select(tokens).where(tokens.c.hash == fingerprint(secret))).first()
        if row is None or now_ms >= row.expires_ms:
            return None
        owner = read(connection, row.user)
    if owner is None or owner.disabled or (owner.subject and 0 < away_ms <= now_ms - (owner.seen_ms or 0)):
        return None
    if row.used_ms is None or now_ms >= row.used_ms + NOTED_MS:
        with records.transaction() as tx:
            tx.connection.execute(update(tokens).where(tokens.c.id == row.id).values(used_ms=now_ms))
    token = _token(row)
    return token, of_token(frozenset(token.scopes), token.limits, owner.permissions)


def listed(connection: Connection, user: str = "") -> list[Token]:
    """All tokens, or those of a user, the newest first."""
    query = select(tokens).order_by(tokens.c.created_ms.desc(), tokens.c.id)
    return [_token(row) for row in connection.execute(query.where(tokens.c.user == user) if user else query)]


def revoke(tx: Transaction, number: str, user: str, who: str, origin: str, now_ms: int) -> bool:
    """End a token, of `user` if that is given; False if there was none."""
    same = tokens.c.id == number
    row = tx.connection.execute(select(tokens).where(same & (tokens.c.user == user) if user else same)).first()
    if row is None:
        return False
    tx.connection.execute(delete(tokens).where(same))
    tx.changed(Change(now_ms, who, "delete", f"token/{number}", _token(row).as_json(), None, origin))
    return True


def revoke_all(tx: Transaction, user: str, who: str, origin: str, now_ms: int) -> None:
    """End all tokens of a user."""
    for token in listed(tx.connection, user):
        revoke(tx, token.id, user, who, origin, now_ms)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        prefix=row.prefix,
        user=row.user,
        name=row.name,
        scopes=tuple(row.scopes),
        limits=Limits.of(row.limits),
        created_ms=row.created_ms,
        expires_ms=row.expires_ms,
        used_ms=row.used_ms,
    )
