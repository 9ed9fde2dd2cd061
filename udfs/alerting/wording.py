"""Alerts and messages in a line of plain English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from udfs.alerting.alert import RESOLVED, Alert
from udfs.alerting.reported import EXTERNAL, FEARED
from udfs.core.effects import AT_RISK, BLIND, MISSING, PREDICTED, STALLED

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


EXPLAINED: Final = "explained by "
"""How the reason begins in the log of an alert that another one explains; the other's id follows, for who reads the log
may not see that one."""


def instant(ms: int) -> str:
    """An instant to the second, `2026-03-02 08:00:00 UTC`; the number itself where the calendar ends."""
    try:
        return f"{_EPOCH + timedelta(seconds=ms // 1000):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{ms} ms"


def span(ms: int) -> str:
    """A span in its two largest units."""
    rest = abs(ms)
    parts: list[str] = []
    for size, unit in _UNITS:
        if rest >= size:
            parts.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(parts[:2]) or f"{rest} ms"


def summary(alert: Alert) -> str:
    """What is wrong."""
    what = _what(alert)
    if alert.state == RESOLVED and alert.delta is not None:
        if alert.kind in FEARED:
            return f"{what}; {in_time(alert.delta)}"
        return f"{what}; put right, {span(alert.delta)} {'late' if alert.delta >= 0 else 'before the deadline'}"
    return what


def in_time(delta: int) -> str:
    """That something was done after all, `delta` ms after its deadline (0 or less)."""
    return f"done in time, {span(delta)} before the deadline" if delta else "done at the very deadline"


def _what(alert: Alert) -> str:
    if alert.kind == BLIND:
        return f"source {alert.key} has been silent since {instant(alert.since)}"
    if alert.kind == EXTERNAL:
        return f"{alert.rule}: {alert.because or alert.key}"
    if alert.is_of_a_step:
        return f"{alert.workflow}: nothing leaves {alert.step} since {instant(alert.since)}, {alert.because}"
    whom = f"{alert.workflow} {alert.key}"
    if alert.kind == MISSING:
        return f"{whom}: {alert.step} is missing, due {instant(alert.breach)}"
    if alert.kind == AT_RISK:
        return f"{whom}: {alert.step} is at risk since {instant(alert.breach)}"
    if alert.kind == PREDICTED:
        return f"{whom}: {alert.step} will hardly be in time"
    if alert.kind == STALLED:
        return f"{whom}: stands still at {alert.step} since {instant(alert.since)}"
    return f"{whom}: {alert.step} is {alert.kind.replace('_', ' ')}"


def title(reason: str, alerts: Sequence[Alert], count: int, hidden: int) -> str:
    """The subject of a message about `count` alerts, of which some are given, the most severe first."""
    first = alerts[0]
    text = summary(first) if count == 1 else f"{count} alerts, first {summary(first)}"
    more = f"stood for {hidden} more, not over yet" if first.ended is not None else f"explains {hidden} more"
    more = f" ({more})" if hidden else ""
    return f"{reason.capitalize()}: {text}{more}"
