"""Time gets into the log each second, and stands still when the broker is away."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.stack import ports, process
from api.stack.kafka import KafkaBroker
from jobs.ticks import END, last_tick, tick_of
from tests.kafka_help import create_topic, eventually, records

pytestmark = pytest.mark.real


@contextmanager
def ticker(broker: KafkaBroker, log: Path, *topics: str) -> Iterator[None]:
    command = [sys.executable, "-m", "jobs.ticker", "--bootstrap", broker.bootstrap]
    running = process.start([*command, *itertools.chain(*(("--topic", t) for t in topics))], log)
    try:
        yield
    finally:
        process.stop(running)


def ticks_of(broker: KafkaBroker, topic: str) -> dict[int, list[int]]:
    return {
        partition: [tick for record in found if isinstance(tick := tick_of(record.headers), int)]
        for partition, found in records(broker.bootstrap, topic).items()
    }


def test_every_partition_of_every_topic_is_told_each_whole_second(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = [create_topic(broker.bootstrap, f"ticker-{n}", partitions=n) for n in (1, 3)]
    with ticker(broker, tmp_path / "ticker.log", *topics):
        eventually(lambda: all(len(t) >= 3 for name in topics for t in ticks_of(broker, name).values()))
    for name in topics:
        for ticks in ticks_of(broker, name).values():
            assert all(tick % 1000 == 0 for tick in ticks)
            assert ticks == sorted(set(ticks))
    assert last_tick(broker.bootstrap, topics[1]) == max(max(t) for t in ticks_of(broker, topics[1]).values())


def test_time_stands_still_while_the_broker_is_away_and_nothing_is_made_up_for(tmp_path: Path) -> None:
    broker = KafkaBroker(tmp_path, ports.free())
    broker.start()
    try:
        topic = create_topic(broker.wait().bootstrap, "ticker-away")
        log = tmp_path / "ticker.log"
        with ticker(broker, log, topic):
            eventually(lambda: len(ticks_of(broker, topic)[0]) >= 2)
            broker.kill()
            eventually(lambda: "time stands still" in log.read_text())
            broker.start()
            broker.wait()
            before = len(ticks_of(broker, topic)[0])
            eventually(lambda: len(ticks_of(broker, topic)[0]) >= before + 2)
        ticks = ticks_of(broker, topic)[0]
        assert ticks == sorted(set(ticks))
        widest = max(later - earlier for earlier, later in itertools.pairwise(ticks))
        assert widest >= 4000, "the broker's absence must be visible as a gap in the log"
    finally:
        broker.stop()


def test_a_header_that_is_no_tick_is_not_taken_for_one() -> None:
    assert tick_of([("daymark-tick", b"1700000000000")]) == 1700000000000
    assert tick_of([("daymark-tick", b"end")]) == END
    assert tick_of([("daymark-tick", b"soon")]) is None
    assert tick_of([("daymark-tick", b"\xff\xfe")]) is None
    assert tick_of([("other", b"1700000000000")]) is None
    assert tick_of([]) is None


def test_a_topic_without_ticks_has_no_last_tick(broker: KafkaBroker) -> None:
    assert last_tick(broker.bootstrap, create_topic(broker.bootstrap, "ticker-none", partitions=2)) is None
