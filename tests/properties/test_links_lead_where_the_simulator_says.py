"""Items with several keys: the job's stages, whichever channel is quicker, find what the simulator finds."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.operators.job import Arrival, Job
from udfs.core.state import NEVER
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping
from udfs.simulation.drive import Result, simulate

KEYS = ("order", "execution", "settlement")
MAPPING = compile_mapping(
    {
        "source": "s",
        "format": "json",
        "id": "id",
        "type": "step",
        "time": {"path": "at", "format": "epoch_ms"},
        "keys": {name: name for name in KEYS},
    }
)
BEGIN, SECOND, LATENESS = 1_700_000_000_000, 1000, 5

DUE = {"id": "due", "expect": "b", "key": ["o1", "o2"], "by": "22:14"}
"""40 seconds behind BEGIN."""


@st.composite
def workflows(draw: st.DrawFn) -> list[dict[str, Any]]:
    pairs = draw(st.lists(st.sampled_from(["ab", "bc", "ac", "ba", "ca"]), max_size=3, unique=True))
    whole = {
        "workflow": "w",
        "key": list(draw(st.sampled_from([KEYS, KEYS[:2], ("order", "settlement")]))),
        "correlate": {"hold": draw(st.sampled_from(["3s", "20s", "60s"])), "remember": "70s"},
        "steps": {"a": {"on": "a", "start": True}, "b": {"on": "b"}, "c": {"on": "c", "end": "completed"}},
        "flow": ["a -> b -> c"],
        "deadlines": [
            {"id": pair, "after": pair[0], "expect": pair[1], "within": draw(st.sampled_from(["2s", "15s", "40s"]))}
            | draw(st.sampled_from([{}, {"warn": "50%"}]))
            for pair in pairs
        ],
        "order": {"policy": "ignore"},  # what is out of order with an event that was placed later: see decision 10
        "schedules": draw(st.sampled_from([[], [DUE]])),
        "remember": "200s",  # one run a key: what comes by two ways is in order of time only as the watermark says
        "expire_after": "300s",
    }
    single = {"workflow": "single", "key": "execution", "steps": whole["steps"], "remember": "200s"}
    return draw(st.sampled_from([[whole], [whole, single], [whole, whole | {"workflow": "other", "key": list(KEYS)}]]))


bearing = st.sampled_from([names for n in range(1, 8) if (names := [k for i, k in enumerate(KEYS) if n >> i & 1])])
records = st.lists(
    st.tuples(st.integers(0, 100), st.sampled_from("abc"), st.sampled_from([1, 1, 1, 2]), bearing),
    max_size=12,
    unique_by=lambda one: one[0],  # events of equal time count in the order of their arrival
)


def read(stream: list[dict[str, Any]], specs: list[dict[str, Any]]) -> Result:
    compiled = [compile_workflow(one, version=1, lane="main") for one in specs]
    events = [(name, MAPPING.event(one, name, "", 0)) for one in stream for name in KEYS if name in one]
    return simulate(compiled, events)


def arrivals(stream: list[dict[str, Any]], luck: random.Random) -> list[Arrival]:
    """In some order within the allowed lateness, with time between."""
    delayed = sorted(stream, key=lambda one: one["at"] + luck.uniform(0, LATENESS * SECOND))
    highest, found = BEGIN, list[Arrival]()
    for one in delayed:
        found.append(one)
        highest = max(highest, one["at"])
        if luck.random() < 0.5:
            found.append(highest - LATENESS * SECOND - 1)
    return found


@settings(max_examples=examples(300), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflows(), records, st.integers(0, 2**32))
def test_whichever_way_is_quicker_the_findings_are_those_of_the_simulator(
    specs: list[dict[str, Any]], drawn: list[tuple[int, str, int, list[str]]], seed: int
) -> None:
    luck = random.Random(seed)
    stream: list[dict[str, Any]] = [
        {"id": f"e{at}", "step": step, "at": BEGIN + at * SECOND} | {name: f"{name[0]}{item}" for name in names}
        for at, step, item, names in drawn
    ]
    job = Job(MAPPING, specs, luck)
    job.run(
        [BEGIN - LATENESS * SECOND - 1, *arrivals(stream, luck), max(one["at"] for one in stream)] if stream else []
    )
    wanted = read(stream, specs)
    assert {row["id"] for row in job.rows("F")} == set(wanted.findings)
    assert len(job.rows("D")) == sum(wanted.lost.values())
    assert {row["reason"] for row in job.rows("D")} == set(wanted.lost)
    assert sorted(row["id"] for row in job.rows("E")) == sorted(one["id"] for one in stream)
    for operator in job.operators:
        assert operator.bucket is not None
        operator.bucket.on_time(NEVER)  # a slot of the wheel whose entries have passed goes with the next look
        operator.bucket.save()
        assert operator.state.items.entries == {}, "after the end, nothing is left in state"
        left = [name for name in operator.state.index.entries if name != "items" and not name.startswith("\x1f")]
        assert left == []
