"""The batches that the Java batcher hands to Python: runs of length-prefixed frames (docs/contracts.md)."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Final, NamedTuple

from mypy_extensions import mypyc_attr

NO_KEY: Final = 255
"""The `key` of a frame whose record shows no correlation key."""

PULSE: Final = 254
"""The `mapping` of a frame that is no record, but a pulse (see `pulse`)."""

_HEADER = Struct(">BBiqqI")
_header = _HEADER.unpack_from
HEADER_BYTES: Final = 26
_RULE = Struct(">iqqI")


@mypyc_attr(acyclic=True)
class Frame:
    """One record, or one of its copies: `key` is the index of the mapping's correlation key that this copy is for.

    `received` is Kafka's record timestamp in epoch ms; `payload` is the record's value, byte for byte.
    """

    __slots__ = ("key", "mapping", "offset", "partition", "payload", "received")

    def __init__(self, mapping: int, key: int, partition: int, offset: int, received: int, payload: bytes) -> None:
        self.mapping = mapping
        self.key = key
        self.partition = partition
        self.offset = offset
        self.received = received
        self.payload = payload


STATISTICS: Final = b"@statistics/"
"""How the key of a record of the rules topic begins that is no rule, but what was seen of a workflow."""


class RuleRecord(NamedTuple):
    """One record of the rules topic. `key` is the workflow's name, for statistics behind STATISTICS."""

    partition: int
    offset: int
    received: int
    key: bytes
    document: bytes


def decode(batch: bytes) -> list[Frame]:
    """The frames of a batch, in the order in which they came. Raises ValueError when the batch is cut off."""
    frames: list[Frame] = []
    at, end = 0, len(batch)
    while at < end:
        if end - at < HEADER_BYTES:
            raise ValueError(f"a batch of {end} bytes ends inside the header of the frame at byte {at}")
        mapping, key, partition, offset, received, length = _header(batch, at)
        at += HEADER_BYTES
        if end - at < length:
            raise ValueError(f"a batch of {end} bytes ends inside the payload of {length} bytes at byte {at}")
        frames.append(Frame(mapping, key, partition, offset, received, batch[at : at + length]))
        at += length
    return frames


def encode(frames: Iterable[Frame]) -> bytes:
    """The batch that the Java batcher would make of these frames."""
    parts: list[bytes] = []
    for f in frames:
        parts += (_HEADER.pack(f.mapping, f.key, f.partition, f.offset, f.received, len(f.payload)), f.payload)
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
