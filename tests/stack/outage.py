"""A running stack whose jobs or serving process are killed, that one for as long as a test wants; and an open page."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil

from api.stack import ports
from tests.cli.stack import Stack
from tests.kafka_help import eventually


@contextmanager
def without_serving(up: Stack) -> Iterator[None]:
    """Killed, with no time to tidy up; the supervisor, who would start another one at once, sleeps until the end."""
    state = up.home.running()
    assert state is not None
    (serving,) = state.parts["serving"]
    os.kill(state.supervisor.pid, signal.SIGSTOP)
    try:
        os.kill(serving.pid, signal.SIGKILL)
        eventually(lambda: ports.is_free(up.http_port))
        yield
    finally:
        os.kill(state.supervisor.pid, signal.SIGCONT)
    eventually(lambda: _answers(up), 120)


def kill_job(up: Stack, name: str) -> None:
    """Kills the TaskManager in which a job runs; the supervisor starts another one, and Flink the job in that."""
    state = up.home.running()
    assert state is not None
    job = f"http://127.0.0.1:{up.flink_port}/jobs/{state.jobs[name]}"
    vertex = httpx.get(job).json()["vertices"][0]["id"]
    (where,) = httpx.get(f"{job}/vertices/{vertex}/taskmanagers").json()["taskmanagers"]
    words = f"-Dtaskmanager.resource-id={where['taskmanager-id']}"
    (worker,) = (one for one in state.parts["flink"] if words in psutil.Process(one.pid).cmdline())
    os.kill(worker.pid, signal.SIGKILL)


def _answers(up: Stack) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{up.http_port}/readyz").is_success
    except httpx.TransportError:
        return False


class OpenPage:
    """What a page that is open is told by the server."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def hears(self, event: str, seconds: float = 60, **fields: Any) -> dict[str, Any]:
        """The next of these events whose data has these fields; fails after some seconds."""
        deadline, name = time.monotonic() + seconds, ""
        for line in self._lines:  # at least a comment each 15 s
            word, _, rest = line.partition(": ")
            if word == "event":
                name = rest
            elif word == "data" and name == event and fields.items() <= (row := json.loads(rest)).items():
                return dict(row)
            assert time.monotonic() < deadline, f"no {event} with {fields} within {seconds} s"
        raise AssertionError("the stream has ended")


@contextmanager
def open_page(up: Stack) -> Iterator[OpenPage]:
    """A page of somebody who is signed in; it has begun to listen."""
    url = f"http://127.0.0.1:{up.http_port}/api/v1/alerts/live"
    with httpx.stream("GET", url, headers=up.headers, timeout=30) as answer:
        lines = answer.raise_for_status().iter_lines()
        assert "watching" in next(lines)
        yield OpenPage(lines)
