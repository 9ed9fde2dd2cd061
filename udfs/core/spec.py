"""The compiled, immutable form of a workflow: what the state machine reads, and nothing else.

Steps and deadlines are addressed by index, so that an item's state stays small and its verdicts are table
look-ups. `udfs.packs` builds specs out of YAML; nobody else should have to.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

FLAG: Final = "flag"
ALERT: Final = "alert"
IGNORE: Final = "ignore"
DROP: Final = "drop"


Condition = tuple[str, tuple[str, ...]]
"""A group's name, and the values that it may have."""


class Immutable:
    """Pickled by what it is made of: one that can't be changed can't be filled in afterwards."""

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Step(Immutable):
    """One step of a workflow.

    `where` holds (path, accepted values) pairs, all of which must hold. `before` has a bit for each step that
    the flow puts strictly before this one, `after` for each that it puts strictly after it (steps on a common
    loop have no order). `end` is the status that an item gets here: "completed", "failed", or "" (no end).
    `calls_off` tells whether some deadline is called off here.
    """

    index: int
    name: str
    on: str
    where: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = ()
    start: bool = False
    end: str = ""
    calls_off: bool = False
    before: int = 0
    after: int = 0


@dataclass(frozen=True)
class Deadline(Immutable):
    """`expect` must happen within `within` ms of the first `after`, and not before `not_before` ms have passed; steps
    are indices into Spec.steps.

    `warn` is the span in ms after which the item counts as at risk (None: no warning). `hash` is the content hash
    of the rule, part of the identity of its findings. `called_off_by` is a bit mask of steps: end steps, unless the
    deadline outlives them, and those that cancel it. Of several limits on one deadline all but the first have a `tier`
    above 0. `variants` are the forms that hold for some groups, the first that fits; `form` counts them from 1, 0 is
    the deadline itself.
    """

    index: int
    id: str
    after: int
    expect: int
    within: int
    warn: int | None = None
    severity: str = "high"
    runbook: str = ""
    called_off_by: int = 0
    hash: str = ""
    not_before: int = 0
    tier: int = 0
    form: int = 0
    variants: tuple[tuple[tuple[Condition, ...], Deadline], ...] = ()


@dataclass(frozen=True)
class Correlation(Immutable):
    """How events find their item by several keys: the names, the item's own first. Spans are milliseconds.

    `hold` is how long after an event its place may become known, `remember` how long a link is known after its last
    use.
    """

    keys: tuple[str, ...]
    hold: int
    remember: int


@dataclass(frozen=True)
class Spec(Immutable):
    """One version of a workflow, in the lane that it runs in. All spans are milliseconds.

    `hash` is the content hash of the whole workflow (the identity that items pin); `version` is for people.
    `by_type` maps an event type to the steps that may match it, in the order they were declared.
    `starts` and `expects` map a step's index to the deadlines that it starts, or that wait for it.
    `varies` tells whether some deadline has variants. `correlation` is None where `key` is the only key.
    """

    lane: str
    workflow: str
    version: int
    hash: str
    key: str
    groups: tuple[str, ...]
    steps: tuple[Step, ...]
    deadlines: tuple[Deadline, ...]
    by_type: dict[str, tuple[Step, ...]]
    starts: tuple[tuple[Deadline, ...], ...]
    expects: tuple[tuple[Deadline, ...], ...]
    order_policy: str = FLAG
    order_tolerance: int = 0
    order_severity: str = "medium"
    duplicate_policy: str = FLAG
    duplicate_severity: str = "low"
    varies: bool = False
    remember: int = 86_400_000
    expire_after: int = 30 * 86_400_000
    correlation: Correlation | None = None
