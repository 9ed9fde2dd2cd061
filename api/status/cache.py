"""Answers that many ask for: made once, by one of them, while the others get the one before, or wait for the first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

PATIENT = 10
"""So many times its age at most is an answer given out while a new one is made."""

MOST = 512


class _Kept:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made_s: float | None = None
        self.value: Any = None


class Cache:
    """Safe from any thread. `clock` tells seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[Hashable, _Kept] = {}

    def get(self, name: Hashable, keep_s: float, make: Callable[[], Any]) -> Any:
        """What `make` gave at most `keep_s` ago, or gives now. What it raises is raised, and not kept."""
        kept = self._place(name)
        if self._age(kept) < keep_s:
            return kept.value
        if not kept.lock.acquire(blocking=self._age(kept) >= PATIENT * keep_s):
            return kept.value
        try:
            if self._age(kept) >= keep_s:
                kept.value = make()
                kept.made_s = self._clock()
            return kept.value
        finally:
            kept.lock.release()

    def _age(self, kept: _Kept) -> float:
        return float("inf") if kept.made_s is None else self._clock() - kept.made_s

    def _place(self, name: Hashable) -> _Kept:
        with self._lock:
            if name not in self._kept and len(self._kept) >= MOST:
                self._kept.pop(next(iter(self._kept)))  # the first that was asked for
            return self._kept.setdefault(name, _Kept())
