"""What templates can name: a notification in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

SEVERITIES = ("critical", "high", "medium", "low")
ASKING = ("opened", "update", "escalated", "reminder", "digest")
"""Reasons that ask for an answer: only they carry a link to acknowledge."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a reader can go: `acknowledge` is a signed link ("": none), `page` the alert's own, `home` all alerts."""

    home: str = ""
    page: str = ""
    acknowledge: str = ""


def context(notification: Mapping[str, Any], addresses: Addresses, zone: str = "") -> dict[str, Any]:
    """The names that templates can use, for a row of type `notify` (docs/contracts.md). Times are shown in `zone`."""
    reason = str(notification.get("reason") or "opened")
    alerts = [_alert(row, zone, reason in ASKING) for row in notification.get("alerts") or ()]
    count = int(notification.get("count") or len(alerts))
    return {
        "id": notification.get("id", ""),
        "reason": reason,
        "title": notification.get("title") or (alerts[0]["summary"] if alerts else "Daymark"),
        "lane": notification.get("lane", ""),
        "severity": severity_of(alerts),
        "alerts": alerts,
        "count": count,
        "more": max(0, count - len(alerts)),
        "hidden": int(notification.get("hidden") or 0),
        "person": notification.get("person", ""),
        "group": notification.get("group", ""),
        "incident": notification.get("incident", ""),
        "step": int(notification.get("step") or 0),
        "at": instant(notification.get("at_ms"), zone),
        "acknowledge_url": addresses.acknowledge if reason in ASKING else "",
        "url": addresses.page or addresses.home,
        "home_url": addresses.home,
    }


def severity_of(alerts: list[dict[str, Any]]) -> str:
    """The most severe of the alerts' severities; low if there is none."""
    found = {row["severity"] for row in alerts}
    return next((one for one in SEVERITIES if one in found), "low")


def instant(ms: int | None, zone: str = "") -> str:
    """`2026-03-02 08:00:00 UTC`, or the same instant in a zone; "" for none, UTC where the zone is unknown."""
    if not ms:
        return ""
    try:
        return f"{(_EPOCH + timedelta(milliseconds=ms)).astimezone(_zone(zone)):%Y-%m-%d %H:%M:%S %Z}"
    except OverflowError:
        return f"{ms} ms"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _alert(row: Mapping[str, Any], zone: str, asks: bool) -> dict[str, Any]:
    """An alert row with its instants in words beside them; what templates name is always there. `asks`: an answer is
    wanted."""
    kind, key, step = (str(row.get(name) or "") for name in ("kind", "key", "step"))
    said = f"{row.get('workflow') or key}: {step} is {kind.replace('_', ' ')}"
    usual: dict[str, Any] = {
        "severity": "low",
        "summary": row.get("summary") or said,
        "runbook": "",
        "groups": {},
        "hidden": 0,
    }
    times = {
        "breach": instant(row.get("breach_ms"), zone),
        "opened": instant(row.get("opened_ms"), zone),
        "ended": instant(row.get("ended_ms"), zone),
        "respond_by": instant(row.get("respond_by_ms"), zone) if asks and row.get("answered_ms") is None else "",
    }
    given = {name: value for name, value in row.items() if value is not None}
    if not isinstance(given.get("groups"), Mapping):
        given.pop("groups", None)
    return {**usual, **given, **times}
