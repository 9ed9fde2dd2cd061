"""How a component stands, now and on a day. Pure. What isn't known is never said to be well."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from api.levels import Tally

State = Literal["operational", "degraded", "outage", "unknown"]
GRAVE: tuple[State, ...] = ("outage", "degraded", "unknown", "operational")
"""The gravest first. What is known to be broken is said even where the rest isn't known."""

LEAST = 3
"""So many late items at least make an outage: one of one is no outage."""


@dataclass(frozen=True)
class Standing:
    """How a workflow stands. `clock` is its lane's state; `silent`: one of its sources is; `broken`: schedules that
    were not kept, and steps that stand still."""

    clock: str
    known: bool = True
    silent: bool = False
    in_flight: int = 0
    late: int = 0
    broken: int = 0


def now(standing: Standing, outage: float) -> State:
    """A workflow's state; `outage` is the share of late items from which on it is one."""
    if standing.clock not in ("live", "behind"):
        return "unknown"
    if standing.late >= LEAST and standing.late >= outage * standing.in_flight:
        return "outage"
    if standing.late or standing.broken:
        return "degraded"
    if standing.silent or not standing.known:
        return "unknown"
    return "degraded" if standing.clock == "behind" else "operational"


def on_day(tally: Tally, outage: float, *, blind: bool) -> State:
    """How a day was; unknown where a source was silent, or nothing was due."""
    due = tally.met + tally.missed
    if tally.missed >= LEAST and tally.missed >= outage * due:
        return "outage"
    if tally.missed:
        return "degraded"
    return "unknown" if blind or not due else "operational"


def worst(states: Iterable[State]) -> State:
    """The gravest; unknown of none."""
    return min(states, key=GRAVE.index, default="unknown")


def percent(share: float | None) -> float | None:
    """Hundredths of a percent, cut off: what isn't all is never 100."""
    return None if share is None else math.floor(share * 10_000 + 1e-9) / 100
