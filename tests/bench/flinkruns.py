"""Passes of the real detect job on a Flink cluster, from a file or from Kafka, and what they wrote.

A pass begins at the instant at which all tasks of the job run, so that no start-up is in it, and ends when the last
result is written: the newest file's time of change, or the broker's time of the newest record. Checkpoints are taken
every 5 s, as flink-conf/config.yaml says.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from api.stack import ports
from api.stack.flink import ENDED, FlinkCluster
from tests.bench.generate import SLACK_MS
from tests.bench.machine import Watch
from tests.bench.runs import Failed, high_water
from tests.bench.verdicts import Found

PACK = Path(__file__).with_name("pack")
LANE = "bench"
RESULTS = ("findings", "transitions", "items", "eventlog", "deadletters")
SECONDS = 900.0


@dataclass(frozen=True)
class Pass:
    """One pass over a log. `cpu` is that of the cluster's processes meanwhile, `rss_mib` the most they have had."""

    seconds: float
    cpu: float
    rss_mib: float
    taken: float
    job: str


@contextmanager
def cluster(
    home: Path, taskmanagers: int, backend: str = "hashmap", heap_mib: int | None = None
) -> Iterator[FlinkCluster]:
    """A cluster of its own, gone at the end."""
    running = FlinkCluster(home, ports.free(), taskmanagers=taskmanagers, heap_mib=heap_mib)
    try:
        running.start()
        told = home / "flink" / "conf" / "config.yaml"  # read again by each submission
        told.write_text(re.sub("(?m)^state.backend.type: .*", f"state.backend.type: {backend}", told.read_text()))
        yield running.wait()
    finally:
        running.stop()
        shutil.rmtree(home / "flink" / "checkpoints", ignore_errors=True)


def configure(home: Path, name: str, **settings: Any) -> Path:
    """Write a job's configuration: the comparison's pack, in the comparison's lane."""
    file = home / f"{name}.json"
    known = {"lane": LANE, "packs": [str(PACK)], "rules_topic": None, "lateness_ms": SLACK_MS}
    file.write_text(json.dumps(known | settings))
    return file


def from_file(running: FlinkCluster, log: Path, out: Path, **settings: Any) -> Pass:
    """A pass over a log with ticks, into files of the folder `out`, which is made anew."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    where = {"input": {"file": str(log)}, "output": {"folder": str(out)}}
    config = configure(out.parent, out.name, parallelism=len(running.taskmanagers), **where, **settings)
    return timed(running, config, lambda job: _finished(running, job, out))


def timed(running: FlinkCluster, config: Path, end: Callable[[str], float]) -> Pass:
    """Submit a job and time it. `end` waits until it has done its work, and tells when that was (epoch s)."""
    with Watch() as watch:
        before = _cpu(running)
        job = running.submit(config)
        ended = end(job)
        cpu = _cpu(running) - before
    return Pass(ended - began(running, job), cpu, most_memory(running), watch.taken, job)


def _finished(running: FlinkCluster, job: str, out: Path) -> float:
    deadline = time.monotonic() + SECONDS
    while running_state(running, job, deadline) != "FINISHED":
        time.sleep(0.2)
    return max(file.stat().st_mtime for file in out.glob("*.ndjson"))


def running_state(running: FlinkCluster, job: str, deadline: float) -> str:
    """The job's state. Raises Failed if it has failed, also where Flink would start it again, or takes too long."""
    state = str(ask(running, f"/jobs/{job}")["state"])
    if why := running.why(job):
        raise Failed(f"the job failed: {why}")
    if state in ENDED - {"FINISHED"} or time.monotonic() > deadline:
        raise Failed(f"the job is {state} and not done")
    return state


def began(running: FlinkCluster, job: str) -> float:
    """The instant (epoch s) at which the last of the job's tasks began to run."""
    instants = []
    for vertex in ask(running, f"/jobs/{job}")["vertices"]:
        for task in ask(running, f"/jobs/{job}/vertices/{vertex['id']}")["subtasks"]:
            spent = task["status-duration"]
            instants.append(task["start-time"] + sum(max(spent[name], 0) for name in ("DEPLOYING", "INITIALIZING")))
    return max(instants) / 1000


def ask(running: FlinkCluster, path: str) -> Any:
    """What Flink's REST answers."""
    return httpx.get(f"http://{ports.HOST}:{running.rest_port}{path}", timeout=30).raise_for_status().json()


def found_in(out: Path) -> Found:
    """What the rows in the files of a folder say."""
    found = Found()
    for topic in RESULTS:
        for file in sorted(out.glob(f"{topic}-*.ndjson")):
            with file.open("rb") as lines:
                found.take(topic, map(orjson.loads, lines))
    return found


def _cpu(running: FlinkCluster) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in running.pids())


def most_memory(running: FlinkCluster) -> float:
    """MiB, over all processes of the cluster, of each the most that it has had."""
    return sum(map(high_water, running.pids())) / 1024
