"""Bytewax. Its timers are those of the wall clock, and its event-time clock is one for each key; absence in event time
can't be said with its operators. So the key is the shard, whose logic keeps all trades and their deadlines itself. One
worker: more would share one GIL.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.connectors.files import FileSink, FileSource
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.run import cli_main
from rule import SLACK, Rule

Verdict = tuple[str, str, "str | None", int]
began = 0.0
events = 0


class Shard(StatefulBatchLogic):
    def __init__(self, state: tuple[Rule, int] | None = None) -> None:
        self.rule, self.newest = state or (Rule(), 0)

    def on_batch(self, values: list[dict[str, Any]]) -> tuple[list[Verdict], bool]:
        global events
        out: list[Verdict] = []
        rule, newest = self.rule, self.newest
        events += len(values)

        def emit(*verdict: Any) -> None:
            out.append(verdict)

        for e in values:
            ts = e["ts"]
            rule.event(e["trade_id"], e["event_type"], ts, emit)
            if ts > newest:
                newest = ts
                if rule.heap[0][0] <= ts - SLACK:
                    rule.advance(ts - SLACK, emit)
        self.newest = newest
        return out, False

    def on_eof(self) -> tuple[list[Verdict], bool]:
        out: list[Verdict] = []
        self.rule.advance(1 << 62, lambda *verdict: out.append(verdict))
        return out, True

    def snapshot(self) -> tuple[Rule, int]:
        return self.rule, self.newest


def parse(line: str) -> Any:
    global began
    if not began:
        began = time.perf_counter()
    return orjson.loads(line)


def text(keyed: tuple[str, Verdict]) -> tuple[str, str]:
    verdict, key, edge, at = keyed[1]
    shown = f'"{edge}"' if edge else "null"
    return keyed[0], f'{{"verdict":"{verdict}","trade_id":"{key}","edge":{shown},"at":{at}}}'


flow = Dataflow("peer")
stream = op.input("log", flow, FileSource(Path(sys.argv[1]), batch_size=1000))
parsed = op.map("parse", stream, parse)
sharded = op.key_on("shard", parsed, lambda _: "0")
found = op.stateful_batch("rule", sharded, Shard)
op.output("results", op.map("text", found, text), FileSink(Path(sys.argv[2])))
cli_main(flow, workers_per_process=1)
print(f"events={events} seconds={time.perf_counter() - began:.4f}")
