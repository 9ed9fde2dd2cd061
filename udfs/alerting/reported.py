"""A finding row as the core of alerts reads it, and what its kind means for an alert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from udfs.core.effects import AT_RISK, BLIND, LATE, MISSING, PREDICTED, REPORTED_LATE, STALLED
from udfs.core.ids import digest
from udfs.core.standstill import STEP

SEVERITIES: Final = ("low", "medium", "high", "critical")
"""From the least to the most severe."""

EXTERNAL: Final = "external"
"""The kind of what another system has found: it says itself when it is over, or is silent."""

OF_A_DEADLINE: Final = (PREDICTED, AT_RISK, MISSING, LATE, REPORTED_LATE)
"""Kinds that tell the story of one deadline, and so of one alert; what is worse comes later."""

FEARED: Final = (PREDICTED, AT_RISK)
"""Kinds of what hasn't gone wrong yet, and may never."""


class Reported(msgspec.Struct, frozen=True):
    """The fields of a finding that matter here. `amount` is the item's value, where events carry one; `until_ms` is
    when an external one is over if it isn't said again."""

    id: str
    lane: str
    workflow: str
    rule: str
    kind: str
    severity: str
    key: str
    deadline_ms: int
    groups: dict[str, str] = {}
    step: str = ""
    because: str = ""
    occurrence: str = ""
    at_ms: int | None = None
    delta_ms: int | None = None
    since_ms: int | None = None
    received_ms: int | None = 0
    runbook: str = ""
    amount: float | None = None
    until_ms: int | None = None

    @property
    def is_of_a_step(self) -> bool:
        """Whether a whole step stands still, not an item at it."""
        return self.kind == STALLED and self.occurrence == STEP

    @property
    def puts_right(self) -> bool:
        """Whether it says that what was wrong is over."""
        if self.kind in (LATE, REPORTED_LATE):
            return True
        return self.at_ms is not None and (self.kind in (BLIND, EXTERNAL, *FEARED) or self.is_of_a_step)

    @property
    def said(self) -> str:
        """What tells two findings apart: under one id more may be said later."""
        return digest(self.id, str(self.at_ms), self.because)[:16]


def read(row: Mapping[str, Any]) -> Reported:
    """Raises ValueError for what is no finding."""
    try:
        found = msgspec.convert(dict(row), Reported)
    except (msgspec.ValidationError, TypeError, ValueError) as fault:
        raise ValueError(f"is no finding: {fault}; see docs/contracts.md for its fields") from None
    if found.severity not in SEVERITIES:
        raise ValueError(f"is no finding: severity `{found.severity}` is none of {', '.join(SEVERITIES)}")
    return found


def worse(one: str, other: str) -> str:
    """The more severe of two."""
    return max(one, other, key=SEVERITIES.index)
