"""No request's body is read that is longer than any route takes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from api.problems import Problem

MOST = 5_000_000
"""Bytes of any body: a batch of events. Routes that take less say so themselves."""

MOST_BY_PATH = {"/api/v1/packs": 20_000_000}


def most(path: str) -> int:
    """How many bytes a request to a path may have."""
    return MOST_BY_PATH.get(path, MOST)


def declared_too_long(scope: Scope) -> Problem | None:
    """The refusal of a body that is said to be too long: nothing of it is read."""
    given = dict(scope["headers"]).get(b"content-length", b"")
    if given.isdigit() and int(given) > most(scope["path"]):
        return Problem(title="Body too large", status=413, detail=_detail(scope["path"]))
    return None


def bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive` that ends a request whose body turns out too long: one without a Content-Length."""
    left = most(scope["path"])

    async def next_part() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413, _detail(scope["path"]))
        return message

    return next_part


def _detail(path: str) -> str:
    return f"This request has at most {most(path):,} bytes; send less."
