"""How long somebody waits who gave wrong passwords: pure, time is an argument (epoch ms)."""

from __future__ import annotations

FREE = {"user": 5, "address": 20}
"""How many failures cost no waiting, by what they are counted for: many people may share an address."""

LONGEST_MS = 15 * 60_000
FORGOTTEN_MS = 60 * 60_000


def until(kind: str, failures: int, last_ms: int) -> int:
    """The instant from which the next attempt is looked at: one second after the first failure too many, then twice as
    long after each, up to 15 minutes."""
    beyond = failures - FREE[kind]
    if beyond < 0:
        return last_ms
    return last_ms + min(1000 << min(beyond, 20), LONGEST_MS)


def counted(failures: int, last_ms: int, now_ms: int) -> int:
    """How many failures there are with one more now: an hour without any is a new beginning."""
    return 1 if now_ms - last_ms >= FORGOTTEN_MS else failures + 1
