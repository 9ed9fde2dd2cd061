"""The wall clock of the processes around the jobs, in one place: what decides takes time as an argument."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Now, epoch ms UTC."""
    return time.time_ns() // 1_000_000
