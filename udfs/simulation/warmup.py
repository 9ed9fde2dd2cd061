"""How much of what happened before a span has to be played, so that what was due in it is known."""

from __future__ import annotations

from udfs.core.spec import Deadline, Spec
from udfs.core.zone import DAY

LONGEST_MS = 90 * DAY
"""No item is looked for that began its wait longer before."""


def longest_wait(spec: Spec, since: int) -> int:
    """For how long (ms, whole days, at most LONGEST_MS) before `since` (epoch ms) a clock may have run that still ran
    then. Clocks that were stopped meanwhile may have begun earlier."""
    forms = (form for one in spec.deadlines for form in (one, *(variant for _, variant in one.variants)))
    return max((_wait(form, since) for form in forms), default=0)


def _wait(deadline: Deadline, since: int) -> int:
    back = 0
    while back < LONGEST_MS and _due(deadline, since - back) >= since:
        back += DAY
    return back


def _due(deadline: Deadline, start: int) -> int:
    if deadline.by is not None:
        return deadline.by.due(start)
    if deadline.business is not None:
        return deadline.business.add(start, deadline.within)
    return start + deadline.within
