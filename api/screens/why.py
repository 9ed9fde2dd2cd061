"""Why a finding was made: what started its clock, which instant was awaited, by which rule as it was written. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

Row = dict[str, Any]
Definition = Mapping[str, Any]
INSTANTS = {
    "missing": "Deadline",
    "late": "Deadline",
    "reported_late": "Deadline",
    "at_risk": "Warned at",
    "predicted": "Foreseen at",
    "early": "Not before",
    "stalled": "Stands still since",
}
"""What the instant of a finding is; of the other kinds it is that of the event, which is the evidence."""

TIMED = ("missing", "at_risk", "predicted", "stalled")
"""Kinds that a timer tells, and no event."""


def reasons(found: Row, rule_of: Callable[[str, int, int], Definition | None]) -> dict[str, Row]:
    """For each finding of an item, by id: `instant`, what its instant is called ("" for none); `timer`, whether a timer
    told it; `started` and `evidence`, which of the records that are shown those are, from 1 (None: not kept); `rule`,
    as it was written ("" where it isn't known). `rule_of` looks up a definition by workflow, version and instant."""
    kept = [hop for hop in found["timeline"] if hop["event"]]
    return {
        one["id"]: {
            "instant": INSTANTS.get(one["kind"], ""),
            "timer": one["kind"] in TIMED,
            "started": _number(kept, one, _starts),
            "evidence": _number(kept, one, _is_evidence),
            "rule": written(rule_of(one["workflow"], one["version"], one["deadline_ms"]), one["rule"]),
        }
        for one in found["findings"]
    }


def written(definition: Definition | None, rule: str) -> str:
    """A rule as YAML on one line: a deadline or a schedule with this id, or what the workflow says under this name."""
    if definition is None:
        return ""
    named = [*(definition.get("deadlines") or []), *(definition.get("schedules") or [])]
    said = next((one for one in named if one.get("id") == rule), None) or definition.get(rule)
    if not said:
        return ""
    text = yaml.safe_dump(said, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()


def _number(kept: list[Row], finding: Row, fits: Callable[[Row, Row], bool]) -> int | None:
    return next((number for number, hop in enumerate(kept, 1) if fits(hop, finding)), None)


def _starts(hop: Row, finding: Row) -> bool:
    return (hop["at_ms"], hop["step"]) == (finding["since_ms"], finding["because"])


def _is_evidence(hop: Row, finding: Row) -> bool:
    return bool(finding["event_id"]) and hop["event_id"] == finding["event_id"]
