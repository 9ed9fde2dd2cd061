"""The stored form of an item: MessagePack, an array that begins with `FORMAT`.

Bytes written by any earlier format stay readable: new fields come at the end, and older bytes lack them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from udfs.core.course import restored
from udfs.core.pace import Pace
from udfs.core.pauses import restored as restored_pauses
from udfs.core.state import NEVER, Held, Item, Occurrence, Slot

FORMAT: Final = 1


class UnknownFormat(ValueError):
    """The stored bytes were written by a newer Daymark."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def encode(item: Item) -> bytes:
    """The item's stored form."""
    return _encoder.encode(
        (
            FORMAT,
            item.spec,
            item.key,
            [
                (o.time, o.seq, o.step, o.id, o.source, o.started, o.received, o.content)
                if o.content
                else (o.time, o.seq, o.step, o.id, o.source, o.started, o.received)
                for o in item.trace
            ],
            [(slot.deadline, slot.since, slot.seq, slot.wake, slot.flags, slot.answered) for slot in item.slots],
            item.seen,
            item.ended,
            item.arrivals,
            item.count,
            item.due,
            item.expires,
            item.confirm,
            item.groups,
            item.amount,
            item.copies or {},
            item.misplaced or {},
            [
                (h.time, h.step, h.id, h.source, h.started, h.received, h.groups, h.amount, h.content, h.says)
                for h in item.held or ()
            ],
            item.latest,
            item.trimmed,
            item.copied,
            item.run,
            item.course.stored() if item.course is not None else None,
            item.dropped,
            item.children,
            item.awaited,
            item.ruled,
            item.pace.stored() if item.pace is not None else None,
            item.pauses.stored() if item.pauses is not None else None,
        )
    )


def decode(stored: bytes) -> Item:
    """The item that `encode` stored. Raises UnknownFormat for what a newer Daymark wrote, another error for bytes that
    are no item."""
    fields: list[Any] = _decoder.decode(stored)
    if fields[0] != FORMAT:
        raise UnknownFormat(
            f"item state has format {fields[0]}, this Daymark reads up to {FORMAT}: use a newer Daymark"
        )
    if len(fields) < len(_EARLIEST):
        fields += _EARLIEST[len(fields) :]
    item = Item(fields[1], fields[2])
    item.trace = [Occurrence(*o) for o in fields[3]]
    item.slots = _slots(fields[4])
    item.seen, item.ended, item.arrivals, item.count = fields[5:9]
    item.due, item.expires, item.confirm = fields[9:12]
    item.groups = {name: (time, value) for name, (time, value) in fields[12].items()}
    item.amount = None if fields[13] is None else (fields[13][0], fields[13][1])
    item.copies = fields[14] or None
    item.misplaced = fields[15] or None
    item.held = [_held(h) for h in fields[16]] or None
    item.latest, item.trimmed, item.copied, item.run = fields[17:21]
    item.course = None if fields[21] is None else restored(fields[21])
    item.dropped, item.children, item.awaited, item.ruled = fields[22:26]
    item.pace = None if fields[26] is None else Pace(*fields[26])
    item.pauses = None if fields[27] is None else restored_pauses(fields[27])
    return item


def _slots(stored: Any) -> list[Slot]:
    if isinstance(stored, dict):  # from when a deadline had one clock at most
        return [Slot(deadline, *slot) for deadline, slot in stored.items()]
    return [Slot(*slot) for slot in stored]


def _held(fields: list[Any]) -> Held:
    groups = tuple([(name, value) for name, value in fields[6]])
    more = fields[8:] or ["", []]
    says = tuple([(step, text) for step, text in more[1]])
    return Held(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], groups, fields[7], more[0], says)


_EARLIEST: Final[list[Any]] = [
    FORMAT,
    "",
    "",
    [],
    {},
    0,
    "",
    0,
    0,
    NEVER,
    NEVER,
    NEVER,
    {},
    None,
    {},
    {},
    [],
    0,
    0,
    0,
    0,
    None,
    0,
    None,
    None,
    -1,
    None,
    None,
]
"""What stands for the fields that bytes of an earlier format end before."""
