"""The pulse: what the Java batcher tells every bucket now and then (docs/contracts.md), so that things can happen in a
bucket that none of whose keys has an event."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from udfs.core.state import NEVER
from udfs.operators.batch import Frame


class Pulse(NamedTuple):
    """What one reader says. Instants are epoch ms.

    `watermark` is what the reader's is about to be. `topics` are the latest Kafka record timestamps of events that it
    has seen since it opened. `bucket` is this bucket's place among `buckets`.
    """

    reader: int
    readers: int
    bucket: int
    buckets: int
    watermark: int
    topics: dict[str, int]


def read(frame: Frame) -> Pulse:
    """The pulse in a frame. Raises ValueError, KeyError or TypeError for a payload that is none."""
    said = orjson.loads(frame.payload)
    numbers = (said["readers"], said["bucket"], said["buckets"], said["watermark"])
    return Pulse(frame.partition, *numbers, said["topics"])


class Clock:
    """How far the lane's time has come, by what its readers have announced; one for each bucket."""

    def __init__(self) -> None:
        self._announced: dict[int, int] = {}
        self._postponed: list[tuple[int, Pulse]] = []  # in order of time

    def __len__(self) -> int:
        """How many pulses wait for Flink's watermark to come to where they say that time is."""
        return len(self._postponed)

    def hear(self, pulse: Pulse, watermark: int) -> int:
        """The lane's time, epoch ms: all that happened at or before it is known. -NEVER while nobody can say.

        `watermark` is Flink's, which there is only when all readers' have passed.
        """
        self._announced[pulse.reader] = pulse.watermark
        if len(self._announced) < pulse.readers:
            return max(watermark, -NEVER)
        return max(watermark, min(self._announced.values()))

    def postpone(self, pulse: Pulse, now: int) -> None:
        """Keeps a pulse until the watermark has come to `now`. It is lost in a restart, behind which others come."""
        self._postponed.append((min(now, NEVER), pulse))

    def earliest(self) -> int | None:
        """The instant that the first of them waits for."""
        return self._postponed[0][0] if self._postponed else None

    def pop(self, watermark: int) -> tuple[int, Pulse] | None:
        """The next one whose instant has come, and the instant; None if there is none."""
        if not self._postponed or self._postponed[0][0] > watermark:
            return None
        return self._postponed.pop(0)
