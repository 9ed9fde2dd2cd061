"""Random flows, with policies on order and copies: what is found depends on the set of events and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.properties.test_core_is_a_function_of_the_event_set import LATENESS, in_arrival_order, run
from tests.udfs.core.build import event
from udfs.core.event import Event
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

STEPS = "ABCDEF"


def ms(n: int) -> str:
    return f"{n}ms"


@st.composite
def links(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=3, unique=True))
    return names[0] if len(names) == 1 else f"({draw(st.sampled_from(['|', '&'])).join(names)})"


edges = st.dictionaries(
    st.sampled_from(["AB", "BC", "AC", "CD"]),
    st.tuples(st.sampled_from(["flag", "ignore", "drop"]), st.integers(0, 8)),
    max_size=2,
)
chains = st.lists(links(), min_size=2, max_size=4).map(" -> ".join)


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    maxima = draw(st.dictionaries(st.sampled_from(STEPS), st.integers(1, 3), max_size=2))
    starts = draw(st.sets(st.sampled_from(STEPS), min_size=1, max_size=2))
    ends = draw(st.sets(st.sampled_from(STEPS), max_size=2))
    optional = draw(st.sets(st.sampled_from(STEPS), max_size=2))
    steps = {
        name: {"on": name, "start": name in starts, "optional": name in optional}
        | ({"end": "completed"} if name in ends else {})
        | ({"max": maxima[name]} if name in maxima else {})
        for name in STEPS
    }
    if draw(st.booleans()):
        steps["C"]["children"] = {"key": "data", "count": draw(st.integers(1, 2))}
    pairs = draw(st.lists(st.sampled_from(["AB", "BC", "AC", "CA"]), max_size=2, unique=True))
    return {
        "workflow": "w",
        "key": "k",
        "steps": steps,
        "flow": draw(st.lists(chains, min_size=1, max_size=3)),
        "deadlines": [
            {"id": pair, "after": pair[0], "expect": pair[1], "within": ms(draw(st.integers(1, 25)))} for pair in pairs
        ],
        "order": {
            "policy": draw(st.sampled_from(["flag", "ignore", "drop"])),
            "tolerance": ms(draw(st.integers(0, 5))),
            "edges": [
                {"from": edge[0], "to": edge[1], "policy": policy, "tolerance": ms(tolerance)}
                for edge, (policy, tolerance) in draw(edges).items()
            ],
        },
        "duplicates": {
            "policy": draw(st.sampled_from(["flag", "drop"])),
            "by": draw(st.sampled_from(["id", "step", "content"])),
            "window": ms(draw(st.sampled_from([0, 0, 3, 30]))),
        },
        "unexpected": {"policy": draw(st.sampled_from(["flag", "ignore"]))},
        **draw(st.sampled_from([{}, {"stalled": {"times": 2, "usual": {"A": "2ms", "B": "3ms", "C": "1ms"}}}])),
        "remember": ms(draw(st.integers(2 * LATENESS, 24))),
        "expire_after": ms(draw(st.integers(2 * LATENESS, 30))),
    }


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    definition = draw(definitions())
    plain = {"flow": ["A -> B -> C -> D -> E", "A -> F"]}
    no_edges = {"order": definition["order"] | {"edges": []}}
    for instead in ({}, no_edges, plain):
        try:
            return compile_workflow(definition | instead, version=1, lane="main")
        except PackError:  # alternatives that lead to each other, or an edge that the flow doesn't have
            continue
    raise AssertionError(definition)


events = st.lists(
    st.builds(
        lambda step, time, id: event(step, time, id=f"{step}{id}", data={"data": id % 3}),
        st.sampled_from(STEPS),
        st.integers(0, 120),
        st.integers(0, 6),
    ),
    max_size=14,
)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.randoms(use_true_random=False))
def test_disorder_within_the_allowed_lateness_changes_nothing(
    spec: Spec, stream: list[Event], rng: random.Random
) -> None:
    arrivals = in_arrival_order(stream, rng)
    in_order = sorted(arrivals, key=lambda e: e.time)
    assert run(spec, arrivals, rng) == run(spec, in_order, None)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.integers(0, 2**32))
def test_encoding_and_decoding_at_every_event_changes_nothing(spec: Spec, stream: list[Event], seed: int) -> None:
    assert run(spec, stream, random.Random(seed), cut=True) == run(spec, stream, random.Random(seed))


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.integers(0, 2**32))
def test_how_often_time_moves_changes_nothing(spec: Spec, stream: list[Event], seed: int) -> None:
    stream.sort(key=lambda e: e.time)
    assert run(spec, stream, random.Random(seed)) == run(spec, stream, None)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.integers(0, 2**32))
def test_copies_change_nothing_where_they_are_dropped(spec: Spec, stream: list[Event], seed: int) -> None:
    dropping = replace(spec, duplicate_policy="drop")
    arrivals = in_arrival_order(stream, random.Random(seed))
    twice = [e for e in arrivals for _ in range(2)]
    assert run(dropping, twice, None) == run(dropping, arrivals, None)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(specs(), events, st.randoms(use_true_random=False))
def test_no_fact_is_told_as_unexpected_and_as_out_of_order(spec: Spec, stream: list[Event], rng: random.Random) -> None:
    said = run(spec, in_arrival_order(stream, rng), rng).values()
    told = [(f[1], f[5], f[9]) for f in said if len(f) == 15]
    placed = {(step, at) for kind, step, at in told if kind == "out_of_order"}
    assert not placed & {(step, at) for kind, step, at in told if kind == "unexpected"}
