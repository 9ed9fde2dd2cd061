"""Links for customers: whoever has one sees the figures of one value of one group, without a sign-in.

A link is a row, so that it can be taken back or get another token by itself. The token is told once; its hash is kept.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, select

from api.access.sessions import fingerprint
from api.access.tables import links
from api.records.database import Transaction

PURPOSE = "customer"


@dataclass(frozen=True)
class CustomerLink:
    """Whose figures a link shows, who made it and when, and until when it counts (epoch ms)."""

    id: str
    group: str
    value: str
    made_by: str
    made_ms: int
    expires_ms: int


def make(tx: Transaction, group: str, value: str, who: str, now_ms: int, expires_ms: int) -> tuple[CustomerLink, str]:
    """A new link, and its token."""
    link = CustomerLink(secrets.token_hex(8), group, value, who, now_ms, expires_ms)
    return link, _store(tx, link)


def read(connection: Connection, token: str, now_ms: int) -> CustomerLink | None:
    """The link of a token at an instant; None for one that never was, was taken back or replaced, or has expired."""
    same = (links.c.id == fingerprint(token)) & (links.c.purpose == PURPOSE) & (links.c.expires_ms > now_ms)
    row = connection.execute(select(links).where(same)).first()
    return CustomerLink(**row.held) if row else None


def listed(connection: Connection, group: str, value: str, now_ms: int) -> list[CustomerLink]:
    """The links of a customer that count at an instant, the newest first."""
    found = [CustomerLink(**row.held) for row in _rows(connection, now_ms)]
    return sorted(
        (one for one in found if (one.group, one.value) == (group, value)), key=lambda one: (-one.made_ms, one.id)
    )


def rotate(tx: Transaction, group: str, value: str, id: str, now_ms: int) -> tuple[CustomerLink, str] | None:
    """Another token for a link, in place of the one that it has; None if there is no such link."""
    link = revoke(tx, group, value, id, now_ms)
    return (link, _store(tx, link)) if link else None


def revoke(tx: Transaction, group: str, value: str, id: str, now_ms: int) -> CustomerLink | None:
    """Take a link back; None if there is none that counts."""
    for row in _rows(tx.connection, now_ms):
        link = CustomerLink(**row.held)
        if (link.group, link.value, link.id) == (group, value, id):
            tx.connection.execute(delete(links).where(links.c.id == row.id))
            return link
    return None


def forget(tx: Transaction, value: str) -> None:
    """Take back every link that shows somebody who is erased."""
    gone = [row.id for row in tx.connection.execute(_all()) if row.held["value"] == value]
    tx.connection.execute(delete(links).where(links.c.id.in_(gone)))


def _all() -> Select[Any]:
    return select(links).where(links.c.purpose == PURPOSE)


def _rows(connection: Connection, now_ms: int) -> list[Row[Any]]:
    return list(connection.execute(_all().where(links.c.expires_ms > now_ms)))


def _store(tx: Transaction, link: CustomerLink) -> str:
    token = secrets.token_urlsafe(32)
    row = {"id": fingerprint(token), "purpose": PURPOSE, "held": asdict(link), "expires_ms": link.expires_ms}
    tx.connection.execute(insert(links).values(row))
    return token
