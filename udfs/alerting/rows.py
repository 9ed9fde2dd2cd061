"""Alerts, incidents and messages as rows of docs/contracts.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from udfs.alerting.alert import ACKNOWLEDGED, PENDING, SUPPRESSED, Alert
from udfs.alerting.records import Incident
from udfs.alerting.reported import SEVERITIES
from udfs.alerting.wording import summary

Row = dict[str, Any]


def alert_row(alert: Alert, hidden: int) -> Row:
    """`hidden` is how many live alerts it explains."""
    first = alert.tracks[0]
    return {
        "id": alert.id,
        "lane": alert.lane,
        "workflow": alert.workflow,
        "rule": alert.rule,
        "kind": alert.kind,
        "severity": alert.severity,
        "key": alert.key,
        "groups": alert.groups,
        "step": alert.step,
        "because": alert.because,
        "occurrence": alert.occurrence,
        "date": alert.date,
        "state": alert.state,
        "level": alert.level,
        "episode": alert.episode,
        "count": alert.count,
        "breach_ms": alert.breach,
        "opened_ms": alert.opened,
        "changed_ms": alert.changed,
        "ended_ms": alert.ended,
        "delta_ms": alert.delta,
        "finding": alert.finding,
        "assignee": alert.assignee,
        "acked_by": alert.acked_by,
        "acked_ms": alert.acked,
        "ack_until_ms": alert.ack_until,
        "respond_by_ms": alert.respond_by,
        "answered_ms": alert.answered,
        "suppressed_by": alert.suppressed_by,
        "suppressed_until_ms": alert.suppressed_until,
        "explained_by": alert.explained_by,
        "hidden": hidden,
        "incident": alert.incident,
        "route": first.route,
        "team": first.team,
        "escalation": first.escalation,
        "next_ms": next_ms(alert),
        "amount": alert.amount,
        "runbook": alert.runbook,
        "excused": int(alert.excused),
        "summary": summary(alert),
        "rev": alert.rev,
    }


def next_ms(alert: Alert) -> int | None:
    """When something will happen to it that people see, if nobody does anything before; its expiry doesn't count."""
    if alert.is_telling:
        return min((track.due for track in alert.tracks if track.due is not None), default=None)
    if alert.state == ACKNOWLEDGED:
        return alert.ack_until
    if alert.state == SUPPRESSED:
        return alert.suppressed_until
    return alert.hold_until if alert.state == PENDING else None


def incident_row(incident: Incident, priority: str) -> Row:
    return {
        "id": incident.id,
        "lane": incident.lane,
        "state": incident.state,
        "priority": priority,
        "title": incident.title,
        "cause": incident.cause,
        "evidence": list(incident.evidence),
        "opened_ms": incident.opened,
        "resolved_ms": incident.resolved,
        "alerts": incident.alerts,
        "items": incident.items,
        "groups": {name: list(values) for name, values in incident.groups.items()},
        "value": incident.value,
        "note": incident.note,
        "note_ms": incident.note_ms,
        "public": int(incident.public),
        "rev": incident.rev,
    }


def by_severity(alerts: Sequence[Alert]) -> list[Alert]:
    """The most severe first, of those the oldest."""
    return sorted(alerts, key=lambda one: (-SEVERITIES.index(one.severity), one.age))
