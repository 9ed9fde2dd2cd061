"""The Flink cluster and the detect job of the live lane, as one part: it resumes from the newest checkpoint."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from api.stack.flink import FlinkCluster
from api.stack.parts import Options
from udfs.packs.load import load_mapping, load_pack

LOOK_SECONDS = 2.0


class Detection:
    """`hurry` leaves out the savepoint when stopping; the newest checkpoint is then where the next start resumes."""

    name = "flink"

    def __init__(self, home: Path, options: Options) -> None:
        self.home = home
        self.options = options
        self.cluster = FlinkCluster(home, options.flink_port, taskmanagers=options.parallelism)
        self.job_id = ""
        self.hurry = False
        self._looked = 0.0

    def start(self) -> None:
        """Start what does not run, without waiting: all of the cluster, or the TaskManagers that have ended."""
        running = [one for one in self.cluster.taskmanagers if one.poll() is None]
        if running and self._jobmanager_answers():
            self.cluster.taskmanagers = running
            for _ in range(self.options.parallelism - len(running)):
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

    def submit(self) -> str:
        """Submit the job and wait until it runs; returns what to add to the news, "" or ", resumed from chk-12"."""
        config = write_config(self.home, self.options.lane, self.options.bootstrap, self.options.packs,
                              mappings=[str(path) for path in self.options.mappings],
                              parallelism=self.options.parallelism, live=True)  # fmt: skip
        newest = self.cluster.newest_checkpoint(self.options.lane)
        self.job_id = self.cluster.submit(config, newest)
        self.cluster.wait_running(self.job_id)
        return f", resumed from {newest.rstrip('/').rpartition('/')[2]}" if newest else ""

    def job_is_alive(self) -> bool:
        """Whether the job runs or restarts by itself; asked of Flink every few seconds at most."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return True
        self._looked = time.monotonic()
        return self.cluster.job_is_alive(self.job_id)

    def why(self) -> str:
        """What went wrong in the job, as far as Flink still knows."""
        try:
            return self.cluster.why(self.job_id) or "Flink gives no reason"
        except Exception:
            return "Flink no longer knows why"

    def stop(self) -> None:
        """Take a savepoint, unless in a hurry, and stop the cluster, whatever comes of that."""
        try:
            if self.job_id and not self.hurry and self.cluster.job_is_alive(self.job_id):
                self.cluster.stop_with_savepoint(self.job_id, self.options.lane)
        finally:
            self.job_id = ""
            self.cluster.stop()

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
