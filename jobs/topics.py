"""Creates the topics of docs/contracts.md that are not there yet; those that are there stay as they are.

python -m jobs.topics --bootstrap 127.0.0.1:19092 --lane main
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

DAY_MS = 86_400_000
LARGEST_BYTES = 32 * 1024 * 1024
"""The largest record of topics that hold what others sent: a dead letter is a third longer than the record in it."""


class TopicError(Exception):
    """A topic that is missing or can't be created; the text says what to do."""


@dataclass(frozen=True)
class Topic:
    """`retention_ms` None: kept for ever, but only the newest record of each key (a compacted topic).

    `stamped`: records have the broker's time and not that of whoever wrote them, so that his clock shows to be wrong.
    """

    partitions: int
    retention_ms: int | None
    largest: int | None = None
    stamped: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """The topic's configuration, as the broker names it."""
        kept = {"cleanup.policy": "compact"} if self.retention_ms is None else {"retention.ms": str(self.retention_ms)}
        kept |= {} if self.largest is None else {"max.message.bytes": str(self.largest)}
        return kept | ({"message.timestamp.type": "LogAppendTime"} if self.stamped else {})


SHARED = {
    "rules": Topic(1, None),
    "findings": Topic(2, 30 * DAY_MS),
    "transitions": Topic(2, 7 * DAY_MS),
    "items": Topic(2, 7 * DAY_MS),
    "eventlog": Topic(2, 7 * DAY_MS),
    "deadletters": Topic(1, 30 * DAY_MS, LARGEST_BYTES),
    "progress": Topic(1, DAY_MS),
    "actions": Topic(2, 30 * DAY_MS, stamped=True),
    "alerting": Topic(1, None),
    "alerts": Topic(2, 30 * DAY_MS),
    "alertlog": Topic(2, 30 * DAY_MS),
    "incidents": Topic(2, 30 * DAY_MS),
    "notifications": Topic(1, 7 * DAY_MS, LARGEST_BYTES),
    "deliveries": Topic(2, 30 * DAY_MS),
    "browser": Topic(1, DAY_MS),
}


def events_topic(lane: str, prefix: str = "daymark.") -> str:
    """The name of a lane's own topic of events."""
    return f"{prefix}events.{lane}"


def wanted(
    lane: str, prefix: str = "daymark.", *, partitions: int = 4, retention_ms: int = 7 * DAY_MS
) -> dict[str, Topic]:
    """The topics that a lane needs, by name. `partitions` and `retention_ms` are those of its events."""
    events = {events_topic(lane, prefix): Topic(partitions, retention_ms, stamped=True)}
    return {prefix + name: topic for name, topic in SHARED.items()} | events


def ensure(bootstrap: str, topics: Mapping[str, Topic], *, replication: int = 1) -> list[str]:
    """Create those of the topics that don't exist; returns their names. Raises TopicError."""
    with closing(_admin(bootstrap)) as admin:
        missing = sorted(set(topics) - set(admin.list_topics()))
        created = [name for name in missing if _create(admin, name, topics[name], replication)]
        admin.wait_for_topics(created)
    return created


def _create(admin: KafkaAdminClient, name: str, topic: Topic, replication: int) -> bool:
    """One topic a request, so that somebody else creating one of them meanwhile harms none of the others."""
    options = {
        "num_partitions": topic.partitions,
        "replication_factor": replication,
        "configs": topic.settings,
    }
    try:
        admin.create_topics({name: options})
    except TopicAlreadyExistsError:
        return False
    except KafkaError as error:
        raise TopicError(f"topic {name} could not be created: {error}") from error
    return True


def partitions(bootstrap: str, names: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has. Raises TopicError naming the ones that don't exist."""
    wanted_names = list(names)
    with closing(_admin(bootstrap)) as admin:
        there = set(admin.list_topics())
        if missing := [name for name in wanted_names if name not in there]:
            raise TopicError(
                f"there is no topic {', '.join(missing)} at {bootstrap}; a lane's own topics are created by "
                "`python -m jobs.topics`, a topic that a mapping names by whoever writes to it"
            )
        return {found["name"]: len(found["partitions"]) for found in admin.describe_topics(wanted_names)}


def _admin(bootstrap: str) -> KafkaAdminClient:
    try:
        return KafkaAdminClient(bootstrap_servers=bootstrap, client_id="daymark-topics", bootstrap_timeout_ms=10_000)
    except KafkaError as error:
        raise TopicError(f"no Kafka broker answers at {bootstrap}; start one, or name another: {error}") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Create a lane's topics and say which are new; 1 and one sentence on standard error if that can't be done."""
    parser = argparse.ArgumentParser(
        prog="jobs.topics", description="Creates the topics of a lane that are not there yet."
    )
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--lane", default="main")
    parser.add_argument("--topic", action="append", default=[], help="a mapping's own topic; repeatable")
    parser.add_argument("--prefix", default="daymark.", help="what the topics' names begin with (default: %(default)s)")
    parser.add_argument("--partitions", type=int, default=4, help="of a topic of events (default: %(default)s)")
    parser.add_argument("--retention-days", type=float, default=7, help="of the lane's events (default: %(default)s)")
    parser.add_argument("--replication", type=int, default=1, help="copies of each partition (default: %(default)s)")
    options = parser.parse_args(argv)
    retention_ms = int(options.retention_days * DAY_MS)
    topics = wanted(options.lane, options.prefix, partitions=options.partitions, retention_ms=retention_ms)
    topics |= {name: Topic(options.partitions, retention_ms, stamped=True) for name in options.topic}
    try:
        for name in ensure(options.bootstrap, topics, replication=options.replication):
            print(f"created {name}")
    except TopicError as error:
        print(f"jobs.topics: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
