"""What keeps a browser safe: the headers of every answer, and no body that is longer than a route takes."""

from __future__ import annotations

from fastapi import Request

from api.problems import ProblemError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def body_of(request: Request, most: int) -> bytes:
    """The request's body. Raises a 413 problem as soon as it has more than `most` bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise ProblemError(413, "Body too large", f"This request has at most {most:,} bytes; send less.")
    return bytes(body)
