"""Personal data, taken out of what is stored: masked (gone), or hashed (gone, but equal values stay equal)."""

from __future__ import annotations

import hmac
import json
from typing import Any

from udfs.packs.paths import FieldPath

MASK, HASH = "mask", "hash"
MASKED = "***"


def hashed(value: Any, secret: bytes) -> str:
    """16 hex digits of HMAC-SHA256 over the value's text."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256").hex()[:16]


def without(record: dict[str, Any], changes: tuple[tuple[FieldPath, str], ...], secret: bytes) -> dict[str, Any]:
    """A copy of the record with each path masked or hashed; what is absent or null stays so."""
    copy: Any = record
    for path, change in changes:
        copy = _changed(copy, path, change, secret)
    return copy  # type: ignore[no-any-return]


def _changed(value: Any, path: FieldPath, change: str, secret: bytes) -> Any:
    """`value` with what is at `path` changed: the containers on the way are copied, all else is shared."""
    if value is None:
        return None
    if not path:
        return MASKED if change == MASK else hashed(value, secret)
    head, rest = path[0], path[1:]
    if isinstance(head, int):
        if not isinstance(value, list) or head >= len(value):
            return value
        return [*value[:head], _changed(value[head], rest, change, secret), *value[head + 1 :]]
    if not isinstance(value, dict) or head not in value:
        return value
    return {**value, head: _changed(value[head], rest, change, secret)}
