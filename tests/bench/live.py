"""The parts of a stack for the sections that measure it live: started on free ports, gone at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from kafka import KafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from api.stack import ports
from api.stack.detection import write_config
from api.stack.flink import REPOSITORY, FlinkCluster
from api.stack.kafka import KafkaBroker
from api.stack.parts import Options, Part, serving, ticker
from jobs import topics
from jobs.ticks import tick_of

LANE = "main"
EVENTS = topics.events_topic(LANE)
PACK = REPOSITORY / "rules" / "trade_lifecycle"
LATENESS_MS = 2000
"""The lane's allowed lateness: what jobs/config.py says unless told otherwise."""

BY_THE_BROKER = {"message.timestamp.type": "LogAppendTime"}


class Stamped(topics.Topic):
    """A topic whose records carry the instant at which the broker had them, not that of their sender."""

    @property
    def settings(self) -> dict[str, str]:
        return super().settings | BY_THE_BROKER


class Live:
    """Broker and Flink in `home`; what else is wanted is started on top and stopped with them."""

    def __init__(self, home: Path, started: ExitStack) -> None:
        self.home = home
        self.options = Options(
            home=home,
            lane=LANE,
            packs=(PACK,),
            http_port=ports.free(),
            kafka_port=ports.free(),
            flink_port=ports.free(),
        )
        self.bootstrap = self.options.bootstrap
        self.cluster = FlinkCluster(home, self.options.flink_port)
        self._started = started

    @property
    def url(self) -> str:
        """The serving process."""
        return f"http://{ports.HOST}:{self.options.http_port}"

    def begin(self) -> None:
        """Start the broker, and create the topics."""
        broker = KafkaBroker(self.home, self.options.kafka_port)
        self._started.callback(broker.stop)
        broker.start()
        broker.wait()
        wanted = topics.wanted(LANE)
        stamped = {name: Stamped(one.partitions, one.retention_ms, one.largest) for name, one in wanted.items()}
        # The events keep their sender's time, as everywhere: it is what rows show as received.
        topics.ensure(self.bootstrap, {**stamped, EVENTS: wanted[EVENTS]})

    def detect(self, resume: str | None = None, packs: tuple[Path, ...] = (PACK,), **settings: object) -> str:
        """Start Flink unless it runs, and the job, by default with the settings of `daymark up`; returns its id."""
        if not self.cluster.alive():
            self._started.callback(self.cluster.stop)
            self.cluster.start()
            self.cluster.wait()
        config = write_config(self.home, LANE, self.bootstrap, packs, **settings)
        job = self.cluster.submit(config, resume)
        self.cluster.wait_running(job)
        return job

    def serve(self, home: Path | None = None) -> Part:
        """Start the serving process, in a home of its own if wanted, and wait until it is ready."""
        options = self.options if home is None else Options(**{**vars(self.options), "home": home})
        return self._part(serving(options))

    def tick(self) -> Part:
        """Start the wall clock."""
        return self._part(ticker(self.options, [EVENTS]))

    def _part(self, part: Part) -> Part:
        self._started.callback(part.stop)
        part.start()
        wait_for(part.ready, 90)
        return part

    def rows(self, topic: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """All rows of a topic of results, each with the instant (epoch ms) at which the broker had it."""
        for record in self.records(f"daymark.{topic}"):
            if tick_of(record.headers) is not None:  # in the findings, where the alert job runs
                continue
            for line in record.value.split(b"\n"):
                yield record.timestamp, json.loads(line)

    def records(self, topic: str) -> Iterator[Any]:
        """All records of a topic, up to where it ends now."""
        with closing(KafkaConsumer(bootstrap_servers=self.bootstrap, check_crcs=False)) as consumer:
            places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
            ends = consumer.end_offsets(places)
            consumer.assign(places)
            consumer.seek_to_beginning(*places)
            while any(consumer.position(place) < ends[place] for place in places):
                for batch in consumer.poll(timeout_ms=500, max_records=10_000).values():
                    yield from batch

    def await_time(self, instant: int, seconds: float) -> None:
        """Wait until the job's time has passed the instant (epoch ms). Raises TimeoutError."""
        with closing(Clock(self)) as clock:
            wait_for(lambda: clock.now() >= instant, seconds)

    def ask(self, path: str, **parameters: Any) -> Any:
        """What the API answers."""
        return httpx.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=60).raise_for_status().json()

    def loaded(self) -> tuple[dict[str, float], float]:
        """What the loader has inserted, rows by table, and how many messages wait for it."""
        text = httpx.get(f"{self.url}/metrics", timeout=60).raise_for_status().text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        rows = {one.labels["table"]: one.value for one in samples if one.name == "daymark_loader_rows_total"}
        return rows, sum(one.value for one in samples if one.name == "daymark_loader_lag")


Findings = list[tuple[int, dict[str, Any]]]
"""Findings, each with the instant (epoch ms) at which the broker had it."""


def first_findings(live: Live) -> Findings:
    """All findings; of one that a restart wrote again, the first."""
    first: dict[str, tuple[int, dict[str, Any]]] = {}
    for at, row in live.rows("findings"):
        first.setdefault(row["id"], (at, row))
    return list(first.values())


class Clock:
    """Where the job's time stands: the least watermark of its tasks, as its progress rows tell."""

    def __init__(self, live: Live) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=live.bootstrap)
        place = TopicPartition("daymark.progress", 0)
        self._consumer.assign([place])
        self._consumer.seek_to_beginning(place)
        self._newest: dict[int, dict[str, Any]] = {}

    def now(self) -> int:
        """The watermark, epoch ms; 0 before the first one."""
        for batch in self._consumer.poll(timeout_ms=50).values():
            for record in batch:
                row = json.loads(record.value)
                self._newest[row["subtask"]] = row
        return min((row["watermark_ms"] for row in self._newest.values()), default=0)

    def close(self) -> None:
        self._consumer.close()


@contextmanager
def live(home: Path) -> Iterator[Live]:
    """A broker with its topics in a home of its own. All of it is stopped at the end, whatever happened."""
    with ExitStack() as started:
        one = Live(home, started)
        one.begin()
        yield one


def wait_for(holds: Callable[[], Any], seconds: float, pause: float = 0.1) -> Any:
    """Call `holds` until it gives something true, and return that. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (result := holds()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {holds}")
        time.sleep(pause)
    return result
