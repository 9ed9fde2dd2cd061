"""Service levels: how many deadlines were met, by workflow, deadline and day; and what that leaves of an objective."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.paging import split_group
from api.rulebook import Rulebook
from api.store import Store
from udfs.core.plan import Schedule
from udfs.core.spec import BEGINNING, Spec

DAY_MS = 86_400_000
BEFORE_DAYS = 31
"""How long before a window a clock that ends in it may have begun."""

MOST_DUES = 50_000
"""Times that a schedule is reckoned through; one that is due each minute has that many in a month."""

Row = dict[str, Any]
Place = tuple[str, str, int]
"""Workflow, deadline or schedule, day (since 1970, UTC)."""


@dataclass(frozen=True)
class Tally:
    """How many deadlines were met, missed, and missed while maintenance excused it."""

    met: int = 0
    missed: int = 0
    excused: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.met + other.met, self.missed + other.missed, self.excused + other.excused)

    @property
    def share(self) -> float | None:
        """The share that was met of what counts; None where nothing was due: nothing is known then."""
        due = self.met + self.missed
        return self.met / due if due else None


def budget_left(tally: Tally, objective: float) -> float | None:
    """How much of the misses that the objective allows is left: 1 is all of it, below 0 it is not met. None: nothing
    was due."""
    if tally.share is None:
        return None
    allowed = (1 - objective) * (tally.met + tally.missed)
    if allowed < 1e-9:
        return 1.0 if tally.missed == 0 else 0.0
    return round(1 - tally.missed / allowed, 6)


def tallies(
    store: Store,
    specs: Iterable[Spec],
    lane: str,
    since_ms: int,
    until_ms: int,
    group: str = "",
    *,
    schedules: bool = True,
) -> dict[Place, Tally]:
    """What was due between two instants, of all deadlines and schedules that had any; of one group's items with `group`
    (name:value), which have no schedules. Whoever doesn't see what schedules find must ask without `schedules`: each of
    their misses would look met. Three queries a workflow at most."""
    specs = list(specs)
    span = {"lane": lane, "since_ms": since_ms, "until_ms": until_ms, "before_days": BEFORE_DAYS, **split_group(group)}
    broken: dict[Place, Row] = {
        (row["workflow"], row["rule"], row["day"]): row
        for row in store.query("slo/broken", **span, workflows=[spec.workflow for spec in specs])
    }
    found: dict[Place, Tally] = {}
    for spec in specs:
        came = _arrived(store, spec, span)
        due = spec.schedules if schedules and not group else ()
        planned = {one.id: _planned(one, since_ms, until_ms) for one in due}
        for rule in (*{one.id: None for one in spec.deadlines}, *planned):
            days = {day for name, day in came if name == rule}
            days |= {day for workflow, name, day in broken if (workflow, name) == (spec.workflow, rule)}
            for day in days:
                row = broken.get((spec.workflow, rule, day), {"missed": 0, "excused": 0, "came": 0})
                gone = row["missed"] + row["excused"]
                met = planned[rule][day] - gone if rule in planned else came.get((rule, day), 0) - row["came"]
                tally = Tally(max(0, met), row["missed"], row["excused"])
                if tally != Tally():
                    found[spec.workflow, rule, day] = tally
    return found


def totals(found: dict[Place, Tally]) -> dict[tuple[str, str], Tally]:
    """The same without the days."""
    summed: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for (workflow, rule, _), tally in found.items():
        summed[workflow, rule] += tally
    return summed


def objectives(rulebook: Rulebook, spec: Spec) -> dict[str, float]:
    """The objectives that a workflow names, by deadline or schedule."""
    said = service(rulebook, spec).get("objectives") or {}
    return {name: float(str(share).strip().rstrip("% ")) / 100 for name, share in said.items()}


def service(rulebook: Rulebook, spec: Spec) -> Row:
    """What a workflow says under `service`."""
    return rulebook.definition(spec).get("service") or {}


def _arrived(store: Store, spec: Spec, span: Row) -> dict[tuple[str, int], int]:
    waits = {one.id: (one.after, one.expect) for one in spec.deadlines}
    waits |= {one.id: (BEGINNING, one.step) for one in spec.schedules}
    if not waits:
        return {}
    afters = ["" if after == BEGINNING else spec.steps[after].name for after, _ in waits.values()]
    expects = [spec.steps[step].name for _, step in waits.values()]
    named: dict[str, Sequence[str]] = {"rules": list(waits), "afters": afters, "expects": expects}
    rows = store.query("slo/arrived", **span, workflow=spec.workflow, **named)
    return {(row["rule"], row["day"]): row["arrived"] for row in rows}


def _planned(schedule: Schedule, since_ms: int, until_ms: int) -> dict[int, int]:
    """How often a schedule was due on each day: counted only where it was seen or missed, so that days on which nobody
    looked are not good ones."""
    days: dict[int, int] = defaultdict(int)
    at = since_ms - 1
    for _ in range(MOST_DUES):
        due = schedule.plan.after(at)
        if due is None or due.at + schedule.grace >= until_ms:
            break
        at = due.at
        days[at // DAY_MS] += len(schedule.keys)
    return days
