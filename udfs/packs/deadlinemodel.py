"""The language of deadlines, with tiers and what is different for some groups. All spans are milliseconds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.daytime import TimeOfDay
from udfs.packs.sections import SPAN, Accepted, Duration, Name, Section, Severity, Text
from udfs.packs.times import ZoneName


def _groups(values: list[Any]) -> list[Any]:
    if None in values:
        raise ValueError(
            "null is no group: an item without one is held to the deadline itself; name the groups' values"
        )
    return values


def _two_sided(value: Any) -> Any:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("must be a share of `within` like `80%`, or a duration like `4m`")
    return value


Share = Annotated[
    str | int,
    BeforeValidator(_two_sided),
    WithJsonSchema({"type": "string", "pattern": rf"{SPAN}|^\s*[0-9]{{1,3}}\s*%\s*$", "examples": ["80%", "4m"]}),
]


class Tier(Section):
    """A further limit on a deadline, with a severity of its own. A share of `within` follows the overrides."""

    EXAMPLE: ClassVar[str] = "{within: 300%, severity: critical}"
    within: Share | None = None
    by: TimeOfDay | None = None
    severity: Severity
    runbook: str = ""


class Override(Section):
    """What is different for items of some groups: the first that fits holds."""

    EXAMPLE: ClassVar[str] = "{when: {market: APAC}, within: 15m}"
    when: Annotated[dict[Text, Annotated[Accepted, AfterValidator(_groups)]], Field(min_length=1)]
    within: Duration | None = None
    by: TimeOfDay | None = None
    zone: ZoneName | None = None
    calendar: Text | None = None
    not_before: Duration | None = None
    warn: Share | None = None
    severity: Severity | None = None


class Deadline(Section):
    """`expect` must happen within `within` of `after`, or `by` a local time, and not sooner than `not_before` after it;
    `warn` is a share of `within`, or a span. With a `calendar`, `within` counts business time."""

    LATER: ClassVar[frozenset[str]] = frozenset({"grace", "window"})
    EXAMPLE: ClassVar[str] = "{id: reply, after: send, expect: reply, within: 5m}"
    id: Name
    after: Text | None = None
    expect: Text
    within: Duration | None = None
    by: TimeOfDay | None = None
    days: Annotated[int, Field(ge=0, le=366)] = 0
    cut_off: TimeOfDay | None = None
    zone: ZoneName | None = None
    calendar: Text | None = None
    anchor: Literal["first", "last", "each"] = "first"
    not_before: Duration = 0
    warn: Share | None = None
    severity: Severity = "high"
    runbook: str = ""
    keep_after_end: bool = False
    tiers: list[Tier] = []
    overrides: list[Override] = []
