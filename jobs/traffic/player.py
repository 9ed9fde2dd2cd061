"""Plays a stream into a lane: records and ticks in the right order, first fast, then in real time.

The player is its lane's clock. Each step sends all records up to an instant and then the tick that says so, so that
the lane's log is complete at every tick, wherever the player is stopped.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import IO

from kafka import KafkaProducer
from kafka.errors import KafkaError

from jobs.ticks import write_tick
from jobs.traffic.item import HOUR, Emission, Truth
from jobs.traffic.stream import Stream

STEPS = 8640
"""Ticks in all the time that a first run looks back: one for each ten seconds of a day."""
PAUSE_SECONDS = 0.1
ACKNOWLEDGE_SECONDS = 60


class Player:
    """`truth` receives each finding that must be there, as a JSON line, as soon as its time has come."""

    def __init__(
        self, producer: KafkaProducer, topic: str, stream: Stream, truth: IO[str], now: Callable[[], int]
    ) -> None:
        self.producer = producer
        self.topic = topic
        self.stream = stream
        self.truth = truth
        self.now = now
        self.sent = 0
        self._step_ms = int(stream.business.hours * HOUR / STEPS)
        self._failure: BaseException | None = None

    def catch_up(self, speed: float, stop: threading.Event) -> None:
        """Play `speed` times as fast as life until the lane's clock has reached the wall clock."""
        origin, began = self.stream.clock, time.monotonic()
        while self.stream.clock < self.now() - 1000 and not stop.is_set():
            target = min(self.now(), origin + int((time.monotonic() - began) * 1000 * speed))
            while self.stream.clock < target and not stop.is_set():
                self.step(min(target, self.stream.clock + self._step_ms))
            self.settle()
            stop.wait(PAUSE_SECONDS)

    def live(self, stop: threading.Event) -> None:
        """Play in real time, a tick each second, until told to stop."""
        while not stop.wait(1 - self.now() % 1000 / 1000):
            self.step(max(self.stream.clock, self.now() // 1000 * 1000))
            self.settle()

    def bridge(self, instant: int) -> None:
        """Let an absence up to `instant` (epoch ms) go by at once: open items come to their end, then time jumps."""
        all_ended = min(instant, self.stream.clock + self.stream.business.longest)
        while self.stream.clock < all_ended:
            self.step(min(all_ended, self.stream.clock + self._step_ms))
        if self.stream.clock < instant:
            self.step(instant)
        self.settle()

    def step(self, instant: int) -> None:
        """Send what happens up to `instant` (epoch ms), then the tick."""
        for thing in self.stream.until(instant):
            if isinstance(thing, Emission):
                key = thing.key.encode() or None
                self.producer.send(self.topic, value=thing.value, key=key).add_errback(self._failed)
                self.sent += 1
            elif isinstance(thing, Truth):
                self.truth.write(json.dumps(thing._asdict()) + "\n")
        for future in write_tick(self.producer, [self.topic], instant):
            future.add_errback(self._failed)

    def settle(self) -> None:
        """Wait until the broker has acknowledged all that was sent. Raises KafkaError if it has not."""
        self.producer.flush(timeout=ACKNOWLEDGE_SECONDS)
        self.truth.flush()
        if self._failure is not None:
            raise KafkaError(f"the broker did not take a record: {self._failure}")

    def _failed(self, error: BaseException) -> None:
        self._failure = error
