"""What the overview says, as JSON."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.models import Groups, Lane, Workflow


class Next(BaseModel):
    """The deadline that comes next: of an item in flight (`key`, `run_ms`), or of a schedule (`id`)."""

    id: str
    due_ms: int
    key: str
    run_ms: int | None


class Absolute(BaseModel):
    """What is due next at a time of day: by a schedule, or by a deadline that items wait for."""

    id: str = Field(description="the deadline or the schedule")
    due_ms: int
    items: int = Field(description="items in flight that wait for it; 0 of what a schedule expects")


class Tile(Workflow):
    """A workflow on the overview."""

    next: Next | None
    absolute: Absolute | None = Field(description="of workflows of the live lane, whose rules are known")
    bars: list[int] = Field(description="findings in each five minutes of the last two hours, the oldest first")


class Open(BaseModel):
    """Something that is broken now."""

    model_config = ConfigDict(extra="ignore")

    id: str
    lane: str
    workflow: str
    rule: str
    kind: str
    severity: str
    key: str
    groups: Groups
    step: str
    occurrence: str
    deadline_ms: int
    since_ms: int | None
    runbook: str


class Overview(BaseModel):
    """What the overview shows."""

    tiles: list[Tile]
    open: list[Open] = Field(description="the gravest first, at most 40")
    lanes: list[Lane]
