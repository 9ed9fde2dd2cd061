"""One HTTP request, and what its answer means. Redirects are not followed: what is signed is for one receiver."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from jobs.channels.sender import Outgoing, Result

REFUSED = frozenset({400, 413, 414, 415, 422})
"""The receiver works, and will never take this message."""

READ = 2_000


async def request(outgoing: Outgoing, url: str, *, method: str = "POST", **what: Any) -> Result:
    """Send, with the idempotency key. `what` is handed to httpx. Raises httpx.HTTPError where no answer comes."""
    headers = {"Idempotency-Key": outgoing.notice.id} | what.pop("headers", {})
    async with outgoing.tools.http.stream(method, url, headers=headers, **what) as response:
        said = b""
        async for chunk in response.aiter_bytes():
            said += chunk
            if len(said) >= READ:
                break
    return verdict(response, outgoing.tools.vault.hide(said[:READ].decode(errors="replace")))


def verdict(response: httpx.Response, said: str) -> Result:
    """What the status means, with what the receiver said, cut: secrets have to be hidden in it before."""
    status = response.status_code
    if response.is_success:
        return Result("sent", "", status)
    wait_ms = _wait_ms(response.headers.get("retry-after", ""))
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
