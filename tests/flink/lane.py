"""A lane on a real broker and a real cluster: sends events and ticks, reads what comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from api.stack.flink import FlinkCluster
from jobs import topics
from jobs.ticks import write_tick
from tests.kafka_help import eventually, records

PACK = Path(__file__).parent / "pack"
NOON = 1_750_000_000_000
"""Where event time begins in these tests; nothing here looks at the wall clock."""


class Lane:
    """Topics with a prefix of their own, so that nobody else's results are among them."""

    def __init__(self, name: str, bootstrap: str, cluster: FlinkCluster, **settings: object) -> None:
        self.name = name
        self.bootstrap = bootstrap
        self.cluster = cluster
        self.prefix = f"{name}."
        self.events = topics.events_topic(name, self.prefix)
        topics.ensure(bootstrap, topics.wanted(name, self.prefix, partitions=2))
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
        self.config = cluster.home / f"{name}.json"
        told = {
            "bootstrap": bootstrap,
            "lane": name,
            "packs": [str(PACK)],
            "topic_prefix": self.prefix,
            "rules_topic": f"{self.prefix}rules",
            "lateness_ms": 0,
        }
        self.config.write_text(json.dumps(told | settings))
        self.job = ""

    def start(self, savepoint: str | None = None) -> Lane:
        self.job = self.cluster.submit(self.config, savepoint)
        self.cluster.wait_running(self.job)
        return self

    def resume(self) -> Lane:
        """Start again from the newest checkpoint."""
        newest = self.cluster.newest_checkpoint(self.name)
        assert newest, "there is no checkpoint to resume from"
        return self.start(newest)

    def end(self) -> None:
        if self.cluster.job_is_alive(self.job):
            self.cluster.cancel(self.job)
        self.producer.close()

    def send(self, parcel: str, what: str, at: int, **more: object) -> None:
        """An event; `at` is ms after noon."""
        event = {"id": f"{parcel}-{what}", "what": what, "at": NOON + at, "parcel": parcel}
        self.raw(json.dumps(event | more).encode())

    def raw(self, value: bytes | None, **where: Any) -> None:
        self.producer.send(self.events, value, **where)

    def tick(self, at: int) -> None:
        """Time has come to `at` ms after noon, in all partitions."""
        write_tick(self.producer, [self.events], NOON + at)
        self.producer.flush()

    def rows(self, topic: str) -> list[dict[str, Any]]:
        """All rows that a topic of results holds now."""
        found = records(self.bootstrap, self.prefix + topic)
        return [json.loads(line) for part in found.values() for record in part for line in record.value.split(b"\n")]

    def findings(self) -> dict[str, dict[str, Any]]:
        """The findings by id: copies of one finding, which a restart may bring, count once."""
        return {row["id"]: row for row in self.rows("findings")}

    def await_rows(self, topic: str, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """The rows of a topic as soon as there are `count`."""
        return list(eventually(lambda: rows if len(rows := self.rows(topic)) >= count else None, seconds))

    def await_time(self, at: int, seconds: float = 60) -> None:
        """Wait until every task of the job has come to `at` ms after noon."""
        eventually(lambda: self._reached(NOON + at - 1), seconds)

    def _reached(self, watermark: int) -> bool:
        rows = self.rows("progress")
        newest = {row["subtask"]: row for row in rows}
        return (
            bool(rows)
            and len(newest) == rows[-1]["parallelism"]
            and all(row["watermark_ms"] >= watermark for row in newest.values())
        )
