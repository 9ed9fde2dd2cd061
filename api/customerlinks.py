"""Tokens for customers: whoever has one sees the figures of one value of one group, until it expires; no sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

SALT = "daymark.customer"  # keeps these signatures apart from acknowledge links, which use the same secret


@dataclass(frozen=True)
class CustomerLink:
    """Whose figures a token shows, and until when (epoch ms)."""

    group: str
    value: str
    expires_ms: int


def sign(link: CustomerLink, secret: str) -> str:
    """The token: URL-safe text."""
    return str(_signer(secret).dumps([link.group, link.value, link.expires_ms]))


def read(token: str, secret: str, now_ms: int) -> CustomerLink | None:
    """What a token shows at an instant; None for one that was changed, was made elsewhere, or has expired."""
    try:
        group, value, expires_ms = _signer(secret).loads(token)
    except (BadData, TypeError, ValueError):
        return None
    return CustomerLink(group, value, expires_ms) if now_ms < expires_ms else None


def _signer(secret: str) -> Any:
    return URLSafeSerializer(secret, salt=SALT, signer_kwargs={"key_derivation": "hmac", "digest_method": sha256})
