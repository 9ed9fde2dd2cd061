"""An item whose trace is cut short again and again says of its deadlines what one says that keeps all."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.core.build import Follower, event, workflow
from tests.udfs.core.test_clocks import OFFICE
from udfs.core import lifetime, machine
from udfs.core.clock import BusinessTime
from udfs.core.codec import decode, encode
from udfs.core.zone import DAY, UTC

HOUR = DAY // 24
ACTIONS = st.tuples(st.sampled_from("ABHRXX"), st.sampled_from([1, 7, HOUR, 5 * HOUR]), st.integers(0, 3))


def said(history: list[tuple[str, int, int]], business: bool) -> list[tuple[str, str, int, int | None]]:
    clocks = {0: BusinessTime(UTC, OFFICE)} if business else None
    rules = [("A", "B", 9 * HOUR, 2 * HOUR, False), ("A", "X", 40 * HOUR, None, False)]
    spec = workflow(
        "ABHRX", deadlines=rules, pauses="H", resumes="R", order="ignore", expire_after=100 * DAY, business=clocks
    )
    follower, time = Follower(spec).see(event("A", 0)), 0
    for number, (step, after, lag) in enumerate(history):
        time += after
        follower.see(event(step, time, id=str(number))).time(max(follower.watermark, time - lag * HOUR))
        assert follower.item is not None
        follower.item = decode(encode(follower.item))
    follower.time(time + 90 * DAY)
    return [(f.kind, f.rule, f.deadline, f.at) for f in follower.said]


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTIONS, max_size=40), st.booleans())
def test_what_left_the_trace_makes_no_difference_to_deadlines(
    monkeypatch: pytest.MonkeyPatch, history: list[tuple[str, int, int]], business: bool
) -> None:
    whole = said(history, business)
    with monkeypatch.context() as short:
        short.setattr(machine, "TRACE_LIMIT", 6)
        short.setattr(lifetime, "TRACE_KEPT", 3)
        assert said(history, business) == whole
