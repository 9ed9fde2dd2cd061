"""What the API answers about alerts, for its OpenAPI description. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field

from api.models import Event
from api.models.common import Concern

State = Literal["pending", "open", "acknowledged", "suppressed", "escalated", "resolved", "expired"]
ENDED = ("resolved", "expired")
ACTIVE = ("pending", "open", "acknowledged", "suppressed", "escalated")


class Alert(Concern):
    """Something that is wrong with somebody, and its life with people."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="the fingerprint: 32 hex digits")
    because: str
    occurrence: str
    date: str
    state: State
    level: int = Field(description="of escalation: how many steps have been taken")
    episode: int = Field(description="how often it has opened, this time included")
    count: int = Field(description="findings in this episode")
    breach_ms: int
    opened_ms: int
    changed_ms: int
    ended_ms: int | None
    delta_ms: int | None = Field(description="how late it was put right")
    finding: str = Field(description="id of the last one")
    assignee: str
    acked_by: str
    acked_ms: int | None
    ack_until_ms: int | None
    respond_by_ms: int | None = Field(
        None, description="until then somebody should answer; null where nobody is to be told, or was by then"
    )
    answered_ms: int | None = Field(None, description="when somebody first acknowledged, suppressed or resolved it")
    suppressed_by: str
    suppressed_until_ms: int | None
    explained_by: str = Field(description="id of the alert that is the cause of this one, else empty")
    hidden: int = Field(description="alerts that this one explains")
    incident: str
    route: str
    team: str
    escalation: str
    next_ms: int | None = Field(description="when somebody is told next if nobody answers")
    amount: float | None
    runbook: str
    excused: int = Field(description="1 inside a maintenance window: counts nowhere")
    summary: str
    rev: int

    @computed_field(description="from its opening to its first answer")  # type: ignore[prop-decorator]
    @property
    def answered_after_ms(self) -> int | None:
        """Null as long as nobody has answered."""
        return None if self.answered_ms is None else self.answered_ms - self.opened_ms


class LogEntry(BaseModel):
    """One change of an alert."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    alert: str
    rev: int
    n: int
    at_ms: int
    who: str
    what: str
    before: Annotated[str, Field(alias="from")]
    after: Annotated[str, Field(alias="to")]
    why: str
    finding: str
    action: str


class Delivery(BaseModel):
    """One attempt to tell somebody."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(description="the notification's")
    attempt: int
    at_ms: int
    took_ms: int
    channel: str
    type: str
    person: str
    address: str = Field(description="masked")
    outcome: str = Field(description="sent, failed, retry, dead, called_off, superseded or refused")
    status: int | None
    detail: str
    alerts: list[str]
    reason: str
    lane: str


class AlertDetail(Alert):
    """An alert with its story."""

    log: list[LogEntry]
    deliveries: list[Delivery]
    explains: list[str] = Field(description="ids of the alerts that it explains, 1,000 at most")


class AlertCount(BaseModel):
    """How many alerts of one sort, without those inside a maintenance window."""

    lane: str
    workflow: str
    state: State
    severity: str
    alerts: int
    changed_ms: int


class Incident(BaseModel):
    """Alerts with one cause."""

    model_config = ConfigDict(extra="ignore")

    id: str
    lane: str
    state: Literal["open", "resolved"]
    priority: str
    title: str
    cause: str = Field(description="id of the alert that is the probable cause, else empty")
    evidence: list[str]
    opened_ms: int
    resolved_ms: int | None
    alerts: int
    items: int
    groups: dict[str, list[str]]
    value: float | None
    note: str = Field(description="what people are told of it")
    note_ms: int | None
    public: int = Field(description="1: the note is shown on the status page")
    rev: int


class IncidentDetail(Incident):
    """An incident with what belongs to it."""

    members: list[Alert] = Field(
        description="its cause first, 1,000 at most; of one that has come back since, how it was in this incident"
    )
    timeline: list[LogEntry] = Field(description="of its alerts, and of itself: those entries name no `alert`")
    deliveries: list[Delivery]
    events: list[Event] = Field(description="that moved its items, about the breach: 20 of each item, 200 at most")
