"""Published event logs, against an independent oracle, and through Kafka, Flink and ClickHouse."""

from __future__ import annotations

import csv
import gzip
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.real.lane import Lane, run
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.packs.values import Unreadable
from udfs.simulation.drive import simulate
from udfs.simulation.logs import BadRecord, read_log

PACKS = Path(__file__).parents[1] / "packs"
LATENESS_MS = 2 * 86_400_000

pytestmark = pytest.mark.shared


@dataclass(frozen=True)
class Log:
    pack: Path
    file: str
    oracle: str
    time_column: str = "time:timestamp"

    @property
    def mapping(self) -> Path:
        return self.pack / "mapping.yaml"


DOMESTIC = Log(PACKS / "domestic_declarations", "DomesticDeclarations.csv.gz", "domestic.expected.json")
HELPDESK = Log(PACKS / "helpdesk", "helpdesk.csv.gz", "helpdesk.expected.json")
LOGS = pytest.mark.parametrize("log", [DOMESTIC, HELPDESK], ids=["domestic", "helpdesk"])


@cache
def simulated(log: Log, path: Path, lane: str) -> dict[str, tuple[Any, ...]]:
    """What the simulator finds: finding id -> what it says."""
    pack = load_pack(log.pack)
    mapping = pack.mapping
    assert mapping is not None
    specs: list[Spec] = [compile_workflow(w.data, version=w.version, lane=lane) for w in pack.workflows]
    events = []
    for record in read_log(path):
        assert not isinstance(record, BadRecord)
        for name in mapping.key_names:
            try:
                events.append((name, mapping.event(record, name, "", 0)))
            except Unreadable as fault:
                raise AssertionError(f"{record}: {fault}") from fault
    found = simulate(specs, events).findings
    return {id: (f.kind, f.rule, key, f.deadline, f.at, f.delta, f.event_id) for id, (_, key, f) in found.items()}


def stored(lane: Lane) -> dict[str, tuple[Any, ...]]:
    columns = ("kind", "rule", "key", "deadline_ms", "at_ms", "delta_ms", "event_id")
    return {id: tuple(row[c] for c in columns) for id, row in lane.findings().items()}


@LOGS
def test_simulate_gives_exactly_the_oracles_counts(log: Log, shared: Path) -> None:
    expected = json.loads((shared / "oracle" / log.oracle).read_text())
    output = run("api.cli", "simulate", str(log.pack), str(shared / "data" / log.file), "--json")
    counts = json.loads(output)
    assert counts["events"] == expected["events"]
    assert counts["items"] == expected["cases"]
    for number, edge in enumerate(expected["edges"], 1):
        found = counts["findings"][f"edge_{number}"]
        assert (found["missing"], found["late"]) == (edge["breached"], edge["late"]), edge


@pytest.mark.real
@pytest.mark.parametrize(
    ("log", "batch_records"),
    [
        pytest.param(DOMESTIC, 10_000, id="domestic"),
        pytest.param(HELPDESK, 10_000, id="helpdesk"),
        pytest.param(HELPDESK, 1, id="helpdesk one by one"),
        pytest.param(DOMESTIC, 1, id="domestic one by one", marks=pytest.mark.thorough),
    ],
)
@pytest.mark.parametrize("parallelism", [1, 2])
def test_kafka_and_flink_find_what_the_simulator_finds_id_by_id(
    log: Log, parallelism: int, batch_records: int, shared: Path, lane: Callable[[str], Lane]
) -> None:
    here = lane(f"replay-{log.pack.name.replace('_', '-')}-{parallelism}-{batch_records}")
    here.configure(log.pack, parallelism=parallelism, batch_records=batch_records)
    here.submit()
    here.replay(shared / "data" / log.file, log.mapping)
    expected = simulated(log, shared / "data" / log.file, here.name)
    assert len(expected) > 5000
    assert stored(here) == expected


@pytest.mark.real
@LOGS
def test_disorder_within_the_allowed_lateness_changes_nothing(
    log: Log, shared: Path, lane: Callable[[str], Lane], tmp_path: Path
) -> None:
    here = lane(f"replay-{log.pack.name.replace('_', '-')}-shuffled")
    shuffled = shuffle(shared / "data" / log.file, log.time_column, tmp_path / "shuffled.ndjson")
    here.configure(log.pack, parallelism=2, batch_records=100, lateness_ms=LATENESS_MS)
    here.submit()
    here.replay(shuffled, log.mapping, "--keep-order")
    assert stored(here) == simulated(log, shared / "data" / log.file, here.name)


@pytest.mark.real
def test_a_job_killed_in_the_middle_and_resumed_finds_the_same_and_nothing_twice(
    shared: Path, lane: Callable[[str], Lane]
) -> None:
    log = DOMESTIC
    here = lane("replay-killed")
    here.configure(log.pack, parallelism=2, batch_records=500)
    here.submit()
    span = 18 * 30 * 86_400  # seconds that the log covers, about; played slowly enough for two crashes on the way
    command = here.replaying(shared / "data" / log.file, log.mapping, "--speed", f"{span / 75:.0f}x")
    sending = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for _ in range(2):
            before = here.cluster.newest_checkpoint(here.name)
            wait_for(lambda: here.cluster.newest_checkpoint(here.name) not in (None, before), "a new checkpoint")  # noqa: B023
            time.sleep(2)  # more is done than the checkpoint holds
            assert sending.poll() is None, "killed while the log is on its way"
            here.cluster.kill()
            here.cluster.start()
            here.cluster.wait()
            here.submit(here.cluster.newest_checkpoint(here.name))
        assert sending.wait(timeout=120) == 0, sending.stderr.read() if sending.stderr else ""
    finally:
        if sending.poll() is None:
            sending.send_signal(signal.SIGKILL)
    here.settle()
    assert stored(here) == simulated(log, shared / "data" / log.file, here.name)


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"no {what} after {seconds} s"
        time.sleep(0.1)


def shuffle(log: Path, time_column: str, target: Path) -> Path:
    """Injected disorder: each event arrives up to the allowed lateness after it happened; equal times keep their order.

    The lateness is two days, since the events of one case are hours apart: within seconds nothing would change places.
    """
    rng = random.Random(20)
    with gzip.open(log, "rt", newline="") as lines:
        rows = [{**row, "_position": str(n)} for n, row in enumerate(csv.DictReader(lines))]
    times = [round(datetime.fromisoformat(row[time_column]).timestamp() * 1000) for row in rows]
    delay = {instant: rng.uniform(0, LATENESS_MS) for instant in sorted(set(times))}
    order = sorted(range(len(rows)), key=lambda n: (times[n] + delay[times[n]], n))
    in_time = sorted(range(len(rows)), key=lambda n: times[n])
    assert sum(a != b for a, b in zip(order, in_time, strict=True)) > len(rows) / 2, "the disorder is real"
    target.write_text("".join(json.dumps(rows[n]) + "\n" for n in order))
    return target
