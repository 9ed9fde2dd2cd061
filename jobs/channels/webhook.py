"""Any HTTP endpoint. Where the channel has a secret, requests are signed as Standard Webhooks describes, so that
receivers can check them with its libraries: who sent it, that nobody changed it, and that it isn't an old one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time

from jobs.channels.httpsend import request
from jobs.channels.sender import Outgoing, Result

PREFIX = "whsec_"


async def send(outgoing: Outgoing) -> Result:
    """Send the body. Raises SecretError, httpx.HTTPError."""
    body = outgoing.message.body.encode()
    vault, document = outgoing.tools.vault, outgoing.document
    headers = {"Content-Type": "application/json"}
    headers |= {name: vault.reveal(value, f"headers.{name}") for name, value in (document.get("headers") or {}).items()}
    headers["webhook-id"] = outgoing.notice.id
    headers["webhook-timestamp"] = str(int(time.time()))
    if document.get("secret") is not None:
        headers["webhook-signature"] = signature(outgoing.setting("secret"), headers, body)
    method = outgoing.setting("method", "POST")
    return await request(outgoing, outgoing.setting("url"), method=method, content=body, headers=headers)


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA256 of id, timestamp and body. A secret `whsec_…` is base64, others are text."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except binascii.Error:
        key = b""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key or secret.encode(), signed, hashlib.sha256)).decode()
