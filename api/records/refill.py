"""A rules topic that has lost what is in force (a new broker, or one restored from an older copy) is filled anew.

The store is the truth for what was changed through Daymark. A workflow whose last record in the topic the store doesn't
know was changed through Kafka alone, later: it is left as it is.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaTimeoutError
from sqlalchemy import select

from api.records import rules
from api.records.database import Records
from api.records.rules import WITHDRAW, Revision
from api.records.tables import outbox

log = logging.getLogger(__name__)
PATIENCE_S = 10.0


def refill(records: Records, topic: str, held: Mapping[bytes, bytes | None], now_ms: int) -> int:
    """Publish what a topic lacks, which holds these last values by key; returns how many records. What waits in the
    outbox is as good as there."""
    many = 0
    with records.transaction() as tx:
        waits = select(outbox.c.key, outbox.c.value).where(outbox.c.topic == topic).order_by(outbox.c.id)
        held = dict(held) | {row.key: row.value for row in tx.connection.execute(waits)}
        for workflow in [one.workflow for one in rules.all_newest(tx.connection)]:
            key = workflow.encode()
            revisions = rules.revisions(tx.connection, workflow)[::-1]
            for one in lacking(revisions, key in held, held.get(key), now_ms):
                tx.publish(topic, key, written(one), now_ms)
                many += 1
    if many:
        log.warning("rules published anew", extra={"topic": topic, "records": many})
    return many


def lacking(revisions: Sequence[Revision], known: bool, last: bytes | None, now_ms: int) -> list[Revision]:
    """Those of a workflow's revisions, the oldest first, that its topic must get: none where its last record there is
    the newest one, or one that isn't known here; the ones behind it where it is an older one; where the topic knows
    nothing of the workflow, what holds now and what is still to come."""
    if known:
        same = [index for index, one in enumerate(revisions) if written(one) == last]
        return list(revisions[same[-1] + 1 :]) if same else []
    holds = [index for index, one in enumerate(revisions) if _since(one) <= now_ms]
    first = holds[-1] if holds else 0
    withdrawn = [one for one in revisions[:first] if one.action == WITHDRAW]
    return [*withdrawn[-1:], *revisions[first:]]  # what a pack gave, and was withdrawn, must not come back


def written(one: Revision) -> bytes | None:
    """The value that Kafka gets for a revision."""
    return None if one.document is None else orjson.dumps(one.document)


def held_by(bootstrap: str, topic: str) -> dict[bytes, bytes | None] | None:
    """The last value of each key in a topic of one partition; None if it isn't there yet. Raises KafkaError."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap.split(","),
        client_id="daymark-refill",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        bootstrap_timeout_ms=2_000,
    )
    held: dict[bytes, bytes | None] = {}
    try:
        if not consumer.partitions_for_topic(topic):
            return None
        place = TopicPartition(topic, 0)
        end = consumer.end_offsets([place])[place]
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        until = time.monotonic() + PATIENCE_S
        while consumer.position(place) < end:
            if time.monotonic() > until:
                raise KafkaTimeoutError(f"{topic} not read to its end within {PATIENCE_S:g} s")
            for batch in consumer.poll(timeout_ms=500).values():
                held.update((record.key or b"", record.value or None) for record in batch)
    finally:
        consumer.close(autocommit=False, timeout_ms=1_000)
    return held


def _since(one: Revision) -> int:
    return one.at_ms if one.effective_from is None else one.effective_from
