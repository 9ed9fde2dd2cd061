"""What the plan remembers of alerts: up to which revision nothing may be told any more, and who has heard of which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from jobs.dispatch.outcomes import alerts_of
from jobs.dispatch.records import CLOSING, ENDED, Delivery, Notify, masked

K = TypeVar("K")
V = TypeVar("V")

REMEMBERED = 200_000
"""How many notices, halted alerts and recipients told are remembered: what of them comes again does no harm."""


def remember(memory: dict[K, V], key: K, value: V, most: int = REMEMBERED) -> None:
    """Put an entry last, and let go of the oldest beyond `most`."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > most:
        del memory[next(iter(memory))]


@dataclass(slots=True)
class Halts:
    """Of each alert the revision up to which no send may start. `fresh`: those halted since it was last emptied."""

    fresh: set[str] = field(default_factory=set)
    _revs: dict[str, int] = field(default_factory=dict)

    def add(self, halt: Mapping[str, int]) -> None:
        """Nothing may be told of these alerts up to these revisions."""
        for alert, rev in halt.items():
            remember(self._revs, alert, max(rev, self._revs.get(alert, rev)))
        self.fresh.update(halt)

    def all_of(self, notice: Notify) -> bool:
        """Whether a notice speaks of halted alerts only."""
        return bool(notice.revs) and all(self._holds(alert, rev) for alert, rev in notice.revs.items())

    def without(self, notice: Notify) -> Notify:
        """The notice without the alerts that are halted; one that tells an end stays as it is."""
        gone = {alert for alert, rev in notice.revs.items() if self._holds(alert, rev)}
        if not gone or notice.reason in CLOSING:
            return notice
        revs = {alert: rev for alert, rev in notice.revs.items() if alert not in gone}
        alerts = [row for row in notice.alerts if row.get("id") not in gone]
        return msgspec.structs.replace(notice, revs=revs, alerts=alerts, count=max(len(revs), notice.count - len(gone)))

    def _holds(self, alert: str, rev: int) -> bool:
        return rev <= self._revs.get(alert, -1)


@dataclass(slots=True)
class Told:
    """Who was told of which alert, so that nobody hears the end of what he never heard of."""

    _told: dict[tuple[str, str, str], bool] = field(default_factory=dict)

    def note(self, row: Delivery) -> None:
        """Take what has become of a notice."""
        for alert in row.alerts:
            key = (row.channel, row.person + row.address, alert)
            if row.reason in ENDED:
                self._told.pop(key, None)
            elif row.reason in CLOSING:
                continue  # that somebody is at it doesn't change who knows of it
            elif row.outcome != "called_off" or row.attempt > 1:  # a try that failed may have arrived
                remember(self._told, key, True)
            elif key not in self._told:
                remember(self._told, key, False)

    def never(self, notice: Notify) -> bool:
        """Whether its recipient is known to have been told of none of its alerts."""
        recipient = notice.person + masked(notice.address)
        told = [self._told.get((notice.channel, recipient, alert)) for alert in alerts_of(notice)]
        return bool(told) and all(one is False for one in told)
