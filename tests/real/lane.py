"""A lane of its own on real parts: a log through Kafka and Flink, and what ClickHouse holds of it in the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from api.stack.flink import FlinkCluster

RESULTS = [f"daymark.{name}" for name in ("findings", "transitions", "items", "eventlog", "deadletters", "progress")]


class Lane:
    """`home` is the cluster's; `api` the address of a serving process that loads from the same broker."""

    def __init__(self, name: str, bootstrap: str, cluster: FlinkCluster, api: str) -> None:
        self.name = name
        self.topic = f"daymark.events.{name}"
        self.bootstrap = bootstrap
        self.cluster = cluster
        self.api = api
        self.job = ""
        run("jobs.topics", "--bootstrap", bootstrap, "--lane", name)

    def configure(self, pack: Path, **settings: Any) -> Path:
        self.config = self.cluster.home / f"{self.name}.json"
        self.config.write_text(
            json.dumps(
                {
                    "bootstrap": self.bootstrap,
                    "lane": self.name,
                    "packs": [str(pack.absolute())],
                    "rules_topic": None,
                    **settings,
                }
            )
        )
        return self.config

    def submit(self, savepoint: str | None = None) -> None:
        self.job = self.cluster.submit(self.config, savepoint)
        self.cluster.wait_running(self.job)

    def replay(self, log: Path, mapping: Path, *options: str) -> dict[str, Any]:
        """Sends the log, waits until the job has passed its end and ClickHouse has all that came out."""
        summary = self.send(log, mapping, *options)
        self.settle()
        return summary

    def send(self, log: Path, mapping: Path, *options: str) -> dict[str, Any]:
        sent = run(*self.replaying(log, mapping, *options))
        return dict(json.loads(sent.splitlines()[-1]))

    def replaying(self, log: Path, mapping: Path, *options: str) -> list[str]:
        return [
            "jobs.replay",
            str(log),
            "--mapping",
            str(mapping),
            "--topic",
            self.topic,
            "--bootstrap",
            self.bootstrap,
            *options,
        ]

    def settle(self, seconds: float = 240) -> None:
        """Waits for the lane's end, stops the job so that its sinks are flushed, and waits for the loader."""
        deadline = time.monotonic() + seconds
        while True:
            lanes = httpx.get(f"{self.api}/api/v1/lanes", timeout=30).json()
            mine = [row for row in lanes if row["lane"] == self.name]
            if mine and mine[0]["state"] == "ended":
                break
            assert time.monotonic() < deadline, f"the lane did not come to its end: {mine}"
            assert self.cluster.job_is_alive(self.job), self.cluster.why(self.job)
            time.sleep(0.3)
        self.cluster.stop_with_savepoint(self.job, self.name)
        self._wait_for_the_loader(deadline)

    def _wait_for_the_loader(self, deadline: float) -> None:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap)
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            partitions = [TopicPartition(t, p) for t in RESULTS for p in consumer.partitions_for_topic(t) or ()]
            ends = consumer.end_offsets(partitions)
            while True:
                done = committed(admin)
                if all(done.get(p, 0) >= end for p, end in ends.items()):
                    return
                assert time.monotonic() < deadline, f"the loader stands at {done}, the topics end at {ends}"
                time.sleep(0.2)
        finally:
            consumer.close()
            admin.close()

    def findings(self) -> dict[str, dict[str, Any]]:
        """All findings of the lane in ClickHouse, by id. Fails if one is there twice."""
        found: dict[str, dict[str, Any]] = {}
        cursor = ""
        while True:
            query = {"lane": self.name, "limit": 1000, "cursor": cursor}
            page = httpx.get(f"{self.api}/api/v1/findings", params=query, timeout=60).raise_for_status().json()
            for row in page["items"]:
                assert row["id"] not in found, f"{row['id']} is there twice"
                found[row["id"]] = row
            if not page["next"]:
                return found
            cursor = page["next"]


def committed(admin: KafkaAdminClient) -> dict[TopicPartition, int]:
    offsets = admin.list_group_offsets({"daymark-loader": None})["daymark-loader"]
    return {partition: meta.offset for partition, meta in offsets.items()}


def run(module: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
