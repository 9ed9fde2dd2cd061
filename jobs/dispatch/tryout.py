"""Trying a channel: the wish goes to the running dispatcher through the log, what came of it back by the deliveries."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from jobs.clock import now_ms
from jobs.dispatch.records import Delivery, read_delivery

WAIT_S = 45.0


def try_channel(bootstrap: str, prefix: str, channel: str, address: str) -> int:
    """Ask for one message and wait for its delivery: 0 if it was sent, 1 if not. Raises KafkaError."""
    id = uuid.uuid4().hex
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), enable_auto_commit=False)
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), acks="all", max_block_ms=5_000)
    try:
        topic = f"{prefix}deliveries"
        consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()])
        consumer.seek_to_end()
        for partition in consumer.assignment():
            consumer.position(partition)
        who = os.environ.get("USER", "somebody")
        wish = {"type": "test", "id": id, "channel": channel, "who": who, "at_ms": now_ms()}
        producer.send(f"{prefix}notifications", json.dumps(wish | {"address": address}).encode()).get(timeout=10)
        row = _row(consumer, id)
    finally:
        producer.close(timeout=2)
        consumer.close()
    if row is None:
        print(f"No answer within {WAIT_S:.0f} s: is the dispatcher running?", file=sys.stderr)
        return 1
    print(f"{row.outcome} after {row.took_ms} ms. {row.detail}".strip())
    return 0 if row.outcome == "sent" else 1


def _row(consumer: KafkaConsumer, id: str) -> Delivery | None:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        for records in consumer.poll(timeout_ms=500).values():
            for record in records:
                if record.key == id.encode():
                    return read_delivery(record.value)
    return None
