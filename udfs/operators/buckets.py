"""Which bucket a key belongs to: the same as in `daymark.Batcher`, for keys that no record has shown yet."""

from __future__ import annotations

from struct import iter_unpack

_32 = 0xFFFFFFFF


def bucket_of(key: str, buckets: int) -> int:
    """The place of the key's bucket, from 0 to `buckets` - 1, in the order of the batcher's."""
    spread = _text_hash(key)
    spread ^= spread >> 16  # the finalizer of MurmurHash3
    spread = spread * 0x85EBCA6B & _32
    spread ^= spread >> 13
    spread = spread * 0xC2B2AE35 & _32
    spread ^= spread >> 16
    signed = spread - (1 << 32) if spread >> 31 else spread
    return signed % buckets


def _text_hash(text: str) -> int:
    """The hash of Java's String, as an unsigned number of 32 bits."""
    found = 0
    for (unit,) in iter_unpack("<H", text.encode("utf-16-le", "surrogatepass")):
        found = (31 * found + unit) & _32
    return found
