"""The smoke test of speed: python -m tests.bench.smoke [--record]

The core alone, and the Flink function alone, beside plain Python on the same small log, in turns, the best of several
runs of each. A ratio that has fallen by more than a third from the one recorded in recorded.json fails. Ratios are
compared, not times, so that it says the same on another machine; on one that is busy it tries longer before it fails.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from api.stack.flink import REPOSITORY
from tests.bench import runs, truth
from tests.bench.generate import generate

RECORDED = Path(__file__).with_name("recorded.json")
ITEMS = 25_000
SEED = 11
LEAST = 2 / 3
ROUNDS, MOST_ROUNDS = 4, 10
LIMIT_SECONDS = 90
PLAIN = "plain Python"
PROGRAMS: dict[str, list[Any]] = {
    PLAIN: [sys.executable, Path(__file__).with_name("peers") / "plain_python.py"],
    "core alone": [sys.executable, "-m", "tests.bench.core_alone"],
    "Flink function alone": [sys.executable, "-m", "tests.bench.function"],
}


def measure(recorded: dict[str, float]) -> dict[str, float]:
    """The ratios, by program. More rounds are made as long as one of them seems to have fallen and time is left."""
    best = dict.fromkeys(PROGRAMS, float("inf"))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="daymark-bench-") as folder:
        log = Path(folder) / "log.ndjson"
        wanted = truth.expected(json.loads(generate(ITEMS, SEED, log).read_text()))
        for number in range(MOST_ROUNDS):
            for name, command in PROGRAMS.items():
                results = Path(folder) / "results.ndjson"
                one = runs.run([*command, log, results], Path(folder) / "program.log", cwd=REPOSITORY)
                truth.check(wanted, truth.read([results]), name)
                best[name] = min(best[name], one.seconds)
            late = time.monotonic() - began > LIMIT_SECONDS
            if late or (number + 1 >= ROUNDS and not fallen(ratios(best), recorded)):
                break
    return ratios(best)


def ratios(best: dict[str, float]) -> dict[str, float]:
    """How fast each program is beside plain Python."""
    return {name: round(best[PLAIN] / seconds, 3) for name, seconds in best.items() if name != PLAIN}


def fallen(measured: dict[str, float], recorded: dict[str, float]) -> list[str]:
    """A sentence for each ratio that is less than two thirds of the recorded one."""
    return [
        f"{name} runs at {measured[name]:.2f} of the speed of {PLAIN}; {was:.2f} is recorded, "
        f"and less than {was * LEAST:.2f} is a fall by more than a third"
        for name, was in recorded.items()
        if measured[name] < was * LEAST
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.smoke", description="Has Daymark become slow?")
    parser.add_argument("--record", action="store_true", help=f"write what is measured into {RECORDED.name}")
    record = parser.parse_args().record
    recorded = {} if record else json.loads(RECORDED.read_text())
    measured = measure(recorded)
    for name, ratio in measured.items():
        print(f"bench-smoke: {name}: {ratio:.2f} of {PLAIN}, recorded {recorded.get(name, ratio):.2f}")
    if record:
        RECORDED.write_text(json.dumps(measured, indent=1) + "\n")
    faults = fallen(measured, recorded)
    for fault in faults:
        print(f"bench-smoke: {fault}. Profile it (py-spy), or record anew with `python -m tests.bench.smoke --record`")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
