"""What the load generator sends, worked out again: when each event was due, and what has to be found in the end.

Trades go through their five steps in waves: `width` trades are ingested one after the other, then verified in the same
order, and so on; so a trade's steps are `width / rate` seconds apart. Load.java follows the same plan.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from api.stack import process
from api.stack.kafka import JARS

SOURCE = Path(__file__).with_name("Load.java")
STEPS = 5
VERIFY_WITHIN_MS = 120_000
"""Of rules/trade_lifecycle: what a stranded trade misses."""

JAVA = ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]


@dataclass(frozen=True)
class Plan:
    """`sends` records at `rate` a second from `start_ms` on (epoch ms), whose ids begin with `run`.

    Every `copy_every`-th send repeats the one before it byte for byte, every `mark_every`-th has the source /marked,
    and every `strand_every`-th trade stops after its first step; 0 is never.
    """

    run: str
    start_ms: int
    rate: int
    sends: int
    width: int
    copy_every: int = 0
    mark_every: int = 0
    strand_every: int = 0

    @property
    def end_ms(self) -> int:
        """When the last send is over."""
        return self.due_ms(self.sends)

    def due_ms(self, send: int) -> int:
        """When a send was due, and the time of its event."""
        return (self.start_ms * 1000 + send * 1_000_000 // self.rate) // 1000

    def send_of(self, event_id: str) -> int:
        """The send that first brought an event."""
        return int(event_id.rpartition("-")[2])

    def stranded(self, until_ms: int) -> Iterator[str]:
        """The keys of the trades that must be found missing when time has come to `until_ms` (inclusive)."""
        for trade in range(self.strand_every - 1, self._trades(), self.strand_every) if self.strand_every else ():
            if self.due_ms(self._first_send(trade)) + VERIFY_WITHIN_MS <= until_ms:
                yield f"T-{self.run}-{trade}"

    def copied(self) -> Iterator[str]:
        """The ids of the events that are sent twice."""
        for copy in range(self.copy_every - 1, self.sends, self.copy_every) if self.copy_every else ():
            step, trade = self._place(self._event(copy - 1))
            if not (step and self.strand_every and trade % self.strand_every == self.strand_every - 1):
                yield f"{self.run}-{copy - 1}"

    def _event(self, send: int) -> int:
        return send - send // self.copy_every if self.copy_every else send

    def _place(self, event: int) -> tuple[int, int]:
        wave, within = divmod(event, self.width * STEPS)
        step, number = divmod(within, self.width)
        return step, wave * self.width + number

    def _first_send(self, trade: int) -> int:
        wave, number = divmod(trade, self.width)
        event = wave * self.width * STEPS + number
        return event + event // (self.copy_every - 1) if self.copy_every else event

    def _trades(self) -> int:
        """How many trades have begun by the end."""
        waves, within = divmod(self._event(self.sends), self.width * STEPS)
        return waves * self.width + min(within, self.width)


def start(plan: Plan, bootstrap: str, topic: str, *, paced: bool, warm: int = 0) -> subprocess.Popen[bytes]:
    """Start the generator in a process of its own; `report` waits for it. The first `warm` sends it may be late."""
    told = {**asdict(plan), "bootstrap": bootstrap, "topic": topic, "paced": str(paced).lower(), "warm": warm}
    words = [f"{name}={value}" for name, value in told.items()]
    return process.start_beside([*JAVA, "-cp", f"{JARS}/*", SOURCE, *words])


def report(running: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait until all is sent; how well the generator kept to its own schedule."""
    output, _ = running.communicate()
    if running.returncode:
        sys.exit(f"the load generator failed with exit code {running.returncode}")
    return dict(json.loads(output.splitlines()[-1]))
