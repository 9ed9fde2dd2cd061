"""The detect job without Kafka: a file in, a folder of rows out, on real TaskManagers."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from api.stack.flink import FlinkCluster
from tests.flink.lane import NOON, PACK
from tests.kafka_help import eventually
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import simulate

pytestmark = pytest.mark.real
LATENESS = 2000


def a_log() -> list[dict[str, Any]]:
    """2,000 parcels, every seventh lost, every fifth too late; in order of arrival, up to a second late."""
    chance = random.Random(11)
    events = []
    for number in range(2000):
        sent = NOON + number * 100
        events.append({"id": f"s{number}", "what": "sent", "at": sent, "parcel": f"P{number}"})
        if number % 7:
            took = chance.randrange(10_001, 30_000) if number % 5 == 0 else chance.randrange(1, 9_999)
            events.append({"id": f"a{number}", "what": "arrived", "at": sent + took, "parcel": f"P{number}"})
    return sorted(events, key=lambda event: event["at"] + chance.randrange(1000))


def with_ticks(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A tick as soon as an event shows that a second has passed, as a lane's producer would give it."""
    lines: list[dict[str, Any]] = []
    second = 0
    for event in events:
        lines.append(event)
        if event["at"] // 1000 > second:
            second = event["at"] // 1000
            lines.append({"tick": second * 1000})
    return lines


def simulated(events: list[dict[str, Any]]) -> set[str]:
    pack = load_pack(PACK)
    assert pack.mapping is not None
    specs = [compile_workflow(one.data, version=one.version, lane="main") for one in pack.workflows]
    read = [("parcel", pack.mapping.event(record, "parcel", "", 0)) for record in events]
    return set(simulate(specs, read).findings)


def play(cluster: FlinkCluster, folder: Path, pack: Path, events: list[dict[str, Any]], parallelism: int) -> None:
    """Runs a job over a log in a file to its end; what came out is in `out` in the folder."""
    (folder / "log.ndjson").write_text("".join(json.dumps(line) + "\n" for line in with_ticks(events)))
    told = {
        "input": {"file": "log.ndjson"},
        "output": {"folder": "out"},
        "packs": [str(pack)],
        "rules_topic": None,
        "lateness_ms": LATENESS,
        "parallelism": parallelism,
    }
    config = folder / "job.json"
    config.write_text(json.dumps(told))
    job = cluster.submit(config)
    eventually(lambda: not cluster.job_is_alive(job), 90)
    assert cluster.why(job) == ""


def rows(folder: Path, topic: str) -> list[dict[str, Any]]:
    return [json.loads(line) for file in folder.glob(f"{topic}-*.ndjson") for line in file.read_bytes().splitlines()]


@pytest.mark.parametrize("parallelism", [1, 2])
def test_a_file_gives_the_findings_that_the_simulator_finds(
    cluster: FlinkCluster, tmp_path: Path, parallelism: int
) -> None:
    events = a_log()
    play(cluster, tmp_path, PACK, events, parallelism)
    out = tmp_path / "out"
    found = rows(out, "findings")
    assert len(found) > 500
    assert {row["id"] for row in found} == simulated(events)
    assert rows(out, "deadletters") == []
    first = min(rows(out, "eventlog"), key=lambda row: row["offset"])
    assert (first["topic"], first["partition"], first["offset"]) == ("log.ndjson", 0, 0)
    assert sorted(row["id"] for row in rows(out, "eventlog")) == sorted(event["id"] for event in events)
    assert {row["event_id"] for row in rows(out, "transitions")} == {event["id"] for event in events}
    tasks = {row["subtask"]: row["watermark_ms"] for row in rows(out, "progress")}
    assert tasks == dict.fromkeys(range(parallelism), 2**63 - 2)
