"""Passes of the detect job from Kafka to Kafka. Each pass has topics of results of its own, gone afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from api.stack import ports
from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from jobs import topics
from jobs.ticks import END, write_tick
from tests.bench.flinkruns import LANE, RESULTS, SECONDS, Pass, configure, running_state, timed
from tests.bench.generate import with_ticks
from tests.bench.live import Stamped
from tests.bench.verdicts import Found

PARTITIONS = 4
END_OF_TIME = 2**63 - 2


@contextmanager
def broker(home: Path) -> Iterator[str]:
    """A broker of its own, gone at the end; gives its address."""
    running = KafkaBroker(home, ports.free())
    try:
        running.start()
        yield running.wait().bootstrap
    finally:
        running.stop()


def produce(bootstrap: str, log: Path, name: str) -> str:
    """Write a log into a topic of its own, with ticks and the end of time; returns the topic. Keys keep their order."""
    topic = topics.events_topic(LANE, f"{name}.")
    topics.ensure(bootstrap, topics.wanted(LANE, f"{name}.", partitions=PARTITIONS))
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=1 << 18)
    with closing(producer), log.open("rb") as lines:
        for line in with_ticks(lines):
            if line.startswith(b'{"tick"'):
                write_tick(producer, [topic], json.loads(line)["tick"])
            else:
                producer.send(topic, line.rstrip(), partition=crc32(key_of(line)) % PARTITIONS)
        write_tick(producer, [topic], END)
        producer.flush()
    return topic


def key_of(line: bytes) -> bytes:
    """The trade of a line, found without parsing it."""
    start = line.index(b'"trade_id":"') + 12
    return line[start : line.index(b'"', start)]


def from_kafka(running: FlinkCluster, bootstrap: str, topic: str, name: str, **settings: Any) -> tuple[Pass, Found]:
    """A pass over a topic, and what it found; the topics of results begin with `name`."""
    prefix = f"{name}."
    wanted = topics.wanted(LANE, prefix, partitions=1)
    stamped = {topic: Stamped(one.partitions, one.retention_ms, one.largest) for topic, one in wanted.items()}
    topics.ensure(bootstrap, stamped)
    where = {"bootstrap": bootstrap, "topics": [topic], "topic_prefix": prefix}
    config = configure(running.home, name, parallelism=len(running.taskmanagers), **where, **settings)
    try:
        done = timed(running, config, lambda job: _ended(running, bootstrap, prefix, job))
        running.cancel(done.job)
        return done, _found(bootstrap, prefix)
    finally:
        with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
            admin.delete_topics(list(stamped))


def _ended(running: FlinkCluster, bootstrap: str, prefix: str, job: str) -> float:
    """Waits until every task has passed the end of time; when the broker had the last result."""
    tasks: dict[int, int] = {}
    deadline = time.monotonic() + SECONDS
    place = TopicPartition(f"{prefix}progress", 0)
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, check_crcs=False)) as consumer:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        while not tasks or min(tasks.values()) < END_OF_TIME:
            for record in consumer.poll(timeout_ms=200).get(place, ()):
                row = orjson.loads(record.value)
                tasks = dict.fromkeys(range(row["parallelism"]), 0) | tasks | {row["subtask"]: row["watermark_ms"]}
            running_state(running, job, deadline)
        return max(_newest(consumer, prefix + name) for name in RESULTS)


def _newest(consumer: KafkaConsumer, topic: str) -> float:
    """The broker's time (epoch s) of a topic's last record; 0 if it has none."""
    newest = 0.0
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    for place, end in consumer.end_offsets(places).items():
        if end:
            consumer.assign([place])
            consumer.seek(place, end - 1)
            while not (last := consumer.poll(timeout_ms=500).get(place)):
                pass
            newest = max(newest, last[-1].timestamp / 1000)
    return newest


def _found(bootstrap: str, prefix: str) -> Found:
    found = Found()
    with closing(KafkaConsumer(bootstrap_servers=bootstrap, check_crcs=False)) as consumer:
        for name in RESULTS:
            found.take(name, map(orjson.loads, lines_of(consumer, prefix + name)))
    return found


def lines_of(consumer: KafkaConsumer, topic: str) -> Iterator[bytes]:
    """The rows of a topic, up to where it ends now."""
    places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    ends = consumer.end_offsets(places)
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=500, max_records=5000).values():
            for record in records:
                yield from record.value.split(b"\n")
