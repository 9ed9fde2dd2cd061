"""What an event costs when many workflows are loaded that it doesn't concern, or when its own has many deadlines.

The log holds trades that go through their four steps in time, so that nothing is to be found. It is followed by the
core alone (events in, effects out) and by the Flink function alone (frames in, rows out), the sizes in turns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from heapq import merge
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from tests.bench import function
from tests.bench.generate import BEGIN_MS, LINE, SLACK_MS, TYPES
from tests.bench.section import NotExact
from udfs.core.effects import Effect, Transition
from udfs.core.event import Event
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import NEVER, Simulation

PACK = Path(__file__).with_name("pack")
HOPS = (("A", "B"), ("B", "C"), ("C", "D"), ("A", "C"), ("A", "D"), ("B", "D"))
HOP_MS = 2000


def write_pack(folder: Path, workflows: int = 1, deadlines: int = 3) -> Path:
    """The comparison's pack with so many deadlines, among so many workflows; the others' events don't come."""
    folder.mkdir(parents=True)
    (folder / "mapping.yaml").write_text((PACK / "mapping.yaml").read_text())
    concerned = dict(load_pack(PACK).workflows[0].data)
    concerned["deadlines"] = [
        {"id": f"{after}-{expect}-{n}", "after": after, "expect": expect, "within": f"{300 + n}s"}
        for n, (after, expect) in ((n, HOPS[n % len(HOPS)]) for n in range(deadlines))
    ]
    others = [_renamed(concerned, f"x{n}") for n in range(1, workflows)]
    (folder / "workflow.yaml").write_text(yaml.safe_dump_all([concerned, *others], sort_keys=False))
    return folder


def _renamed(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    """The same workflow for events of other types."""
    steps = {step: {**about, "on": f"{name}.{about['on']}"} for step, about in workflow["steps"].items()}
    return {**workflow, "workflow": name, "steps": steps}


def log(trades: int) -> list[bytes]:
    """Complete trades, a new one each 10 ms, in the order of their times."""

    def events(n: int, kind: str) -> Iterator[tuple[int, str]]:
        for trade in range(trades):
            at = BEGIN_MS + trade * 10 + n * HOP_MS
            yield at, LINE % (f"{trade * 4 + n:032x}", kind, f"T{trade}", at, "EU", 1.5, "EUR", trade % 977)

    hops = (events(n, kind) for n, kind in enumerate(TYPES))
    return [line.encode() for _, line in merge(*hops)]


def compare(packs: dict[int, Path], lines: list[bytes], rounds: int) -> Iterator[dict[str, Any]]:
    """For each size, µs an event by both; the median of the rounds, of which each measures all sizes once."""
    steps = list(function.steps(lines))
    events = {size: _events(pack, lines) for size, pack in packs.items()}
    core: dict[int, list[float]] = {size: [] for size in packs}
    whole: dict[int, list[float]] = {size: [] for size in packs}
    for _ in range(rounds):
        for size, pack in packs.items():
            core[size].append(_core(pack, events[size]) / len(lines) * 1e6)
            whole[size].append(_function(pack, steps, len(lines)) / len(lines) * 1e6)
    for size in packs:
        yield {"size": size, "core": round(median(core[size]), 2), "function": round(median(whole[size]), 2)}


def _events(pack: Path, lines: list[bytes]) -> list[Event]:
    mapping = load_pack(pack).mapping
    assert mapping is not None
    return [mapping.event(mapping.parse(line), "trade", "", 0) for line in lines]


def _core(pack: Path, events: list[Event]) -> float:
    counted = [0, 0]

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        counted[isinstance(effect, Transition)] += 1

    specs = [compile_workflow(one.data, version=1, lane="bench") for one in load_pack(pack).workflows]
    simulation = Simulation(specs, emit)
    began = time.perf_counter()
    due = 0
    for event in events:
        if event.time >= due:
            simulation.advance(event.time - SLACK_MS - 1)
            due = event.time + 1000
        simulation.event(event, "trade")
    simulation.advance(NEVER)
    seconds = time.perf_counter() - began
    _check("the core alone", counted[False], counted[True], len(events))
    return seconds


def _function(pack: Path, steps: list[function.Step], events: int) -> float:
    host = function.Host(pack)
    began = time.perf_counter()
    outputs = host.run(steps)
    seconds = time.perf_counter() - began
    parts = [function.split_element(output) for output in outputs]
    transitions = sum(value.count(b"\n") + 1 for tag, _, value in parts if tag == "T")
    _check("the function alone", sum(tag in "FD" for tag, _, _ in parts), transitions, events)
    return seconds


def _check(who: str, findings: int, transitions: int, events: int) -> None:
    if findings or transitions != events:
        raise NotExact(f"{who}: {findings} findings where there are none, {transitions} transitions of {events} events")
