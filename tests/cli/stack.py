"""A stack as a person runs it: the `daymark` command in a home and on ports of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from api.stack import ports
from api.stack.home import Home, State
from tests.kafka_help import eventually

START_SECONDS = 240  # other tests may be at work beside this one
STOP_SECONDS = 60


class Stack:
    """`start` and `stop` are what a person does; the rest looks at what comes of it."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        self.http_port, self.kafka_port, self.flink_port = (ports.free() for _ in range(3))
        self.output = home.with_suffix(".out")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def ports(self) -> list[str]:
        return [
            f"--port={self.http_port}",
            f"--kafka-port={self.kafka_port}",
            f"--flink-port={self.flink_port}",
        ]

    def command(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "api.cli", *map(str, words)]

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "DAYMARK_HOME": str(self.home.path)}

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        """A command beside the running stack."""
        return subprocess.run(self.command(*words), env=self.env, capture_output=True, text=True, timeout=300)

    def start(self, *words: object) -> State:
        """Start in the background of the test, and wait until it is ready."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.command(*words, *self.ports), env=self.env, stdout=output, stderr=subprocess.STDOUT
            )
        eventually(self._ready_or_ended, START_SECONDS)
        state = self.home.running()
        assert state is not None, self.output.read_text()
        return state

    def _ready_or_ended(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output.read_text()
        state = self.home.running()
        return state is not None and state.ready and state.supervisor.pid == self.process.pid

    def interrupt(self) -> int:
        """Ctrl-C; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.home.sweep()

    def processes(self) -> list[psutil.Process]:
        """All processes that the stack's command has below it, at any depth."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    @property
    def headers(self) -> dict[str, str]:
        """What makes the API take one for the home's owner; nothing where nobody has to sign in."""
        token = self.home.path / "token"
        return {"Authorization": f"Bearer {token.read_text().strip()}"} if token.exists() else {}

    def api(self, path: str, **parameters: Any) -> Any:
        """What the API answers."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        return httpx.get(url, params=parameters, headers=self.headers, timeout=30).raise_for_status().json()

    def findings(self, lane: str) -> list[dict[str, Any]]:
        """All findings of a lane."""
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.api("/api/v1/findings", lane=lane, limit=1000, **({"cursor": cursor} if cursor else {}))
            found += page["items"]
            if not (cursor := page["next"] or ""):
                return found

    def truth(self, lane: str = "demo") -> list[dict[str, Any]]:
        """What the demo's traffic says must be found."""
        file = self.home.path / "traffic" / lane / "truth.ndjson"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@contextmanager
def stack(home: Path) -> Iterator[Stack]:
    """A stack that is gone at the end, whatever the test did to it."""
    running = Stack(home)
    try:
        yield running
    finally:
        running.end()
