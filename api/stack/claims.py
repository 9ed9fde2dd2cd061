"""Which lanes replays have made, and what to do about one whose replay was killed.

A replay holds a lock on run/lane-<name>.lock, which goes with the process however it ends. A file that nobody holds
names a lane without an owner: its job would restart for ever for want of workers.
"""

from __future__ import annotations

import fcntl
import shutil
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import IO

import httpx
from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from api.stack.errors import Exit, StackError
from api.stack.flink import ENDED, FlinkCluster

SETTLE_SECONDS = 120.0
"""A job may still come to life so long after its replay began: what submits it is a process of its own."""


def claim(home: Path, lane: str) -> IO[str]:
    """Hold a lane until the file is closed. Raises StackError if another replay holds it."""
    (home / "run").mkdir(parents=True, exist_ok=True)
    file = _file(home, lane).open("w")
    if not _lock(file):
        file.close()
        raise StackError(f"Another replay uses lane {lane} now; give another --lane, or none.", Exit.USAGE)
    return file


def release(home: Path, lane: str, claimed: IO[str]) -> None:
    """Give a lane up that is gone altogether."""
    _file(home, lane).unlink(missing_ok=True)
    claimed.close()


def sweep(home: Path, bootstrap: str, cluster: FlinkCluster) -> list[str]:
    """Remove the lanes that nobody holds; returns their names. What can't be removed now is left for the next time."""
    found = []
    for file in sorted((home / "run").glob("lane-*.lock")):
        with suppress(FileNotFoundError, StackError, httpx.HTTPError, KafkaError), file.open("a") as held:
            if not _lock(held):
                continue
            lane = file.stem.removeprefix("lane-")
            found.append(lane)
            cancel(cluster, lane)
            delete_topic(bootstrap, f"daymark.events.{lane}")
            delete_files(home, lane)
            if time.time() - file.stat().st_mtime > SETTLE_SECONDS:
                file.unlink(missing_ok=True)
    return found


def cancel(cluster: FlinkCluster, lane: str) -> None:
    """End the lane's jobs, also one whose id nobody was told. Raises StackError, httpx.HTTPError."""
    for job in cluster.jobs():
        if job["name"] == f"daymark detect {lane}" and job["state"] not in ENDED:
            cluster.cancel(job["jid"], 10)


def delete_topic(bootstrap: str, topic: str) -> None:
    """Delete a topic if it is there. Raises KafkaError where the broker can't be asked."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=5000)) as admin:
        if topic in admin.list_topics():
            admin.delete_topics([topic])


def delete_files(home: Path, lane: str) -> None:
    """Delete a lane's checkpoints and its job's configuration."""
    shutil.rmtree(home / "flink" / "checkpoints" / lane, ignore_errors=True)
    (home / "run" / f"detect-{lane}.json").unlink(missing_ok=True)


def _file(home: Path, lane: str) -> Path:
    return home / "run" / f"lane-{lane}.lock"


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
