"""Who may ask: one bearer token for everything but the health checks, and the headers that keep a browser safe.

Users and roles have an issue of their own; this is what a server needs before it may be reached at all.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api.problems import Problem, ProblemError, response
from api.settings import Settings

PUBLIC = ("/healthz", "/readyz", "/login", "/static/", "/ack/")
COOKIE = "daymark"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def session_of(token: str) -> str:
    """What the browser keeps instead of the token."""
    return hmac.new(token.encode(), b"daymark session", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Compare without telling by the time it takes."""
    return hmac.compare_digest(given.encode(), wanted.encode())


def allowed(request: Request, token: str) -> bool:
    """Whether the request carries the token, or the cookie that a sign-in with it left."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and same(given.strip(), token):
        return True
    return same(request.cookies.get(COOKIE, ""), session_of(token))


async def body_of(request: Request, most: int) -> bytes:
    """The request's body. Raises a 413 problem as soon as it has more than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ProblemError(413, "Body too large", f"This request has at most {most:,} bytes; send less.")
    return bytes(body)


def install(app: FastAPI, settings: Settings) -> None:
    """Guard `app`: host names, the token if there is one, security headers on every answer."""
    token = settings.api_token

    @app.middleware("http")
    async def _guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        if token and not request.url.path.startswith(PUBLIC) and not allowed(request, token):
            answer = _refused(request)
        else:
            answer = await call_next(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if not request.url.path.startswith("/static/"):
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.public_hosts, www_redirect=False)


def _refused(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/login", 303)
    detail = "This server wants the header `Authorization: Bearer <token>`, with the token in DAYMARK_API_TOKEN."
    return response(Problem(title="Not signed in", status=401, detail=detail), {"WWW-Authenticate": "Bearer"})
