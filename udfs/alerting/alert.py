"""What is remembered of an alert. Instants are epoch ms.

The stored form is MessagePack, an array that begins with a format number; new fields come at the end, with a default,
and older bytes lack them.
"""

from __future__ import annotations

from typing import Final

import msgspec

from udfs.alerting.policy import Recipient
from udfs.alerting.reported import FEARED, OF_A_DEADLINE
from udfs.core.codec import UnknownFormat
from udfs.core.effects import BLIND, MISSING, STALLED
from udfs.core.standstill import STEP

FORMAT: Final = 1

PENDING: Final = "pending"
OPEN: Final = "open"
ESCALATED: Final = "escalated"
ACKNOWLEDGED: Final = "acknowledged"
SUPPRESSED: Final = "suppressed"
RESOLVED: Final = "resolved"
EXPIRED: Final = "expired"

TELLING: Final = frozenset({OPEN, ESCALATED})
"""The states in which people are told."""

ENDED: Final = frozenset({RESOLVED, EXPIRED})

BY_PERSON: Final = "person"
BY_MUTE: Final = "mute"
BY_CAUSE: Final = "cause"
"""What suppresses an alert: somebody's decision, a silence or maintenance window, another alert."""


class Track(msgspec.Struct, array_like=True, gc=False):
    """An alert on one of its routes: how far it has escalated, and who was told.

    `step` is the next step of the escalation, `due` when that is (None: there is none), counted from `since`. `lanes`
    are what the group's next messages owe to it, `told` those who were told in this episode.
    """

    route: str
    team: str
    escalation: str
    group: str
    since: int = 0
    step: int = 0
    due: int | None = None
    lanes: list[str] = []
    told: list[Recipient] = []


class Alert(msgspec.Struct, array_like=True, gc=False):
    """Something that is wrong, from the first finding on. Most fields are those of its row (docs/contracts.md).

    `said` is the severity that the findings gave, before a route changed it. `since` is the `since_ms` of the last
    finding. `seen` are the last findings, `settled` up to which deadline it is known that it was put right. `held` says
    what suppresses it, `free` that somebody took it out of its cause. `hold_until` is when it stops being pending,
    `expires` when it ends by itself. `release` is when those that it explained are judged again, `refresh` when its row
    is to be written anew. `owed` are the purses whose digest it waits for, `pages` what of it is open at pagers.
    `respond_by` and `answered` are `response`'s. `quiet` is until when whoever suppressed the last episode wants
    to hear of none. `count` counts findings, `logs` entries.
    """

    format: int
    id: str
    lane: str
    workflow: str
    rule: str
    kind: str
    severity: str
    said: str
    key: str
    groups: dict[str, str]
    step: str
    because: str
    occurrence: str
    date: str
    finding: str
    runbook: str
    breach: int
    since: int
    amount: float | None
    state: str = ""
    level: int = 0
    episode: int = 0
    count: int = 0
    opened: int = 0
    shown: int = 0
    changed: int = 0
    ended: int | None = None
    delta: int | None = None
    assignee: str = ""
    acked_by: str = ""
    acked: int | None = None
    ack_until: int | None = None
    held: str = ""
    suppressed_by: str = ""
    suppressed_until: int | None = None
    explained_by: str = ""
    free: bool = False
    excused: bool = False
    incident: str = ""
    hold_until: int | None = None
    expires: int = 0
    release: int | None = None
    refresh: int | None = None
    rev: int = 0
    logs: int = 0
    settled: int | None = None
    seen: list[str] = []
    tracks: list[Track] = []
    owed: list[str] = []
    pages: list[str] = []
    respond_by: int | None = None
    answered: int | None = None
    quiet: int | None = None

    @property
    def is_live(self) -> bool:
        return self.state not in ENDED

    @property
    def is_telling(self) -> bool:
        return self.state in TELLING

    @property
    def is_told(self) -> bool:
        """Whether anybody was told, or is about to be, in this episode."""
        return bool(self.owed) or any(track.told or track.lanes for track in self.tracks)

    @property
    def lasts(self) -> bool:
        """Whether what lies behind it can't happen either until it is over."""
        return self.kind in (MISSING, BLIND) or self.is_of_a_step

    @property
    def has_cure(self) -> bool:
        """Whether it will be told when it is over; of all other kinds nothing further is heard."""
        return self.lasts or self.kind in FEARED

    @property
    def may_be_explained(self) -> bool:
        return (self.kind in OF_A_DEADLINE or self.kind == STALLED) and not self.is_of_a_step

    @property
    def is_of_a_step(self) -> bool:
        return self.kind == STALLED and self.occurrence == STEP

    @property
    def age(self) -> tuple[int, str]:
        """Sorts alerts: the oldest first, always in the same order."""
        return self.opened, self.id


def labels(alert: Alert) -> dict[str, str]:
    """What routes are matched with."""
    found = dict(alert.groups)
    found.update(lane=alert.lane, workflow=alert.workflow, rule=alert.rule, kind=alert.kind)
    found.update(severity=alert.said, key=alert.key, step=alert.step)
    return found


def shown_labels(alert: Alert) -> dict[str, str]:
    """What silences and windows are matched with: the severity is what people see, which a route may have changed."""
    return labels(alert) | {"severity": alert.severity}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Alert)


def encode(alert: Alert) -> bytes:
    return _encoder.encode(alert)


def decode(stored: bytes) -> Alert:
    """Raises UnknownFormat for what a newer Daymark wrote, another error for bytes that are none."""
    known_format(stored, "alert")
    return _decoder.decode(stored)


def known_format(stored: bytes, what: str) -> None:
    """Raises UnknownFormat unless the array begins with a format that this Daymark knows."""
    found = msgspec.msgpack.decode(stored)[0]
    if found != FORMAT:
        raise UnknownFormat(f"{what} state has format {found}, this Daymark reads up to {FORMAT}: use a newer one")
