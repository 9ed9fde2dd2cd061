"""Daymark's Flink function without Flink: python -m tests.bench.function LOG RESULTS

Frames in, rows out, with its state in dicts: what Python does for a record in a job, and nothing of what Java does. The
frames are made before the clock starts and the results looked at after it has stopped.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from pathlib import Path
from typing import Any
from zlib import crc32

import orjson

from jobs import rules
from tests.bench.generate import SLACK_MS, with_ticks
from tests.bench.kafkaruns import key_of
from tests.bench.truth import COMPLETED
from tests.bench.verdicts import verdict
from udfs.operators.batch import Frame, encode, split_element
from udfs.operators.bucket import Engine
from udfs.operators.detect import Detect
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack

PACK = Path(__file__).with_name("pack")
BUCKETS = 64
RECORDS = 10_000
"""Records that the batcher collects before it hands them over, as in jobs/config.py."""
END_OF_TIME = 2**63 - 2

Step = tuple[list[tuple[int, bytes]], int]
"""Batches, each with its bucket, and the watermark that comes behind them."""


class KeyedState:
    """A MapState: of each key its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.by_key: dict[int, dict[Any, Any]] = {}

    def _mine(self) -> dict[Any, Any]:
        return self.by_key.setdefault(self._host.key, {})

    def get(self, key: Any) -> Any:
        return self._mine().get(key)

    def put(self, key: Any, value: Any) -> None:
        self._mine()[key] = value

    def put_all(self, entries: dict[Any, Any]) -> None:
        self._mine().update(entries)

    def remove(self, key: Any) -> None:
        self._mine().pop(key, None)

    def contains(self, key: Any) -> bool:
        return key in self._mine()

    def items(self) -> Iterable[tuple[Any, Any]]:
        return list(self._mine().items())

    def keys(self) -> Iterable[Any]:
        return list(self._mine())

    def values(self) -> Iterable[Any]:
        return list(self._mine().values())

    def is_empty(self) -> bool:
        return not self._mine()

    def clear(self) -> None:
        self._mine().clear()

    def size(self) -> int:
        """Bytes that it holds, of all keys."""
        return sum(len(k) + len(v) for entries in self.by_key.values() for k, v in entries.items())


class Host:
    """Plays Flink for one function: its runtime context, the context of its calls, its timers and its metrics."""

    def __init__(self, pack: Path = PACK, cached_items: int = 10_000_000) -> None:
        loaded = load_pack(pack)
        engine = Engine("bench", [loaded.mapping], ["log"], compile_workflow)  # type: ignore[list-item]
        for document in rules.documents([loaded]):
            engine.put_rule(document)
        self.key = 0
        self.watermark = -(2**63)
        self.states: dict[str, KeyedState] = {}
        self._due: list[tuple[int, int]] = []
        self._detect = Detect(engine, cached_items)
        self._detect.open(self)  # type: ignore[arg-type]

    def run(self, steps: Iterable[Step]) -> list[bytes]:
        """Give the function all batches, and its timers as their time comes; returns what it puts out."""
        outputs: list[bytes] = []
        detect = self._detect
        for batches, watermark in steps:
            for self.key, batch in batches:
                outputs += detect.process_element(batch, self)  # type: ignore[arg-type]
            self.watermark = watermark
            while self._due and self._due[0][0] <= watermark:
                instant, self.key = heappop(self._due)
                outputs += detect.on_timer(instant, self)  # type: ignore[arg-type]
        return outputs

    # --- what the function asks of Flink

    def get_map_state(self, descriptor: Any) -> KeyedState:
        return self.states.setdefault(descriptor.name, KeyedState(self))

    def get_broadcast_state(self, descriptor: Any) -> dict[Any, Any]:
        return {}

    def get_current_key(self) -> int:
        return self.key

    def timer_service(self) -> Host:
        return self

    def current_watermark(self) -> int:
        return self.watermark

    def register_event_time_timer(self, instant: int) -> None:
        heappush(self._due, (instant, self.key))

    def get_metrics_group(self) -> Host:
        return self

    def add_group(self, *names: str) -> Host:
        return self

    def counter(self, name: str) -> Host:
        return self

    def inc(self, count: int = 1) -> None:
        pass


def steps(lines: Iterable[bytes], records: int = RECORDS) -> Iterator[Step]:
    """The batches that the batcher would make of a log, and the watermarks between them; at the end, that of time."""
    frames: dict[int, list[Frame]] = {}
    count = watermark = 0
    for offset, line in enumerate(with_ticks(lines)):
        if line.startswith(b'{"tick"'):
            watermark = json.loads(line)["tick"] - SLACK_MS - 1
        else:
            payload = line.rstrip()
            frames.setdefault(crc32(key_of(line)) % BUCKETS, []).append(Frame(0, 0, 0, offset, 0, payload))
            count += 1
        if count == records:
            yield [(bucket, encode(some)) for bucket, some in frames.items()], watermark
            frames, count = {}, 0
    yield [(bucket, encode(some)) for bucket, some in frames.items()], END_OF_TIME


def records(outputs: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The outputs as the peers write theirs: each finding and each completed item once, though both may be told again,
    as a later event changes what is known of them."""
    told: set[str] = set()
    for output in outputs:
        tag, _, value = split_element(output)
        for line in value.split(b"\n") if tag in "FI" else ():
            row = orjson.loads(line)
            identity = row["id"] if tag == "F" else row["key"]
            if identity in told or (tag == "I" and row["status"] != "completed"):
                continue
            told.add(identity)
            if tag == "F":
                name, edge = verdict(row["kind"], row["rule"], row["step"], row["because"])
                yield {"verdict": name, "trade_id": row["key"], "edge": edge, "at": row["deadline_ms"]}
            else:
                yield {"verdict": COMPLETED, "trade_id": row["key"], "edge": None, "at": row["ended_ms"]}


def main() -> None:
    with Path(sys.argv[1]).open("rb") as log:
        whole = list(steps(log))
        events = log.seek(0) or sum(1 for _ in log)
    host = Host()
    began = time.perf_counter()
    outputs = host.run(whole)
    seconds = time.perf_counter() - began
    with Path(sys.argv[2]).open("wb") as out:
        out.writelines(orjson.dumps(row) + b"\n" for row in records(outputs))
    print(f"events={events} seconds={seconds:.4f}")


if __name__ == "__main__":
    main()
