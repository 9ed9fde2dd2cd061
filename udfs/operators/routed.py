"""Frames that are not on the way to a key of their record's own: what passes between the stages that follow links.

They are frames like all others, with `ROUTED` for the key; what leads them stands before the record
(docs/contracts.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from typing import Any, Final

from mypy_extensions import mypyc_attr

from udfs.operators.batch import Frame, encode
from udfs.operators.engine import Engine

ROUTED: Final = 253
"""The `key` of such a frame."""

LINK: Final = 255
"""`own` of a frame without a record: it says that its key leads to another one, `to` and `to_text`."""

REFUSED: Final = 254
"""`own` of a frame that could not be placed: its text says why."""

_PREFIX = Struct(">8sBBqH")
_LINK = Struct(">BH")
NO_SCHEME: Final = "--------"


@mypyc_attr(acyclic=True)
class Routed:
    """A frame on its way to the key with index `key` and value `text`, of the keys that `scheme` names.

    `own` is the index of the mapping's key by which the record was read, or LINK or REFUSED. `known` is the event
    time, epoch ms, since when it is known where the frame belongs (of a link: since when it holds). `payload` is the
    record's value. `mapping`, `partition`, `offset` and `received` are the record's, as in all frames.
    """

    __slots__ = (
        "key",
        "known",
        "mapping",
        "offset",
        "own",
        "partition",
        "payload",
        "received",
        "scheme",
        "text",
        "to",
        "to_text",
    )

    def __init__(self, frame: Frame, scheme: str, key: int, text: str, own: int, known: int) -> None:
        self.mapping = frame.mapping
        self.partition = frame.partition
        self.offset = frame.offset
        self.received = frame.received
        self.payload = frame.payload
        self.scheme = scheme
        self.key = key
        self.text = text
        self.own = own
        self.known = known
        self.to = 0
        self.to_text = ""

    def frame(self, key: int) -> Frame:
        """The record's frame, for this key of its mapping."""
        return Frame(self.mapping, key, self.partition, self.offset, self.received, self.payload)


def pack(routed: Routed) -> bytes:
    """The frame's bytes."""
    text = routed.text.encode("utf-8", "surrogatepass")[:65_535]
    head = _PREFIX.pack(routed.scheme.encode("ascii"), routed.key, routed.own, routed.known, len(text)) + text
    if routed.own == LINK:
        to = routed.to_text.encode("utf-8", "surrogatepass")
        head += _LINK.pack(routed.to, len(to)) + to
    frame = routed.frame(ROUTED)
    frame.payload = head + routed.payload
    return encode([frame])


def unpack(frame: Frame) -> Routed:
    """What `pack` made a frame of. Raises struct.error where the frame is cut off."""
    scheme, key, own, known, length = _PREFIX.unpack_from(frame.payload)
    at = _PREFIX.size + length
    text = frame.payload[_PREFIX.size : at].decode("utf-8", "surrogatepass")
    routed = Routed(frame, scheme.decode("ascii"), key, text, own, known)
    if own == LINK:
        routed.to, length = _LINK.unpack_from(frame.payload, at)
        at += _LINK.size
        routed.to_text = frame.payload[at : at + length].decode("utf-8", "surrogatepass")
        at += length
    routed.payload = frame.payload[at:]
    return routed


def kept(engine: Engine, routed: Routed) -> tuple[Any, ...]:
    """What state keeps of a frame that waits. Mappings and keys go by name: another job may number them otherwise."""
    mapping = engine.mappings[routed.mapping]
    name = mapping.key_names[routed.own] if routed.own < len(mapping.key_names) else ""
    place = (engine.topics[routed.mapping], routed.partition, routed.offset, routed.received)
    return (mapping.name, name, *place, routed.payload)


def taken_up(engine: Engine, parcel: Sequence[Any]) -> Routed:
    """The frame again, on no way yet. One whose mapping is gone is REFUSED."""
    source, name, topic, partition, offset, received, payload = parcel
    for index, mapping in enumerate(engine.mappings):
        if mapping.name == source and engine.topics[index] == topic and name in mapping.key_names:
            frame = Frame(index, 0, partition, offset, received, payload)
            return Routed(frame, NO_SCHEME, 0, "", mapping.key_names.index(name), 0)
    frame = Frame(0, 0, partition, offset, received, payload)
    gone = f"internal no mapping reads {name} of {source} in topic {topic} any more"
    return Routed(frame, NO_SCHEME, 0, gone, REFUSED, 0)
