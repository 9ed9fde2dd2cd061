"""Runs a program of the comparison as a whole process: what it prints of itself, and what the system knows of it."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.bench.machine import Watch

LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Run:
    """`seconds` is what the program says: from the first byte read to the last result written. `cold` is the same of
    the first of two passes in one process, None where there is one. The rest is of the whole process, both passes.
    """

    events: int
    seconds: float
    cold: float | None
    wall: float
    cpu: float
    rss_mib: float
    taken: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds


class Failed(Exception):
    """A program that did not end as it should; the text is the end of what it said."""


def run(command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run a program to its end; its output goes to `log`. Raises Failed."""
    began = monotonic()
    with Watch() as watch, log.open("wb") as out:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        timer = threading.Timer(LIMIT_SECONDS, child.kill)
        timer.start()
        _, status, used = os.wait4(child.pid, 0)
        timer.cancel()
        child.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    if child.returncode or not (figures := _figures(text)):
        raise Failed(f"{' '.join(map(str, command))} ended with {child.returncode}:\n{text[-2000:]}")
    cold = figures.get("cold_events_per_s")
    return Run(
        events=int(figures["events"]),
        seconds=figures["seconds"],
        cold=figures["events"] / cold if cold else None,
        wall=monotonic() - began,
        cpu=used.ru_utime + used.ru_stime,
        rss_mib=used.ru_maxrss / 1024,
        taken=watch.taken,
    )


def _figures(text: str) -> dict[str, float]:
    """`name=number` pairs of the line that a program of the comparison prints."""
    line = re.search(r"^events=.*", text, re.MULTILINE)
    return {name: float(number) for name, number in re.findall(r"(\w+)=([\d.]+)", line[0])} if line else {}
