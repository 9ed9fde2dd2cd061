"""What was found, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from pydantic import BaseModel, Field

from api.models.common import Groups


class Finding(BaseModel):
    """Something that operations people should know of."""

    id: str
    lane: str
    workflow: str
    version: int
    rule_hash: str
    rule: str
    kind: str
    severity: str
    key: str
    groups: Groups
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
    amount: float | None = Field(description="what is at stake with the item; null where there is none, or it has none")
    text: str = Field(
        description="in plain words", examples=["reply is missing: T-123 (EU), due 10:05:00, 5 m after send"]
    )


class FindingCount(BaseModel):
    """How many findings of one sort."""

    lane: str
    workflow: str
    rule: str
    kind: str
    severity: str
    value: str
    findings: int
    last_deadline_ms: int
