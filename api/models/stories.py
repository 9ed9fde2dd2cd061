"""An item's whole story, as its page and the API tell it. It isn't in `api.models`, which api/alertmodels.py imports.

Instants (epoch, UTC) and spans are milliseconds.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.alertmodels import Alert
from api.models.findings import Finding
from api.models.items import DeadlineState, FoundItem, Hop, Item, Run


class Alias(BaseModel):
    """Another key in an item's records."""

    name: str = Field(description="of the key, by the source's mapping")
    value: str


class WhyFound(BaseModel):
    """Why a finding was made; its `because`, `since_ms` and `event_id` are the rest of it."""

    model_config = ConfigDict(extra="ignore")

    rule: str = Field(
        description="as it was written, YAML on one line; empty where it isn't known here, or not for whoever asks",
        examples=["{id: reply, after: send, expect: reply, within: 5m, severity: critical}"],
    )
    instant: str = Field(description="what `deadline_ms` is; empty: when the event came", examples=["Deadline"])
    timer: bool = Field(description="told by a timer that stood at that instant, by no event")
    started_by: str = Field(description="id of the event that started the clock; empty where it isn't kept")


class ToldFinding(Finding):
    """A finding, and why it was made."""

    why: WhyFound


class ItemDetail(Item):
    """One run of an item with its whole story."""

    lanes: list[str]
    runs: list[Run] = Field(description="the key's latest 100 runs in this lane, the newest first")
    now_ms: int
    timeline: list[Hop]
    deadlines: list[DeadlineState]
    findings: list[ToldFinding]
    aliases: list[Alias]
    related: list[FoundItem] = Field(description="other items that one of its keys leads to")
    alerts: list[Alert] = Field(description="of this key in this workflow and lane: the 20 that opened last")
