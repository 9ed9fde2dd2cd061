"""One HTTP request, and what its answer means. Redirects are not followed: what is signed is for one receiver."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from jobs.channels.sender import Outgoing, Result

REFUSED = frozenset({400, 413, 414, 415, 422})
"""The receiver works, and will never take this message."""

READ = 2_000
StatusOf = Callable[[int, str], int]


async def request(
    outgoing: Outgoing, url: str, *, method: str = "POST", status_of: StatusOf | None = None, **what: Any
) -> Result:
    """Send, with the idempotency key. `status_of` gives the status that is meant, for a status and a body. `what` is
    handed to httpx. Raises httpx.HTTPError where no answer comes."""
    headers = {"Idempotency-Key": outgoing.notice.id} | what.pop("headers", {})
    async with outgoing.tools.http.stream(method, url, headers=headers, **what) as response:
        said = b""
        async for chunk in response.aiter_bytes():
            said += chunk
            if len(said) >= READ:
                break
    text = said[:READ].decode(errors="replace")
    status = status_of(response.status_code, text) if status_of else response.status_code
    return verdict(status, _wait_ms(response.headers.get("retry-after", "")), outgoing.tools.vault.hide(text))


def verdict(status: int, wait_ms: int, said: str) -> Result:
    """What a status means, with what the receiver said, cut: secrets have to be hidden in it before."""
    if httpx.codes.is_success(status):
        return Result("sent", "", status)
    detail = " ".join(f"HTTP {status} {said}".split())[:300]
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return Result("busy", detail, status, wait_ms)
    return Result("refused" if status in REFUSED else "failed", detail, status, wait_ms)


def _wait_ms(text: str) -> int:
    """Retry-After in ms: seconds, or a date; 0 for none that can be read."""
    if text.strip().isdigit():
        return int(text) * 1000
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0, int((until - datetime.now(UTC)).total_seconds() * 1000))
