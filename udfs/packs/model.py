"""The workflow language: a class per section, so that a new section is a new class. All spans are milliseconds."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from udfs.packs.durations import UNITS
from udfs.packs.paths import parse_path
from udfs.packs.sections import Accepted, Chains, Duration, Name, Section, Text

Severity = Literal["critical", "high", "medium", "low"]


def _plain_names(value: Any) -> Any:
    """The core follows names only, so a condition can't look into a list."""
    if isinstance(value, dict):
        for path in value:
            if any(isinstance(part, int) for part in parse_path(path)):
                raise ValueError(f"`{path}` looks into a list, which `where` can't; name a field of an object")
    return value


def _one_key(value: Any) -> Any:
    if isinstance(value, list):
        raise ValueError("this version follows an item by one key; write one name, like `key: trade_id`")
    return value


def _two_sided(value: Any) -> Any:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise ValueError("must be a share of `within` like `80%`, or a duration like `4m`")
    return value


class Step(Section):
    """A step: the event type it waits for, conditions on the record, and whether items begin or end here."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"optional", "max", "min", "cancels", "requires", "parallel", "children"}
    )
    EXAMPLE: ClassVar[str] = "{on: trade.sent}"
    on: Text
    where: Annotated[dict[str, Accepted], BeforeValidator(_plain_names)] = {}
    start: bool = False
    end: Literal["completed", "failed"] | None = None


class Deadline(Section):
    """`expect` must happen within `within` of the first `after`; `warn` is a share of that span, or a span."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {
            "by",
            "zone",
            "calendar",
            "not_before",
            "anchor",
            "tiers",
            "overrides",
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
    warn: Annotated[str | int | None, BeforeValidator(_two_sided)] = None
    severity: Severity = "high"
    runbook: str = ""
    keep_after_end: bool = False


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


class Workflow(Section):
    """One workflow. `key` and `groups` are names that the source mapping defines."""

    LATER: ClassVar[frozenset[str]] = frozenset(
        {"schedules", "pause", "cancel", "calendar", "calendars", "zone", "correlate", "aliases", "children", "stalled"}
        | {"predict", "heartbeat", "blind", "migrate", "enabled", "overrides", "limits", "loops", "minutes_per_item"}
    )
    workflow: Name
    version: Annotated[int, Field(ge=1)] = 1
    description: str = ""
    owner: str = ""
    key: Annotated[Text, BeforeValidator(_one_key)]
    groups: list[Text] = []
    steps: Annotated[dict[Text, Step], Field(min_length=1)]
    flow: Chains = []
    deadlines: list[Deadline] = []
    order: Order = Order()
    duplicates: Duplicates = Duplicates()
    remember: Duration = UNITS["d"]
    expire_after: Duration = 30 * UNITS["d"]
