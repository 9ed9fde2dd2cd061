"""Acknowledge links: signed tokens that allow one action on certain alerts, for one person, until they expire.

The dispatcher signs them into mails and chat messages, the API reads them. A token can be used again without harm:
its action always has the same id, and an action whose id is known is answered and not done a second time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

SALT = "daymark.alert-link"  # keeps these signatures apart from any other that uses the same secret
PATH = "/ack/"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, SALT)


class LinkError(ValueError):
    """A token that allows nothing: `expired` if it once did, else it is not one of ours, or was changed."""

    def __init__(self, text: str, *, expired: bool = False) -> None:
        super().__init__(text)
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Link:
    """What a token allows: `action` (such as `ack`) on `alerts` (episode by fingerprint), as `person`.

    The episode is the one that the person was told of: a link acknowledges nothing that came back since. A message
    about more alerts than an address can hold is named instead: `message` is the notification's id, `told_ms` its
    instant, and what is meant are its alerts in the episodes that had begun by then.
    """

    action: str
    alerts: Mapping[str, int]
    person: str
    expires_ms: int
    message: str = ""
    told_ms: int = 0


def sign(link: Link, secret: str) -> str:
    """The token for a link: URL-safe text, of which the same link gives the same."""
    of_message = [link.message, link.told_ms] if link.message else []
    return str(_signer(secret).dumps([link.action, dict(link.alerts), link.person, link.expires_ms, *of_message]))


def url(public_url: str, link: Link, secret: str) -> str:
    """The address that a person clicks. `public_url` is where people reach the API."""
    return f"{public_url.rstrip('/')}{PATH}{sign(link, secret)}"


def read(token: str, secret: str, now: int) -> Link:
    """What a token allows at `now` (epoch ms). Raises LinkError, with a sentence for the person who clicked."""
    try:
        action, alerts, person, expires_ms, *of_message = _signer(secret).loads(token)
    except (BadData, TypeError, ValueError):
        raise LinkError("This link is not valid: it was changed or cut off on its way, or made elsewhere.") from None
    if now >= expires_ms:
        raise LinkError("This link has expired. Open Daymark to see the alert.", expired=True)
    return Link(action, alerts, person, expires_ms, *of_message)


def action_id(token: str) -> str:
    """The id of the one action that a token stands for: the same at every click."""
    return str(uuid.uuid5(_NAMESPACE, token))


def _signer(secret: str) -> Any:
    return URLSafeSerializer(secret, salt=SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
