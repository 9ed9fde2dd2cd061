"""The service itself, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from pydantic import BaseModel, Field


class RuleAccepted(BaseModel):
    """What was put in force, or, without version and instant, withdrawn."""

    workflow: str
    version: int | None
    effective_from: int | None = Field(description="epoch ms, by event time")
    revision: int | None = Field(None, description="the rule's ETag; null while the change waits for approval")
    outcome: str = Field("sent", description="sent: Kafka has it; pending: Kafka will get it; waits: for approval")


class PackedWorkflow(BaseModel):
    """A workflow of an archive."""

    workflow: str
    version: int
    outcome: str = Field(
        "", description="sent: Kafka has it; pending: Kafka will get it; waits: for approval; empty: only looked at"
    )


class PackTaken(BaseModel):
    """What a pack held, and whether it was put in force."""

    checked: bool = Field(description="true: only looked at")
    workflows: list[PackedWorkflow]


class Readiness(BaseModel):
    """Whether requests can be served, part by part."""

    ready: bool
    parts: dict[str, str]
