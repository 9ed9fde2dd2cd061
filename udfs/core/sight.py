"""Whether a source can be seen, and up to when it is known what happened at the steps that it feeds.

A source with a heartbeat sends something at least so often. One that has been silent for longer is *blind* from that
instant on, until it has been heard of again and a grace has passed, in which it sends what it held back. What it did
not report meanwhile is unknown, not missing: the clock of deadlines that wait for such a step stands still. They are
judged when it can be seen again, on what has arrived by then.

The machine is told by `Spec.horizons`: for each step the last instant up to which it is known whether it happened.
"""

from __future__ import annotations

from mypy_extensions import mypyc_attr

from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item, next_judgement


@mypyc_attr(acyclic=True)
class Sight:
    """What is known of one source; instants are epoch ms.

    `seen` is when it was last heard of (-NEVER: nobody has looked yet), `since` when it became blind (NEVER: it is
    not), `back` when it was first heard of again (NEVER: it was not).
    """

    __slots__ = ("back", "seen", "since")

    def __init__(self, seen: int = -NEVER, since: int = NEVER, back: int = NEVER) -> None:
        self.seen = seen
        self.since = since
        self.back = back

    @property
    def is_blind(self) -> bool:
        return self.since < NEVER


def hear(sight: Sight, at: int) -> None:
    """The latest that is known of the source is from `at`, epoch ms."""
    if at > sight.seen:
        sight.seen = at
        if sight.since < NEVER and sight.back == NEVER:
            sight.back = at


def look(sight: Sight, heartbeat: int, grace: int, now: int) -> None:
    """Time has come to `now`, epoch ms, and all that the source sent by then was heard; spans are ms.

    At the end of time there is nothing left to wait for: what is not there by then never comes.
    """
    if now >= NEVER:
        sight.since = sight.back = NEVER
        return
    if sight.back < NEVER and now >= sight.back + grace:
        sight.since = sight.back = NEVER
    if sight.seen == -NEVER:
        sight.seen = now  # a source that was never heard of is silent from when one began to listen
    if sight.since == NEVER and sight.seen + heartbeat <= now:
        sight.since = sight.seen + heartbeat


def known(spec: Spec, step: int, watermark: int) -> int:
    """Up to when it is known whether a step happened: the watermark, or less while its source is blind."""
    if spec.horizons and spec.horizons[step] < watermark:
        return spec.horizons[step]
    return watermark


def is_held(item: Item, now: int) -> bool:
    """Whether an item that time has come to `now` for still waits for a verdict from before: a source is blind."""
    return next_judgement(item) <= now


def next_seen(item: Item, now: int) -> int:
    """The next instant at which time decides something about an item, but for what is held."""
    wake = item.expires if item.expires > now else NEVER
    if now < item.confirm < wake:
        wake = item.confirm
    for slot in item.slots:
        if now < slot.wake < wake:
            wake = slot.wake
    return wake
