"""Items with several keys on a real cluster: the findings are the simulator's, in whatever order events come."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.stack import process
from api.stack.flink import FlinkCluster
from tests.flink.lane import NOON, Lane
from tests.flink.test_a_log_in_a_file import play, rows, with_ticks
from tests.kafka_help import eventually
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import Result, simulate

pytestmark = pytest.mark.real
Start = Callable[..., Lane]
PACK = Path(__file__).parent / "linked_pack"
LATENESS = 2000
ORDERS = 400
Record = dict[str, Any]


def event(number: int, what: str, at: int, *keys: str) -> Record:
    """An event of order `number`, `at` ms after noon, that bears these keys."""
    return {"id": f"{what}-{number}", "what": what, "at": NOON + at} | {key: f"{key[0]}{number}" for key in keys}


def story(number: int, chance: random.Random) -> list[Record]:
    """An order with faults, known by another id in each system. `linked` is no step: it only shows two keys."""
    begin = number * 50 + chance.randrange(25) * 2
    filled = begin + chance.choice([2001, 9001, 10_001, 14_001])
    settled = filled + chance.choice([5001, 19_001, 20_001, 27_001])
    met = chance.choice([begin + 500, filled - 300, filled + 700, filled + 6001, filled + 31_001])
    events = [event(number, "placed", begin, "order"), event(number, "linked", met, "order", "execution")]
    if number % 7:
        events.append(event(number, "filled", filled, "execution"))
    if number % 11:
        both = chance.random() < 0.5
        events.append(event(number, "settled", settled, *(["execution", "settlement"] if both else ["settlement"])))
    if number % 5:
        events.append(event(number, "cleared", settled + chance.choice([-900, 1300]), "execution", "settlement"))
    return events


def a_log(order: str) -> list[Record]:
    """All stories in one of the orders in which their events may arrive."""
    chance = random.Random(7)
    events = [one for number in range(ORDERS) for one in story(number, chance)]
    first = {"placed": 0, "filled": 1, "settled": 2, "cleared": 3, "linked": 4}
    places = {
        "in time": lambda one: one["at"],
        "late": lambda one: one["at"] + chance.randrange(LATENESS - 1),
        "links last": lambda one: (one["at"] // 1000, first[one["what"]]),
        "links first": lambda one: (one["at"] // 1000, -first[one["what"]]),
    }
    return sorted(events, key=places[order])


def simulated(events: list[Record], lane: str = "main") -> Result:
    pack = load_pack(PACK)
    assert pack.mapping is not None
    specs = [compile_workflow(one.data, version=one.version, lane=lane) for one in pack.workflows]
    keys = ("order", "execution", "settlement")
    read = [(key, pack.mapping.event(one, key, "", 0)) for one in events for key in keys if key in one]
    return simulate(specs, read)


@pytest.mark.parametrize(("order", "parallelism"), [("in time", 1), ("late", 2), ("links last", 2), ("links first", 1)])
def test_events_find_their_items_in_whatever_order_they_come(
    cluster: FlinkCluster, tmp_path: Path, order: str, parallelism: int
) -> None:
    events = a_log(order)
    play(cluster, tmp_path, PACK, events, parallelism)
    out, wanted = tmp_path / "out", simulated(events)
    found = {row["id"]: row for row in rows(out, "findings")}
    assert {"missing", "late", "reported_late"} == {row["kind"] for row in found.values()}
    assert set(found) == set(wanted.findings)
    letters = rows(out, "deadletters")
    assert {row["reason"] for row in letters} == {"unlinked"}
    assert len(letters) == wanted.lost["unlinked"] > 0
    assert sorted(row["id"] for row in rows(out, "eventlog")) == sorted(one["id"] for one in events)
    assert {row["key"][0] for row in rows(out, "items")} == {"o"}, "items are known by their own key only"


def _send(post: Lane, events: list[Record]) -> None:
    for line in with_ticks(events):
        if "tick" in line:
            post.tick(line["tick"] - NOON)
        else:
            post.raw(json.dumps(line).encode(), partition=line["at"] % 2)
    post.producer.flush()


@pytest.mark.parametrize("death", ["a taskmanager", "all", "a savepoint"])
def test_events_that_wait_for_a_link_outlive_a_crash(lane: Start, death: str) -> None:
    post = lane(packs=[str(PACK)], parallelism=2, lateness_ms=LATENESS)
    events = a_log("late")
    wanted = simulated(events, post.name)
    half = len(events) // 2
    _send(post, events[:half])
    before = post.cluster.newest_checkpoint(post.name)
    eventually(lambda: post.cluster.newest_checkpoint(post.name) != before)
    if death == "a savepoint":
        post.cluster.stop_with_savepoint(post.job, post.name)
        post.resume()
    elif death == "all":
        post.cluster.kill()
        post.cluster.start()
        post.cluster.wait()
        post.resume()
    else:
        victim = post.cluster.taskmanagers[0]
        process.kill_group(victim.pid)
        victim.wait()
        post.cluster.taskmanagers.remove(victim)
        post.cluster.add_taskmanager()
    _send(post, events[half:])
    end = events[-1]["at"] - NOON + 700_000
    post.tick(end)
    post.await_time(end - LATENESS, seconds=90)
    eventually(lambda: set(post.findings()) == set(wanted.findings), 30)
    letters = {(row["partition"], row["offset"]) for row in post.rows("deadletters")}
    assert len(letters) == wanted.lost["unlinked"]
