"""The log of events, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.models.common import Groups
from api.models.items import Excerpt


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
    shortened: bool = Field(description="more was asked for than somebody limited to workflows is shown: the last day")


class EventPattern(BaseModel):
    """A shape that several events have in common."""

    type: str
    shape: str = Field(description="the beginning of the record, with • for numbers and ids")
    events: int
    share: float = Field(description="percent")
    first_ms: int
    last_ms: int
    example: str = Field(description="the id of the latest event of this shape")


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


class Accepted(BaseModel):
    """What the broker has acknowledged."""

    accepted: int
    lane: str
    topics: list[str] = Field(description="where the lane's job reads them")
