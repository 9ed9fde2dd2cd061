"""The ticker: writes a tick into every partition of a lane's topics each second, by the wall clock.

When the broker is away, or the ticker is, no tick is written: time stands still for the lane, and nothing falls due.
What was missed is never made up for, so the gap stays visible in the log. A tick that the broker has not acknowledged
within a few seconds is given up, rather than kept in a buffer and delivered as if nothing had happened.

    python -m jobs.ticker --bootstrap 127.0.0.1:19092 --topic daymark.events.main
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from kafka import KafkaProducer
from kafka.errors import KafkaError

from jobs import logs
from jobs.ticks import write_tick

PERIOD_MS = 1000
GIVE_UP_MS = 3000


class Ticker:
    """Ticks until `stop` is set. `ticks` counts what the broker has acknowledged."""

    def __init__(self, bootstrap: str, topics: Sequence[str], stop: threading.Event) -> None:
        self.bootstrap = bootstrap
        self.topics = topics
        self.stop = stop
        self.ticks = 0
        self.log = logging.getLogger("ticker")

    def run(self) -> None:
        """Tick, and connect anew each time the broker was away."""
        away = False
        while not self.stop.is_set():
            try:
                producer = connect(self.bootstrap)
                self.log.info("ticking", extra={"topics": list(self.topics), "ticks": self.ticks})
                away = False
                self._tick_until_trouble(producer)
            except KafkaError as error:
                if not away:
                    self.log.warning("the broker is away: time stands still", extra={"error": str(error)})
                away = True
                self.stop.wait(PERIOD_MS / 1000)

    def _tick_until_trouble(self, producer: KafkaProducer) -> None:
        try:
            while (instant := self._next_second()) is not None:
                futures = write_tick(producer, self.topics, instant)
                if not futures:
                    raise KafkaError(f"none of the topics {', '.join(self.topics)} exists")
                for future in futures:
                    future.get(timeout=GIVE_UP_MS / 1000)
                self.ticks += 1
        finally:
            with suppress(KafkaError):
                producer.close(timeout=1)

    def _next_second(self) -> int | None:
        """Wait for the next whole second of the wall clock; its instant in epoch ms, or None when told to stop."""
        now = time.time() * 1000
        instant = (int(now) // PERIOD_MS + 1) * PERIOD_MS
        return None if self.stop.wait((instant - now) / 1000) else instant


def connect(bootstrap: str) -> KafkaProducer:
    """A producer that never writes a record twice and gives up after a few seconds. Raises KafkaError."""
    return KafkaProducer(
        bootstrap_servers=bootstrap,
        client_id="daymark-ticker",
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_block_ms=GIVE_UP_MS,
        request_timeout_ms=GIVE_UP_MS - 500,
        delivery_timeout_ms=GIVE_UP_MS,
        bootstrap_timeout_ms=GIVE_UP_MS,
        metadata_max_age_ms=30_000,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Tick until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="jobs.ticker", description="Writes a tick into a lane's topics each second.")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--topic", action="append", required=True, dest="topics", help="may be given several times")
    options = parser.parse_args(argv)
    logs.configure("ticker")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Ticker(options.bootstrap, options.topics, stop).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
