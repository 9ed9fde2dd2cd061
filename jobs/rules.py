"""Rule documents (docs/contracts.md): made from packs, and read from the rules topic."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from kafka import KafkaConsumer, TopicPartition

from udfs.operators.batch import RuleRecord
from udfs.packs.load import Pack


def documents(packs: Iterable[Pack]) -> list[bytes]:
    """A rule document for each workflow of the packs, in force from the beginning of time."""
    return [one.document for pack in packs for one in pack.workflows]


def in_topic(bootstrap: str, topic: str) -> list[RuleRecord]:
    """What the rules topic holds now, in order: documents, and empty values that withdraw.

    The job gets them at submission, so that events that wait in the log don't overtake the rules.
    """
    held: list[RuleRecord] = []
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    with closing(consumer):
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = consumer.end_offsets(places)
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=500).values():
                held += [RuleRecord(r.partition, r.offset, r.timestamp, r.key or b"", r.value or b"") for r in records]
    return sorted(held)
