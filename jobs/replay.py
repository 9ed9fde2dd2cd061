"""Sends a log through a lane of its own: records in the order of their event times, with the time in between.

A log is sorted stably by event time first, so that time in the lane only moves on, and ends with the tick that moves it
past every deadline. A record that the mapping can't read is sent as well, where it stands, and becomes a dead letter.
Prints one JSON line when done: {"records": n, "unreadable": n, "seconds": s, "first_ms": …, "last_ms": …}.

    python -m jobs.replay LOG --mapping PACK --topic daymark.events.replay-1 --bootstrap 127.0.0.1:19092 --speed 1000x
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from kafka import KafkaProducer
from kafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.ticks import END, write_tick
from udfs.core.source import Unreadable
from udfs.packs.load import load_mapping
from udfs.packs.mapping import POSITION, SourceMapping
from udfs.packs.problems import PackError
from udfs.simulation.logs import BadRecord, LogError, count_hint, read_log

TICK_RECORDS = 2000
TICK_SECONDS = 0.2
LONGEST_SLEEP = 0.2


class Item(NamedTuple):
    """A record on its way. `time` is its event time (epoch ms); `readable` is False where that is borrowed."""

    time: int
    key: bytes | None
    value: bytes
    readable: bool


def prepare(records: Iterable[dict[str, object] | BadRecord], mappings: Sequence[SourceMapping]) -> Iterator[Item]:
    """The records as they go out, in the log's order. One that can't be read has the time of the one before it."""
    latest = 0
    for record in records:
        if isinstance(record, BadRecord):
            yield Item(latest, None, record.raw, False)
            continue
        value = json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass")
        found = address(record, mappings)
        if found is None:
            yield Item(latest, None, value, False)
        else:
            latest, key = found
            yield Item(latest, key.encode(errors="replace"), value, True)


def address(record: dict[str, object], mappings: Sequence[SourceMapping]) -> tuple[int, str] | None:
    """The event time (epoch ms) and the first correlation key that a mapping reads; None if none can."""
    for mapping in mappings:
        if not mapping.matches(record):
            continue
        for name in mapping.key_names:
            try:
                event = mapping.event(record, name, str(record.get(POSITION, "")), 0)
            except Unreadable:
                continue
            return event.time, event.key
    return None


class Sender:
    """Sends items and, as often as needed, the tick that says how far the log has come."""

    def __init__(self, producer: KafkaProducer, topic: str, speed: float) -> None:
        self.producer = producer
        self.topic = topic
        self.speed = speed
        self._furthest: int | None = None
        self._since_tick = 0
        self._ticked = time.monotonic()
        self._began: tuple[float, int] | None = None
        self._failure: BaseException | None = None

    def send(self, item: Item) -> None:
        """Wait until the item's time has come, at this speed, and send it. Raises KafkaError."""
        if item.readable and not math.isinf(self.speed):  # the others follow at once: their time is borrowed
            self._pace(item.time)
        self.producer.send(self.topic, value=item.value, key=item.key).add_errback(self._failed)
        if item.readable:
            self._furthest = max(self._furthest or item.time, item.time)
        self._since_tick += 1
        if self._since_tick >= TICK_RECORDS or time.monotonic() - self._ticked >= TICK_SECONDS:
            self._tick()

    def end(self) -> None:
        """Say that nothing more is to come, and wait until the broker has it all. Raises KafkaError."""
        self._tick()
        for future in write_tick(self.producer, [self.topic], END):
            future.add_errback(self._failed)
        self.producer.flush(timeout=60)
        self._check()

    def _tick(self) -> None:
        if self._furthest is not None:
            for future in write_tick(self.producer, [self.topic], self._furthest):
                future.add_errback(self._failed)
        self._since_tick, self._ticked = 0, time.monotonic()
        self._check()

    def _pace(self, event_time: int) -> None:
        if self._began is None:
            self._began = (time.monotonic(), event_time)
        began, first = self._began
        due = began + (event_time - first) / 1000 / self.speed
        while (wait := due - time.monotonic()) > 0:
            if self._since_tick and time.monotonic() - self._ticked >= TICK_SECONDS:
                self._tick()
            time.sleep(min(wait, LONGEST_SLEEP))

    def _failed(self, error: BaseException) -> None:
        self._failure = error

    def _check(self) -> None:
        if self._failure is not None:
            raise KafkaError(f"the broker did not take a record: {self._failure}")


def replay(options: argparse.Namespace, console: Console) -> dict[str, object]:
    """Send the log; returns the summary. Raises LogError, PackError, KafkaError."""
    mappings = [load_mapping(path) for path in options.mapping]
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
    with progress:
        reading = progress.add_task("reading", total=count_hint(options.log))
        items = list(progress.track(prepare(read_log(options.log), mappings), task_id=reading))
        progress.update(reading, total=len(items))
        if not options.keep_order:
            items.sort(key=lambda item: item.time)
        began = time.monotonic()
        producer = KafkaProducer(
            bootstrap_servers=options.bootstrap, enable_idempotence=True, acks="all", linger_ms=20, batch_size=262_144
        )
        sender = Sender(producer, options.topic, options.speed)
        for item in progress.track(items, description="sending"):
            sender.send(item)
        sender.end()
        producer.close(timeout=5)
    times = [item.time for item in items if item.readable]
    return {
        "records": len(items),
        "unreadable": len(items) - len(times),
        "seconds": round(time.monotonic() - began, 3),
        "first_ms": min(times, default=None),
        "last_ms": max(times, default=None),
    }


def speed(text: str) -> float:
    """ "1000x" or "1000" -> 1000.0 times as fast as life; "max" -> infinity."""
    if text == "max":
        return math.inf
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed; give a factor such as 1000x, or max")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Replay a log; 1 and one sentence on standard error if it can't be done, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="jobs.replay", description="Sends a log through a lane of its own.")
    parser.add_argument("log", type=Path, help="CSV, NDJSON or XES, also .gz")
    parser.add_argument("--mapping", type=Path, action="append", required=True, help="may be given several times")
    parser.add_argument("--topic", required=True)
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--speed", type=speed, default=math.inf, help="times life, such as 1000x, or max (default)")
    parser.add_argument("--keep-order", action="store_true", help="send in the log's order, not by event time")
    options = parser.parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        print(json.dumps(replay(options, Console(stderr=True))))
    except (LogError, PackError, KafkaError) as error:
        print(f"daymark replay: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
