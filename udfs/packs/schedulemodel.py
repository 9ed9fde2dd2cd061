"""The language of schedules: what is expected by when, though no event announces it. All spans are milliseconds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.cron import read_cron
from udfs.packs.daytime import Span, TimeOfDay
from udfs.packs.sections import Duration, Name, Section, Text
from udfs.packs.times import read_zone

WHEN = ("by", "between", "cron", "every")
"""The words of which a schedule has one: when what it expects is due."""


def _zone(value: str) -> str:
    read_zone(value)
    return value


def _cron(value: str) -> str:
    read_cron(value)
    return value


def _listed(value: Any) -> Any:
    keys = value if isinstance(value, list) else [value]
    for key in keys:
        if isinstance(key, int | float):
            raise ValueError(f'must be a text, not the number `{key}`; put it in quotes: `"{key}"`')
    return keys


Keys = Annotated[
    list[Text],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Count(Section):
    """How often it must happen at least, and may at most."""

    EXAMPLE: ClassVar[str] = "{min: 20, max: 40}"
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None


class Schedule(Section):
    """`expect` must happen for each `key`: `by` a time of day, `between` two, by each instant of a `cron` expression,
    or once in `every` span."""

    LATER: ClassVar[frozenset[str]] = frozenset({"warn", "tiers", "overrides", "groups"})
    EXAMPLE: ClassVar[str] = '{id: feed, expect: received, key: DAILY_FEED, by: "08:00"}'
    id: Name
    expect: Text
    key: Keys
    by: TimeOfDay | None = None
    between: Span | None = None
    cron: Annotated[Text, AfterValidator(_cron)] | None = None
    every: Duration | None = None
    zone: Annotated[Text, AfterValidator(_zone)] | None = None
    calendar: Text | None = None
    grace: Duration = 0
    not_before: Duration | None = None
    until: Duration | None = None
    count: Count | None = None
    severity: Literal["critical", "high", "medium", "low"] = "high"
    runbook: str = ""
