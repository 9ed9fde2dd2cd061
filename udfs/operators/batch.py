"""The batches that the Java batcher hands to Python: runs of length-prefixed frames (docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from struct import Struct
from typing import NamedTuple

NO_KEY = 255
"""The `key` of a frame whose record shows no correlation key."""

_HEADER = Struct(">BBiqqI")
_RULE = Struct(">iqqI")


class Frame(NamedTuple):
    """One record, or one of its copies: `key` is the index of the mapping's correlation key that this copy is for.

    `received` is Kafka's record timestamp in epoch ms; `payload` is the record's value, byte for byte.
    """

    mapping: int
    key: int
    partition: int
    offset: int
    received: int
    payload: bytes


class RuleRecord(NamedTuple):
    """One record of the rules topic. `key` is the workflow's name."""

    partition: int
    offset: int
    received: int
    key: bytes
    document: bytes


def decode(batch: bytes) -> Iterator[Frame]:
    """The frames of a batch, in the order in which they came. Raises ValueError when the batch is cut off."""
    at, end, size = 0, len(batch), _HEADER.size
    while at < end:
        if end - at < size:
            raise ValueError(f"a batch of {end} bytes ends inside the header of the frame at byte {at}")
        mapping, key, partition, offset, received, length = _HEADER.unpack_from(batch, at)
        at += size
        payload = batch[at : at + length]
        if len(payload) < length:
            raise ValueError(f"a batch of {end} bytes ends inside the payload of {length} bytes at byte {at}")
        at += length
        yield Frame(mapping, key, partition, offset, received, payload)


def encode(frames: Iterable[Frame]) -> bytes:
    """The batch that the Java batcher would make of these frames."""
    parts: list[bytes] = []
    for *fields, payload in frames:
        parts += (_HEADER.pack(*fields, len(payload)), payload)
    return b"".join(parts)


def decode_rule(record: bytes) -> RuleRecord:
    """A record of the rules topic, as `daymark.RuleFormat` hands it over."""
    partition, offset, received, length = _RULE.unpack_from(record)
    start = _RULE.size + length
    return RuleRecord(partition, offset, received, record[_RULE.size : start], record[start:])


def encode_rule(record: RuleRecord) -> bytes:
    """What `daymark.RuleFormat` would make of this record."""
    header = _RULE.pack(record.partition, record.offset, record.received, len(record.key))
    return header + record.key + record.document


def element(tag: str, key: str, value: bytes) -> bytes:
    """One output of the job: a tag, the Kafka key and the value (docs/contracts.md).

    `tag` is one letter. A key of more than 65,535 bytes is cut, since it only chooses the partition.
    """
    text = key.encode("utf-8", "surrogatepass")[:65_535]
    return b"".join((tag.encode("ascii"), len(text).to_bytes(2, "big"), text, value))


def split_element(output: bytes) -> tuple[str, bytes, bytes]:
    """The tag, the Kafka key and the value of an output."""
    start = 3 + int.from_bytes(output[1:3], "big")
    return chr(output[0]), output[3:start], output[start:]
