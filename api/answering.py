"""Whether alerts are answered within the time that they should be. That time the alert job knows
(udfs/alerting/response.py); sql/queries/alerts/list.sql filters by the same words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from api.words import span

Response = Literal["waiting", "overdue", "in_time", "late"]
TOLD = ("open", "escalated")


def response(alert: Mapping[str, Any], now_ms: int) -> Response | None:
    """`waiting` and `overdue` want an answer, `in_time` has had one, `late` had it too late or never; None where none
    is wanted: nobody is to be told, or it was over before."""
    due, answered, ended = alert["respond_by_ms"], alert["answered_ms"], alert["ended_ms"]
    if due is None:
        return None
    if answered is not None:
        return "in_time" if answered <= due else "late"
    if (now_ms if ended is None else ended) <= due:
        return "waiting" if ended is None else None
    return "overdue" if alert["state"] in TOLD else "late"


def measured(alert: Mapping[str, Any], now_ms: int) -> str:
    """How soon somebody answered, beside how soon that should have been; "" while there is nothing to measure."""
    due, answered, opened = alert["respond_by_ms"], alert["answered_ms"], alert["opened_ms"]
    within = "" if due is None else span(due - opened)
    if answered is None:
        return f"nobody answered within {within}" if response(alert, now_ms) == "late" else ""
    after = f"answered after {span(answered - opened)}"
    if not within:
        return after
    return f"{after}, within {within}" if answered <= due else f"{after}, not within {within}"
