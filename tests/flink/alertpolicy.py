"""Two people, one of whom is told at once and the other after two minutes; and a finding."""

from __future__ import annotations

import uuid
from typing import Any

DOCUMENTS: dict[str, dict[str, Any]] = {
    "channel/hook": {"type": "webhook", "url": "http://127.0.0.1:1/"},
    "channel/mail": {"type": "email", "server": "127.0.0.1:25", "from": "daymark@example.com"},
    "person/anna": {"email": "anna@example.com", "by": ["mail"]},
    "person/ben": {"email": "ben@example.com", "by": ["mail"]},
    "escalation/desk": {
        "steps": [{"notify": [{"person": "anna"}]}, {"after": "2m", "notify": [{"person": "ben"}]}],
    },
    "routes/main": {"escalation": "desk", "group_by": ["key"]},
}


def finding(key: str, at: int) -> dict[str, Any]:
    """A finding row of docs/contracts.md: something about `key` was missing at `at` (epoch ms)."""
    return {
        "id": uuid.uuid4().hex, "lane": "main", "workflow": "parcel", "version": 1, "rule_hash": "r", "rule": "arrival",
        "kind": "missing", "severity": "high", "key": key, "groups": {}, "step": "arrive", "because": "send",
        "occurrence": "", "deadline_ms": at, "at_ms": None, "delta_ms": None, "since_ms": at - 10_000, "event_id": "e",
        "received_ms": at, "runbook": "",
    }  # fmt: skip
