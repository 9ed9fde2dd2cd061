"""The state of one item: its trace (what happened, in event time) and a slot for each deadline that the trace
started.

Everything that is ever said about an item is a function of its trace and the watermark. That is what makes verdicts
independent of how events were batched, in which order they came within the allowed lateness, and of restarts.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from udfs.core.course import Course
from udfs.core.pace import Pace
from udfs.core.pauses import Pauses

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
RELIEVED: Final = 128
WORRYING: Final = WARNED | PREDICTED
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
    something (NEVER: none). `answered` is the event time of the `expect` that was last reported as late (0: none);
    until the deadline is missed, the instant for which that was predicted (0: for none).
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
