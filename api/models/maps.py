"""A workflow's map, and one of its steps, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import Groups, Quantiles


class MapStep(BaseModel):
    """A step on the map: what came to it in the hour before, what waits there, and what is broken."""

    model_config = ConfigDict(extra="ignore")

    step: str
    status: Literal["green", "amber", "red", "blind"]
    passed: int
    duration_ms: Quantiles | None = Field(description="of its most usual way there")
    spent_ms: int = Field(description="all durations together")
    waiting: int
    overdue: int
    at_risk: int
    oldest_ms: int | None
    due_ms: int | None
    amount: float | None = Field(description="value at risk: of what waits there")


class MapEdge(BaseModel):
    """An edge of the map."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    from_: str = Field(alias="from")
    to: str
    status: Literal["green", "amber", "red", "blind"]
    passed: int
    overdue: int
    at_risk: int
    duration_ms: Quantiles | None


class GroupValue(BaseModel):
    """A value that a group had on what moved in the hour before."""

    name: str
    value: str
    moved: int = Field(description="how many steps")


class HeatCell(BaseModel):
    """How long the way to a step took in a span of the hour."""

    mean_ms: float
    level: int = Field(ge=0, le=5, description="how far above the usual: 0 below 1.25 times, 5 from 5 times on")


class Heat(BaseModel):
    """Where time is lost: a step's row of the heat map."""

    step: str
    share: float = Field(description="of all time that the hour's moves took, 0 to 1")
    usual_ms: float
    cells: list[HeatCell | None] = Field(description="12 spans of five minutes; null where nothing came")


class Map(BaseModel):
    """A workflow as configured, with what moves along it."""

    model_config = ConfigDict(extra="ignore")

    workflow: str
    lane: str
    status: str
    live: bool = Field(description="false: as it was at `at_ms`")
    now_ms: int
    at_ms: int
    window_ms: int
    group: str = Field(description="the group asked for, as name:value; empty for all")
    groups: list[GroupValue] = Field(description="what may be asked for: the 12 values of each group that moved most")
    steps: list[MapStep]
    edges: list[MapEdge]
    heat: list[Heat] = Field(description="the step that took most of all time first")


class WaitingItem(BaseModel):
    """An item that waits at a step."""

    model_config = ConfigDict(extra="ignore")

    lane: str
    workflow: str
    key: str
    run_ms: int
    updated_ms: int = Field(description="since when it waits")
    next_due_ms: int | None
    overdue: int
    groups: Groups
    amount: float | None


class StepDetail(BaseModel):
    """A step now, and its last two hours in spans of five minutes beside the same hours of the weeks before."""

    model_config = ConfigDict(extra="ignore")

    workflow: str
    lane: str
    step: str
    status: Literal["green", "amber", "red", "blind"]
    now_ms: int
    since_ms: int
    span_ms: int
    waiting: int
    overdue: int
    at_risk: int = Field(description="items that were warned of a deadline whose clock started here, and still wait")
    amount: float | None = Field(description="value at risk: of what waits")
    ageing: list[int] = Field(description="waiting items by age: < 1 m, < 5 m, < 15 m, < 1 h, < 4 h, < 1 d, more")
    oldest: list[WaitingItem]
    due: list[WaitingItem]
    throughput: list[int]
    usual: list[float | None] = Field(description="null where no week before has anything")
    marks: list[Literal["", "low", "high"]] = Field(description="low: the rate has dropped; high: a spike")
    duration_p95_ms: list[float | None]
    usual_p95_ms: list[float | None]
    weeks: int = Field(description="how many weeks `usual` is made of, at most 4")
