"""Daymark's results as records of the comparison (tests/bench/truth.py)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.bench.section import NotExact
from tests.bench.truth import COMPLETED, Record, check, record

OF_KIND = {"missing": "MISSING", "late": "LATE", "duplicate": "DUPLICATE", "out_of_order": "OUT_OF_ORDER"}


def verdict(kind: str, rule: str, step: str, because: str) -> tuple[str, str]:
    """The verdict of a finding, and what it is about: a type for duplicates, else the edge."""
    name = OF_KIND.get(kind, kind)
    if kind == "duplicate":
        return name, step
    return name, "-".join(sorted((step, because))) if kind == "out_of_order" else rule


@dataclass
class Found:
    """What a job's rows say, the last row of each identity: findings by id, items and transitions by theirs. A row may
    be there more than once, since what a later event changes is told again.
    """

    findings: dict[str, Record] = field(default_factory=dict)
    completed: set[str] = field(default_factory=set)
    transitions: set[tuple[str, str]] = field(default_factory=set)
    events: int = 0
    deadletters: int = 0

    def take(self, topic: str, rows: Iterable[dict[str, Any]]) -> None:
        """Rows of a topic of results, whichever prefix its name has."""
        match topic:
            case "findings":
                for row in rows:
                    self._finding(row)
            case "items":
                self.completed.update(row["key"] for row in rows if row["status"] == "completed")
            case "transitions":
                self.transitions.update((row["key"], row["event_id"]) for row in rows)
            case "eventlog":
                self.events += sum(1 for _ in rows)
            case "deadletters":
                self.deadletters += sum(1 for _ in rows)

    def _finding(self, row: dict[str, Any]) -> None:
        name, edge = verdict(row["kind"], row["rule"], row["step"], row["because"])
        self.findings[row["id"]] = record(name, row["key"], edge, row["deadline_ms"])

    def check(self, wanted: Counter[Record], events: int, who: str) -> None:
        """Raises NotExact unless findings and completed items are the truth's, and every event moved its item once."""
        check(wanted, self._records(), who)
        repeated = sum(count for (name, *_), count in wanted.items() if name == "DUPLICATE")
        counts = {
            "transitions": (len(self.transitions), events - repeated),
            "event rows": (self.events, events),
            "dead letters": (self.deadletters, 0),
        }
        faults = [f"{got} {name} instead of {due}" for name, (got, due) in counts.items() if got != due]
        if faults:
            raise NotExact(f"{who} is not exact: {', '.join(faults)}")

    def _records(self) -> Iterator[Record]:
        yield from self.findings.values()
        for key in self.completed:
            yield record(COMPLETED, key, None, 0)
