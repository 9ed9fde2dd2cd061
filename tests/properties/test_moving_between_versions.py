"""An item that moves to a version that means the same, at any moment, is told the same things about."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.properties.test_core_is_a_function_of_the_event_set import LATENESS, events, in_arrival_order, specs
from udfs.core.effects import AT_RISK, DUPLICATE, PREDICTED, Effect, Finding
from udfs.core.event import Event
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.migrate import migrate
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item

Facts = tuple[object, ...]


def renamed(spec: Spec) -> Spec:
    """The same rules under other identities, so that nothing can be recognised by its hash."""
    rules = tuple(
        replace(
            one,
            hash=f"other {one.hash}",
            variants=tuple((when, replace(form, hash=f"other {form.hash}")) for when, form in one.variants),
        )
        for one in spec.deadlines
    )
    return replace(
        spec,
        hash="other",
        deadlines=rules,
        starts=tuple(tuple(rules[one.index] for one in of_step) for of_step in spec.starts),
        expects=tuple(tuple(rules[one.index] for one in of_step) for of_step in spec.expects),
    )


def told(spec: Spec, arrivals: list[Event], ticks: random.Random, move: float) -> list[Facts]:
    """All that is said, without the identities, in an order of its own. Before each event time may move on, and with
    the probability `move` the item moves to the other version."""
    versions = [spec, renamed(spec)]
    luck = random.Random(7)
    item: Item | None = None
    watermark, highest = -NEVER, -NEVER
    said: list[Facts] = []
    last: dict[Facts, int | None] = {}

    def note(effects: list[Effect]) -> None:
        for f in effects:
            if not isinstance(f, Finding) or f.kind == DUPLICATE:
                continue
            risk = (f.kind, f.rule, f.occurrence, f.deadline)
            if f.kind in (AT_RISK, PREDICTED) and risk in last and last[risk] == f.at:
                continue  # after events in disorder it may be said again that it is over, and nothing else
            last[risk] = f.at
            said.append((*risk, f.at, f.severity, f.step, f.because))

    def pass_time(to: int) -> None:
        nonlocal item, watermark
        watermark = max(watermark, to)
        while item is not None and (next_deadline(item) or 0) <= watermark:
            item, effects = on_time(versions[0], item, watermark)
            note(effects)

    for one in arrivals:
        if ticks.random() < 0.5:
            pass_time(highest - LATENESS - 1)
        if item is not None and luck.random() < move:
            item, effects = migrate(versions[0], versions[1], item, watermark)
            versions.reverse()
            note(effects)
        item, effects = on_event(versions[0], item, one, watermark)
        note(effects)
        highest = max(highest, one.time)
    pass_time(NEVER)
    return sorted(said, key=repr)


@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.integers(0, 2**32))
def test_moving_to_a_version_that_means_the_same_says_nothing_new_and_leaves_nothing_out(
    spec: Spec, stream: list[Event], seed: int
) -> None:
    arrivals = in_arrival_order(stream, random.Random(seed))
    stayed = told(spec, arrivals, random.Random(seed), 0)
    assert told(spec, arrivals, random.Random(seed), 0.4) == stayed
