"""The job's operators and the channels between them, without Flink: what is in a channel comes in order, but which
channel is next is up to chance, as on a cluster."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from tests.udfs.operators.memory import State
from udfs.core.state import NEVER
from udfs.operators.batch import PULSE, Frame, decode, encode, split_element
from udfs.operators.bucket import Bucket
from udfs.operators.engine import Engine
from udfs.operators.linkbucket import LinkBucket
from udfs.operators.routed import ROUTED, unpack
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import SourceMapping

SOURCE = -1
Arrival = dict[str, Any] | int
"""A record, or the watermark."""


class Operator:
    """One bucket, and what comes to it: a channel for each operator that sends to it."""

    def __init__(self, key: int, sources: Iterable[int]) -> None:
        self.key = key
        self.state = State()
        self.bucket: Bucket | LinkBucket | None = None
        self.channels: dict[int, deque[bytes | int]] = {source: deque() for source in sources}
        self.times = dict.fromkeys(self.channels, -NEVER)
        self.watermark = -NEVER


class Job:
    """Detect is the operator 0, the others are the stages of the keys with their numbers."""

    def __init__(self, mapping: SourceMapping, workflows: Sequence[dict[str, Any]], luck: random.Random) -> None:
        self.mapping = mapping
        self.workflows = workflows
        self.luck = luck
        self.engine = self.built()
        self.outputs: list[tuple[str, bytes]] = []
        self.told = -NEVER
        last = max(len(one.keys) for one in self.engine.correlations().values()) - 1
        self.operators = [Operator(key, [SOURCE, *range(key + 1, last + 1)]) for key in range(last + 1)]
        for operator in self.operators:
            self.open(operator)

    def built(self) -> Engine:
        engine = Engine("main", [self.mapping], ["events"], compile_workflow, granularity=1)
        for one in self.workflows:
            document = {"workflow": one["workflow"], "version": 1, "effective_from": 0, "definition": one}
            engine.put_rule(orjson.dumps(document))
        engine.build_for()
        return engine

    def open(self, operator: Operator) -> None:
        """The operator, as after a restart."""
        state, engine = operator.state, self.engine
        if operator.key:
            operator.bucket = LinkBucket(engine, operator.key, state.items, state.index)
        else:
            operator.bucket = state.bucket(engine)

    def run(self, arrivals: Iterable[Arrival]) -> None:
        """All arrivals, then the end of time."""
        for number, arrival in enumerate([*arrivals, NEVER]):
            self.arrive(arrival, number)
            while self.luck.random() < 0.7 and self.step():
                pass
        while self.step():
            pass

    def arrive(self, arrival: Arrival, number: int) -> None:
        """What the batcher does."""
        if isinstance(arrival, int):
            self.told = arrival
            self.pulse()
            for operator in self.operators:
                operator.channels[SOURCE].append(arrival)
            return
        for key, name in enumerate(self.mapping.key_names):
            if name in arrival:
                frame = encode([Frame(0, key, 0, number, 0, orjson.dumps(arrival))])
                self.operators[0].channels[SOURCE].append(frame)
                lists = [one.keys for one in self.engine.correlations().values() if name in one.keys[1:]]
                for stage in {keys.index(name) for keys in lists}:
                    self.operators[stage].channels[SOURCE].append(frame)

    def pulse(self) -> None:
        said = {"readers": 1, "bucket": 0, "buckets": 1, "watermark": self.told, "topics": {}}
        self.operators[0].channels[SOURCE].append(encode([Frame(PULSE, 0, 0, 0, 0, orjson.dumps(said))]))

    def step(self) -> bool:
        """Takes one element from some channel. Returns whether there was one."""
        waiting = [(one, source) for one in self.operators for source, channel in one.channels.items() if channel]
        if not waiting:
            return False
        operator, source = self.luck.choice(waiting)
        self.take(operator, source, operator.channels[source].popleft())
        if self.luck.random() < 0.1 and operator.watermark > -NEVER:
            self.open(operator)
            if not operator.key:
                self.pulse()  # as a reader does that is opened
        return True

    def take(self, operator: Operator, source: int, element: bytes | int) -> None:
        bucket = operator.bucket
        assert bucket is not None
        if isinstance(element, bytes):
            self.send(operator, bucket.on_batch(element, operator.watermark))
            return
        operator.times[source] = element
        if (now := min(operator.times.values())) > operator.watermark:
            operator.watermark = now
            if (due := bucket.next_timer()) is not None and due <= now:
                self.send(operator, bucket.on_time(now))
            for target in self.operators[: operator.key]:
                target.channels[operator.key].append(now)

    def send(self, operator: Operator, outputs: list[bytes]) -> None:
        assert operator.bucket is not None
        operator.bucket.save()
        if operator.key == 0:
            for tag, _, value in map(split_element, outputs):
                self.outputs += [(tag, line) for line in value.split(b"\n")]
            return
        for frame in [frame for output in outputs for frame in decode(output)]:
            assert frame.key == ROUTED
            self.operators[unpack(frame).key].channels[operator.key].append(encode([frame]))

    def rows(self, tag: str) -> list[dict[str, Any]]:
        return [orjson.loads(line) for one, line in self.outputs if one == tag]
