"""The workflow language: a class per section, so that a new section is a new class. All spans are milliseconds."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from udfs.packs.calendarmodel import Calendar
from udfs.packs.deadlinemodel import Deadline
from udfs.packs.durations import UNITS
from udfs.packs.outline import ALL
from udfs.packs.paths import parse_path
from udfs.packs.schedulemodel import Schedule
from udfs.packs.sections import Accepted, Chains, Duration, Name, Section, Severity, Text
from udfs.packs.servicemodel import Service
from udfs.packs.times import ZoneName

MOST_KEYS = 8
"""Each key after the first is a stage of its own in the job."""


def _plain_names(value: Any) -> Any:
    """The core follows names only, so a condition can't look into a list."""
    if isinstance(value, dict):
        for path in value:
            if any(isinstance(part, int) for part in parse_path(path)):
                raise ValueError(f"`{path}` looks into a list, which `where` can't; name a field of an object")
    return value


def _plain_path(value: Any) -> Any:
    if any(isinstance(part, int) for part in parse_path(value)):
        raise ValueError(f"`{value}` looks into a list, which can't be compared by place; name the list itself")
    return value


def _count(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | str) or (isinstance(value, int) and value < 1):
        raise ValueError("must be a number from 1 on, or a field that says how many, like `data.file_count`")
    return value if isinstance(value, int) else _plain_path(value)


PlainPath = Annotated[str, BeforeValidator(_plain_path)]
Count = Annotated[
    int | str,
    BeforeValidator(_count),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
]


def _several_keys(value: Any) -> Any:
    """A list names the item's key, then at least one alias."""
    if isinstance(value, list):
        if len(value) < 2 or not all(isinstance(name, str) and 0 < len(name) <= 200 for name in value):
            raise ValueError("must be one name, or a list of several, the item's own first: `[order_id, execution_id]`")
        if len(value) > MOST_KEYS:
            raise ValueError(f"has {len(value)} names; at most {MOST_KEYS} keys can lead to an item")
    return value


def _all_or_some(value: Any) -> Any:
    return [value] if value == ALL else value


Cancels = Annotated[
    list[Text],
    BeforeValidator(_all_or_some),
    WithJsonSchema({"anyOf": [{"const": ALL}, {"type": "array", "items": {"type": "string"}}]}),
]


class Children(Section):
    """The child items that a step waits for: `key` tells them apart, `count` says how many there are, a number or a
    field of the event of the step `from`."""

    EXAMPLE: ClassVar[str] = "{key: data.file_id, count: data.file_count, from: announced}"
    key: PlainPath
    count: Count
    source: Annotated[Text | None, Field(alias="from")] = None


class Step(Section):
    """A step: the event type it waits for, conditions on the record, whether items begin or end here, and which
    deadlines are called off: a list of their ids, or `all`. An `optional` one may be left out, one with a `max` happens
    at most so often."""

    LATER: ClassVar[frozenset[str]] = frozenset({"min", "requires", "parallel"})
    EXAMPLE: ClassVar[str] = "{on: trade.sent}"
    on: Text
    where: Annotated[dict[str, Accepted], BeforeValidator(_plain_names)] = {}
    start: bool = False
    end: Literal["completed", "failed"] | None = None
    cancels: Cancels = []
    optional: bool = False
    max: Annotated[int, Field(ge=1)] | None = None
    children: Children | None = None


class Pause(Section):
    """Steps at which the clocks of all deadlines of the item stop, and those at which they go on."""

    EXAMPLE: ClassVar[str] = "{while: [on_hold], resume: [released]}"
    while_: Annotated[list[Text], Field(min_length=1, alias="while")]
    resume: Annotated[list[Text], Field(min_length=1)]


class Edge(Section):
    """What is different for the order of two steps, of which the flow puts `from` before `to`."""

    EXAMPLE: ClassVar[str] = "{from: send, to: reply, policy: ignore}"
    first: Annotated[Text, Field(alias="from")]
    second: Annotated[Text, Field(alias="to")]
    policy: Literal["drop", "flag", "alert", "ignore"] | None = None
    tolerance: Duration | None = None
    severity: Severity | None = None


class Order(Section):
    """What becomes of a step that comes after one which the flow puts behind it."""

    LATER: ClassVar[frozenset[str]] = frozenset({"reorder"})
    policy: Literal["drop", "flag", "alert", "ignore"] = "flag"
    tolerance: Duration = 0
    severity: Severity = "medium"
    edges: list[Edge] = []


class Duplicates(Section):
    """What becomes of an event that comes again: it is never applied twice, unless the policy is `ignore`. `content`
    names the fields that are compared by content, `window` how far apart copies may be."""

    policy: Literal["drop", "flag", "alert", "ignore"] = "flag"
    by: Literal["id", "content", "step"] = "id"
    severity: Severity = "low"
    window: Duration = 0
    content: Annotated[list[PlainPath], Field(min_length=1)] = ["data"]


class Unexpected(Section):
    """What becomes of a step that no path of the flow allows. Without a policy: `flag` where the flow has alternatives,
    joins, optional steps or maxima, else `ignore`."""

    policy: Literal["flag", "alert", "ignore"] | None = None
    severity: Severity = "medium"


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


class Stalled(Section):
    """An item stands still when nothing has happened to it for `times` the usual span, and at least `at_least`. `usual`
    says what is usual after some steps; after the others it is what was seen."""

    EXAMPLE: ClassVar[str] = "{times: 3, at_least: 10m, usual: {send: 5m}}"
    times: Annotated[int, Field(ge=1, le=1000)] = 3
    at_least: Duration = 0
    usual: dict[Text, Duration] = {}
    severity: Severity = "medium"


def _percent(value: Any) -> Any:
    found = re.fullmatch(r"\s*([0-9]{1,3})\s*%\s*", value) if isinstance(value, str) else None
    if found is None or not 1 <= int(found[1]) <= 99:
        raise ValueError("must be a chance from `1%` to `99%`, like `80%`")
    return int(found[1])


Percent = Annotated[
    int, BeforeValidator(_percent), WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,2}\s*%\s*$"})
]


class Predict(Section):
    """Deadlines are told that will be missed with such a `chance`, as far as what was seen so far tells."""

    EXAMPLE: ClassVar[str] = "{chance: 80%}"
    chance: Percent = 80
    severity: Severity = "low"


class Workflow(Section):
    """One workflow. `key` and `groups` are names that the source mapping defines; of several keys the first is the
    item's own, the others lead to it. `enabled` and `migrate` say what becomes of open items when this version is put
    in force."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"cancel", "aliases", "children"} | {"heartbeat", "blind", "overrides", "limits", "loops"}
    )
    workflow: Name
    version: Annotated[int, Field(ge=1, lt=1 << 53)] = 1
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
    pause: Pause | None = None
    zone: ZoneName = "UTC"
    calendars: dict[Name, Calendar] = {}
    unexpected: Unexpected = Unexpected()
    stalled: Stalled | None = None
    predict: Predict | None = None
    service: Service | None = None
    schedules: list[Schedule] = []
    enabled: bool = True
    migrate: Literal["none", "in_flight"] = "none"

    @property
    def keys(self) -> list[str]:
        """The names of the keys, the item's own first."""
        return [self.key] if isinstance(self.key, str) else self.key
