"""Ticks: how time gets into a lane's log (docs/contracts.md), and how the last one is read back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from udfs.ticks import HEADER

END = "end"
LOOK_BACK = 1000


def write_tick(producer: KafkaProducer, topics: Iterable[str], instant: int | str) -> list[Any]:
    """Send the tick `instant` (epoch ms, or END) to every partition of `topics`; returns the futures.

    A topic's partitions are asked for each time (from the client's cached metadata), so that one added later ticks too.
    Raises KafkaError where the broker can't be asked.
    """
    header = [(HEADER, str(instant).encode())]
    value = json.dumps({"tick": instant}).encode()
    return [
        producer.send(topic, value=value, headers=header, partition=partition)
        for topic in topics
        for partition in sorted(producer.partitions_for(topic) or ())
    ]


def tick_of(headers: Iterable[tuple[str, bytes]]) -> int | str | None:
    """The tick that a record's headers carry (epoch ms, or END), or None if it is no (readable) tick."""
    for name, value in headers:
        if name == HEADER:
            text = value.decode("ascii", errors="replace")
            return END if text == END else int(text) if text.isdigit() else None
    return None


def last_tick(bootstrap: str, topic: str) -> int | None:
    """The newest instant (epoch ms) that any partition of the topic was told, or None if it has no tick yet.

    Reads each partition from its end, further back as long as no tick is found.
    """
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, consumer_timeout_ms=2000)
    try:
        partitions = [TopicPartition(topic, p) for p in sorted(consumer.partitions_for_topic(topic) or ())]
        found = [_last_in(consumer, partition) for partition in partitions]
        return max((tick for tick in found if tick is not None), default=None)
    finally:
        consumer.close()


def _last_in(consumer: KafkaConsumer, partition: TopicPartition) -> int | None:
    consumer.assign([partition])
    first, end = (
        offsets[partition] for offsets in (consumer.beginning_offsets([partition]), consumer.end_offsets([partition]))
    )
    back = LOOK_BACK
    while True:
        start = max(first, end - back)
        ticks = [
            tick
            for record in _records(consumer, partition, start, end)
            if isinstance(tick := tick_of(record.headers), int)
        ]
        if ticks or start == first:
            return max(ticks, default=None)
        back *= 8


def _records(consumer: KafkaConsumer, partition: TopicPartition, start: int, end: int) -> Iterable[Any]:
    consumer.seek(partition, start)
    while consumer.position(partition) < end:
        for record in consumer.poll(timeout_ms=500).get(partition, []):
            if record.offset < end:
                yield record
