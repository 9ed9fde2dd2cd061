"""How lanes and workflows stand, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import Concern, Quantiles

LaneState = Literal["live", "behind", "blind", "ended"]


class Lane(BaseModel):
    """A set of sources that share one clock."""

    lane: str
    state: LaneState = Field(description="blind: the clock stands still, so nothing can be said")
    watermark_ms: int | None = Field(description="up to here everything is known; null when the lane has ended")
    moved_ms: int = Field(description="when the clock last moved")
    age_ms: int = Field(description="since when it has not moved")
    lag_ms: int | None = Field(description="how far the watermark is behind the wall clock")
    parallelism: int
    subtasks: int
    blind_sources: list[str] = Field(description="silent beyond their heartbeat: what waits for them is held")


class Workflow(BaseModel):
    """How a workflow's items stand in one lane (and, where asked, for one value of a group)."""

    lane: str
    workflow: str
    value: str = Field(description="the value of the group asked for, else empty")
    status: Literal["green", "amber", "red", "blind", "ended"]
    lane_state: LaneState
    blind_sources: list[str] = Field(description="sources of the workflow that are silent beyond their heartbeat")
    watermark_ms: int | None
    items: int
    in_flight: int
    completed: int
    failed: int
    expired: int
    closed: int = Field(description="by a change of rules, while they were open")
    missing: int = Field(description="deadlines broken")
    late: int = Field(description="of these, how many were met afterwards")
    other: int
    overdue: int = Field(description="items in flight that wait for a step whose deadline is broken")
    at_risk: int = Field(description="items in flight that were warned of a deadline, and still wait for its step")
    last_event_ms: int
    amount_in_flight: float | None
    duration_ms: Quantiles | None = Field(description="start to completion")


class Step(BaseModel):
    """What passed a step, what waits at it, and what was found there."""

    model_config = ConfigDict(extra="ignore")

    step: str
    value: str
    passed: int
    last_ms: int | None
    duration_ms: Quantiles | None = Field(description="since the step before")
    queue_ms: Quantiles | None
    work_ms: Quantiles | None
    waiting: int = Field(description="items in flight whose latest step is this one")
    overdue: int
    oldest_ms: int | None
    amount: float | None
    ageing: list[int] = Field(description="waiting items by age: < 1 m, < 5 m, < 15 m, < 1 h, < 4 h, < 1 d, more")
    missing: int
    late: int
    other: int


class Steps(BaseModel):
    """The steps of a workflow in the order in which they usually happen."""

    workflow: str
    lane: str
    now_ms: int = Field(description="the lane's clock, from which ages count")
    ageing_ms: list[int]
    steps: list[Step]


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


class Open(Concern):
    """Something that is broken now."""

    model_config = ConfigDict(extra="ignore")

    occurrence: str
    deadline_ms: int
    since_ms: int | None
    runbook: str


class Overview(BaseModel):
    """What the overview shows."""

    tiles: list[Tile]
    open: list[Open] = Field(description="the gravest first, at most 40")
    lanes: list[Lane]
