"""The Flink cluster and its jobs, as one part: detect, which follows the live lane, and alert. Both resume from their
newest checkpoints."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from api.stack.flink import FlinkCluster
from api.stack.job import Job
from api.stack.parts import Options
from udfs.packs.load import load_mapping, load_pack

ALERTS = "_alert"
"""Where the alert job's checkpoints lie, and its name among the jobs: no lane can be called so."""

ALERT_CLOCK = ("daymark.findings", "daymark.actions")
"""The topics that the alert job's clock ticks in."""


class Detection:
    """`hurry` leaves out the savepoints when stopping; the newest checkpoints are then where the next start resumes."""

    name = "flink"

    def __init__(self, home: Path, options: Options) -> None:
        self.home = home
        self.options = options
        self.workers = options.parallelism + 1  # a Python operator each, the last one for the alert job
        self.cluster = FlinkCluster(home, options.flink_port, taskmanagers=self.workers)
        self.jobs = (
            Job(self.cluster, "detect", options.lane, self._detect_config),
            Job(self.cluster, "alert", ALERTS, self._alert_config),
        )
        self.hurry = False

    def start(self) -> None:
        """Start what does not run, without waiting: all of the cluster, or the TaskManagers that have ended."""
        running = [one for one in self.cluster.taskmanagers if one.poll() is None]
        if running and self._jobmanager_answers():
            self.cluster.taskmanagers = running
            for _ in range(self.workers - len(running)):
                self.cluster.add_taskmanager()
        else:
            self.cluster.stop()
            self.cluster.start()

    def ready(self) -> bool:
        return self.cluster.ready()

    def alive(self) -> bool:
        return self.cluster.alive()

    def pids(self) -> list[int]:
        return self.cluster.pids()

    def stop(self) -> None:
        """Stop the jobs with a savepoint each, unless in a hurry, and then the cluster, whatever comes of that."""
        with ExitStack() as also:  # each of them, though another one failed
            also.callback(self.cluster.stop)
            for job in reversed(self.jobs) if not self.hurry else ():
                also.callback(job.stop)

    def _detect_config(self) -> Path:
        return write_config(self.home, self.options.lane, self.options.bootstrap, self.options.packs,
                            mappings=[str(path) for path in self.options.mappings],
                            parallelism=self.options.parallelism, live=True)  # fmt: skip

    def _alert_config(self) -> Path:
        file = self.home / "run" / "alert.json"
        packs = [str(pack.absolute()) for pack in self.options.packs]
        told = {"bootstrap": self.options.bootstrap, "lanes": [self.options.lane], "packs": packs}
        file.write_text(json.dumps(told, indent=2))
        return file

    def _jobmanager_answers(self) -> bool:
        try:
            self.cluster.jobs()
        except Exception:
            return False
        return True


def write_config(home: Path, lane: str, bootstrap: str, packs: Sequence[Path], **settings: object) -> Path:
    """Write a detect job's configuration (jobs/config.py) into home/run; `settings` are further fields of it."""
    file = home / "run" / f"detect-{lane}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    known = {"lane": lane, "bootstrap": bootstrap, "packs": [str(pack.absolute()) for pack in packs]}
    file.write_text(json.dumps(known | settings, indent=2))
    return file


def topics(lane: str, packs: Sequence[Path], mappings: Sequence[Path]) -> list[str]:
    """The topics that the lane's clock must tick in: its own, and those that the mappings name. Raises PackError."""
    named = [load_mapping(path) for path in mappings] if mappings else [load_pack(path).mapping for path in packs]
    own = [mapping.topic for mapping in named if mapping is not None and mapping.topic]
    return [f"daymark.events.{lane}", *dict.fromkeys(own)]
