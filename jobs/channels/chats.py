"""Slack and Microsoft Teams: incoming webhooks, whose address is the secret."""

from __future__ import annotations

from jobs.channels.httpsend import request
from jobs.channels.sender import Outgoing, Result


async def send(outgoing: Outgoing) -> Result:
    """Post the payload. Raises SecretError, httpx.HTTPError."""
    return await request(outgoing, outgoing.setting("url"), json=outgoing.message.payload)
