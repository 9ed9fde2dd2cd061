"""Runs a program of the comparison as a whole process: what it prints of itself, and what the system knows of it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.bench.machine import Watch

LIMIT_SECONDS = 600
LOOK_SECONDS = 0.05


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
    kib = 0
    with Watch() as watch, log.open("wb") as out:
        child = subprocess.Popen(
            [str(part) for part in command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd,
        )
        while not (ended := os.wait4(child.pid, os.WNOHANG))[0]:
            kib = max(kib, high_water(child.pid))
            if monotonic() - began > LIMIT_SECONDS:
                child.kill()
            sleep(LOOK_SECONDS)
        _, status, used = ended
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
        rss_mib=kib / 1024,
        taken=watch.taken,
    )


def high_water(pid: int) -> int:
    """KiB: the most memory that a living process has had; 0 once it has ended.

    `ru_maxrss` would not do: it starts with what the parent had when it made the child.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0)


def _figures(text: str) -> dict[str, float]:
    """`name=number` pairs of the line that a program of the comparison prints."""
    line = re.search(r"^events=.*", text, re.MULTILINE)
    return {name: float(number) for name, number in re.findall(r"(\w+)=([\d.]+)", line[0])} if line else {}
