"""A bucket that keeps next to nothing decoded, and is restarted now and then, says what one that keeps all says, and
what the simulator says, which has neither state nor wheel."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.operators.memory import State
from udfs.core.effects import Effect, Finding
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.operators.batch import Frame, encode, split_element
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping
from udfs.simulation.drive import Simulation

MAPPING = compile_mapping(
    {
        "source": "s",
        "format": "json",
        "id": "id",
        "type": "step",
        "time": {"path": "at", "format": "epoch_ms"},
        "keys": {"key": "key"},
    }
)
BEGIN = 1_700_000_000_000
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000
SPANS = st.sampled_from(["10s", "5m", "50m", "3h", "2d", "40d"])
Action = tuple[Any, ...]


@st.composite
def workflows(draw: st.DrawFn) -> dict[str, Any]:
    pairs = draw(st.lists(st.sampled_from(["ab", "bc", "ac", "ba"]), min_size=1, max_size=3, unique=True))
    return {
        "workflow": "w",
        "key": "key",
        "steps": {"a": {"on": "a", "start": True}, "b": {"on": "b"}, "c": {"on": "c", "end": "completed"}},
        "flow": draw(st.sampled_from([["a -> b -> c"], ["a -> b", "a -> c"], ["a -> (b | c)"], ["(a & b) -> c"]])),
        "deadlines": [
            {"id": pair, "after": pair[0], "expect": pair[1], "within": draw(SPANS)}
            | draw(st.sampled_from([{}, {"warn": "50%"}]))
            for pair in pairs
        ],
        "order": {
            "policy": draw(st.sampled_from(["flag", "flag", "drop"])),
            "tolerance": draw(st.sampled_from(["0s", "5m"])),
        },
        "remember": draw(st.sampled_from(["10m", "2d"])),
        "expire_after": draw(st.sampled_from(["30m", "5h", "60d"])),
    }


def events(*offsets: int) -> st.SearchStrategy[Action]:
    """Events so long after the watermark."""
    return st.tuples(st.just("event"), st.sampled_from("abc"), st.sampled_from("KLM"), st.sampled_from(offsets))


in_time = events(1, SECOND, 20 * SECOND, HOUR, DAY)
too_late = events(-DAY, -HOUR, -SECOND, 0)
times = st.tuples(
    st.just("time"), st.sampled_from([1, SECOND, 17 * SECOND, 300 * SECOND, HOUR, 5 * HOUR, DAY, 41 * DAY])
)


def engine(workflow: dict[str, Any]) -> Engine:
    made = Engine("main", [MAPPING], ["events"], compile_workflow, granularity=1)
    made.put_rule(orjson.dumps({"workflow": "w", "version": 1, "effective_from": 0, "definition": workflow}))
    return made


def records(history: Sequence[Action]) -> list[tuple[int, bytes | None]]:
    """What happens in order: (watermark from now on, record or None)."""
    now, happened = BEGIN, []
    for number, (what, *more) in enumerate(history):
        if what == "time":
            now += more[0]
            happened.append((now, None))
        else:
            step, key, offset = more
            record = {"id": f"e{number}", "step": step, "at": now + offset, "key": key}
            happened.append((now, orjson.dumps(record)))
    return [*happened, (NEVER, None)]


def said(
    made: Engine, workflow: dict[str, Any], history: Sequence[Action], luck: random.Random | None
) -> list[list[tuple[str, bytes]]]:
    """What a bucket says at each step. With `luck`, it keeps one item decoded, and is restarted now and then."""
    state, watermark = State(), -NEVER
    bucket = state.bucket(made)
    steps: list[list[tuple[str, bytes]]] = []
    for time, record in records(history):
        outputs: list[bytes] = []
        if record is not None:
            outputs = bucket.on_batch(encode([Frame(0, 0, 0, 0, 0, record)]), watermark)
        else:
            watermark = time
            if (bucket.next_timer() or 0) <= time:
                outputs = bucket.on_time(time)
        steps.append(sorted(lines(outputs)))
        bucket.save()
        if luck:
            bucket.shrink(1)
            if luck.random() < 0.3:
                bucket = state.bucket(engine(workflow))
    assert state.items.entries == {}
    return steps


def lines(outputs: list[bytes]) -> list[tuple[str, bytes]]:
    """The rows, each with its tag."""
    return [(tag, line) for tag, _, value in map(split_element, outputs) for line in value.split(b"\n")]


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflows(), st.lists(st.one_of(in_time, in_time, times, too_late), max_size=30), st.randoms())
def test_a_tiny_cache_and_restarts_change_nothing(
    workflow: dict[str, Any], history: list[Action], luck: random.Random
) -> None:
    whole = said(engine(workflow), workflow, history, None)
    assert said(engine(workflow), workflow, history, luck) == whole


@settings(max_examples=examples(400), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(workflows(), st.lists(st.one_of(in_time, in_time, times), max_size=30), st.randoms())
def test_a_bucket_finds_what_the_simulator_finds_and_when(
    workflow: dict[str, Any], history: list[Action], luck: random.Random
) -> None:
    made = engine(workflow)
    found = [
        {orjson.loads(line)["id"] for tag, line in step if tag == "F"} for step in said(made, workflow, history, luck)
    ]
    now: set[str] = set()

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            now.add(effect.id)

    simulation = Simulation(list(made.specs.values()), emit)
    for step, (time, record) in zip(found, records(history), strict=True):
        now.clear()
        if record is None:
            simulation.advance(time)
        else:
            simulation.event(MAPPING.event(MAPPING.parse(record), "key", "", 0), "key")
        assert step == now
