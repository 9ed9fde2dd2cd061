"""What the API answers, for its OpenAPI description. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
Groups = dict[str, str]
LaneState = Literal["live", "behind", "blind", "ended"]


class Quantiles(BaseModel):
    """Milliseconds."""

    p50: float
    p95: float
    p99: float


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


class Found(BaseModel):
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
    steps: list[MapStep]
    edges: list[MapEdge]


class Waiting(BaseModel):
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
    oldest: list[Waiting]
    due: list[Waiting]
    throughput: list[int]
    usual: list[float | None] = Field(description="null where no week before has anything")
    marks: list[Literal["", "low", "high"]] = Field(description="low: the rate has dropped; high: a spike")
    duration_p95_ms: list[float | None]
    usual_p95_ms: list[float | None]
    weeks: int = Field(description="how many weeks `usual` is made of, at most 4")


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


class Event(Excerpt):
    """A record that was read."""

    lane: str
    key_name: str
    key: str
    groups: Groups


class Histogram(BaseModel):
    """How many events there are over time."""

    model_config = ConfigDict(extra="ignore")

    since_ms: int
    span_ms: int = Field(description="how long a span is")
    events: list[int] = Field(description="in each span from since_ms on")
    total: int


class EventPattern(BaseModel):
    """A shape that several events have in common."""

    type: str
    shape: str = Field(description="the beginning of the record, with • for numbers and ids")
    events: int
    share: float = Field(description="percent")
    first_ms: int
    last_ms: int
    example: str = Field(description="the id of the latest event of this shape")


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


class ItemDetail(Item):
    """One run of an item with its whole story."""

    lanes: list[str]
    runs: list[Run] = Field(description="the key's latest 100 runs in this lane, the newest first")
    now_ms: int
    timeline: list[Hop]
    deadlines: list[DeadlineState]
    findings: list[Finding]


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


class DeadLetter(BaseModel):
    """A record that could not be read."""

    lane: str
    topic: str
    partition: int
    offset: int
    received_ms: int
    reason: str
    detail: str
    raw: str = Field(description="its bytes, base64")


class Page(BaseModel, Generic[T]):
    """One page; `next` is the cursor of the following one, null on the last."""

    items: list[T]
    next: str | None


class Accepted(BaseModel):
    """What the broker has acknowledged."""

    accepted: int
    lane: str
    topics: list[str] = Field(description="where the lane's job reads them")


class RuleAccepted(BaseModel):
    """What was put in force, or, without version and instant, withdrawn."""

    workflow: str
    version: int | None
    effective_from: int | None = Field(description="epoch ms, by event time")
    revision: int | None = Field(None, description="the rule's ETag; null while the change waits for approval")
    outcome: str = Field("sent", description="sent: Kafka has it; pending: Kafka will get it; waits: for approval")


class Readiness(BaseModel):
    """Whether requests can be served, part by part."""

    ready: bool
    parts: dict[str, str]
