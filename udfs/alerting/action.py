"""What people want done, as it is read, and why it may not be possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from udfs.alerting.book import Book
from udfs.core.state import NEVER

LONGEST: Final = 4_000
"""Characters of a text that are kept."""

MOST_REASONS: Final = 3

SoFar = dict[str, str]
"""What has become of the alerts that an action names, by id: "" where it was done, else why it can't be."""


class Action(msgspec.Struct, frozen=True):
    id: str
    kind: str
    who: str = ""
    alerts: list[str] = []
    episodes: dict[str, int] = {}
    told_ms: int | None = None
    incident: str = ""
    why: str | None = ""
    until_ms: int | None = None
    assignee: str | None = ""
    text: str | None = ""
    public: bool | int | None = 0

    @property
    def because(self) -> str:
        return (self.why or "")[:LONGEST]

    @property
    def said(self) -> str:
        return (self.text or self.why or "")[:LONGEST]

    @property
    def about(self) -> set[str]:
        """The alerts and incidents that it names."""
        return {*self.alerts, self.incident} - {""}


class Refused(Exception):
    """Why an action can't be applied, in words for people."""


class NotYet(Refused):
    """What it needs may come at the same moment."""


def until(book: Book, action: Action) -> int | None:
    """How long what is done is to hold (epoch ms; None: it isn't said). Raises Refused for what is over."""
    if action.until_ms is not None and action.until_ms <= book.now:
        raise Refused(f"gets an `until_ms` of {action.until_ms}, which is over")
    return None if action.until_ms is None or action.until_ms >= NEVER else action.until_ms


def do_each(ids: Iterable[str], so_far: SoFar, is_last: bool, do: Callable[[str], None]) -> str:
    """Deals with those alerts that can be, each once, and returns what is said of the others. Raises NotYet while some
    may come, unless it is the `is_last` time, and Refused if nothing could be done."""
    waits = False
    wanted = list(dict.fromkeys(ids))
    for id in wanted:
        if id in so_far:
            continue
        try:
            do(id)
            so_far[id] = ""
        except Refused as fault:
            if isinstance(fault, NotYet) and not is_last:
                waits = True
            else:
                so_far[id] = f"alert {id} {fault}"
    if waits:
        raise NotYet
    refused = [why for why in so_far.values() if why]
    if len(refused) == len(so_far):
        raise Refused(_reasons(refused))
    return f"{len(so_far) - len(refused)} of {len(so_far)}; {_reasons(refused)}" if refused else ""


def _reasons(refused: list[str]) -> str:
    more = len(refused) - MOST_REASONS
    return "; ".join(refused[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")
