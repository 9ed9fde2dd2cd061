"""Slack and Microsoft Teams: incoming webhooks, whose address is the secret."""

from __future__ import annotations

import re

from jobs.channels.httpsend import request
from jobs.channels.sender import Outgoing, Result

FAILED = re.compile(r"delivery failed with error(?:.*HTTP error (\d{3}))?", re.IGNORECASE | re.DOTALL)


async def send(outgoing: Outgoing) -> Result:
    """Post the payload. Raises SecretError, httpx.HTTPError."""
    status_of = status_of_teams if outgoing.document.get("type") == "teams" else None
    return await request(outgoing, outgoing.setting("url"), status_of=status_of, json=outgoing.message.payload)


def status_of_teams(status: int, said: str) -> int:
    """The status that Teams means: behind its webhooks a card may fail with a 200, and the true status in the text."""
    found = FAILED.search(said)
    return int(found[1] or 502) if status == 200 and found else status
