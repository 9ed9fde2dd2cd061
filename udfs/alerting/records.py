"""What is remembered beside the alerts: groups, incidents, purses, pages, actions. Instants are epoch ms; the stored
form is that of `alert`."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from udfs.alerting.alert import FORMAT, known_format

Record = TypeVar("Record", "Group", "Incident", "Purse", "Page", "Answer", "Waiting")


class Group(msgspec.Struct, array_like=True, gc=False):
    """Alerts of one route that are told together. `labels` are what they share; the spans are the route's.

    For each lane (a reason and a step) `wanted` is since when something waits to be told, `sent` when something was
    last, and `worst` how bad the worst was in that message. `told` is when all that is open was last told of (0:
    nothing was, or nobody is to be reminded); `count` counts messages.
    """

    format: int
    id: str
    route: str
    labels: dict[str, str]
    wait: int
    interval: int
    repeat: int
    wanted: dict[str, int] = {}
    sent: dict[str, int] = {}
    told: int = 0
    count: int = 0
    worst: dict[str, int] = {}


class Incident(msgspec.Struct, array_like=True, gc=False):
    """Alerts with one cause. `cause` is the alert that explains the others; "" where they only share something, which
    is `shared`: then `leader` is the one that people are told of. `joined` is when the last one joined."""

    format: int
    id: str
    lane: str
    cause: str
    shared: str
    leader: str
    opened: int
    joined: int
    severity: str
    title: str
    evidence: list[str]
    state: str = "open"
    resolved: int | None = None
    alerts: int = 0
    items: int = 0
    groups: dict[str, list[str]] = {}
    value: float | None = None
    note: str = ""
    note_ms: int | None = None
    public: bool = False
    refresh: int | None = None
    rev: int = 0


class Purse(msgspec.Struct, array_like=True, gc=False):
    """A token bucket for one recipient: `tokens` as they were `at` an instant. `digested` is when the last digest went
    (None: none has)."""

    format: int
    id: str
    channel: str
    person: str
    address: str
    tokens: float
    at: int
    digested: int | None = None


class Page(msgspec.Struct, array_like=True, gc=False):
    """What is open at one recipient's pager under one `key`: a group's, or that of the recipient's digests. `said` is
    the reason of the last message."""

    format: int
    id: str
    channel: str
    person: str
    address: str
    key: str
    said: str


class Answer(msgspec.Struct, array_like=True, gc=False):
    """What was answered to an action, which may come again. `number` counts actions."""

    format: int
    id: str
    number: int
    row: dict[str, Any]


class Waiting(msgspec.Struct, array_like=True, gc=False):
    """An action that waits for what it is about. `number` counts those that wait; `so_far` is what has become of the
    alerts that were dealt with already (see `action`)."""

    format: int
    id: str
    number: int
    row: dict[str, Any]
    so_far: dict[str, str] = {}


_encoder = msgspec.msgpack.Encoder()


def encode(record: Group | Incident | Purse | Page | Answer | Waiting) -> bytes:
    return _encoder.encode(record)


def decode(stored: bytes, kind: type[Record]) -> Record:
    """Raises UnknownFormat for what a newer Daymark wrote, another error for bytes that are none."""
    known_format(stored, kind.__name__.lower())
    return msgspec.msgpack.decode(stored, type=kind)


def new_group(id: str, route: str, labels: dict[str, str]) -> Group:
    return Group(FORMAT, id, route, labels, 0, 0, 0)
