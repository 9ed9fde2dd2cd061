"""The core alone: python -m tests.bench.core_alone LOG RESULTS

What `daymark simulate` does with a log, in one process without Kafka or Flink: reads it, maps each record to an event,
gives it to the real pack's state machine. Findings and transitions are emitted as they come, and written as the peers
write theirs; time follows the log as it does there, so that nothing has to be sorted first.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TextIO

from tests.bench.generate import SLACK_MS
from tests.bench.verdicts import verdict
from udfs import memory
from udfs.core.effects import Effect, Finding
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import NEVER, Simulation
from udfs.simulation.events import read_events

PACK = Path(__file__).with_name("pack")
ALL = 0b1111
STRIDE_MS = 1000
"""Time moves on once a second of the log, as it does by ticks."""


def follow(log: Path, out: TextIO, pack: Path = PACK) -> int:
    """Follows the log to the end of time; returns how many events it holds."""
    loaded = load_pack(pack)
    assert loaded.mapping is not None
    specs = [compile_workflow(one.data, version=one.version, lane="bench") for one in loaded.workflows]
    bits = {step.name: 1 << step.index for step in specs[0].steps}
    seen: dict[str, int] = {}
    write = out.write

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            name, edge = verdict(effect.kind, effect.rule, effect.step, effect.because)
            write(f'{{"verdict":"{name}","trade_id":"{key}","edge":"{edge}","at":{effect.deadline}}}\n')
            return
        steps = seen.get(key, 0) | bits[effect.step]
        if steps == ALL:
            seen.pop(key, None)
            write(f'{{"verdict":"COMPLETED","trade_id":"{key}","edge":null,"at":{effect.at}}}\n')
        else:
            seen[key] = steps

    simulation = Simulation(specs, emit)
    events = due = 0
    for key_name, event in read_events(log, loaded.mapping, Counter()):
        if event.time >= due:
            simulation.advance(event.time - SLACK_MS - 1)
            due = event.time + STRIDE_MS
        simulation.event(event, key_name)
        events += 1
    simulation.advance(NEVER)
    return events


def main() -> None:
    with Path(sys.argv[2]).open("w", buffering=1 << 20) as out:
        memory.collect_young_only()
        began = time.perf_counter()
        events = follow(Path(sys.argv[1]), out)
        out.flush()
        print(f"events={events} seconds={time.perf_counter() - began:.4f}")


if __name__ == "__main__":
    main()
