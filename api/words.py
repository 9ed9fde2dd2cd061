"""Findings, spans and instants in plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def span(ms: int | float | None) -> str:
    """A length of time in its two largest units: '5 m', '1 h 20 m', '350 ms'; '-' for None."""
    if ms is None:
        return "-"
    left = abs(round(ms))
    if left < 1000:
        return f"{left} ms"
    if left < 10_000 and left % 1000:
        return f"{left / 1000:.1f} s"
    for place, (unit, size) in enumerate(_UNITS):
        if left >= size:
            count, left = divmod(left, size)
            smaller = _UNITS[place + 1 : place + 2]
            rest = left // smaller[0][1] if smaller else 0
            return f"{count} {unit} {rest} {smaller[0][0]}" if rest else f"{count} {unit}"
    return "0 s"


def clock(ms: int | None, now_ms: int | None = None) -> str:
    """An instant as 10:05:00 in UTC, with its date where that isn't the date of `now_ms`; '-' for None."""
    if ms is None:
        return "-"
    try:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return "-"
    if now_ms is not None and moment.date() == datetime.fromtimestamp(now_ms / 1000, UTC).date():
        return f"{moment:%H:%M:%S}"
    return f"{moment.day} {moment:%b %Y %H:%M:%S}"


Show = Callable[[int | None, int | None], str]


def sentence(finding: Mapping[str, Any], now_ms: int | None = None, show: Show = clock) -> str:
    """What a finding says: 'reply is missing: T-123 (EU, BK-7), due 10:05:00, 5 m after send'.

    `show` writes instants."""
    groups = ", ".join(finding["groups"].values())
    who = f"{finding['key']} ({groups})" if groups else finding["key"]
    step, because = finding["step"] or "a step", finding["because"]
    due, at = finding["deadline_ms"], finding["at_ms"]
    since = finding["since_ms"]
    allowed = f", {span(due - since)} after {because}" if since is not None and because else ""
    came = f", {because}" if since is None and because else ""  # of a schedule's count
    children = f", {finding.get('occurrence')} came" if " of " in finding.get("occurrence", "") else ""
    when = show(at if at is not None else due, now_ms)
    match finding["kind"]:
        case "missing":
            return f"{step} is missing: {who}, due {show(due, now_ms)}{allowed}{came}{children}"
        case "late":
            return f"{step} came {span(finding['delta_ms'])} late: {who}, due {show(due, now_ms)}, came {when}"
        case "reported_late":
            return f"{step} was in time but reported late: {who}, due {show(due, now_ms)}, happened {when}"
        case "at_risk" | "predicted" if at is not None:
            if finding["delta_ms"] is None:
                return f"{step} is not waited for any more: {who}, at risk {show(due, now_ms)}, called off {when}"
            return f"{step} came in time after all: {who}, at risk {show(due, now_ms)}, came {when}"
        case "at_risk":
            waited = f"{span(due - since)} after {because}" if since is not None else "yet"
            return f"{step} is at risk: {who}, not there {waited}"
        case "early":
            return f"{step} came {span(-finding['delta_ms'])} early: {who}, not before {show(due, now_ms)}, came {when}"
        case "out_of_order":
            return f"{step} came after {because or 'a later step'}: {who}, at {when}"
        case "unexpected":
            if " of " in because:  # more children than were awaited
                return f"{step} came once too often, {because}: {who}, at {when}"
            return f"{step} came {f'instead of {because}' if because else 'unexpectedly'}: {who}, at {when}"
        case "duplicate":
            return f"{step} came again: {who}, at {when}"
        case "invalid":
            received = show(finding["received_ms"], now_ms)
            said = "no time that can be read" if at is None else f"a time that can't be right, {show(at, None)}"
            return f"{step} has {said}: {who}, received {received}"
        case "stalled" if finding.get("occurrence") == "step":
            ended = "" if at is None else f", until {show(at, now_ms)}"
            return f"nothing has left {step} for {span(due - since)}: {because}{ended}"
        case "stalled":
            return f"nothing has happened since {step}: {who}, {span(due - since)} after it"
        case "predicted":
            return f"{step} will hardly be in time: {who}, not there {span(due - since)} after {because}"
        case "blind":
            ended = "" if at is None else f", until {show(at, now_ms)}"
            return f"nothing comes from {finding['key']}: blind since {show(due, now_ms)}{ended}"
        case "external":
            ended = "" if at is None else f", until {show(at, now_ms)}"
            return f"{because or finding['key']}: since {show(due, now_ms)}{ended}"
        case kind:
            return f"{step}: {kind.replace('_', ' ')}: {who}, at {when}"
