"""The rules that the live lane's job runs, as the serving process knows them: its packs, and the rules topic."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from api.settings import Settings
from udfs.core.spec import Spec
from udfs.operators.batch import RuleRecord
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.load import Definition, load_pack
from udfs.packs.rulefile import text_of

log = logging.getLogger(__name__)
PATIENCE_S = 10.0
EVERY_S = 1.0


class RulesUnknown(Exception):
    """The rules topic can't be read now."""


class Rulebook:
    """The job's own engine, without events. Any thread may ask, and refresh it."""

    def __init__(self, settings: Settings) -> None:
        """Raises PackError for a pack that can't be used."""
        self.engine = Engine(settings.lane, (), (), compile_workflow)
        self.given: dict[str, Definition] = {}  # by the packs
        self._texts: dict[str, str] = {}
        for path in settings.packs:
            for one in load_pack(path).workflows:
                self.engine.put_rule(one.document)
                self.given[one.name] = one
        self._place = TopicPartition(f"{settings.topic_prefix}rules", 0)
        self._kafka = settings.kafka.split(",")
        self._consumer: KafkaConsumer | None = None
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def in_force(self, time: int) -> list[Spec]:
        """Of each enabled workflow the version in force at an event time (epoch ms), with the statistics of now."""
        with self._lock:
            return [spec for _, spec in self.engine.in_force(time)]

    def definition(self, spec: Spec) -> dict[str, Any]:
        """A version of a workflow as it was written: its YAML as JSON."""
        with self._lock:
            document = orjson.loads(self.engine.documents[spec.hash])
        return dict(document["definition"])

    def document(self, workflow: str, version: int) -> bytes:
        """The rule document of a version, as it came; b"" for one that isn't known."""
        with self._lock:
            hashes = [s.hash for s in self.engine.specs.values() if (s.workflow, s.version) == (workflow, version)]
            return self.engine.documents[hashes[-1]] if hashes else b""

    def text(self, workflow: str) -> str:
        """A pack's workflow as it is written there. Raises KeyError for one that no pack has given."""
        if workflow not in self._texts:
            one = self.given[workflow]
            self._texts[workflow] = text_of(Path(one.file), one)
        return self._texts[workflow]

    def run(self, stop: threading.Event, reachable: Callable[[], bool]) -> None:
        """Refresh every second until `stop` is set: pages quote a rule as soon as it has found something. A broker that
        can't be reached is not asked, and that the topic can't be read is told once."""
        told = False
        while not stop.wait(EVERY_S):
            if not reachable():
                continue
            try:
                self.refresh()
                told = False
            except RulesUnknown as fault:
                if not told:
                    log.warning("rules that change now are not known here: %s", fault)
                told = True
        self.close()

    def refresh(self) -> None:
        """Takes what has come into the rules topic since the last time. Raises RulesUnknown."""
        with self._reading:
            try:
                self._read()
            except KafkaError as error:
                self._let_go()
                raise RulesUnknown(f"{self._place.topic}: {error}") from error

    def close(self) -> None:
        """Let go of the broker. The next `refresh` reads all anew: what comes twice counts once."""
        with self._reading:
            self._let_go()

    def _read(self) -> None:
        consumer = self._consumer = self._consumer or self._opened()
        end = consumer.end_offsets([self._place])[self._place]
        until = time.monotonic() + PATIENCE_S
        while consumer.position(self._place) < end:
            if time.monotonic() > until:
                raise KafkaTimeoutError(f"not read to its end within {PATIENCE_S:g} s")
            for records in consumer.poll(timeout_ms=500).values():
                for r in records:
                    self._take(RuleRecord(r.partition, r.offset, r.timestamp, r.key or b"", r.value or b""))

    def _let_go(self) -> None:
        if self._consumer is not None:
            self._consumer.close(autocommit=False, timeout_ms=1_000)
            self._consumer = None

    def _opened(self) -> KafkaConsumer:
        consumer = KafkaConsumer(
            bootstrap_servers=self._kafka,
            client_id="daymark-rulebook",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            bootstrap_timeout_ms=2_000,
        )
        consumer.assign([self._place])
        consumer.seek_to_beginning(self._place)
        return consumer

    def _take(self, record: RuleRecord) -> None:
        try:
            with self._lock:
                self.engine.take(record)
        except ValueError as fault:  # the job has made a dead letter of it
            log.debug("a record of the rules topic was left out: %s", fault)
