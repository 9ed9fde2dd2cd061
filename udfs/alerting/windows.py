"""Silences and maintenance windows: when they hold, and what for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from udfs.alerting.hours import Hours
from udfs.alerting.matchers import Matcher, all_fit
from udfs.core.immutable import Immutable
from udfs.core.plan import Cron
from udfs.core.state import NEVER

Kind = Literal["silence", "maintenance"]


@dataclass(frozen=True)
class Recurring(Immutable):
    """For `span` ms of real time whenever the plan says so."""

    plan: Cron
    span: int

    def until(self, at: int) -> int | None:
        """When the latest stretch ends that `at` lies in; None, if it lies in none."""
        last = self.plan.before(at)
        return last.at + self.span if last and at < last.at + self.span else None

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which a stretch begins or ends; None, if none does for years."""
        coming = self.plan.after(at)
        edges = [self.until(at), coming and coming.at]
        return min((edge for edge in edges if edge is not None), default=None)


@dataclass(frozen=True)
class Window(Immutable):
    """From `begin` up to `end` (epoch ms), and where there are `times`, only then; for what fits the matchers."""

    id: str
    kind: Kind
    matchers: tuple[Matcher, ...]
    begin: int = 0
    end: int = NEVER
    times: Hours | Recurring | None = None
    by: str = ""
    why: str = ""

    def until(self, at: int) -> int | None:
        """When the stretch ends that `at` lies in; None, if it lies in none."""
        if not self.begin <= at < self.end:
            return None
        until = self.end if self.times is None else self.times.until(at)
        return None if until is None else min(until, self.end)

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which a stretch begins or ends; None, if none does."""
        if at < self.begin:
            return self.begin if self.until(self.begin) is not None else self.next_change(self.begin)
        if at >= self.end:
            return None
        edge = self.end if self.times is None else self.times.next_change(at)
        if edge is not None and edge < self.end:
            return edge
        return self.end if self.until(at) is not None else None

    def hides(self, labels: Mapping[str, str]) -> bool:
        """Whether it is about an alert with these labels."""
        return all_fit(self.matchers, labels)


class _Look(NamedTuple):
    """What holds from `since` up to `until`, and when that changes."""

    since: int
    until: int
    open: list[tuple[Window, int]]
    change: int | None


class Agenda:
    """All windows. Which of them hold is reckoned once for all instants up to the next at which that changes: it is
    asked for each finding, and time moves on."""

    def __init__(self, windows: tuple[Window, ...] = ()) -> None:
        self.windows = windows
        self._last = _Look(0, 0, [], None)

    def open(self, at: int) -> list[tuple[Window, int]]:
        """The windows that hold, and until when."""
        return self._look(at).open

    def next_change(self, at: int) -> int | None:
        """The next instant after `at` at which a window begins or ends; None, if none does."""
        return self._look(at).change

    def excuses(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether a maintenance window held at an instant for an alert with these labels. It leaves what is known of
        now alone: each finding in a window is asked about the instant at which it was due."""
        found = (window for window in self.windows if window.kind == "maintenance" and window.hides(labels))
        return any(window.until(at) is not None for window in found)

    def _look(self, at: int) -> _Look:
        last = self._last  # read once and replaced as a whole: the API's threads ask one policy
        if last.since <= at < last.until:
            return last
        found = [(window, until) for window in self.windows if (until := window.until(at)) is not None]
        change = min((edge for one in self.windows if (edge := one.next_change(at)) is not None), default=None)
        last = self._last = _Look(at, NEVER if change is None else change, found, change)
        return last

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Agenda) and self.windows == other.windows

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return Agenda, (self.windows,)
