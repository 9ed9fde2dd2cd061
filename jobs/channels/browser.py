"""Pages that are open in a browser: the serving process streams to them what is written here."""

from __future__ import annotations

import json

from jobs.channels.sender import Outgoing, Result


async def send(outgoing: Outgoing) -> Result:
    """Write the record. Raises KafkaError."""
    await outgoing.tools.publish(json.dumps(outgoing.message.payload, ensure_ascii=False).encode())
    return Result("sent")
