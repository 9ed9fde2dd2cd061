"""What a simulation found, as a document for scripts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.core.effects import LATE, MISSING
from udfs.core.spec import Spec
from udfs.packs.outline import RESERVED_RULES
from udfs.simulation.drive import Result


def counts(result: Result, specs: Sequence[Spec]) -> dict[str, Any]:
    """Counts of events, items and findings: per rule for what deadlines and schedules found, per kind for the
    rest.

    Where several workflows are simulated together, a deadline is named `workflow/deadline`.
    """
    found = result.count()
    findings: dict[str, dict[str, int]] = {}
    for spec in specs:
        for id in [*(one.id for one in spec.deadlines), *(one.id for one in spec.schedules)]:
            name = id if len(specs) == 1 else f"{spec.workflow}/{id}"
            kinds = {k: n for (w, rule, k), n in found.items() if w == spec.workflow and rule == id}
            findings[name] = {MISSING: 0, LATE: 0, **dict(sorted(kinds.items()))}
    other: dict[str, int] = {"duplicate": 0, "out_of_order": 0}
    for (_, rule, kind), n in sorted(found.items()):
        if rule in RESERVED_RULES:
            other[kind] = other.get(kind, 0) + n
    return {"events": result.events, "items": len(result.items), "findings": findings, "other": other}
