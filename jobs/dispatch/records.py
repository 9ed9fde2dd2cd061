"""What the dispatcher reads from `daymark.notifications` and writes to `daymark.deliveries` (docs/contracts.md)."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

RESOLVED = "resolved"

ENDED = (RESOLVED, "expired")

CLOSING = (*ENDED, "acknowledged")
"""Notices of what has become of an alert: they follow its halt, so no halt stops them."""

FINAL = ("sent", "dead", "failed", "called_off", "superseded")
"""Outcomes behind which nothing more is tried, unless somebody asks for it."""


class Notify(msgspec.Struct, tag_field="type", tag="notify"):
    """Something to tell one recipient. `revs`: of each alert in it, the revision that it speaks of."""

    id: str
    channel: str
    reason: str = "opened"
    at_ms: int = 0
    lane: str = ""
    title: str = ""
    alerts: list[dict[str, Any]] = []
    count: int = 0
    hidden: int = 0
    group: str = ""
    incident: str = ""
    step: int = 0
    person: str = ""
    address: str = ""
    dedup_key: str = ""
    revs: dict[str, int] = {}
    begun_ms: int | None = None


class Halt(msgspec.Struct, tag_field="type", tag="halt"):
    """No send for these alerts with a revision up to this may start any more."""

    halt: dict[str, int]
    at_ms: int = 0


class Applied(msgspec.Struct, tag_field="type", tag="applied"):
    """The answer to somebody's action, with its halt."""

    halt: dict[str, int] = {}
    at_ms: int = 0


class Retry(msgspec.Struct, tag_field="type", tag="retry"):
    """Somebody wants a dead letter to be tried again."""

    id: str
    who: str = ""
    at_ms: int = 0


class Test(msgspec.Struct, tag_field="type", tag="test"):
    """Somebody wants to see whether a channel works: one try, with a made-up alert."""

    __test__ = False  # this is no test of pytest's

    id: str
    channel: str
    who: str = ""
    at_ms: int = 0
    person: str = ""
    address: str = ""


class Presence(msgspec.Struct, tag_field="type", tag="dispatcher"):
    """A dispatcher says that it begins to send, still does, or has ended. `run` is its name, `place` where it runs."""

    run: str
    what: Literal["begins", "lives", "ends"]
    place: str = ""
    at_ms: int = 0


Record = Notify | Halt | Applied | Retry | Test | Presence


class Delivery(msgspec.Struct):
    """One row of `daymark.deliveries`: an attempt, or the decision that there is none."""

    id: str
    attempt: int
    at_ms: int
    took_ms: int
    channel: str
    type: str
    person: str
    address: str
    outcome: str
    status: int | None
    detail: str
    alerts: list[str]
    reason: str
    lane: str


_RECORDS: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_DELIVERIES = msgspec.json.Decoder(Delivery)


def read_record(value: bytes) -> Record:
    """One record of the notifications topic; unknown fields are ignored. Raises ValueError naming what is wrong."""
    try:
        return _RECORDS.decode(value)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


def read_delivery(value: bytes) -> Delivery:
    """One row of the deliveries topic. Raises ValueError naming what is wrong."""
    try:
        return _DELIVERIES.decode(value)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None


def masked(address: str) -> str:
    """An address that only its owner recognises: `a***@example.com`, `+44***89`."""
    name, at, host = address.rpartition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return f"{address[:3]}***{address[-2:]}" if len(address) > 7 else "***" if address else ""
