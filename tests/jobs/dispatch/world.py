"""Topics of its own on a real broker, a dispatcher in a thread or in a process to be killed, and what they did."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from api.stack import process
from jobs.channels.vault import Vault
from jobs.dispatch.records import Delivery, read_delivery
from jobs.dispatcher import dispatch
from tests.kafka_help import create_topic, eventually, records

ROOT = Path(__file__).resolve().parents[3]


class World:
    """`notify` and `put` write what the alert job and the API would write; `rows` are the deliveries so far. With a
    `prefix` the topics are there already, and a real job writes into them."""

    def __init__(self, bootstrap: str, home: Path, prefix: str = "") -> None:
        self.bootstrap = bootstrap
        self.home = home
        self.metrics = ""
        self.prefix = prefix or f"d{uuid.uuid4().hex[:8]}."
        topics = {"notifications": 1, "deliveries": 2, "alerting": 1, "browser": 1, "findings": 2}
        for name, partitions in topics.items():
            if not prefix:
                create_topic(bootstrap, self.prefix + name, partitions)
        self.producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5)

    def put(self, channel: str, document: dict[str, Any] | None) -> None:
        value = json.dumps(document).encode() if document is not None else None
        self.producer.send(f"{self.prefix}alerting", value, key=f"channel/{channel}".encode()).get(timeout=10)

    def write(self, record: dict[str, Any] | bytes) -> Any:
        value = record if isinstance(record, bytes) else json.dumps(record).encode()
        return self.producer.send(f"{self.prefix}notifications", value)

    def notify(self, id: str, channel: str = "web", **more: Any) -> Any:
        now = int(time.time() * 1000)
        alert = {"id": f"alert-{id}", "severity": "high", "summary": f"{id} is missing"}
        row = {"type": "notify", "id": id, "channel": channel, "at_ms": now, "reason": "opened", "title": id}
        return self.write(row | {"alerts": [alert], "revs": {alert["id"]: 1}, "count": 1} | more)

    def flush(self) -> None:
        self.producer.flush(timeout=20)

    def rows(self) -> list[Delivery]:
        found = records(self.bootstrap, f"{self.prefix}deliveries")
        return sorted((read_delivery(one.value) for part in found.values() for one in part), key=lambda row: row.at_ms)

    def said(self) -> list[dict[str, Any]]:
        """What dispatchers said of themselves, in order."""
        [found] = records(self.bootstrap, f"{self.prefix}notifications").values()
        rows = [json.loads(one.value) for one in found]
        return [row for row in rows if row["type"] == "dispatcher"]

    def findings(self) -> list[dict[str, Any]]:
        found = records(self.bootstrap, f"{self.prefix}findings")
        return [json.loads(one.value) for part in found.values() for one in part]

    def outcomes(self) -> dict[str, str]:
        """The last outcome of each notification."""
        return {row.id: row.outcome for row in self.rows()}

    def await_outcomes(self, wanted: dict[str, str]) -> None:
        eventually(lambda: self.outcomes() == wanted)

    def options(self) -> argparse.Namespace:
        return argparse.Namespace(
            bootstrap=self.bootstrap,
            prefix=self.prefix,
            home=str(self.home),
            public_url="https://d.example",
            metrics=self.metrics,
        )

    @contextmanager
    def dispatcher(self, place: str = "") -> Iterator[None]:
        """One that runs in a thread, in the home or in a place beside it, and is stopped in order."""
        begun = threading.Event()
        made: list[Any] = []
        options = self.options()
        options.home = str(self.home / place)

        async def run() -> None:
            stop = asyncio.Event()
            made.extend((asyncio.get_running_loop(), stop))
            begun.set()
            await dispatch(options, {}, Vault({}), stop)

        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        assert begun.wait(20)
        loop, stop = made
        try:
            yield
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(20)
            assert not thread.is_alive(), "it must stop in time"

    @contextmanager
    def victim(self, dies: str = "never", times: int = 1) -> Iterator[Any]:
        """One that runs in a process and kills itself when it comes to a step so often; it is killed at the end."""
        words = [self.bootstrap, self.prefix, str(self.home), dies, str(times)]
        command = [sys.executable, "-m", "tests.jobs.dispatch.victim", *words]
        running = process.start(command, self.home / f"victim-{dies}.log", {"PYTHONPATH": str(ROOT)})
        try:
            yield running
        finally:
            if running.poll() is None:
                process.kill_group(running.pid)
            running.wait()
