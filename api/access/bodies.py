"""No request's body is read that is longer than any route takes."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, response

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


class Bounded:
    """`receive` and `send` of a request whose body may turn out too long: one without a Content-Length.

    The route gets an error in place of the rest, and whatever it makes of that, the answer is the refusal.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._left = most(scope["path"])
        self._refused = False

    async def through(self, app: ASGIApp) -> None:
        """Let the app have the request."""
        try:
            await app(self._scope, self.receive, self.send)
        except Exception:
            if self._left >= 0:
                raise
            await self._refuse()

    async def receive(self) -> Message:
        """The next part of the body. Raises HTTPException behind the last one that is taken."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, _detail(self._scope["path"]))
        return message

    async def send(self, message: Message) -> None:
        """Sends what the route answers, or the refusal."""
        if self._left >= 0:
            await self._send(message)
        else:
            await self._refuse()

    async def _refuse(self) -> None:
        if not self._refused:
            self._refused = True
            refusal = Problem(title="Body too large", status=413, detail=_detail(self._scope["path"]))
            await response(refusal, {"Connection": "close"})(self._scope, self._receive, self._send)


def _detail(path: str) -> str:
    return f"This request has at most {most(path):,} bytes; send less."
