"""Throughput: one job, "expect the next step within 300 s", on one log, by Daymark and by its peers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from api.stack.flink import REPOSITORY
from tests.bench import flinkruns, jvmpeers, kafkaruns, runs, truth
from tests.bench.generate import generate, ticked
from tests.bench.machine import together
from tests.bench.section import Options, Result, Target

SEED = 7
PEERS = Path(__file__).with_name("peers")
BENCH_PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"

PLAIN, CORE, BYTEWAX = "plain Python, a dict and a heap", "Daymark, core alone", "Bytewax"
ESPER, JAVA = jvmpeers.PEERS
FILE = {n: f"Daymark, file, {n} TaskManager{'s' * (n > 1)}" for n in (1, 2)}
KAFKA = {n: f"Daymark, Kafka to Kafka, {n} TaskManager{'s' * (n > 1)}" for n in (1, 2)}
ORDER = (PLAIN, CORE, BYTEWAX, FILE[1], KAFKA[1], ESPER, FILE[2], KAFKA[2], JAVA)

TARGETS = (
    (FILE[1], ESPER, 1.0),
    (FILE[1], BYTEWAX, 0.9),
    (FILE[2], BYTEWAX, 1.2),
    (FILE[2], JAVA, 0.5),
    (KAFKA[1], FILE[1], 0.8),
    (KAFKA[2], FILE[2], 0.8),
    (CORE, PLAIN, 0.6),
)

NOTES = (
    "The log holds trades that go A → B → C → D, each hop due within 300 s of event time, with known anomalies "
    "(`tests/bench/generate.py`). Every program finds the same missing, late, repeated and swapped events and "
    "completed trades; Daymark does so with a pack and its real rule engine, and writes its event log, a transition "
    "for each event, and how each item stands besides. Verdicts are compared with the truth record by record.",
    "Timed is from the first byte read to the last result written, parsing included, start-up not; of a job in Flink "
    "from the instant at which all its tasks run. What runs in a JVM makes two passes in one process, of which the "
    "second counts; the first has a column. Daymark in Flink takes a checkpoint every 5 s, the peers take none. CPU "
    "and memory are those of the whole process; for Daymark in Flink, of JobManager and TaskManagers, the CPU in the "
    "counted pass only. State is on the heap here; in RocksDB, which is the default, the same job took a tenth longer "
    "(Growth compares the two at 10,000 items and more). A round runs each program once, in the table's order; ratios "
    "are made in each round, and the median of the rounds is shown.",
)


@dataclass(frozen=True)
class Measured:
    """One run of one program."""

    rate: float
    cold: float | None
    cpu: float
    rss_mib: float
    taken: float


@dataclass(frozen=True)
class Log:
    """The log in its forms, and what is true of it."""

    plain: Path
    ticking: Path
    topic: str
    events: int
    wanted: Any


def run(options: Options) -> Result:
    items, rounds = (5_000, 1) if options.smoke else (options.items, options.rounds)
    jvm = jvmpeers.commands()
    cores, share = os.cpu_count(), together()
    with kafkaruns.broker(options.work) as bootstrap:
        log = _log(options.work, bootstrap, items)
        measured = [_round(number, options.work, log, bootstrap, jvm) for number in range(rounds)]
    return {
        "title": "Throughput",
        "notes": [
            f"{log.events:,} events, {log.plain.stat().st_size / log.events:.0f} bytes each. {NOTES[0]}",
            NOTES[1],
            f"The {cores} cores of this machine, all of them busy, did {share:.1f} times the work of one. So a job in "
            "several threads or processes is slowed down by itself, a program in one thread is not.",
        ],
        "targets": [_target(measured, *target) for target in TARGETS],
        "tables": [{"title": "Events a second", "rows": [_row(measured, name) for name in ORDER]}],
    }


def _log(work: Path, bootstrap: str, items: int) -> Log:
    print(f"throughput: a log of {items:,} items", flush=True)
    plain = work / "log.ndjson"
    known = json.loads(generate(items, SEED, plain).read_text())
    topic = kafkaruns.produce(bootstrap, plain, "source")
    return Log(plain, ticked(plain, work / "ticking.ndjson"), topic, known["events"], truth.expected(known))


def _round(number: int, work: Path, log: Log, bootstrap: str, jvm: dict[str, list[str]]) -> dict[str, Measured]:
    programs: dict[str, Callable[[], Measured]] = {
        PLAIN: lambda: _program(PLAIN, [BENCH_PYTHON, PEERS / "plain_python.py"], work, log),
        CORE: lambda: _program(CORE, [sys.executable, "-m", "tests.bench.core_alone"], work, log),
        BYTEWAX: lambda: _program(BYTEWAX, [BENCH_PYTHON, PEERS / "bytewax_flow.py"], work, log),
        **{name: lambda name=name: _program(name, jvm[name], work, log) for name in jvm},  # type: ignore[misc]
    }
    done: dict[str, Measured] = {}
    for name in ORDER:
        if name in programs:
            done[name] = programs[name]()
        elif name in FILE.values():
            taskmanagers = next(n for n in FILE if FILE[n] == name)
            done |= _flink(work / f"flink-{number}-{taskmanagers}", taskmanagers, log, bootstrap)
        if name in done:
            print(f"throughput: round {number + 1}: {name}: {done[name].rate:,.0f} events/s", flush=True)
    return done


def _program(name: str, command: list[Any], work: Path, log: Log) -> Measured:
    results = work / "results" / "rows"
    results.parent.mkdir(exist_ok=True)
    for old in jvmpeers.outputs(results):
        old.unlink()
    one = runs.run([*command, log.plain, results], work / "program.log", {"PASSES": "2"}, cwd=REPOSITORY)
    truth.check(log.wanted, truth.read(jvmpeers.outputs(results)), name)
    return Measured(one.rate, one.events / one.cold if one.cold else None, one.cpu, one.rss_mib, one.taken)


def _flink(home: Path, taskmanagers: int, log: Log, bootstrap: str) -> dict[str, Measured]:
    """Two passes from the file, then two from Kafka, on one cluster; of each the first warms up."""
    home.mkdir()
    with flinkruns.cluster(home, taskmanagers) as running:
        passes = []
        for name in ("cold", "warm"):
            passes.append(flinkruns.from_file(running, log.ticking, home / name))
            flinkruns.found_in(home / name).check(log.wanted, log.events, FILE[taskmanagers])
        for name in ("cold", "warm"):
            one, found = kafkaruns.from_kafka(running, bootstrap, log.topic, f"{home.name}-{name}")
            found.check(log.wanted, log.events, KAFKA[taskmanagers])
            passes.append(one)
    cold, warm, kafka_cold, kafka_warm = passes
    return {
        FILE[taskmanagers]: _of_pass(warm, log, log.events / cold.seconds),
        KAFKA[taskmanagers]: _of_pass(kafka_warm, log, log.events / kafka_cold.seconds),
    }


def _of_pass(one: flinkruns.Pass, log: Log, cold: float) -> Measured:
    return Measured(log.events / one.seconds, cold, one.cpu, one.rss_mib, one.taken)


def _target(measured: list[dict[str, Measured]], ours: str, peer: str, least: float) -> Target:
    ratios = [one[ours].rate / one[peer].rate for one in measured if peer in one]
    ratio = median(ratios) if ratios else None
    return {
        "name": f"{ours} / {peer}",
        "target": f"≥ {least}",
        "measured": None if ratio is None else round(ratio, 2),
        "met": None if ratio is None else ratio >= least,
    }


def _row(measured: list[dict[str, Measured]], name: str) -> dict[str, Any]:
    of = [one[name] for one in measured if name in one]
    if not of:
        return {column: "absent" if column == "events/s" else "" for column in COLUMNS} | {"": name}
    rates = [one.rate for one in of]
    ratios = [one[name].rate / one[PLAIN].rate for one in measured]
    colds = [one.cold for one in of if one.cold is not None]
    values = (
        name,
        round(median(rates)),
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        round(median(ratios), 2),
        round(median(colds)) if colds else "",
        round(median(one.cpu for one in of), 1),
        round(median(one.rss_mib for one in of)),
        ", ".join(f"{one.taken:.0%}" for one in of),
    )
    return dict(zip(COLUMNS, values, strict=True))


COLUMNS = ("", "events/s", "range", "of plain Python", "first pass", "CPU s", "most memory, MiB", "taken by others")
