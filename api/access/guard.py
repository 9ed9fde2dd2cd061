"""What every request passes before a route sees it: who asks, from which page, how often, how much.

A plain ASGI middleware, so that live streams pass through as they are. Whether somebody may ask for *this* route is
looked up in the matrix once the route is known (`authorize`, a dependency of the whole app).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import answers, bodies, matrix, origin
from api.access.rates import Rates
from api.access.who import LOCAL, Doorkeeper, Who, address_of
from api.actor import Actor
from api.clock import now_ms
from api.problems import Problem, ProblemError, response
from api.records.database import Records
from api.security import HEADERS

STATIC = "/static/"
RETRY = {"Retry-After": "5"}
UNKNOWN = "This token is not known, or has expired, or its owner has to sign in again for it to hold. "
WRITING = ("/welcome/", "/login/oidc")
"""What a stranger may ask for by GET and costs a query by a guess, or a request to the OpenID provider."""


def _public() -> list[re.Pattern[str]]:
    return [compile_path(path)[0] for (_, path), action in matrix.MATRIX.items() if action is None]


class Guard:
    """The middleware around the app."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper, rates: Rates, records: Records, url: str) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._rates = rates
        self._records = records
        self._url = url.lower()  # what browsers call us, where a proxy in front changes it; '' is no Origin
        self._public = _public()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(scope, send, https=scope["scheme"] == "https" or self._url.startswith("https://"))
        if scope["path"].startswith(STATIC):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            refused = await run_in_threadpool(self._refused, request)
        except SQLAlchemyError:
            problem = Problem(title="Store not available", status=503, detail="The relational store does not answer.")
            refused = response(problem, RETRY)
        if refused is not None:
            await refused(scope, receive, send)
            return
        bounded = bodies.Bounded(scope, receive, send)
        write = request.method not in origin.SAFE and not answers.SECRET.fullmatch(request.url.path)
        if answers.HEADER in request.headers and write:
            await self._once(request, bounded)
        else:
            await bounded.through(self._app)

    def _refused(self, request: Request) -> Response | None:
        """Why a request gets no further; None if it does, then `request.state` says whose it is."""
        if "\0" in request.url.path or "%00" in request.url.query:
            detail = "A text can't hold a NUL character, nor can an address (%00)."
            return response(Problem(title="Invalid request", status=422, detail=detail))
        who = self._doorkeeper.who(request)
        public = any(pattern.match(request.url.path) for pattern in self._public)
        if who is None and not public:
            return self._unknown(request)
        writes = request.method not in origin.SAFE or request.url.path.startswith(WRITING)
        if who is None and writes and (wait := self._rates.anonymous(address_of(request))):
            return _too_many(wait)
        if who is not None and who.name != LOCAL and (wait := self._rates.known(who.account)):
            return _too_many(wait)
        ours = (f"{request.url.scheme}://{request.headers.get('host', '')}".lower(), self._url)
        cookie = who is not None and bool(who.session)
        if origin.foreign(request.method, request.headers, ours, cookie=cookie):
            detail = "This write comes from a page of another site, or doesn't say from which. Send it from our pages, "
            return response(Problem(title="Foreign page", status=403, detail=f"{detail}or with a token."))
        if problem := bodies.declared_too_long(request.scope):
            return response(problem, {"Connection": "close"})
        request.state.who = who
        if who is not None and who.name != LOCAL:
            request.state.actor = Actor(who.name, who.address, who.account)
        return None

    def _unknown(self, request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if given and (wait := self._rates.anonymous(address_of(request))):
            return _too_many(wait)
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return RedirectResponse("/login", 303)
        what = UNKNOWN if given else ""
        detail = f"{what}Sign in at /login, or send the header `Authorization: Bearer <token>`."
        return response(Problem(title="Not signed in", status=401, detail=detail), {"WWW-Authenticate": "Bearer"})

    async def _once(self, request: Request, bounded: bodies.Bounded) -> None:
        """Answer a write with an idempotency key: as before, if it was answered before."""
        receive, send = bounded.receive, bounded.send
        key = request.headers[answers.HEADER]
        if not 0 < len(key) <= answers.LONGEST:
            detail = f"Idempotency-Key has 1 to {answers.LONGEST} characters."
            await response(Problem(title="Invalid key", status=400, detail=detail))(request.scope, receive, send)
            return
        try:
            body = await _whole(receive)
        except ClientDisconnect:  # half a request is none: nothing is done of it, and its key stays free
            return
        except HTTPException as fault:
            await send({"type": "http.response.start", "status": fault.status_code, "headers": []})
            return
        who: Who | None = request.state.who
        where = answers.place(who.account if who else "", request.method, request.url.path, key)
        rights = repr(who and (sorted(who.permissions.actions), who.permissions.limits.as_json()))
        said = hashlib.sha256(b"\0".join((request.url.query.encode(), rights.encode(), body))).hexdigest()
        try:
            kept = await run_in_threadpool(answers.begin, self._records, where, said, now_ms())
        except (answers.AtWork, answers.Reused) as fault:
            await _conflict(fault)(request.scope, receive, send)
            return
        if kept is not None:
            again = Response(kept.body, kept.status, {**kept.headers, "Idempotency-Replayed": "true"})
            await again(request.scope, receive, send)
            return
        await self._first(request, body, where, send)

    async def _first(self, request: Request, body: bytes, where: str, send: Send) -> None:
        taken = _Taken(send)
        parts = [{"type": "http.request", "body": body, "more_body": False}]

        async def given() -> Message:
            return parts.pop() if parts else {"type": "http.disconnect"}

        pulse = asyncio.create_task(self._pulse(where))
        try:
            await self._app(request.scope, given, taken)
        except BaseException:
            await run_in_threadpool(answers.forget, self._records, where)
            raise
        finally:
            pulse.cancel()
        await run_in_threadpool(answers.end, self._records, where, taken.answer())

    async def _pulse(self, where: str) -> None:
        while True:
            await asyncio.sleep(answers.ALIVE_S)
            with contextlib.suppress(SQLAlchemyError):  # a store that is away lets nobody else in either
                await run_in_threadpool(answers.alive, self._records, where, now_ms())


class _Taken:
    """A `send` that keeps what passes through it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            pairs = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in message["headers"])
            self._headers = {name: value for name, value in pairs if name in answers.COPIED}
        elif len(self._body) <= answers.MOST_BYTES:
            self._body += message.get("body", b"")
        await self._send(message)

    def answer(self) -> answers.Answer:
        """What was answered."""
        return answers.Answer(self._status, self._headers, bytes(self._body))


def authorize(request: Request) -> None:
    """Whether somebody may ask for the route that was found. Raises a 403 problem, or 401 for nobody."""
    who: Who | None = request.state.who
    path = request.scope["route"].path
    action = matrix.needed(request.method, path)
    if action is None:
        return
    if who is None:
        raise ProblemError(401, "Not signed in", "Sign in at /login.")
    if matrix.allowed(who.permissions, request.method, path, request.path_params.get("workflow", "")):
        return
    if who.permissions.limits and who.permissions.may("read") and action in who.permissions.actions:
        detail = "You are limited to some workflows or groups; this would reach beyond them."
    else:
        detail = f"This needs the permission `{action}`, which {who.name} does not have."
    raise ProblemError(403, "Not allowed", detail)


async def _whole(receive: Receive) -> bytes:
    """A request's body. Raises HTTPException if it is too long, ClientDisconnect if it breaks off."""
    body, more = bytearray(), True
    while more:
        part = await receive()
        if part["type"] == "http.disconnect":
            raise ClientDisconnect
        body += part.get("body", b"")
        more = bool(part.get("more_body"))
    return bytes(body)


def _too_many(seconds: int) -> Response:
    detail = f"Too many requests. Try again in {seconds} s."
    return response(Problem(title="Too many requests", status=429, detail=detail), {"Retry-After": str(seconds)})


def _conflict(fault: Exception) -> Response:
    if isinstance(fault, answers.Reused):
        detail = "This Idempotency-Key was used for another request, or you might do other things then than now. "
        detail += "Take a new key for each request."
        return response(Problem(title="Key used before", status=422, detail=detail))
    detail = "The first request with this Idempotency-Key is still at work. Ask again in a moment."
    return response(Problem(title="Still at work", status=409, detail=detail), {"Retry-After": "1"})


def _with_headers(scope: Scope, send: Send, *, https: bool) -> Send:
    """`send` that puts the security headers on every answer. `https`: browsers come by it, to us or to a proxy."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if https:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            if not scope["path"].startswith(STATIC):
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sent
