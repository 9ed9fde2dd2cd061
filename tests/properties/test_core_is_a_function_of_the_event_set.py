"""Random workflows, random streams: what is found depends on the set of events and nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.core.build import Follower, event, workflow
from udfs.core.answers import reply_of
from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime, ByTime
from udfs.core.codec import decode, encode
from udfs.core.effects import DUPLICATE, Finding, Transition
from udfs.core.event import Event
from udfs.core.instants import due as due_at
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.overrides import held_to
from udfs.core.spec import EACH, IGNORE, LAST, Predict, Spec, Stalled
from udfs.core.stalled import limits
from udfs.core.state import CLOSED, MISSED, NEVER, Item
from udfs.core.zone import UTC

LATENESS = 6
FOREVER = 10**15
STEPS = "ABCDE"


OFFICE = Calendar(half_days={0: 90}, week=((20, 100),) * 7)
"""Business from 20 to 90 ms past midnight of the day on which all happens."""


@st.composite
def clocks(draw: st.DrawFn, steps: str) -> dict[str, Any]:
    """Deadlines that are no plain spans from a first step."""
    some = st.integers(0, 3)
    local = st.builds(ByTime, st.just(UTC), st.just(OFFICE), st.integers(1, 110), st.integers(0, 1))
    return {
        "anchors": draw(st.dictionaries(some, st.sampled_from([LAST, EACH]), max_size=2)),
        "pauses": draw(st.sampled_from(["", *steps])),
        "resumes": draw(st.sampled_from(["", *steps])),
        "by": draw(st.dictionaries(some, local, max_size=1)),
        "business": draw(st.dictionaries(some, st.just(BusinessTime(UTC, OFFICE)), max_size=1)),
    }


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    steps = STEPS[: draw(st.integers(2, 5))]
    pairs = draw(st.lists(st.tuples(st.sampled_from(["", *steps]), st.sampled_from(steps)), max_size=4))
    within = st.integers(1, 25)
    deadlines = [
        (a, b, n, draw(st.one_of(st.none(), st.integers(0, n - 1))), draw(st.booleans()))
        for a, b in pairs
        for n in [draw(within)]
    ]
    usual = draw(st.tuples(*[st.integers(0, 12)] * len(steps))) if draw(st.booleans()) else None
    floors = [draw(st.integers(0, n - 1)) for _, _, n, _, _ in deadlines] if draw(st.booleans()) else []
    spec = workflow(
        steps,
        flow=draw(st.lists(st.tuples(st.sampled_from(steps), st.sampled_from(steps)), max_size=4)),
        ends=draw(st.sets(st.sampled_from(steps), max_size=2)),
        deadlines=deadlines,
        order=draw(st.sampled_from(["flag", "ignore"])),
        tolerance=draw(st.integers(0, 5)),
        duplicates=draw(st.sampled_from(["flag", "drop", "ignore"])),
        remember=draw(st.integers(2 * LATENESS, 24)),
        expire_after=draw(st.integers(2 * LATENESS, 30)),
        not_before=floors,
        cancels=draw(st.dictionaries(st.integers(0, 3), st.sampled_from(steps), max_size=2)),
        overrides=draw(st.dictionaries(st.integers(0, 3), st.tuples(st.sampled_from("XY"), within))),
        **draw(st.one_of(st.just({}), clocks(steps))),
    )
    if not spec.pauses and draw(st.booleans()):
        seen = st.one_of(st.just(()), st.lists(st.integers(0, 30), min_size=5, max_size=5).map(sorted).map(tuple))
        chances = Predict(draw(st.sampled_from([10, 50, 90])), "low")
        spec = replace(spec, plain=False, predict=chances, spans=tuple(draw(seen) for _ in deadlines))
    if usual is None:
        return spec
    rule = Stalled(draw(st.integers(1, 2)), draw(st.integers(0, 5)), usual, "low")
    return replace(spec, stalled=rule, stalls=limits(rule, (0,) * len(steps)))


events = st.lists(
    st.builds(
        # Copies are of one type and one market.
        lambda step, time, id: event(
            step, time, id=f"{step}{id}", groups=(("market", "XY"[id % 2]),) if id < 3 else ()
        ),
        st.sampled_from(STEPS),
        st.integers(0, 120),
        st.integers(0, 6),
    ),
    max_size=14,
)


def in_arrival_order(stream: list[Event], rng: random.Random) -> list[Event]:
    """The stream, delayed by up to the allowed lateness. Events of equal time keep their order."""
    delayed = [(e.time + rng.uniform(0, LATENESS), e) for e in stream]
    delayed.sort(key=lambda d: d[0])
    places: dict[int, Iterator[Event]] = {}
    for e in sorted(stream, key=lambda e: e.time):
        places.setdefault(e.time, iter([x for x in stream if x.time == e.time]))
    return [next(places[e.time]) for _, e in delayed]


def run(
    spec: Spec, arrivals: list[Event], ticks: random.Random | None, cut: bool = False
) -> dict[str, tuple[object, ...]]:
    """All that was last said under each identity. Without `ticks`, time moves on before each event as far as it may."""
    said: dict[str, tuple[object, ...]] = {}
    ignored = spec.duplicate_policy == IGNORE  # then copies share an identity, and the last one's transition stands
    item: Item | None = None
    watermark, highest = -NEVER, -NEVER
    often = ticks.choice([0.02, 0.2, 0.5]) if ticks else 1

    def note(effects: list[Finding | Transition]) -> None:
        for e in effects:
            if isinstance(e, Transition):
                said[f"{e.source} {e.event_id}"] = () if ignored else e.fields()
            elif e.kind == DUPLICATE:  # which of three copies with three time stamps is the second is up to arrival
                said[e.id] = (e.kind,)
            else:
                said[e.id] = tuple(e)

    def move(to: int) -> None:
        nonlocal item, watermark
        watermark = max(watermark, to)
        while item is not None and (next_deadline(item) or 0) <= watermark:
            item, effects = on_time(spec, item, watermark)
            note(effects)

    for e in arrivals:
        if ticks is None or ticks.random() < often:
            move((highest if ticks else e.time) - LATENESS * (ticks is not None) - 1)
        item, effects = on_event(spec, item, e, watermark)
        note(effects)
        highest = max(highest, e.time)
        if cut and item is not None:
            item = decode(encode(item))
    move(NEVER)
    assert item is None, "after the end, state is gone"
    return said


@settings(max_examples=examples(1500), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.randoms(use_true_random=False))
def test_disorder_within_the_allowed_lateness_changes_nothing(
    spec: Spec, stream: list[Event], rng: random.Random
) -> None:
    arrivals = in_arrival_order(stream, rng)
    in_order = sorted(arrivals, key=lambda e: e.time)
    assert run(spec, arrivals, rng) == run(spec, in_order, None)


@settings(max_examples=examples(600), deadline=None)
@given(specs(), events, st.integers(0, 2**32))
def test_encoding_and_decoding_at_every_event_changes_nothing(spec: Spec, stream: list[Event], seed: int) -> None:
    assert run(spec, stream, random.Random(seed), cut=True) == run(spec, stream, random.Random(seed))


@settings(max_examples=examples(600), deadline=None)
@given(specs(), events, st.integers(0, 2**32))
def test_how_often_time_moves_changes_nothing(spec: Spec, stream: list[Event], seed: int) -> None:
    stream.sort(key=lambda e: e.time)
    assert run(spec, stream, random.Random(seed)) == run(spec, stream, None)


@settings(max_examples=examples(600), deadline=None)
@given(specs(), events)
def test_every_deadline_that_was_armed_is_met_missed_or_called_off_and_only_one_of_these(
    spec: Spec, stream: list[Event]
) -> None:
    spec = replace(spec, remember=FOREVER, expire_after=FOREVER)
    follower = Follower(spec)
    for one in sorted(stream, key=lambda e: e.time):
        follower.time(one.time - 1).see(one)
    follower.time(FOREVER)
    item = follower.item
    for slot in item.slots if item is not None else []:
        deadline = held_to(spec.deadlines[slot.deadline], item, slot)
        due = due_at(spec, deadline, item, slot)
        reply = reply_of(deadline, item, slot)
        missed, closed = slot.flags & MISSED > 0, slot.flags & CLOSED > 0
        if due >= NEVER and reply is None:
            assert not missed, "a paused item misses nothing"
        else:
            assert missed != closed
        if missed:
            assert reply is None or reply.time > due
