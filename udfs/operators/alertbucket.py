"""What the alert job does with a batch: hands its records to the desk, keeps what the desk changed, says what it said.

There is one bucket, since alerts are grouped, explained by each other and counted all together. It has no clock but
the pulses in its batches: each says how far time has come, behind all records from before.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import orjson

from udfs.alerting.desk import Desk
from udfs.alerting.effects import AlertChanged, Effect, IncidentChanged, Logged
from udfs.operators import rows
from udfs.operators.alertrules import AlertRules, Document
from udfs.operators.batch import PULSE, Frame, decode, element
from udfs.operators.store import Store

FINDING: Final = 0
"""The `mapping` of a frame from the topic of findings."""

ACTION: Final = 1
"""The `mapping` of a frame from the topic of actions."""

CLOCK: Final = "now"
"""The entry that holds how far time had come."""

CATCHING_UP: Final = "catching up"
"""The entry that isn't empty while time catches up with the submission. All other entries are the desk's."""

AWAY: Final = 60_000
"""Ms for which a job may have been away and still does everything at its own instant."""

log = logging.getLogger(__name__)


class Unfit(ValueError):
    """A record that can't be taken; `reason` is that of its dead letter."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class AlertSettings:
    """`topics` are those of findings and actions, in the order of FINDING and ACTION. Findings of other lanes than
    `lanes` make no alerts; empty: all do. `begun` (epoch ms) is when the job was submitted: what time it is before the
    first pulse of a job that remembers nothing, and up to when one that does was away."""

    topics: tuple[str, str]
    lanes: frozenset[str]
    begun: int


class AlertBucket:
    """The desk and its state. `store` holds what `Desk.changes` says, and the clock."""

    def __init__(self, settings: AlertSettings, rules: AlertRules, store: Store) -> None:
        self._settings = settings
        self._rules = rules
        self._store = store
        self._policy, self._graph = rules.policy, rules.graph
        self._desk, self._now, self._exact_until = self._open()

    def on_batch(self, batch: bytes) -> list[bytes]:
        """The outputs (docs/contracts.md) of a run of frames, whose changes are saved. A record that can't be taken
        becomes a dead letter, whatever is wrong with it or with us. Raises ValueError if the batch is cut off."""
        frames = decode(batch)
        try:
            self._learn()
            outputs = [output for frame in frames for output in self._take(frame)]
        except Exception:
            log.exception("a batch of %s records failed; they are tried one by one", len(frames))
            self._desk, self._now, self._exact_until = self._open()
            return [output for frame in frames for output in self._take_alone(frame)]
        self._save()
        return outputs

    def _take_alone(self, frame: Frame) -> list[bytes]:
        """After a failure: what fails is undone, and the rest is kept."""
        try:
            outputs = self._take(frame)
            self._save()
        except Exception as fault:
            log.exception("a record of mapping %s, partition %s, offset %s failed", *_place(frame))
            self._desk, self._now, self._exact_until = self._open()
            return [] if frame.mapping == PULSE else [self._letter(frame, "internal", repr(fault))]
        return outputs

    def _take(self, frame: Frame) -> list[bytes]:
        try:
            return [_element(effect) for effect in self._effects(frame)]
        except Unfit as fault:
            return [self._letter(frame, fault.reason, str(fault))]

    def _effects(self, frame: Frame) -> Collection[Effect]:
        if frame.mapping == PULSE:
            self._now = max(self._now, orjson.loads(frame.payload)["watermark"])
            return () if self._is_catching_up() else self._desk.on_time(self._now)
        row = _row(frame)
        try:
            if frame.mapping == ACTION:
                return self._desk.on_action(row, self._now)
            if self._settings.lanes and row.get("lane") not in self._settings.lanes:
                return ()
            return self._desk.on_finding(row, self._now)
        except ValueError as fault:
            raise Unfit("invalid_event", str(fault)) from fault

    def _is_catching_up(self) -> bool:
        """Whether what falls due has to wait for the present. After a long absence what people did and what was put
        right meanwhile comes first; then time makes one leap, so that nobody is told what was due in between. The first
        minute, in which the job may have run after it was last saved, is exact."""
        return self._exact_until < self._now < self._settings.begun

    def _learn(self) -> None:
        """Documents came meanwhile. What they change is done at the next pulse at the latest."""
        if self._rules.policy is not self._policy:
            self._policy = self._rules.policy
            self._desk.configure(self._policy)
        if self._rules.graph is not self._graph:
            self._graph = self._rules.graph
            self._desk.know(self._graph)

    def _open(self) -> tuple[Desk, int, int]:
        """The desk and the clock as they were saved last, and up to when everything is done at its own instant."""
        saved = dict(self._store.items())
        now = int(saved.pop(CLOCK, b"") or self._settings.begun)
        exact = now - 1 if saved.pop(CATCHING_UP, b"") else now + AWAY
        return Desk(self._policy, self._graph, saved.items()), now, exact

    def _save(self) -> None:
        catching_up = b"1" if self._is_catching_up() else b""
        changed: dict[str, bytes] = {CLOCK: b"%d" % self._now, CATCHING_UP: catching_up}
        for key, value in self._desk.changes().items():
            if value is None:
                self._store.remove(key)
            else:
                changed[key] = value
        self._store.put_all(changed)

    def _letter(self, frame: Frame, reason: str, detail: str) -> bytes:
        topic = self._settings.topics[frame.mapping]
        return letter(topic, frame.partition, frame.offset, frame.received, reason, detail, frame.payload)


def refuse(document: Document, fault: Exception) -> bytes:
    """The output that keeps an alerting document which can't be read."""
    record, detail = document.record, f"{document.name}: {fault}"
    where = (document.topic, record.partition, record.offset, record.received)
    return letter(*where, "invalid_event", detail, record.document)


def letter(topic: str, partition: int, offset: int, received: int, reason: str, detail: str, raw: bytes) -> bytes:
    """A dead letter as an output. It belongs to no lane."""
    row = rows.dead_letter("", topic, partition, offset, received, reason, detail, raw)
    return element("D", f"{topic}-{partition}-{offset}", row)


def _row(frame: Frame) -> dict[str, Any]:
    try:
        row = orjson.loads(frame.payload)
    except ValueError as fault:
        raise Unfit("not_json", str(fault)) from None
    if not isinstance(row, dict):
        raise Unfit("not_an_object", f"a {type(row).__name__} instead of an object")
    return row


def _place(frame: Frame) -> tuple[int, int, int]:
    return frame.mapping, frame.partition, frame.offset


_KEYS: Final[dict[type, tuple[str, Callable[[dict[str, Any]], str]]]] = {
    AlertChanged: ("A", lambda row: str(row["id"])),
    Logged: ("L", lambda row: str(row["alert"])),
    IncidentChanged: ("C", lambda row: str(row["id"])),
}
"""Tag and Kafka key by effect. All others are for the dispatcher, in one log, without a key."""


def _element(effect: Effect) -> bytes:
    tag, key = _KEYS.get(type(effect), ("N", lambda row: ""))
    return element(tag, key(effect.row), orjson.dumps(effect.row))
