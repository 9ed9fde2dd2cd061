"""The machine that is measured on: what it is, and how much of it others take meanwhile."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

PACKAGES = ("apache-flink", "chdb", "kafka-python", "orjson", "msgspec")
LOOPS = 10_000_000
TICK = os.sysconf("SC_CLK_TCK")


def about() -> dict[str, Any]:
    """Machine, versions, date and commit."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _said("git", "describe", "--always", "--dirty", "--exclude=*") or "unknown",
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "java": _said("java", "-version").partition("\n")[0].replace('"', ""),
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


class Watch:
    """`taken` is the share of the machine's CPU that processes other than this one and its children used in between.

    A child that has ended and been waited for counts as ours, with all that it waited for itself.
    """

    def __enter__(self) -> Watch:
        self.taken = 0.0
        self._began, self._busy, self._ours = time.monotonic(), busy(), own()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = time.monotonic() - self._began
        others = (busy() - self._busy) - (own() - self._ours)
        self.taken = max(0.0, others / seconds / (os.cpu_count() or 1)) if seconds else 0.0


def busy() -> float:
    """Seconds of CPU that the whole machine has used since it started, those stolen by its host included."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICK


def own() -> float:
    """Seconds of CPU that this process has used, its living descendants and those that it has waited for."""
    seconds = sum(os.times()[:4])
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue  # ended just now, and is counted where it was waited for
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def together() -> float:
    """How many times the work of one busy core all cores do together: less than their number where they share a core's
    parts, as two threads of one do."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        list(pool.map(_loop, [LOOPS // 10] * cores))  # so that all processes are there
        one = pool.submit(_loop, LOOPS).result()
        return one * cores / max(pool.map(_loop, [LOOPS] * cores))


def _loop(rounds: int) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    known: dict[int, int] = {}
    for number in range(rounds):
        known[number & 4095] = number * 3
    return time.perf_counter() - began


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip()
