"""One of the stack's Flink jobs: submitted from its newest checkpoint, watched, stopped with a savepoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from api.stack.flink import FlinkCluster

LOOK_SECONDS = 2.0


@dataclass
class Job:
    """`kind` is its module in jobs/, `folder` where its checkpoints lie below those of the home, `write_config` writes
    what it is told. `id` is Flink's, "" before it is submitted."""

    cluster: FlinkCluster
    kind: str
    folder: str
    write_config: Callable[[], Path]
    id: str = ""
    _looked: float = 0.0

    @property
    def name(self) -> str:
        """What people are told of it as."""
        return f"{self.kind} job"

    def submit(self) -> str:
        """Submit it and wait until it runs; returns what to add to the news, "" or ", resumed from chk-12".

        Raises StackError.
        """
        newest = self.cluster.newest_checkpoint(self.folder)
        self.id = self.cluster.submit(self.write_config(), newest, kind=self.kind, folder=self.folder)
        self.cluster.wait_running(self.id)
        return f", resumed from {newest.rstrip('/').rpartition('/')[2]}" if newest else ""

    def is_alive(self) -> bool:
        """Whether it runs or restarts by itself; asked of Flink every few seconds at most."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return True
        self._looked = time.monotonic()
        return self.cluster.job_is_alive(self.id)

    def why(self) -> str:
        """What went wrong in it, as far as Flink still knows."""
        try:
            return self.cluster.why(self.id) or "Flink gives no reason"
        except Exception:
            return "Flink no longer knows why"

    def stop(self) -> None:
        """Stop it with a savepoint, if it runs. Raises StackError if that can't be had."""
        job, self.id = self.id, ""
        if job and self.cluster.job_is_alive(job):
            self.cluster.stop_with_savepoint(job, self.folder)
