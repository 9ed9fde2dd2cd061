"""The workflow language: a class per section, so that a new section is a new class. All spans are milliseconds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.durations import UNITS
from udfs.packs.outline import ALL
from udfs.packs.paths import parse_path
from udfs.packs.sections import SPAN, Accepted, Chains, Duration, Name, Section, Text

Severity = Literal["critical", "high", "medium", "low"]

MOST_KEYS = 8
"""Each key after the first is a stage of its own in the job."""


def _plain_names(value: Any) -> Any:
    """The core follows names only, so a condition can't look into a list."""
    if isinstance(value, dict):
        for path in value:
            if any(isinstance(part, int) for part in parse_path(path)):
                raise ValueError(f"`{path}` looks into a list, which `where` can't; name a field of an object")
    return value


def _groups(values: list[Any]) -> list[Any]:
    if None in values:
        raise ValueError(
            "null is no group: an item without one is held to the deadline itself; name the groups' values"
        )
    return values


def _several_keys(value: Any) -> Any:
    """A list names the item's key, then at least one alias."""
    if isinstance(value, list):
        if len(value) < 2 or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
            raise ValueError("must be one name, or a list of several, the item's own first: `[order_id, execution_id]`")
        if len(value) > MOST_KEYS:
            raise ValueError(f"has {len(value)} names; at most {MOST_KEYS} keys can lead to an item")
    return value


def _two_sided(value: Any) -> Any:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("must be a share of `within` like `80%`, or a duration like `4m`")
    return value


Share = Annotated[
    str | int,
    BeforeValidator(_two_sided),
    WithJsonSchema({"type": "string", "pattern": rf"{SPAN}|^\s*[0-9]{{1,3}}\s*%\s*$", "examples": ["80%", "4m"]}),
]


def _all_or_some(value: Any) -> Any:
    return [value] if value == ALL else value


Cancels = Annotated[
    list[Text],
    BeforeValidator(_all_or_some),
    WithJsonSchema({"anyOf": [{"const": ALL}, {"type": "array", "items": {"type": "string"}}]}),
]


class Step(Section):
    """A step: the event type it waits for, conditions on the record, whether items begin or end here, and which
    deadlines are called off: a list of their ids, or `all`."""

    LATER: ClassVar[frozenset[str]] = frozenset({"optional", "max", "min", "requires", "parallel", "children"})
    EXAMPLE: ClassVar[str] = "{on: trade.sent}"
    on: Text
    where: Annotated[dict[str, Accepted], BeforeValidator(_plain_names)] = {}
    start: bool = False
    end: Literal["completed", "failed"] | None = None
    cancels: Cancels = []


class Tier(Section):
    """A further limit on a deadline, with a severity of its own. A share of `within` follows the overrides."""

    EXAMPLE: ClassVar[str] = "{within: 300%, severity: critical}"
    within: Share
    severity: Severity
    runbook: str = ""


class Override(Section):
    """What is different for items of some groups: the first that fits holds."""

    EXAMPLE: ClassVar[str] = "{when: {market: APAC}, within: 15m}"
    when: Annotated[dict[Text, Annotated[Accepted, AfterValidator(_groups)]], Field(min_length=1)]
    within: Duration | None = None
    not_before: Duration | None = None
    warn: Share | None = None
    severity: Severity | None = None


class Deadline(Section):
    """`expect` must happen within `within` of the first `after`, and not sooner than `not_before` after it; `warn` is a
    share of `within`, or a span."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "by",
            "zone",
            "calendar",
            "anchor",
            "grace",
            "business",
            "cut_off",
            "window",
        }
    )
    EXAMPLE: ClassVar[str] = "{id: reply, after: send, expect: reply, within: 5m}"
    id: Name
    after: Text
    expect: Text
    within: Duration
    not_before: Duration = 0
    warn: Share | None = None
    severity: Severity = "high"
    runbook: str = ""
    keep_after_end: bool = False
    tiers: list[Tier] = []
    overrides: list[Override] = []


class Order(Section):
    """What becomes of a step that comes after one which the flow puts behind it."""

    LATER: ClassVar[frozenset[str]] = frozenset({"edges", "reorder"})
    policy: Literal["flag", "alert", "ignore"] = "flag"
    tolerance: Duration = 0
    severity: Severity = "medium"


class Duplicates(Section):
    """What becomes of an event that comes again: it is never applied twice, unless the policy is `ignore`."""

    LATER: ClassVar[frozenset[str]] = frozenset({"window", "content"})
    policy: Literal["drop", "flag", "alert", "ignore"] = "flag"
    by: Literal["id"] = "id"
    severity: Severity = "low"


Key = Annotated[
    Text | list[Text],
    BeforeValidator(_several_keys),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 2}]}),
]


class Correlate(Section):
    """How long an event waits for a link to its item's key, and how long a link is known after its last use."""

    EXAMPLE: ClassVar[str] = "{hold: 1h, remember: 30d}"
    hold: Duration = UNITS["h"]
    remember: Duration | None = None


class Workflow(Section):
    """One workflow. `key` and `groups` are names that the source mapping defines; of several keys the first is the
    item's own, the others lead to it."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"schedules", "pause", "cancel", "calendar", "calendars", "zone", "aliases", "children", "stalled"}
        | {"predict", "heartbeat", "blind", "migrate", "enabled", "overrides", "limits", "loops", "minutes_per_item"}
    )
    workflow: Name
    version: Annotated[int, Field(ge=1)] = 1
    description: str = ""
    owner: str = ""
    key: Key
    groups: list[Text] = []
    steps: Annotated[dict[Text, Step], Field(min_length=1)]
    flow: Chains = []
    deadlines: list[Deadline] = []
    order: Order = Order()
    duplicates: Duplicates = Duplicates()
    remember: Duration = UNITS["d"]
    expire_after: Duration = 30 * UNITS["d"]
    correlate: Correlate | None = None

    @property
    def keys(self) -> list[str]:
        """The names of the keys, the item's own first."""
        return [self.key] if isinstance(self.key, str) else self.key
