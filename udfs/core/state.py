"""The state of one item: its trace (what happened, in event time) and a slot for each deadline that the trace
started.

Everything that is ever said about an item is a function of its trace and the watermark. That is what makes verdicts
independent of how events were batched, in which order they came within the allowed lateness, and of restarts.

The stored form is MessagePack, an array that begins with `FORMAT`. Bytes written by any earlier format stay readable:
new fields come at the end, and older bytes lack them.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from mypy_extensions import mypyc_attr

from udfs.core.course import Course, restored
from udfs.core.pace import Pace
from udfs.core.pauses import Pauses
from udfs.core.pauses import restored as restored_pauses

FORMAT: Final = 1
TRACE_LIMIT: Final = 256
TRACE_KEPT: Final = 128
NEVER: Final = 1 << 61
"""An instant that no watermark reaches. (Not 1 << 62: compiled code holds up to 62 bits without an object.)"""

# Slot flags
WARNED: Final = 1
MISSED: Final = 2
LATE: Final = 4
REPORTED: Final = 8
CLOSED: Final = 16
EARLY: Final = 32
PREDICTED: Final = 64
SAID: Final = WARNED | MISSED | EARLY | PREDICTED
FORM: Final = 8
"""From this bit on stands 1 + the form of the deadline that was spoken of; 0: none was."""


@mypyc_attr(acyclic=True)
class Occurrence:
    """A step that happened. Ordered by (time, seq): event time, then order of arrival within the item. Times are
    epoch ms. `content` tells copies by content apart ("" where they aren't looked for)."""

    __slots__ = ("content", "id", "received", "seq", "source", "started", "step", "time")

    def __init__(
        self,
        time: int,
        seq: int,
        step: int,
        id: str,
        source: str,
        started: int | None,
        received: int,
        content: str = "",
    ) -> None:
        self.time = time
        self.seq = seq
        self.step = step
        self.id = id
        self.source = source
        self.started = started
        self.received = received
        self.content = content

    def is_behind(self, time: int, seq: int) -> bool:
        """Whether it comes after what happened at (time, seq)."""
        return self.time > time or (self.time == time and self.seq > seq)


@mypyc_attr(acyclic=True)
class Slot:
    """What is known of one deadline of one item; `deadline` is the deadline's index.

    The clock started at the occurrence (`since`, `seq`). `wake` is the next instant at which time alone decides
    something (NEVER: none). `answered` is the event time of the `expect` that was last reported as late (0: none).
    """

    __slots__ = ("answered", "deadline", "flags", "seq", "since", "wake")

    def __init__(self, deadline: int, since: int, seq: int, wake: int, flags: int = 0, answered: int = 0) -> None:
        self.deadline = deadline
        self.since = since
        self.seq = seq
        self.wake = wake
        self.flags = flags
        self.answered = answered


@mypyc_attr(acyclic=True)
class Held:
    """An event that was matched with a step, waiting to be admitted."""

    __slots__ = ("amount", "content", "groups", "id", "received", "says", "source", "started", "step", "time")

    def __init__(
        self,
        time: int,
        step: int,
        id: str,
        source: str,
        started: int | None,
        received: int,
        groups: tuple[tuple[str, str], ...],
        amount: float | None,
        content: str = "",
        says: tuple[tuple[int, str], ...] = (),
    ) -> None:
        self.time = time
        self.step = step
        self.id = id
        self.source = source
        self.started = started
        self.received = received
        self.groups = groups
        self.amount = amount
        self.content = content
        self.says = says


@mypyc_attr(acyclic=True)
class Item:
    """One run of a workflow for one correlation key, in memory. Times are epoch ms.

    `slots` are those of the deadlines that were started, in that order. `seen` is a bit mask of the steps
    in the trace. `ended` is the status of the end step that holds ("": in flight).
    `due` is never later than the next instant at which `on_time` has something to do. `expires` is when the item is
    forgotten. `groups` maps a name to (event time, value): the earliest event that names a group decides. `copies`
    counts repetitions by event identity, `misplaced` maps a step that came too late in the flow to the event time
    last reported for it. `held` are events that belong to the key's next run, should this one expire before them.
    `count` grows with all that changes what can be said, `latest` is the latest event time ever admitted, `trimmed`
    how many occurrences have left the trace, `copied` how many copies were told in all. `run` tells the runs of a key
    apart: the event time of the first event admitted. `course` is how far it has come in a flow that is judged,
    `dropped` counts misplaced events that were not applied. `children` has the different children that came, for each
    step that waits for some, each with the `seq` that it came with, `awaited` how many there will be.
    `ruled` is the instant of the version that it has moved to (-1: to none). `pace` is where it stood still, if that is
    asked. `pauses` is when its clocks stood still, of what may have left the trace.
    """

    __slots__ = (
        "amount",
        "arrivals",
        "awaited",
        "children",
        "confirm",
        "copied",
        "copies",
        "count",
        "course",
        "dropped",
        "due",
        "ended",
        "expires",
        "groups",
        "held",
        "key",
        "latest",
        "misplaced",
        "pace",
        "pauses",
        "ruled",
        "run",
        "seen",
        "slots",
        "spec",
        "trace",
        "trimmed",
    )

    def __init__(self, spec: str, key: str) -> None:
        self.spec = spec
        self.key = key
        self.trace: list[Occurrence] = []
        self.slots: list[Slot] = []
        self.seen = 0
        self.ended = ""
        self.arrivals = 0
        self.count = 0
        self.due = NEVER
        self.expires = NEVER
        self.confirm = NEVER
        self.groups: dict[str, tuple[int, str]] = {}
        self.amount: tuple[int, float] | None = None
        self.copies: dict[str, int] | None = None
        self.misplaced: dict[int, int] | None = None
        self.held: list[Held] | None = None
        self.latest = 0
        self.trimmed = 0
        self.copied = 0
        self.run = 0
        self.ruled = -1
        self.course: Course | None = None
        self.dropped = 0
        self.children: dict[int, dict[str, int]] | None = None
        self.awaited: dict[int, int] | None = None
        self.pace: Pace | None = None
        self.pauses: Pauses | None = None

    def answered(self) -> int:
        """How many of its deadlines need no more looking at."""
        closed = 0
        for slot in self.slots:
            if slot.flags & CLOSED:
                closed += 1
        return closed


def slot_of(item: Item, deadline: int) -> Slot | None:
    """The slot of the deadline with this index; None if it was never started."""
    for slot in item.slots:
        if slot.deadline == deadline:
            return slot
    return None


def next_judgement(item: Item) -> int:
    """The exact next instant at which time alone decides something about what has been admitted (NEVER: none)."""
    wake = item.confirm
    for slot in item.slots:
        if slot.wake < wake:
            wake = slot.wake
    return wake


def next_verdict(item: Item) -> int:
    """The exact next instant at which time alone decides something, or lets a held event in (NEVER: none)."""
    wake = next_judgement(item)
    if item.held is not None:
        for h in item.held:
            if h.time < wake:
                wake = h.time
    return wake


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
