"""A lane for a while: its topic, Flink workers of its own, a detect job; all of it gone at the end.

The workers are this process's children, so that they are gone even if it is killed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from api.stack import claims, ports, process
from api.stack.ask import ask
from api.stack.detection import write_config
from api.stack.errors import Exit, StackError
from api.stack.flink import FlinkCluster
from api.stack.home import State
from api.stack.parts import Options, create_topics

END_MS = 2**63 - 2
RESULTS = ("findings", "transitions", "items", "eventlog", "deadletters")
LOADER_GROUP = "daymark-loader"
PAUSE = 0.2


class Lane:
    """A replay's lane on a running stack, as a context. `settings` are further fields of jobs/config.py."""

    def __init__(
        self, home: Path, state: State, name: str, packs: Sequence[Path], parallelism: int, **settings: object
    ) -> None:
        self.home = home
        self.name = name
        self.bootstrap = state.bootstrap
        self.topic = f"daymark.events.{name}"
        self.parallelism = parallelism
        self.cluster = FlinkCluster(home, state.ports["flink"], taskmanagers=0, worker=f"taskmanager-{name}")
        self.job_id = ""
        self._options = Options(home=home, lane=name, kafka_port=state.ports["kafka"])
        self._rest = f"http://{ports.HOST}:{state.ports['flink']}"
        self._state = state
        self._undo = ExitStack()  # what this lane has made, and nothing else, goes at its end
        self._packs = packs
        self._settings = settings

    def __enter__(self) -> Self:
        """Create the topic, add the workers, submit the job and wait until it runs.

        Raises StackError, for a lane that has been used before anything is made.
        """
        self._require_unused()
        self._claim = claims.claim(self.home, self.name)
        try:
            self._undo.callback(self._delete_topic)
            create_topics(self._options, self.name)
            self._undo.callback(self._delete_files)
            self._undo.callback(self._stop_workers)
            for _ in range(self.parallelism):
                self.cluster.add_taskmanager()
            self._wait(self._has_slots, 60, "Flink has no free slot for the replay")
            settings = {"topics": [self.topic], "rules_topic": None, "parallelism": self.parallelism, **self._settings}
            config = write_config(self.home, self.name, self.bootstrap, self._packs, **settings)
            self._undo.callback(self._cancel)
            self.job_id = self.cluster.submit(config)
            self.cluster.wait_running(self.job_id)
        except BaseException:
            self._leave(in_order=False)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        self._leave(in_order=kind is None)

    def _leave(self, *, in_order: bool) -> None:
        """Remove what was made, a second Ctrl-C or not; after a failure the supervisor looks whether all of it went."""
        with process.undisturbed():
            self._undo.close()
            if in_order:
                claims.release(self.home, self.name, self._claim)
            else:
                self._claim.close()

    def finish(self, seconds: float = 3600) -> None:
        """Wait until the job has reached the log's end, stop it, and wait until its results can be queried.

        Raises StackError when the job or the loader does not get there in `seconds`.
        """
        self._wait(self._at_the_end(), seconds, f"The job of lane {self.name} has not reached the end of the log")
        # Stopping with a savepoint flushes the sinks; the savepoint itself is of no use to anybody.
        self.cluster.stop_with_savepoint(self.job_id, self.name)
        self.job_id = ""
        with closing(_consumer(self.bootstrap)) as consumer:
            ends = consumer.end_offsets(_places(consumer, RESULTS))
        self._wait(lambda: self._loaded(ends), seconds, "The loader has not taken in all results")

    def _has_slots(self) -> bool:
        try:
            return bool(httpx.get(f"{self._rest}/overview", timeout=5).json()["slots-available"] >= self.parallelism)
        except (httpx.HTTPError, ValueError, KeyError):
            return False

    def _at_the_end(self) -> Callable[[], bool]:
        """A question to be asked again and again: has every task of the lane's job said that time is at its end?"""
        consumer = _consumer(self.bootstrap)
        places = _places(consumer, ["progress"])
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ended: set[int] = set()

        def asked() -> bool:
            self._require_job()
            for records in consumer.poll(timeout_ms=500).values():
                for row in (row for record in records for row in _rows(record.value)):
                    if row.get("lane") == self.name and row["watermark_ms"] >= END_MS:
                        ended.add(row["subtask"])
            if len(ended) < self.parallelism:
                return False
            consumer.close()
            return True

        return asked

    def _require_job(self) -> None:
        if not self.cluster.job_is_alive(self.job_id):
            raise StackError(f"The job of lane {self.name} has ended: {self.cluster.why(self.job_id)}")

    def _loaded(self, ends: dict[TopicPartition, int]) -> bool:
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            committed = admin.list_group_offsets([LOADER_GROUP])[LOADER_GROUP]
        return all(place in committed and committed[place].offset >= end for place, end in ends.items() if end)

    def _wait(self, holds: Callable[[], bool], seconds: float, otherwise: str) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise StackError(f"{otherwise} after {seconds:.0f} s; see {self.home / 'logs'}.")
            time.sleep(PAUSE)

    def _require_unused(self) -> None:
        """Raise StackError (wrong usage) if the lane is somebody's already: this one's end would take theirs away."""
        if self.name == self._state.lane:
            raise StackError(f"Lane {self.name} is the live one; give the replay another --lane, or none.", Exit.USAGE)
        with closing(KafkaAdminClient(bootstrap_servers=self.bootstrap)) as admin:
            used = self.topic in admin.list_topics()
        try:
            used = used or any(one["lane"] == self.name for one in ask(self._state, "lanes"))
        except httpx.HTTPError as error:
            raise StackError(f"The API does not say which lanes there are: {error}") from error
        if used or self._checkpoints.exists():
            raise StackError(
                f"Lane {self.name} has been used; its results and new ones would mix. Give another --lane, or none.",
                Exit.USAGE,
            )

    @property
    def _checkpoints(self) -> Path:
        return self.home / "flink" / "checkpoints" / self.name

    def _cancel(self) -> None:
        with suppress(StackError, httpx.HTTPError):
            claims.cancel(self.cluster, self.name)

    def _stop_workers(self) -> None:
        self.cluster.stop()

    def _delete_files(self) -> None:
        claims.delete_files(self.home, self.name)

    def _delete_topic(self) -> None:
        with suppress(KafkaError):
            claims.delete_topic(self.bootstrap, self.topic)


def _consumer(bootstrap: str) -> KafkaConsumer:
    return KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)


def _places(consumer: KafkaConsumer, names: Sequence[str]) -> list[TopicPartition]:
    topics = [f"daymark.{name}" for name in names]
    return [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic) or ()]


def _rows(value: bytes | None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (value or b"").splitlines() if line]
