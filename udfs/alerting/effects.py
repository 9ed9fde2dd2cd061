"""What the desk returns: rows for somebody else to write down or to send. Their shapes are in docs/contracts.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AlertChanged:
    """How an alert stands now."""

    row: Row


@dataclass(frozen=True, slots=True)
class Logged:
    """Something happened to an alert: an entry of its log."""

    row: Row


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """How an incident stands now."""

    row: Row


@dataclass(frozen=True, slots=True)
class Notify:
    """One recipient is to be told something."""

    row: Row


@dataclass(frozen=True, slots=True)
class Halt:
    """No send about these alerts, at these revisions or earlier ones, may start any more."""

    row: Row


@dataclass(frozen=True, slots=True)
class Applied:
    """The answer to an action, with its halt."""

    row: Row


Effect = AlertChanged | Logged | IncidentChanged | Notify | Halt | Applied
