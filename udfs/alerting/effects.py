"""What the desk returns: rows for somebody else to write down or to send. Their shapes are in docs/contracts.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Told:
    """Each of them is a row; its class says which."""

    row: Row


class AlertChanged(_Told):
    """How an alert stands now."""

    __slots__ = ()


class Logged(_Told):
    """Something happened to an alert: an entry of its log."""

    __slots__ = ()


class IncidentChanged(_Told):
    """How an incident stands now."""

    __slots__ = ()


class Notify(_Told):
    """One recipient is to be told something."""

    __slots__ = ()


class Halt(_Told):
    """No send about these alerts, at these revisions or earlier ones, may start any more."""

    __slots__ = ()


class Applied(_Told):
    """The answer to an action, with its halt."""

    __slots__ = ()


Effect = AlertChanged | Logged | IncidentChanged | Notify | Halt | Applied
