"""What several of these have in common, as the API tells it. Instants (epoch, UTC) and spans are milliseconds."""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")
Groups = dict[str, str]


class Quantiles(BaseModel):
    """Milliseconds."""

    p50: float
    p95: float
    p99: float


class Page(BaseModel, Generic[T]):
    """One page; `next` is the cursor of the following one, null on the last."""

    items: list[T]
    next: str | None


class Concern(BaseModel):
    """What a finding, or an alert, is about."""

    id: str
    lane: str
    workflow: str
    rule: str
    kind: str
    severity: str
    key: str
    groups: Groups
    step: str
