"""A circuit breaker: a channel that keeps failing is left alone for a while, then asked once. Pure: time is given."""

from __future__ import annotations

from dataclasses import dataclass

THRESHOLD = 5
FIRST_MS = 5_000
LONGEST_MS = 60_000
STATES = ("closed", "half_open", "open")


@dataclass(slots=True)
class Breaker:
    """Closed while `failures` in a row are fewer than the threshold; then open until `until`, and half-open from there.

    Half-open lets one send through: if that fails it opens again, for twice as long; if it succeeds it closes.
    """

    failures: int = 0
    until: int = 0
    probing: bool = False

    @property
    def tripped(self) -> bool:
        """Whether it is open or half-open."""
        return self.failures >= THRESHOLD

    def state(self, now: int) -> str:
        """One of STATES, as it is at `now`."""
        return "closed" if not self.tripped else "open" if now < self.until else "half_open"

    def admits(self, now: int) -> bool:
        """Whether a send may start at `now`."""
        return not self.tripped or (now >= self.until and not self.probing)

    def begin(self) -> bool:
        """A send starts; whether it is the one that asks if the channel works again."""
        self.probing = self.tripped
        return self.probing

    def succeed(self) -> bool:
        """A send succeeded; whether that closed the breaker."""
        closed = self.tripped
        self.failures, self.until, self.probing = 0, 0, False
        return closed

    def fail(self, now: int) -> None:
        """A send failed at `now`, and it was the channel's fault."""
        self.failures += 1
        self.probing = False
        if self.tripped:
            self.until = now + min(LONGEST_MS, FIRST_MS << min(self.failures - THRESHOLD, 10))
