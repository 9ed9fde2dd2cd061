"""Findings of what happens outside of workflows: of other systems, and of Daymark's own ways to tell people."""

from __future__ import annotations

from typing import Any, Final

from udfs.alerting.alert import Alert
from udfs.alerting.reported import EXTERNAL
from udfs.core.ids import digest

CHANNEL_DOWN: Final = "channel_down"
GIVEN_UP: Final = "messages_given_up"
"""Rules of what the dispatcher finds about channels; each has the group `channel`."""


def external(
    lane: str,
    rule: str,
    key: str,
    severity: str,
    because: str,
    *,
    groups: dict[str, str],
    begin: int,
    now: int,
    until: int | None,
    over: int | None = None,
    runbook: str = "",
) -> dict[str, Any]:
    """The row of `daymark.findings` for what began at an instant (epoch ms), goes on `until` another one if it isn't
    said again, or was `over` at one."""
    return {
        "id": digest(EXTERNAL, lane, rule, key, str(begin)),
        "lane": lane,
        "workflow": "",
        "version": 0,
        "rule_hash": "",
        "rule": rule,
        "kind": EXTERNAL,
        "severity": severity,
        "key": key,
        "groups": groups,
        "step": "",
        "because": because,
        "occurrence": "",
        "deadline_ms": begin,
        "at_ms": over,
        "delta_ms": None,
        "since_ms": begin,
        "event_id": "",
        "received_ms": now,
        "runbook": runbook,
        "amount": None,
        "until_ms": until,
    }


def down(alert: Alert) -> str:
    """The channel that an alert says is down; "" for all others."""
    return alert.groups.get("channel", "") if (alert.kind, alert.rule) == (EXTERNAL, CHANNEL_DOWN) else ""
