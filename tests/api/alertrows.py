"""Rows of the alert job and the dispatcher, with what a test doesn't care about filled in."""

from __future__ import annotations

from typing import Any

from tests.api.rows import T0

Row = dict[str, Any]
FP = "a" * 32


def alert(**given: Any) -> Row:
    row = {
        "id": FP,
        "lane": "main",
        "workflow": "w",
        "rule": "reply",
        "kind": "missing",
        "severity": "high",
        "key": "K-1",
        "groups": {"market": "EU"},
        "step": "b",
        "because": "a",
        "occurrence": "1",
        "date": "2023-11-14",
        "state": "open",
        "level": 0,
        "episode": 1,
        "count": 1,
        "breach_ms": T0,
        "opened_ms": T0,
        "changed_ms": T0,
        "ended_ms": None,
        "delta_ms": None,
        "finding": "f" * 32,
        "assignee": "",
        "acked_by": "",
        "acked_ms": None,
        "ack_until_ms": None,
        "respond_by_ms": None,
        "answered_ms": None,
        "suppressed_by": "",
        "suppressed_until_ms": None,
        "explained_by": "",
        "hidden": 0,
        "incident": "",
        "route": "default",
        "team": "ops",
        "escalation": "",
        "next_ms": None,
        "amount": None,
        "runbook": "",
        "excused": 0,
        "summary": "reply is missing: K-1",
        "rev": T0 << 20,
    }
    return row | given


def logged(**given: Any) -> Row:
    row = {"alert": FP, "lane": "main", "rev": T0 << 20, "n": 0, "at_ms": T0, "who": "", "what": "opened"}
    return row | {"from": "", "to": "open", "why": "", "finding": "", "action": ""} | given


def incident(**given: Any) -> Row:
    row = {
        "id": "i" * 32,
        "lane": "main",
        "state": "open",
        "priority": "P2",
        "title": "replies are missing",
        "cause": "",
        "evidence": ["5 alerts of reply within 5 m"],
        "opened_ms": T0,
        "resolved_ms": None,
        "alerts": 1,
        "items": 1,
        "groups": {"market": ["EU"]},
        "value": None,
        "note": "",
        "note_ms": None,
        "public": 0,
        "rev": T0 << 20,
    }
    return row | given


def delivery(**given: Any) -> Row:
    row = {
        "id": "n" * 32,
        "attempt": 1,
        "at_ms": T0,
        "took_ms": 12,
        "channel": "mail",
        "type": "email",
        "person": "anna",
        "address": "a***@example.org",
        "outcome": "sent",
        "status": 250,
        "detail": "",
        "alerts": [FP],
        "reason": "opened",
        "lane": "main",
    }
    return row | given
