"""What changes over time, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.models.common import Quantiles


class TrendPoint(BaseModel):
    """A span of time: what began, ended and was found in it, beside what is usual at that hour and weekday."""

    at_ms: int = Field(description="when the span begins")
    started: int
    completed: int
    failed: int
    missing: int = Field(description="deadlines broken whose instant lies in the span")
    late: int = Field(description="of deadlines whose instant lies in the span")
    other: int
    answered_in_time: int = Field(description="alerts whose answer was due in the span, and came by then")
    answered_late: int = Field(description="alerts whose answer was due in the span, and came later or never")
    duration_ms: Quantiles | None = Field(description="start to completion, of what completed in the span")
    usual_started: float | None = Field(description="null where no week before is known")
    usual_missing: float | None
    weeks: int = Field(description="how many weeks the usual is made of, at most 4")


class Trend(BaseModel):
    """A workflow over time."""

    workflow: str
    lane: str
    now_ms: int = Field(description="the lane's clock: what lies behind it isn't complete")
    span_ms: int
    points: list[TrendPoint] = Field(description="the oldest first")
    next: str | None = Field(description="the cursor of the points after these, null where there are none")


class Anomaly(BaseModel):
    """An hour in which a step happened far more or less often than usual, or took far longer."""

    lane: str
    workflow: str
    step: str
    at_ms: int = Field(description="when the hour begins")
    measure: Literal["rate", "duration_p95_ms"]
    mark: Literal["low", "high"]
    value: float
    usual: float
    weeks: int = Field(description="how many weeks the usual is made of, at most 4")
