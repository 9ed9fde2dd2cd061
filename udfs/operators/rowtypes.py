"""The shapes of the rows of docs/contracts.md, their fields in its order.

They are msgspec structs, since their encoder writes a line in a tenth of the time that a dict takes. This module is not
compiled: a compiled class takes no notice of what is said beside its base (`gc`, `omit_defaults`).
"""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, gc=False):
    """Not looked at by the garbage collector: rows hold no references that could lead back to them."""


class FindingRow(Row):
    id: str
    lane: str
    workflow: str
    version: int
    rule_hash: str
    rule: str
    kind: str
    severity: str
    key: str
    groups: dict[str, str]
    step: str
    because: str
    occurrence: str
    deadline_ms: int
    at_ms: int | None
    delta_ms: int | None
    since_ms: int | None
    event_id: str
    received_ms: int
    runbook: str
    amount: float | None = None


class TransitionRow(Row):
    lane: str
    workflow: str
    version: int
    key: str
    event_id: str
    source: str
    event_type: str
    step: str
    previous: str
    at_ms: int
    previous_at_ms: int | None
    duration_ms: int | None
    queue_ms: int | None
    work_ms: int | None
    groups: dict[str, str]


class Pending(Row):
    id: str
    due_ms: int


class Forecast(Row):
    id: str
    due_ms: int
    since_ms: int
    quantiles: tuple[int, ...]


class ItemRow(Row, omit_defaults=True):
    lane: str
    workflow: str
    version: int
    rule_hash: str
    key: str
    run_ms: int
    status: str
    step: str
    started_ms: int
    updated_ms: int
    ended_ms: int | None
    events: int
    missing: int
    late: int
    overdue: int
    other: int
    next_due_ms: int | None
    pending: list[Pending]
    groups: dict[str, str]
    amount: float | None
    rev: int
    reason: str = ""
    forecast: list[Forecast] | None = None


class EventRow(Row):
    lane: str
    source: str
    id: str
    type: str
    time_ms: int
    received_ms: int
    key_name: str
    key: str
    groups: dict[str, str]
    data: msgspec.Raw | str
    truncated: int
    duplicate: int
    topic: str
    partition: int
    offset: int


class DeadLetterRow(Row):
    lane: str
    topic: str
    partition: int
    offset: int
    received_ms: int
    reason: str
    detail: str
    raw: str
