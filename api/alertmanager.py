"""Alerts and silences in the words of Alertmanager's API v2, for the tools that speak it. Pure; instants are epoch ms.

An alert's labels are ours (udfs/alerting/matchers.py), those without a value left out, and `alertname` in the place of
`rule`. A receiver is an escalation; `none` tells nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from udfs.alerting.matchers import Matcher, all_fit, labels_of
from udfs.alerting.policy import Policy, Route
from udfs.alerting.reported import SEVERITIES
from udfs.packs.alertmatch import listed, parse_matcher, write_label
from udfs.packs.alertmodel import NOBODY
from udfs.packs.alerttimes import parse_moment
from udfs.packs.zones import compile_zone

Row = dict[str, Any]
STATES = {"pending": "unprocessed", "suppressed": "suppressed"}
AHEAD_MS = 300_000
"""An alert that goes on is said to end so far ahead, as Alertmanager says it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(ms: int) -> str:
    """2026-03-02T08:00:00.000Z"""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def labels(row: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an alert row."""
    found = labels_of(row)
    found["alertname"] = found.pop("rule")
    return {name: value for name, value in found.items() if value}


def ours(matcher: Matcher) -> Matcher:
    """A matcher on our labels, from one on theirs."""
    return replace(matcher, label="rule") if matcher.label == "alertname" else matcher


def receiver_filter(pattern: str) -> Matcher | None:
    """The matcher of `receiver=`, a pattern; None for none. Raises ValueError with a sentence."""
    return parse_matcher(f"receiver =~ {json.dumps(pattern, ensure_ascii=False)}") if pattern else None


def filters(texts: Iterable[str]) -> tuple[Matcher, ...]:
    """The matchers of `filter=`, on our labels. Raises ValueError with a sentence."""
    return tuple(ours(parse_matcher(text)) for text in texts)


def alert(row: Row, policy: Policy, now: int) -> Row:
    """An alert row that has not ended."""
    kind, _, window = row["suppressed_by"].partition(" ")
    told = {"summary": row["summary"], "runbook": row["runbook"], "state": row["state"]}
    told["acknowledged_by"] = row["acked_by"]
    silence_id = window if kind == "silence" and window else row["suppressed_by"]
    return {
        "labels": labels(row),
        "annotations": {name: value for name, value in told.items() if value},
        "fingerprint": row["id"],
        "startsAt": stamp(row["opened_ms"]),
        "updatedAt": stamp(row["changed_ms"]),
        "endsAt": stamp(now + AHEAD_MS),
        "receivers": [{"name": name} for name in receivers(row, policy)],
        "status": {
            "state": STATES.get(row["state"], "active"),
            "silencedBy": [silence_id] if _is_silenced(row) and kind != "maintenance" else [],
            "inhibitedBy": [row["explained_by"]] if row["explained_by"] else [],
            "mutedBy": [window] if kind == "maintenance" else [],
        },
    }


def _is_silenced(row: Row) -> bool:
    """Suppressed by a silence, a person or a maintenance window; not by its cause."""
    return row["state"] == "suppressed" and not row["explained_by"]


def receivers(row: Row, policy: Policy) -> list[str]:
    """Whoever is told of it: its escalations."""
    return list(dict.fromkeys(route.escalation or NOBODY for route in _routes(row, policy)))


def _routes(row: Row, policy: Policy) -> tuple[Route, ...]:
    """The routes that an alert row has taken: by the severity of its findings. That isn't in the row; where a route
    gives alerts another one, it is one that leads to the row's route and severity."""
    known = labels_of(row)
    for said in dict.fromkeys((row["severity"], *SEVERITIES)):
        routes = policy.route(known | {"severity": said})
        severity = next((route.severity for route in routes if route.severity), said)
        if (routes[0].name, severity) == (row["route"], row["severity"]):
            return routes
    return policy.route(known)  # these documents are newer than the row


def chosen(
    rows: Iterable[Row], policy: Policy, matchers: Sequence[Matcher], receiver: Matcher | None, hidden: set[str]
) -> list[Row]:
    """The alert rows that fit; `hidden` are the sorts left out: active, silenced, inhibited, unprocessed."""
    found = []
    for row in rows:
        if hidden & _sorts(row) or not all_fit(tuple(matchers), labels_of(row)):
            continue
        if receiver is None or any(receiver.fits({"receiver": name}) for name in receivers(row, policy)):
            found.append(row)
    return sorted(found, key=lambda row: str(row["id"]))


def _sorts(row: Row) -> set[str]:
    sorts = {STATES.get(row["state"], "active")}
    return sorts | ({"silenced"} if _is_silenced(row) else set()) | ({"inhibited"} if row["explained_by"] else set())


def groups(rows: Iterable[Row], policy: Policy, now: int) -> list[Row]:
    """The alerts by receiver and by the labels that their routes group by."""
    found: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        known, shown = labels_of(row), alert(row, policy, now)
        for route in _routes(row, policy):
            by = {name: known.get(name, "") for name in route.group_by}
            by = {"alertname" if name == "rule" else name: value for name, value in by.items() if value}
            place = (route.escalation or NOBODY, route.name, *sorted(by.items()))
            new = {"labels": by, "routeLabels": {}, "receiver": {"name": place[0]}, "alerts": []}
            found.setdefault(place, new)["alerts"].append(shown)
    return [found[place] for place in sorted(found, key=str)]


def silence(name: str, body: Row, updated_ms: int, now: int) -> Row:
    """A silence document, in force or not. Raises ValueError for one that can't be read."""
    begin, end = span(body)
    return {
        "id": name,
        "matchers": [_matcher(parse_matcher(text)) for text in listed(body["match"])],
        "startsAt": stamp(begin),
        "endsAt": stamp(end),
        "createdBy": body.get("by", ""),
        "comment": body.get("why", ""),
        "annotations": {},
        "updatedAt": stamp(updated_ms),
        "status": {"state": "pending" if now < begin else "active" if now < end else "expired"},
    }


def span(body: Row) -> tuple[int, int]:
    """When a silence document holds: from, until (epoch ms)."""
    zone = compile_zone(body["zone"]) if body.get("zone") else None
    return parse_moment(body["from"], zone), parse_moment(body["until"], zone)


def in_order(silences: Iterable[Row]) -> list[Row]:
    """Those in force first, the next to end first; then those to come, the next first; then the latest that ended."""
    found = list(silences)
    ended = [one for one in found if one["status"]["state"] == "expired"]
    rest = [one for one in found if one["status"]["state"] != "expired"]
    rest.sort(key=lambda one: str(one["startsAt" if one["status"]["state"] == "pending" else "endsAt"]))
    rest.sort(key=lambda one: bool(one["status"]["state"] == "pending"))
    return rest + sorted(ended, key=lambda one: str(one["endsAt"]), reverse=True)


def has(one: Row, matchers: Iterable[Matcher]) -> bool:
    """Whether a silence has each of these matchers, word for word."""
    return all(_matcher(matcher) in one["matchers"] for matcher in matchers)


def body_of_silence(said: Row, begin: int, end: int) -> Row:
    """The document of a posted silence. Raises ValueError with a sentence."""
    texts = [_text(matcher) for matcher in said["matchers"]]
    return {"match": texts, "from": stamp(begin), "until": stamp(end), "by": said["createdBy"], "why": said["comment"]}


def _text(said: Row) -> str:
    """A matcher as our language writes it."""
    name = "rule" if said["name"] == "alertname" else said["name"]
    sign = ("=~" if said["isRegex"] else "=") if said["isEqual"] else ("!~" if said["isRegex"] else "!=")
    text = f"{write_label(name)} {sign} {json.dumps(said['value'], ensure_ascii=False)}"
    parse_matcher(text)
    return text


def _matcher(matcher: Matcher) -> Row:
    """Ours, in their words: one of several values is a pattern there."""
    values = sorted(matcher.values)
    pattern = matcher.pattern if matcher.pattern is not None else "|".join(map(re.escape, values))
    regex = matcher.pattern is not None or len(values) != 1
    name = "alertname" if matcher.label == "rule" else matcher.label
    value = pattern if regex else values[0]
    return {"name": name, "value": value, "isRegex": regex, "isEqual": not matcher.negated}
