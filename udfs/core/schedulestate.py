"""The state of one schedule for one key: which occurrences are waited for, and what has come.

The stored form is MessagePack, an array that begins with `FORMAT`; new fields come at the end, as in `state`. It lies
beside the items under a name of its own, so that neither is ever read as the other.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from mypy_extensions import mypyc_attr

from udfs.core.codec import UnknownFormat

FORMAT: Final = 1


@mypyc_attr(acyclic=True)
class Arrival:
    """The expected step has happened. Ordered by (time, source, id), so that the order of arrival means nothing."""

    __slots__ = ("id", "received", "source", "time")

    def __init__(self, time: int, source: str, id: str, received: int) -> None:
        self.time = time
        self.source = source
        self.id = id
        self.received = received


@mypyc_attr(acyclic=True)
class Awaited:
    """One occurrence of the schedule, of which `count` have come so far. Instants are epoch ms.

    What happens after `begins` and not after `limit` is in time; what happens then, up to `until`, is late.
    """

    __slots__ = ("begins", "count", "due", "limit", "name", "until")

    def __init__(self, due: int, begins: int, limit: int, until: int, name: str, count: int = 0) -> None:
        self.due = due
        self.begins = begins
        self.limit = limit
        self.until = until
        self.name = name
        self.count = count


@mypyc_attr(acyclic=True)
class Watch:
    """What is known of one schedule and one of its keys, in memory.

    `spec` is the content hash of the workflow's version, `rule` that of the schedule. `missed` are the occurrences that
    are missing and may still come late, the oldest first. `next` is the one that time has not reached; None before the
    schedule is armed. `pending` are arrivals that time has not reached, in their order; `recent` the last ones that it
    has, so that copies of them are known.
    """

    __slots__ = ("key", "missed", "next", "pending", "recent", "rule", "spec")

    def __init__(self, spec: str, rule: str, key: str) -> None:
        self.spec = spec
        self.rule = rule
        self.key = key
        self.next: Awaited | None = None
        self.missed: list[Awaited] = []
        self.pending: list[Arrival] = []
        self.recent: list[Arrival] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def encode(watch: Watch) -> bytes:
    """The stored form."""
    awaited = [_fields(one) for one in watch.missed]
    if watch.next is not None:
        awaited.append(_fields(watch.next))
    pending = [(one.time, one.source, one.id, one.received) for one in watch.pending]
    recent = [(one.time, one.source, one.id, one.received) for one in watch.recent]
    return _encoder.encode(
        (FORMAT, watch.spec, watch.rule, watch.key, watch.next is not None, awaited, pending, recent)
    )


def decode(stored: bytes) -> Watch:
    """The state that `encode` stored. Raises UnknownFormat for what a newer Daymark wrote, another error for bytes that
    are none."""
    fields: list[Any] = _decoder.decode(stored)
    if fields[0] != FORMAT:
        raise UnknownFormat(
            f"schedule state has format {fields[0]}, this Daymark reads up to {FORMAT}: use a newer one"
        )
    watch = Watch(fields[1], fields[2], fields[3])
    watch.missed = [Awaited(*one) for one in fields[5]]
    if fields[4]:
        watch.next = watch.missed.pop()
    watch.pending = [Arrival(*one) for one in fields[6]]
    watch.recent = [Arrival(*one) for one in fields[7]]
    return watch


def _fields(one: Awaited) -> tuple[int, int, int, int, str, int]:
    return one.due, one.begins, one.limit, one.until, one.name, one.count
