"""One made-up item: when which step happens to it, the records that this gives, and what must be found.

A pack's traffic makes items that are well within all deadlines; faults (`jobs.traffic.faults`) then spoil a few of
them and note what must be found. The deadlines are repeated in the traffic on purpose: what is expected is not
computed by what is tested.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jobs.traffic.office import Office

SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
NEVER = 1 << 62


class Emission(NamedTuple):
    """A record that reaches Kafka at `at` (epoch ms). `key` is the Kafka key."""

    at: int
    key: str
    value: bytes


class Truth(NamedTuple):
    """A finding that must be there once the lane's clock has passed `at` (epoch ms).

    `certain` is False where the finding depends on which came first, the record or its lane's clock. Played fast, ticks
    are taken in by the handful, and a record that is behind the clock in the log may still come in time.
    """

    at: int
    kind: str
    rule: str
    key: str
    certain: bool = True


@dataclass(frozen=True)
class Limit:
    """A deadline, in ms: `expect` within `within` after `after`; `warn`, `floor` (sooner is early), further tiers.

    With an `office` all but the floor is business time.
    """

    rule: str
    after: str
    expect: str
    within: int
    warn: int | None = None
    floor: int = 0
    tiers: tuple[int, ...] = ()
    office: Office | None = None

    def dues(self, since: int) -> list[int]:
        """The deadline's instants (epoch ms), if its clock starts at `since`: the first, and those of the tiers."""
        return [self._at(since, span) for span in (self.within, *self.tiers)]

    def warned(self, since: int) -> int | None:
        """When its warning goes out (epoch ms)."""
        return None if self.warn is None else self._at(since, self.warn)

    def _at(self, since: int, span: int) -> int:
        return since + span if self.office is None else self.office.add(since, span)


@dataclass(frozen=True)
class By:
    """A deadline by a `minute` of the business day so many `days` later, the tiers by later minutes; `warn` is so many
    ms before it."""

    rule: str
    after: str
    expect: str
    minute: int
    office: Office
    days: int = 0
    warn: int | None = None
    floor: int = 0
    tiers: tuple[int, ...] = ()
    cut_off: int | None = None

    def dues(self, since: int) -> list[int]:
        """As of a Limit."""
        first = self.office.by(since, self.minute, self.days, self.cut_off)
        return [first, *(first + (minute - self.minute) * MINUTE for minute in self.tiers)]

    def warned(self, since: int) -> int | None:
        """As of a Limit."""
        return None if self.warn is None else self.dues(since)[0] - self.warn


Deadline = Limit | By


@dataclass
class Item:
    """`start` says to which run the item belongs; all items of one story have the same (epoch ms).

    `types` has the event type of each step; a step without one gives no record, since another item's record tells of
    it. `times` has the event time (epoch ms) of each step that happens. `data` is in all records, `details` in those
    of one step, `ids` has the ids of records that are not called after their item. `arrivals` has when a record
    arrives that does so later than it happened, `repeats` when one arrives once more.
    """

    start: int
    key_name: str
    key: str
    source: str
    types: Mapping[str, str]
    data: dict[str, Any]
    times: dict[str, int]
    details: dict[str, dict[str, Any]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    arrivals: dict[str, int] = field(default_factory=dict)
    repeats: list[tuple[str, int]] = field(default_factory=list)
    truths: list[Truth] = field(default_factory=list)

    def due(self, limit: Deadline) -> int:
        """The deadline's instant (epoch ms)."""
        return limit.dues(self.times[limit.after])[0]

    def expect(self, at: int, kind: str, rule: str, certain: bool = True) -> None:
        """Note a finding that a fault leads to."""
        self.truths.append(Truth(at, kind, rule, self.key, certain))

    def breaks(self, limit: Deadline, certain: bool = True) -> None:
        """Note what is found when the deadline passes: the warning, and missing for each limit before one is told."""
        since = self.times[limit.after]
        told = self.arrivals.get(limit.expect, self.times.get(limit.expect, NEVER))
        warned = limit.warned(since)
        if warned is not None:
            self.expect(warned, "at_risk", limit.rule, certain)
        for due in limit.dues(since):
            if due < told:
                self.expect(due, "missing", limit.rule, certain)

    def judge(self, limit: Deadline) -> None:
        """Note what is found of a deadline without a warning that several faults may break."""
        happened = self.times.get(limit.expect, NEVER)
        told = self.arrivals.get(limit.expect, happened)
        if told > self.due(limit):
            in_time = happened <= self.due(limit)
            self.breaks(limit, certain=not in_time)
            if told < NEVER:
                self.expect(told, "reported_late" if in_time else "late", limit.rule, certain=not in_time)

    def without(self, *steps: str) -> None:
        """These steps never happen."""
        for step in steps:
            self.times.pop(step, None)

    def cut(self, step: str) -> None:
        """The step and all behind it never happen."""
        self.without(*self._from(step))

    def move(self, step: str, to: int) -> None:
        """The step happens at `to` (epoch ms), and all behind it as much later or earlier."""
        by = to - self.times[step]
        for name in self._from(step):
            self.times[name] += by

    def _from(self, step: str) -> list[str]:
        return [name for name, at in self.times.items() if at >= self.times[step]]

    def emissions(self) -> Iterator[Emission]:
        """The item's records, not in order."""
        for step, at in self.times.items():
            if step in self.types:
                yield self._emission(step, self.arrivals.get(step, at))
        for step, arrival in self.repeats:
            yield self._emission(step, arrival)

    def _emission(self, step: str, arrival: int) -> Emission:
        event = {
            "specversion": "1.0",
            "id": self.ids.get(step) or f"{self.key}-{step}",
            "source": self.source,
            "type": self.types[step],
            "time": iso(self.times[step]),
            "subject": self.key,
            "datacontenttype": "application/json",
            "data": {self.key_name: self.key} | self.data | self.details.get(step, {}),
        }
        return Emission(arrival, self.key, json.dumps(event).encode())


def iso(instant: int) -> str:
    """Epoch ms as RFC 3339 text with milliseconds."""
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
