"""What an event costs while so many items are open: the job from Kafka to Kafka, one TaskManager.

The log warms the job up with items that end at once, opens N items that stay, and then comes the traffic that is timed:
in turns a new item begins and one of those that wait, any of them, comes to its end, so that N stay open. Every event
has its place in time, ten to a millisecond, so that a watermark says how many events the job has behind it: timed is
from the first watermark in the traffic to the last one, by the instants at which the job wrote that it had passed them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

import orjson
from kafka import KafkaConsumer, KafkaProducer

from api.stack.flink import FlinkCluster
from jobs import topics
from jobs.ticks import write_tick
from tests.bench import flinkruns
from tests.bench.flinkruns import LANE, ask
from tests.bench.generate import BEGIN_MS
from tests.bench.kafkaruns import PARTITIONS, lines_of
from tests.bench.runs import Failed
from tests.bench.section import NotExact

PACK = Path(__file__).with_name("pack_long")
PER_MS = 10
PAUSE_MS = 10_000
"""Between the phases: what has ended by then is forgotten."""


@dataclass(frozen=True)
class Plan:
    """`items` are open throughout; `warm` and `traffic` are events."""

    items: int
    warm: int
    traffic: int

    @property
    def starts(self) -> tuple[int, int, int]:
        """When the phases begin, epoch ms."""
        second = BEGIN_MS + self.warm // PER_MS + PAUSE_MS
        return BEGIN_MS, second, second + self.items // PER_MS + PAUSE_MS

    @property
    def end(self) -> int:
        """A tick behind everything."""
        return self.starts[2] + self.traffic // PER_MS + 1000

    @property
    def events(self) -> int:
        return self.warm + self.items + self.traffic

    def passed(self, watermark: int) -> int:
        """How many events of the traffic lie at or before a watermark."""
        return max(0, min(self.traffic, (watermark - self.starts[2] + 1) * PER_MS))

    def log(self) -> Iterator[tuple[int, str, str]]:
        """The events: (time, type, trade)."""
        warm, opened, traffic = self.starts
        for n in range(self.warm):
            yield warm + n // PER_MS, "AD"[n % 2], f"W{n // 2}"
        waiting = [f"T{n}" for n in range(self.items)]
        for n, key in enumerate(waiting):
            yield opened + n // PER_MS, "A", key
        random = Random(7)
        for n in range(self.traffic):
            at = traffic + n // PER_MS
            if n % 2 == 0:
                waiting.append(f"N{n}")
                yield at, "A", waiting[-1]
            else:
                place = random.randrange(len(waiting))
                waiting[place], waiting[-1] = waiting[-1], waiting[place]
                yield at, "D", waiting.pop()


def produce(bootstrap: str, plan: Plan, name: str) -> str:
    """Write the plan's log into a topic of its own, with a tick a second; returns the topic."""
    topic = topics.events_topic(LANE, f"{name}.")
    topics.ensure(bootstrap, topics.wanted(LANE, f"{name}.", partitions=PARTITIONS))
    producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20, batch_size=1 << 18)
    with closing(producer):
        tick = 0
        for n, (at, kind, key) in enumerate(plan.log()):
            if at // 1000 > tick:
                tick = at // 1000
                write_tick(producer, [topic], tick * 1000)
            producer.send(topic, line(n, at, kind, key), partition=crc32(key.encode()) % PARTITIONS)
        write_tick(producer, [topic], plan.end)
        producer.flush()
    return topic


def line(number: int, at: int, kind: str, key: str) -> bytes:
    """A record like those of tests/bench/generate.py."""
    return (
        b'{"event_id":"%032x","event_type":"%s","trade_id":"%s","ts":%d,"market":"EU",'
        b'"payload":{"amount":%d.50,"ccy":"EUR","book":"BK-%04d-RATES"}}'
        % (number, kind.encode(), key.encode(), at, number % 9_000_000, number % 977)
    )


class Job:
    """The detect job over a plan's topic, with topics of results of its own."""

    def __init__(self, running: FlinkCluster, bootstrap: str, plan: Plan, topic: str, name: str) -> None:
        self.running, self.bootstrap, self.plan, self.topic = running, bootstrap, plan, topic
        self.prefix = f"{name}."
        topics.ensure(bootstrap, topics.wanted(LANE, self.prefix, partitions=1))
        where = {"bootstrap": bootstrap, "topics": [topic], "topic_prefix": self.prefix}
        told = {"packs": [str(PACK)], "lateness_ms": 0, "parallelism": 1}
        self.config = flinkruns.configure(running.home, name, **where, **told)
        self.id = ""

    def traffic_rate(self) -> float:
        """Run the job over the whole log; the events a second of the traffic. Raises NotExact, Failed."""
        self.id = self.running.submit(self.config)
        marks = self._marks(self.plan.end)
        self._check()
        watermark, began = next((w, at) for w, at in marks if w >= self.plan.starts[2] - 1)
        _, ended = next((w, at) for w, at in marks if self.plan.passed(w) == self.plan.traffic)
        if ended == began:
            raise Failed("the traffic was over before its first watermark; give it more events")
        return (self.plan.traffic - self.plan.passed(watermark)) / (ended - began) * 1000

    def checkpoint(self) -> dict[str, Any]:
        """Take a checkpoint now; what Flink says of it, with `state_size` (bytes) and `end_to_end_duration` (ms)."""
        before = self._newest_checkpoint()
        deadline = time.monotonic() + 120
        while (newest := self._newest_checkpoint())["id"] <= before["id"]:  # one comes every 5 s
            if time.monotonic() > deadline:
                raise Failed("no checkpoint was completed within two minutes")
            time.sleep(0.5)
        return newest

    def _newest_checkpoint(self) -> dict[str, Any]:
        newest = ask(self.running, f"/jobs/{self.id}/checkpoints")["latest"]["completed"]
        return dict(newest) if newest else {"id": 0}

    def restart(self, tick: int) -> dict[str, float]:
        """Cancel the job and resume it from its newest checkpoint: seconds until it is accepted, until all tasks run,
        and until it has read on to `tick`, which is written meanwhile and has to be later than all that was."""
        self.running.cancel(self.id)
        with closing(KafkaProducer(bootstrap_servers=self.bootstrap)) as producer:
            write_tick(producer, [self.topic], tick)
            producer.flush()
        began = time.time()
        self.id = self.running.submit(self.config, self.running.newest_checkpoint(LANE))
        accepted = time.time()
        _, passed = self._marks(tick)[-1]
        running = flinkruns.began(self.running, self.id)
        return {"accepted": accepted - began, "running": running - began, "goes on": passed / 1000 - began}

    def _marks(self, instant: int) -> list[tuple[int, int]]:
        """(watermark, the wall clock's epoch ms when it was passed), up to that of the instant; waits for it."""
        marks: list[tuple[int, int]] = []
        deadline = time.monotonic() + flinkruns.SECONDS
        with closing(KafkaConsumer(f"{self.prefix}progress", bootstrap_servers=self.bootstrap,
                                   auto_offset_reset="earliest", group_id=None)) as consumer:  # fmt: skip
            while not marks or marks[-1][0] < instant - 1:
                for records in consumer.poll(timeout_ms=300).values():
                    rows = [orjson.loads(record.value) for record in records]
                    marks += [(row["watermark_ms"], row["at_ms"]) for row in rows]
                flinkruns.running_state(self.running, self.id, deadline)
        return marks

    def _check(self) -> None:
        """Every event moved its item, and nothing was found."""
        with closing(KafkaConsumer(bootstrap_servers=self.bootstrap, check_crcs=False)) as consumer:
            found = {
                name: sum(1 for _ in lines_of(consumer, self.prefix + name))
                for name in ("transitions", "findings", "deadletters")
            }
        if found != (wanted := {"transitions": self.plan.events, "findings": 0, "deadletters": 0}):
            raise NotExact(
                f"with {self.plan.items:,} open items there are {json.dumps(found)}, not {json.dumps(wanted)}"
            )
