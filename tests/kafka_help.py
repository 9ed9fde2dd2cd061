"""Small helpers for tests that look into a real broker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic


def create_topic(bootstrap: str, name: str, partitions: int = 1) -> str:
    """Create a topic with one replica; returns its name."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        admin.create_topics([NewTopic(name, num_partitions=partitions, replication_factor=1)])
    finally:
        admin.close()
    return name


def records(bootstrap: str, topic: str) -> dict[int, list[Any]]:
    """All records of a topic that are there now, by partition."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
        found: dict[int, list[Any]] = {p.partition: [] for p in partitions}
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        while any(consumer.position(p) < ends[p] for p in partitions):
            for partition, batch in consumer.poll(timeout_ms=500).items():
                found[partition.partition] += batch
        return found
    finally:
        consumer.close()


def eventually(holds: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Call `holds` until it gives something true, and return that; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        assert time.monotonic() < deadline, f"{holds} did not come true within {seconds} s"
        time.sleep(0.1)
    return result
