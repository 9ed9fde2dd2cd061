"""The state of one item: its trace (what happened, in event time) and a slot for each deadline that the trace
started.

Everything that is ever said about an item is a function of its trace and the watermark. That is what makes verdicts
independent of how events were batched, in which order they came within the allowed lateness, and of restarts.

The stored form is MessagePack, an array that begins with `FORMAT`. Bytes written by any earlier format stay readable.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

FORMAT = 1
NEVER = 1 << 62
"""An instant that no watermark reaches."""

# Slot flags
WARNED, MISSED, LATE, REPORTED, CLOSED = 1, 2, 4, 8, 16
SAID = WARNED | MISSED


class Occurrence(NamedTuple):
    """A step that happened. Ordered by (time, seq): event time, then order of arrival within the item. Times are
    epoch ms."""

    time: int
    seq: int
    step: int
    id: str
    source: str
    started: int | None
    received: int


class Slot(msgspec.Struct, array_like=True, gc=False):
    """What is known of one deadline of one item.

    The clock started at the occurrence (`since`, `seq`). `wake` is the next instant at which time alone decides
    something (NEVER: none). `answered` is the event time of the `expect` that was last reported as late (0: none).
    """

    since: int
    seq: int
    wake: int
    flags: int = 0
    answered: int = 0


class Item(msgspec.Struct, array_like=True):
    """One run of a workflow for one correlation key, in memory. Times are epoch ms.

    `seen` is a bit mask of the steps in the trace. `ended` is the status of the end step that holds ("": in flight).
    `due` is never later than the next instant at which `on_time` has something to do. `expires` is when the item is
    forgotten. `groups` maps a name to (event time, value): the earliest event that names a group decides. `copies`
    counts repetitions by event identity, `misplaced` maps a step that came too late in the flow to the event time
    last reported for it. `held` are events that belong to the key's next run, should this one expire before them.
    `count` grows with all that changes what can be said, `latest` is the latest event time ever admitted, `trimmed`
    how many occurrences have left the trace, `copied` how many copies were told in all. `run` tells the runs of a key
    apart: the event time of the first event admitted.
    """

    format: int
    spec: str
    key: str
    trace: list[Occurrence] = []
    slots: dict[int, Slot] = {}
    seen: int = 0
    ended: str = ""
    arrivals: int = 0
    count: int = 0
    due: int = NEVER
    expires: int = NEVER
    confirm: int = NEVER
    groups: dict[str, tuple[int, str]] = {}
    amount: tuple[int, float] | None = None
    copies: dict[str, int] = {}
    misplaced: dict[int, int] = {}
    held: list[Held] = []
    latest: int = 0
    trimmed: int = 0
    copied: int = 0
    run: int = 0


class Held(msgspec.Struct, array_like=True):
    """An event that was matched with a step, waiting to be admitted."""

    time: int
    step: int
    id: str
    source: str
    started: int | None
    received: int
    groups: tuple[tuple[str, str], ...]
    amount: float | None


class UnknownFormat(ValueError):
    """The stored bytes were written by a newer Daymark."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Item)


def encode(item: Item) -> bytes:
    """The item's stored form."""
    return _encoder.encode(item)


def decode(stored: bytes) -> Item:
    """The item that `encode` stored. Raises UnknownFormat for what a newer Daymark wrote."""
    item = _decoder.decode(stored)
    if item.format != FORMAT:
        raise UnknownFormat(
            f"item state has format {item.format}, this Daymark reads up to {FORMAT}: use a newer Daymark"
        )
    return item
