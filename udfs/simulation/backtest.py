"""Two versions of a rule over the same history: what each would have found in a span of time, and what is different."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.spec import Spec
from udfs.simulation.drive import STRIDE, Simulation

SHOWN = 200
"""Findings that are listed one by one; all are counted."""

Same = tuple[str, str, str, str, int]
"""What makes findings of two versions the same: rule, kind, key, occurrence, and the instant its clock began."""

Record = tuple[int, Mapping[str, Event]]
"""The event time of a record, epoch ms, and the event that it is for each of its keys."""


@dataclass
class Findings:
    """What one version says. `items` are the keys that it followed."""

    items: set[str] = field(default_factory=set)
    found: dict[str, tuple[str, Finding]] = field(default_factory=dict)
    """By the finding's id, the last word: the item's key, and the finding."""

    def within(self, since: int, until: int) -> dict[Same, tuple[str, Finding]]:
        """Those whose deadline lies in a span; several limits on one deadline are one."""
        told: dict[Same, tuple[str, Finding]] = {}
        for key, one in self.found.values():
            if since <= one.deadline < until:
                began = one.deadline if one.since is None else one.since
                told.setdefault((one.rule, one.kind, key, one.occurrence, began), (key, one))
        return told


def run(spec: Spec, records: Sequence[Record], begin: int, until: int, progress: Callable[[int], None]) -> Findings:
    """What a version would have said from `begin` on, before `until` (epoch ms). `records` are in order of time;
    `progress` is told now and then how many have been taken."""
    said = Findings()

    def emit(_: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            said.found[effect.id] = (key, effect)
        else:
            said.items.add(key)

    simulation = Simulation([spec], emit)
    simulation.begin(begin)
    for number, (time, copies) in enumerate(records):
        if number % STRIDE == 0:
            simulation.advance(time - 1)
            progress(number)
        simulation.record(copies)
    simulation.advance(until - 1)
    progress(len(records))
    return said


def compare(before: Findings | None, after: Findings, since: int, until: int) -> dict[str, Any]:
    """What is new, gone and the same, as JSON. `before` is None where there is no rule in force."""
    old = before.within(since, until) if before else {}
    new = after.within(since, until)
    counts = Counter((rule, kind) for rule, kind, *_ in old), Counter((rule, kind) for rule, kind, *_ in new)
    appeared = [new[one] for one in new if one not in old]
    gone = [old[one] for one in old if one not in new]
    return {
        "before": None if before is None else len(old),
        "after": len(new),
        "items": len(after.items),
        "counts": [
            {"rule": rule, "kind": kind, "before": counts[0][rule, kind], "after": counts[1][rule, kind]}
            for rule, kind in sorted(counts[0].keys() | counts[1].keys())
        ],
        "same": len(old.keys() & new.keys()),
        "new": len(appeared),
        "gone": len(gone),
        "new_findings": _rows(appeared),
        "gone_findings": _rows(gone),
    }


def _rows(found: list[tuple[str, Finding]]) -> list[dict[str, Any]]:
    found.sort(key=lambda pair: (pair[1].deadline, pair[0], pair[1].rule))
    return [
        {
            "key": key,
            "rule": one.rule,
            "kind": one.kind,
            "severity": one.severity,
            "step": one.step,
            "because": one.because,
            "occurrence": one.occurrence,
            "deadline_ms": one.deadline,
            "at_ms": one.at,
            "delta_ms": one.delta,
            "since_ms": one.since,
        }
        for key, one in found[:SHOWN]
    ]
