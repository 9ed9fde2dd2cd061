"""What an open item weighs in Python's memory: python -m tests.bench.memory ITEMS

In a process of its own, since memory that was once taken says nothing about the next measurement: the growth of the
resident memory when ITEMS items are open in a Simulation, decoded, with their deadlines.
"""

from __future__ import annotations

import gc
import sys

import psutil

from tests.bench.openitems import PACK, Plan, line
from udfs.core.effects import Effect
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.simulation.drive import Simulation


def emit(spec: Spec, key: str, effect: Effect) -> None:
    """What is found does not matter here."""


def main() -> None:
    pack = load_pack(PACK)
    assert pack.mapping is not None
    simulation = Simulation([compile_workflow(one.data, version=1, lane="bench") for one in pack.workflows], emit)
    plan = Plan(items=int(sys.argv[1]), warm=0, traffic=0)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for number, (at, kind, key) in enumerate(plan.log()):
        simulation.event(pack.mapping.event(pack.mapping.parse(line(number, at, kind, key)), "trade", "", 0), "trade")
        if number % 1000 == 0:
            simulation.advance(at - 1)
    simulation.advance(plan.end)
    gc.collect()
    print((psutil.Process().memory_info().rss - before) / plan.items)


if __name__ == "__main__":
    main()
