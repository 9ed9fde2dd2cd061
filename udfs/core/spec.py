"""The compiled, immutable form of a workflow: what the state machine reads, and nothing else.

Steps and deadlines are addressed by index, so that an item's state stays small and its verdicts are table
look-ups. `udfs.packs` builds specs out of YAML; nobody else should have to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from udfs.core.clock import BusinessTime, ByTime
from udfs.core.immutable import Immutable
from udfs.core.plan import Schedule

FLAG: Final = "flag"
ALERT: Final = "alert"
IGNORE: Final = "ignore"
DROP: Final = "drop"

FIRST: Final = "first"
LAST: Final = "last"
EACH: Final = "each"

BEGINNING: Final = -1
"""In place of the step that starts a clock: whichever the item begins with."""


Condition = tuple[str, tuple[str, ...]]
"""A group's name, and the values that it may have."""


@dataclass(frozen=True)
class Children(Immutable):
    """A step that waits for `count` different children (0: for as many as were announced). `part` is the index of the
    step that they count as while the step is not complete, `severity` that of one too many ("": not told)."""

    part: int
    count: int
    severity: str


@dataclass(frozen=True)
class Step(Immutable):
    """One step of a workflow.

    `where` holds (path, accepted values) pairs, all of which must hold. `before` has a bit for each step that
    the flow puts strictly before this one, `after` for each that it puts strictly after it (steps on a common
    loop have no order). `end` is the status that an item gets here: "completed", "failed", or "" (no end).
    `revises` tells whether deadlines that wait must be looked at again here: some are called off, or their clocks stop
    or go on.
    """

    index: int
    name: str
    on: str
    where: tuple[tuple[tuple[str, ...], tuple[Any, ...]], ...] = ()
    start: bool = False
    end: str = ""
    revises: bool = False
    before: int = 0
    after: int = 0
    children: Children | None = None


@dataclass(frozen=True)
class Deadline(Immutable):
    """`expect` must happen within `within` ms of `after`, and not before `not_before` ms have passed; steps are indices
    into Spec.steps, `after` may be BEGINNING.

    The clock starts at the first `after`; with `anchor` LAST at the latest one, anew each time; with EACH at each of
    them, one beside the other. With `by` the deadline is a local time instead, and `within` is 0; with `business`,
    `within` and `warn` are business time.

    `warn` is the span in ms after which the item counts as at risk, or, with `by`, the span before the deadline (None:
    no warning). `hash` is the content hash
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
    anchor: str = FIRST
    by: ByTime | None = None
    business: BusinessTime | None = None
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
class Flow(Immutable):
    """What the flow allows, as `udfs.core.flow` reads it: bit masks of steps, and tuples with an entry for each step.

    `steps` are those in the flow, `optional` those that may be left out, `begins` those that a path begins with.
    `edges` has for each step masks of which one must have happened as a whole before it (none: it begins a path),
    `joins` the same where parallel steps join. `wants` are the steps of which that is judged: ends and joins. `most` is
    how often a step may happen (0: as often as it will). `bars` is what an alternative rules out when it is taken,
    `frees` what a step makes untaken of the alternatives; `renews` is the loop that begins anew at a step. `closes` is
    what may not come behind an end step.
    """

    steps: int
    optional: int
    begins: int
    wants: int
    edges: tuple[tuple[int, ...], ...]
    joins: tuple[tuple[int, ...], ...]
    most: tuple[int, ...]
    bars: tuple[int, ...]
    frees: tuple[int, ...]
    renews: tuple[int, ...]
    closes: tuple[int, ...]
    severity: str = "medium"


@dataclass(frozen=True)
class Pair(Immutable):
    """What holds for the order of two steps, `first` before `second`, in place of what holds for all others."""

    first: int
    second: int
    policy: str
    tolerance: int
    severity: str


@dataclass(frozen=True)
class Stalled(Immutable):
    """When an item stands still: after `times` the usual span at its step, and at least `at_least` ms. `usual` has for
    each step what is usual there, in ms (0: what was seen)."""

    times: int
    at_least: int
    usual: tuple[int, ...]
    severity: str


@dataclass(frozen=True)
class Predict(Immutable):
    """Deadlines are told that will be missed with a chance of at least `percent`."""

    percent: int
    severity: str


@dataclass(frozen=True)
class Spec(Immutable):
    """One version of a workflow, in the lane that it runs in. All spans are milliseconds.

    `hash` is the content hash of the whole workflow (the identity that items pin); `version` is for people.
    `by_type` maps an event type to the steps that may match it, in the order they were declared.
    `starts` and `expects` map a step's index to the deadlines that it starts, or that wait for it.
    `correlation` is None where `key` is the only key.
    `varies` tells whether some deadline has variants. `pauses` and `resumes` are bit masks of the steps at which the
    clocks of deadlines stop and go on. `begins` are the deadlines whose clock starts at whatever the item begins with.
    `plain` tells that all deadlines are spans of real time from a first step, and no clock ever stops.
    `flow` is there where it is judged what the flow allows.
    `schedules` are what is expected though nothing ever happens. `horizons` has, while a source is blind, for each step
    the last instant up to which it is known whether it happened (see `sight`); empty: all can be seen.
    `order_pairs` are pairs of steps with a policy of their own; `drops` tells whether misplaced events may be dropped.
    `repeats` are steps (a bit mask) that are copies when they happen again, `contents` the paths that make up a content
    to compare, `window` bounds how far apart copies are (0: it doesn't). Where the spec `waits`, events are applied in
    their order, when time has come to them.
    `tells` has for each step what its events say of steps with children: whose, and the path (empty: no children).
    `stalls` has for each step after how long an item stands still there, as `stalled` and the statistics say; empty
    where that is not asked. `spans` has for each deadline the quantiles of how long its step took so far
    (see `forecast`; empty: unknown); empty where no predictions are asked.
    `enabled` and `migrates` are no part of what the workflow means, but of how this version is put in force (see
    `versions`).
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
    pauses: int = 0
    resumes: int = 0
    begins: tuple[Deadline, ...] = ()
    plain: bool = True
    remember: int = 86_400_000
    expire_after: int = 30 * 86_400_000
    correlation: Correlation | None = None
    flow: Flow | None = None
    schedules: tuple[Schedule, ...] = ()
    horizons: tuple[int, ...] = ()
    order_pairs: tuple[Pair, ...] = ()
    drops: bool = False
    repeats: int = 0
    contents: tuple[tuple[str, ...], ...] = ()
    window: int = 0
    waits: bool = False
    tells: tuple[tuple[tuple[int, tuple[str, ...]], ...], ...] = ()
    enabled: bool = True
    migrates: bool = False
    stalled: Stalled | None = None
    stalls: tuple[int, ...] = ()
    predict: Predict | None = None
    spans: tuple[tuple[int, ...], ...] = ()
