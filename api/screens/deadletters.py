"""What is shown of a record that could not be read: without what the mappings of its topic take for personal."""

from __future__ import annotations

import json
from collections.abc import Iterable

from udfs.packs.mapping import SourceMapping
from udfs.packs.paths import parse_path
from udfs.packs.pii import MASK, without

HIDDEN = b"(not shown: it is no JSON object, so nobody can tell what in it is personal)"


def shown(raw: bytes, mappings: Iterable[SourceMapping], *, whole: bool) -> bytes:
    """The bytes of a record, masked by all the mappings that read its topic; fields that a mapping hashes are masked,
    too. What is no JSON object can't be masked: it is for those who may see the `whole`. Where no mapping names
    personal data the bytes are as they came."""
    paths = {path for mapping in mappings for path in mapping.definition.get("pii") or ()}
    if not paths:
        return raw
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return raw if whole else HIDDEN
    masked = without(record, tuple((parse_path(path), MASK) for path in sorted(paths)), b"")
    return raw if masked == record else json.dumps(masked, ensure_ascii=False).encode("utf-8", "surrogatepass")
