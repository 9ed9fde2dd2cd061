"""Idempotency keys: a write that is sent again is answered as it was the first time, for a day, and done once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from api.access.tables import answers
from api.records.database import Records

HEADER = "idempotency-key"
KEPT_MS = 24 * 60 * 60_000
GIVEN_UP_MS = 60_000  # a request that was cut off by a kill: after that long it may be done again
ALIVE_S = 15.0  # how often one that is still at work says so
MOST_BYTES = 1_000_000
LONGEST = 255
SECRET = re.compile(
    r"/api/v1/(tokens|sign-in-links|customers/.+/links(/[^/]+/rotation)?|users/.+|me/password|erasures)"
    r"|/login|/welcome/.+|/logout|/users|/account/(password|tokens)"
)
"""Routes whose answer, or question, holds a secret, or who was erased. Nothing of them may be kept: a key means nothing
there."""

COPIED = ("content-type", "location", "etag")


@dataclass(frozen=True)
class Answer:
    """An answer as it was given."""

    status: int
    headers: dict[str, str]
    body: bytes


class AtWork(Exception):
    """The first request with this key has not been answered yet."""


class Reused(Exception):
    """The key was used for another request."""


def place(who: str, method: str, path: str, key: str) -> str:
    """Where the answer is kept: a key counts for one person and one route."""
    return hashlib.sha256("\0".join((who, method, path, key)).encode()).hexdigest()


def begin(records: Records, where: str, request: str, now_ms: int) -> Answer | None:
    """Take the place for a request (`request` is a hash of all that it says); the answer if it has one by now.

    Raises AtWork, Reused.
    """
    with records.transaction() as tx:
        tx.connection.execute(delete(answers).where(answers.c.created_ms <= now_ms - KEPT_MS))
        row = tx.connection.execute(select(answers).where(answers.c.id == where)).first()
        if row is not None and row.request != request:
            raise Reused
        if row is not None and row.status:
            return Answer(row.status, row.headers, row.body)
        if row is not None and now_ms < row.created_ms + GIVEN_UP_MS:
            raise AtWork
        tx.connection.execute(delete(answers).where(answers.c.id == where))
        empty = {"status": 0, "headers": {}, "body": b"", "created_ms": now_ms}
        tx.connection.execute(insert(answers).values({"id": where, "request": request, **empty}))
    return None


def alive(records: Records, where: str, now_ms: int) -> None:
    """The request is still at work."""
    with records.transaction() as tx:
        still = (answers.c.id == where) & (answers.c.status == 0)
        tx.connection.execute(update(answers).where(still).values(created_ms=now_ms))


def end(records: Records, where: str, answer: Answer) -> None:
    """Keep an answer. A server's fault, or one that is very long, isn't kept: the request may be sent again."""
    with records.transaction() as tx:
        if answer.status >= 500 or answer.status in (408, 429) or len(answer.body) > MOST_BYTES:
            tx.connection.execute(delete(answers).where(answers.c.id == where))
            return
        kept = {"status": answer.status, "headers": answer.headers, "body": answer.body}
        tx.connection.execute(update(answers).where(answers.c.id == where).values(kept))


def forget(records: Records, where: str) -> None:
    """There was no answer."""
    with records.transaction() as tx:
        tx.connection.execute(delete(answers).where(answers.c.id == where))
