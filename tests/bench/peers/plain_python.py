"""One process, a dict and a heap: no recovery, no partitions, no rules but this one. An upper bound for Python."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import orjson
from rule import SLACK, Rule

rule = Rule()
with Path(sys.argv[1]).open("rb", buffering=1 << 20) as log, Path(sys.argv[2]).open("w", buffering=1 << 20) as out:
    write = out.write

    def emit(verdict: str, key: str, edge: str | None, at: int) -> None:
        shown = f'"{edge}"' if edge else "null"
        write(f'{{"verdict":"{verdict}","trade_id":"{key}","edge":{shown},"at":{at}}}\n')

    began = time.perf_counter()
    events = newest = 0
    loads, event, heap = orjson.loads, rule.event, rule.heap
    for line in log:
        e = loads(line)
        ts = e["ts"]
        events += 1
        event(e["trade_id"], e["event_type"], ts, emit)
        if ts > newest:
            newest = ts
            if heap[0][0] <= ts - SLACK:
                rule.advance(ts - SLACK, emit)
    rule.advance(1 << 62, emit)
    out.flush()
    seconds = time.perf_counter() - began
print(f"events={events} seconds={seconds:.4f}")
