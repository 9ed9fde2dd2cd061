"""Random workflows with random traffic, two hundred in one job: Flink finds what the simulator finds, through kills."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.stack import process
from tests.flink import random_packs as made
from tests.flink.lane import NOON, Lane
from tests.kafka_help import eventually
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import simulate

pytestmark = pytest.mark.real
Start = Callable[..., Lane]
SEED = 20_261_121
WORKFLOWS = 200
ITEMS = 12
KINDS = ("missing", "late", "at_risk", "early", "out_of_order", "duplicate", "unexpected")
MINUTE = 60_000
DAY = 24 * 60 * MINUTE
END = NOON + 60 * DAY


def simulated(pack: Path, events: list[dict[str, Any]], lane: str) -> dict[str, tuple[Any, ...]]:
    loaded = load_pack(pack)
    assert loaded.mapping is not None
    specs = [compile_workflow(one.data, version=one.version, lane=lane) for one in loaded.workflows]
    read = [("item", loaded.mapping.event(event, "item", "", 0)) for event in events]
    found = simulate(specs, read).findings
    return {id: (spec.workflow, f.kind, f.rule, key, f.deadline, f.at) for id, (spec, key, f) in found.items()}


def found(lane: Lane) -> dict[str, tuple[Any, ...]]:
    columns = ("workflow", "kind", "rule", "key", "deadline_ms", "at_ms")
    return {id: tuple(row[name] for name in columns) for id, row in lane.findings().items()}


def send(lane: Lane, events: list[dict[str, Any]]) -> None:
    """With a tick for each minute, as soon as an event shows that it has passed."""
    minute = 0
    for event in events:
        lane.raw(json.dumps(event).encode(), key=event["item"].encode())
        if event["at"] // MINUTE > minute:
            minute = event["at"] // MINUTE
            lane.tick(minute * MINUTE - NOON)
    lane.producer.flush()


def kill_a_taskmanager(lane: Lane) -> None:
    victim = lane.cluster.taskmanagers[0]
    process.kill_group(victim.pid)
    victim.wait()
    lane.cluster.taskmanagers.remove(victim)
    lane.cluster.add_taskmanager()


def test_two_hundred_random_workflows_find_the_same_in_flink_through_kills(lane: Start, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    workflows = [made.workflow(chance, number) for number in range(WORKFLOWS)]
    events = made.traffic(chance, workflows, ITEMS)
    pack = made.write_pack(tmp_path / "pack", workflows)
    here = lane(
        packs=[str(pack)],
        rules_topic=None,
        parallelism=2,
        batch_records=500,
        cached_items=500,
        lateness_ms=made.DISORDER + MINUTE,
    )
    arriving = made.as_sent(chance, events)
    third = len(arriving) // 3
    send(here, arriving[:third])
    first = eventually(lambda: here.cluster.newest_checkpoint(here.name))
    kill_a_taskmanager(here)
    send(here, arriving[third : 2 * third])
    eventually(lambda: here.cluster.newest_checkpoint(here.name) != first, 60)
    kill_a_taskmanager(here)
    send(here, arriving[2 * third :])
    here.tick(END - NOON)
    here.await_time(END - NOON - made.DISORDER - MINUTE, seconds=120)
    expected = simulated(pack, events, here.name)
    assert len({workflow for workflow, *_ in expected.values()}) > WORKFLOWS * 0.9
    assert {kind for _, kind, *_ in expected.values()} >= set(KINDS)
    eventually(lambda: len(here.findings()) >= len(expected), 60)
    assert found(here) == expected
    assert here.rows("deadletters") == []
