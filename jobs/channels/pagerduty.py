"""PagerDuty, Events API version 2: `dedup_key` makes a repeated event the same one."""

from __future__ import annotations

from jobs.channels.httpsend import request
from jobs.channels.sender import Outgoing, Result

PUBLIC = "https://events.pagerduty.com/v2/enqueue"


async def send(outgoing: Outgoing) -> Result:
    """Trigger, acknowledge or resolve. Raises SecretError, httpx.HTTPError."""
    event = {**(outgoing.message.payload or {}), "routing_key": outgoing.setting("routing_key")}
    result = await request(outgoing, outgoing.setting("url", PUBLIC), json=event)
    if result.outcome == "refused" and "routing_key" in result.detail:  # the channel's fault, and can be put right
        return Result("failed", result.detail, result.status)
    return result
