"""The alert job on a real broker and a real cluster: sends findings, actions, documents, ticks; reads the answers."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from kafka import KafkaProducer

from api.stack import process
from api.stack.flink import FlinkCluster
from jobs import topics
from jobs.ticks import write_tick
from tests.flink.alertpolicy import finding
from tests.flink.lane import PACK
from tests.kafka_help import eventually, records
from udfs.ticks import HEADER, is_tick


class AlertLane:
    """Topics with a prefix of their own. Time is what `tick` says: ms after `start`, which is soon after the wall's."""

    def __init__(self, bootstrap: str, cluster: FlinkCluster) -> None:
        self.name = f"a-{uuid.uuid4().hex[:8]}"
        self.prefix = f"{self.name}."
        self.bootstrap = bootstrap
        self.cluster = cluster
        topics.ensure(bootstrap, topics.wanted(self.name, self.prefix, partitions=1))
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
        self.config = cluster.home / f"{self.name}.json"
        told = {
            "bootstrap": bootstrap,
            "lanes": ["main"],
            "packs": [str(PACK)],
            "topic_prefix": self.prefix,
            "tick_ahead_ms": 10**10,
        }
        self.config.write_text(json.dumps(told))
        self.began = 0
        self.job = ""

    def start(self) -> AlertLane:
        self.began = self.began or int(time.time() * 1000) + 60_000
        newest = self.cluster.newest_checkpoint(self.name)
        self.job = self.cluster.submit(self.config, newest, kind="alert", folder=self.name)
        self.cluster.wait_running(self.job)
        return self

    def end(self) -> None:
        if self.cluster.job_is_alive(self.job):
            self.cluster.cancel(self.job)
        self.producer.close()

    def kill_taskmanagers(self) -> None:
        """All of the cluster's, this job's among them; others take their place."""
        killed, self.cluster.taskmanagers = self.cluster.taskmanagers, []
        for victim in killed:
            process.kill_group(victim.pid)
            victim.wait()
        for _ in killed:
            self.cluster.add_taskmanager()

    def document(self, name: str, body: dict[str, Any] | None) -> None:
        self._send("alerting", json.dumps(body).encode() if body else None, key=name.encode())

    def find(self, key: str, **more: Any) -> dict[str, Any]:
        """A finding about this key; returns it."""
        row = finding(key, self.began) | more
        self._send("findings", json.dumps(row).encode(), key=key.encode())
        return row

    def act(self, kind: str, *alerts: str, partition: int | None = None, **more: Any) -> str:
        """An action on alerts; returns its id."""
        row = {"id": str(uuid.uuid4()), "at_ms": self.began, "who": "anna", "kind": kind, "alerts": alerts, "why": ""}
        self._send("actions", json.dumps(row | more).encode(), key=alerts[0].encode(), partition=partition)
        return str(row["id"])

    def garbage(self, topic: str) -> None:
        self._send(topic, b"this is no JSON", key=b"person/nobody")

    def _send(self, topic: str, value: bytes | None, **where: Any) -> None:
        self.producer.send(self.prefix + topic, value, **where)
        self.producer.flush()

    def tick(self, at: int) -> None:
        """Time comes to `at` ms after the beginning, in all partitions."""
        write_tick(self.producer, [self.prefix + "findings", self.prefix + "actions"], self.began + at)
        self.producer.flush()

    def tick_but_for_one(self, at: int) -> None:
        """Time comes to `at` in all partitions but the last one of the actions. What is written behind these ticks is
        read by the job and waits in it, until time has come there as well."""
        tick = {"value": b"{}", "headers": [(HEADER, str(self.began + at).encode())]}
        for topic, partition in (("findings", 0), ("findings", 1), ("actions", 0)):
            self._send(topic, partition=partition, **tick)

    def await_time(self, at: int) -> None:
        """Wait until the job's time has come to `at` ms after the beginning: an answer says what time it is."""
        eventually(lambda: self.answer(self.act("nothing", "nothing"))["at_ms"] >= self.began + at - 1, 60)

    def rows(self, topic: str) -> list[dict[str, Any]]:
        """All rows that a topic holds now."""
        found = records(self.bootstrap, self.prefix + topic)
        return [json.loads(one.value) for part in found.values() for one in part if not is_tick(one.headers)]

    def told(self, key: str) -> list[tuple[str, str]]:
        """Who was told about this key, and why, each notification once, in order."""
        sent = {row["id"]: row for row in self.rows("notifications") if row["type"] == "notify"}
        return [(one["person"], one["reason"]) for one in sent.values() if one["alerts"][0]["key"] == key]

    def alert(self, key: str) -> dict[str, Any]:
        """How the alert about this key stands; empty, if there is none."""
        rows = [row for row in self.rows("alerts") if row["key"] == key]
        return max(rows, key=lambda row: row["rev"], default={})

    def await_told(self, key: str, *who: tuple[str, str]) -> None:
        eventually(lambda: self.told(key) == list(who), 60)

    def answer(self, action: str, seconds: float = 30) -> dict[str, Any]:
        """The record that says what became of an action."""

        def found() -> dict[str, Any] | None:
            rows = [row for row in self.rows("notifications") if row.get("action") == action]
            return rows[-1] if rows else None

        return dict(eventually(found, seconds))
