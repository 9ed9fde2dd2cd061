"""What was done for a customer: one value of a group. Figures in a span of time, and service levels by month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from api import levels
from api.levels import DAY_MS, Tally
from api.paging import split_group
from api.rulebook import Rulebook
from api.store import Store
from udfs.core.spec import Spec

MONTHS = 3
COUNTS = ("processed", "closed", "completed", "failed", "open", "late")
Row = dict[str, Any]


def customer(store: Store, rulebook: Rulebook, lane: str, group: str, days: int, now_ms: int) -> Row | None:
    """The figures of the last `days` before `now_ms`, and of each of the last three months (UTC); None if nothing is
    known of the group's value. `group` is name:value.

    `workflows` has the figures of each, `total` of all. What a workflow doesn't say (`service` in its pack) is None.
    """
    span = {"lane": lane, "since_ms": now_ms - days * DAY_MS, "until_ms": now_ms + 1, **split_group(group)}
    rows = store.query("customers/items", **span)
    if not rows:
        return None
    specs = {spec.workflow: spec for spec in rulebook.in_force(now_ms)}
    for row in rows:
        spec = specs.get(row["workflow"])
        row |= _worth(store, row, levels.service(rulebook, spec) if spec else {}, span)
        row |= _shares(row)
    ours = [specs[row["workflow"]] for row in rows if row["workflow"] in specs]
    return {
        "since_ms": span["since_ms"],
        "until_ms": now_ms,
        "total": _total(rows),
        "workflows": rows,
        "months": _months(store, rulebook, ours, lane, group, now_ms),
    }


def _worth(store: Store, row: Row, said: Row, span: Row) -> Row:
    """What the workflow's words make of its counts."""
    minutes, steps = said.get("minutes_per_item"), {name: said.get(name) or [] for name in ("confirmed", "corrected")}
    found: Row = {"confirmed": None, "corrected": None}
    if any(steps.values()):
        found = store.query("customers/correct", **span, **steps, workflow=row["workflow"])[0]
    return {"saved_minutes": None if minutes is None else row["completed"] * minutes, **found}


def _shares(row: Row) -> Row:
    judged = (row["confirmed"] or 0) + (row["corrected"] or 0)
    return {
        "error_rate": row["failed"] / row["closed"] if row["closed"] else None,
        "correctness": row["confirmed"] / judged if judged else None,
    }


def _total(rows: list[Row]) -> Row:
    """Sums; of figures that no workflow has, None."""
    total: Row = {name: sum(row[name] for row in rows) for name in COUNTS}
    for name in ("saved_minutes", "confirmed", "corrected"):
        known = [row[name] for row in rows if row[name] is not None]
        total[name] = sum(known) if known else None
    return total | _shares(total)


def _months(store: Store, rulebook: Rulebook, specs: Iterable[Spec], lane: str, group: str, now_ms: int) -> list[Row]:
    """Service levels by month, the newest first, and the deadlines of each workflow in it."""
    specs = list(specs)
    objectives = {spec.workflow: levels.objectives(rulebook, spec) for spec in specs}
    tallies = levels.tallies(store, specs, lane, _begins(now_ms, MONTHS - 1), now_ms + 1, group)
    months: dict[str, dict[tuple[str, str], Tally]] = defaultdict(lambda: defaultdict(Tally))
    for (workflow, rule, day), tally in tallies.items():
        months[f"{_moment(day * DAY_MS):%Y-%m}"][workflow, rule] += tally
    return [
        {
            "month": month,
            "share": sum(found.values(), Tally()).share,
            "levels": [
                {"workflow": workflow, "deadline": rule, **vars(tally), "share": tally.share}
                | {"objective": objectives[workflow].get(rule)}
                for (workflow, rule), tally in sorted(found.items())
            ],
        }
        for month, found in sorted(months.items(), reverse=True)
    ]


def _begins(now_ms: int, months: int) -> int:
    """The first instant of the month, `months` before that of `now_ms` (UTC)."""
    now = _moment(now_ms)
    number = now.year * 12 + now.month - 1 - months
    return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp() * 1000)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
