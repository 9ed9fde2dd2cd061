"""What the state machine returns: effects to be carried out by somebody else. Times are epoch ms, UTC."""

from __future__ import annotations

from typing import NamedTuple

from mypy_extensions import mypyc_attr

MISSING = "missing"
LATE = "late"
REPORTED_LATE = "reported_late"
AT_RISK = "at_risk"
EARLY = "early"
OUT_OF_ORDER = "out_of_order"
DUPLICATE = "duplicate"
UNEXPECTED = "unexpected"
INVALID = "invalid"
BLIND = "blind"
STALLED = "stalled"
PREDICTED = "predicted"
KINDS = (
    *(MISSING, LATE, REPORTED_LATE, AT_RISK, EARLY, OUT_OF_ORDER, DUPLICATE, UNEXPECTED, INVALID, BLIND),
    *(STALLED, PREDICTED),
)


class Finding(NamedTuple):
    """Something that operations people should know of.

    `rule` is the id of a deadline or a schedule, or "order", "duplicates", "unexpected", "stalled", "clock" or
    "heartbeat".
    `step` is the step that is missing, late, misplaced, repeated or unexpected. `deadline` is the instant that was
    broken (for a finding without a deadline: the event time at which it became true), never the instant at which it
    was noticed. `at` is the event time of the evidence, None when nothing came. `delta` is how many ms after the
    deadline the step happened (less than 0: before it). `because` is the step that the finding is measured against:
    the deadline's `after`, or the step that came too soon; for an unexpected step, those that could have come instead;
    of a schedule's, how many came ("12 of 20"). The same `id` emitted again replaces what was said before.
    """

    id: str
    kind: str
    rule: str
    rule_hash: str
    severity: str
    step: str
    because: str
    occurrence: str
    deadline: int
    at: int | None
    delta: int | None
    since: int | None
    event_id: str
    received: int
    runbook: str


@mypyc_attr(acyclic=True)
class Transition:
    """An item's move from one step to the next, in event time.

    `previous` is the step before ("" at the first), `duration` the ms since then; where the source says when work
    began, `queue` and `work` split it. The same (key, event) emitted again replaces what was said before.

    Not a tuple as the others, since there is one for each event.
    """

    __slots__ = (
        "at",
        "duration",
        "event_id",
        "event_type",
        "previous",
        "previous_at",
        "queue",
        "source",
        "step",
        "work",
    )

    def __init__(
        self,
        event_id: str,
        source: str,
        event_type: str,
        step: str,
        previous: str,
        at: int,
        previous_at: int | None,
        duration: int | None,
        queue: int | None,
        work: int | None,
    ) -> None:
        self.event_id = event_id
        self.source = source
        self.event_type = event_type
        self.step = step
        self.previous = previous
        self.at = at
        self.previous_at = previous_at
        self.duration = duration
        self.queue = queue
        self.work = work

    def fields(self) -> tuple[object, ...]:
        return (
            *(self.event_id, self.source, self.event_type, self.step, self.previous),
            *(self.at, self.previous_at, self.duration, self.queue, self.work),
        )


Effect = Finding | Transition
