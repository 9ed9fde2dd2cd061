"""Items, and the story of one, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import Groups


class Pending(BaseModel):
    """A deadline that waits."""

    id: str
    due_ms: int


class Item(BaseModel):
    """One run of a workflow for one key."""

    model_config = ConfigDict(extra="ignore")

    lane: str
    workflow: str
    version: int
    rule_hash: str
    key: str
    run_ms: int = Field(description="which run of the key: the time of the first event admitted to it")
    status: str
    step: str
    started_ms: int
    updated_ms: int
    ended_ms: int | None
    events: int
    missing: int
    late: int
    other: int
    overdue: int = Field(description="deadlines broken whose step is still awaited")
    next_due_ms: int | None
    pending: list[Pending]
    groups: Groups
    amount: float | None
    reason: str = Field(description="why it was closed, else empty")


class FoundItem(BaseModel):
    """An item that a key leads to."""

    model_config = ConfigDict(extra="ignore")

    lane: str
    workflow: str
    key: str = Field(description="the item's own key")
    run_ms: int
    status: str
    step: str
    started_ms: int
    updated_ms: int
    missing: int
    late: int
    overdue: int
    groups: Groups
    amount: float | None


class Excerpt(BaseModel):
    """The record behind a step."""

    source: str
    id: str
    type: str
    time_ms: int
    received_ms: int
    topic: str
    partition: int
    offset: int
    duplicate: int
    excerpt: str = Field(description="the first 2,000 characters of the masked record, as JSON text")
    cut: int


class Hop(BaseModel):
    """An item's move to a step."""

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
    version: int
    event: Excerpt | None
    findings: list[str] = Field(description="ids of the findings whose evidence this event is")


class DeadlineState(BaseModel):
    """A deadline of an item: pending, missing, late, reported_late or early."""

    id: str
    state: str
    due_ms: int
    step: str
    since_ms: int | None
    at_ms: int | None
    chance: float | None = Field(
        None, description="that a pending one is missed, 0 to 1; null where it is not predicted"
    )


class Run(BaseModel):
    """One of a key's runs."""

    model_config = ConfigDict(extra="ignore")

    run_ms: int
    status: str
    started_ms: int
    updated_ms: int
    missing: int
    late: int
    overdue: int
