"""Growth: what an event costs among more open items, workflows, deadlines; what an open item weighs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from api.stack.flink import REPOSITORY
from tests.bench import flinkruns, openitems, rulesizes, truth
from tests.bench.flinkruns import cluster
from tests.bench.generate import ticked
from tests.bench.kafkaruns import broker
from tests.bench.openitems import Plan
from tests.bench.section import Chart, Options, Result, Table, Target

BACKENDS = ("hashmap", "rocksdb")
SHOWN = {"hashmap": "heap", "rocksdb": "RocksDB"}
ITEMS = (10_000, 100_000, 1_000_000, 3_000_000)
RESTART_ITEMS = 1_000_000
HEAP_MIB, ITEMS_A_MIB = 640, 500
WORKFLOWS = (1, 10, 100)
DEADLINES = (1, 5, 20)
FLAT = 1.5
"""A cost that is no more than this times that at the smallest size counts as flat: caches do tell."""

OPEN_NOTE = (
    "One TaskManager, from Kafka to Kafka, with a checkpoint every 5 s. So many items are opened first, then comes the "
    "traffic that is timed: in turns a new item begins, and one of the open ones, drawn at random, ends; "
    "so that as many stay open, and half of the events are about items that nobody has asked for since they began."
)
RULES_NOTE = (
    "Trades that go through four steps in time. *Core*: events in, effects out. *Function*: the Flink function "
    "without Flink, frames in, rows out, its state in dicts."
)


def run(options: Options) -> Result:
    plans = [_plan(options, items) for items in ((2_000, 20_000) if options.smoke else ITEMS)]
    opened = _opened(options.work, plans, RESTART_ITEMS if not options.smoke else plans[-1].items)
    workflows, deadlines = _rules(options)
    inside = _rules_in_flink(options)
    memory = _python_memory(min(plans[-1].items, 1_000_000))
    return {
        "title": "Growth",
        "notes": [OPEN_NOTE, RULES_NOTE],
        "targets": _targets(opened, workflows),
        "tables": [
            {"title": "An event among open items", "rows": [_open_row(one) for one in opened]},
            {"title": "An open item", "rows": _weights(opened, memory)},
            {"title": "Restart", "rows": _restarts(opened), "notes": ["Seconds since the job was submitted again."]},
            _rules_table("Workflows loaded, one of them concerned", "workflows", workflows),
            _rules_table("Deadlines of the workflow", "deadlines", deadlines),
            {"title": "The same in Flink, from a file", "rows": inside},
        ],
        "charts": [*_open_charts(opened), *_rule_charts(workflows, deadlines)],
    }


def _plan(options: Options, items: int) -> Plan:
    return Plan(items, *((20_000, 100_000) if options.smoke else (200_000, 600_000)))


# --- open items


def _opened(work: Path, plans: Sequence[Plan], restart_items: int) -> list[dict[str, Any]]:
    """A measurement for each size and state backend, each on a cluster of its own; the backends in turns."""
    found = []
    with broker(work) as bootstrap:
        for plan in plans:
            print(f"growth: writing {plan.events:,} events for {plan.items:,} open items", flush=True)
            topic = openitems.produce(bootstrap, plan, f"open-{plan.items}")
            for backend in BACKENDS:
                one = _open(work, bootstrap, topic, plan, backend, plan.items == restart_items)
                print(f"growth: {plan.items:,} open items, {backend}: {one['rate']:,.0f} events/s", flush=True)
                found.append(one)
    return found


def _open(work: Path, bootstrap: str, topic: str, plan: Plan, backend: str, restart: bool) -> dict[str, Any]:
    name = f"{backend}-{plan.items}"
    home = work / name
    home.mkdir()
    heap = HEAP_MIB + plan.items // ITEMS_A_MIB if backend == "hashmap" else None
    with cluster(home, 1, backend, heap) as running:
        job = openitems.Job(running, bootstrap, plan, topic, name)
        rate = job.traffic_rate()
        checkpoint = job.checkpoint()
        return {
            "items": plan.items,
            "backend": backend,
            "rate": rate,
            "bytes": checkpoint["state_size"],
            "checkpoint_ms": checkpoint["end_to_end_duration"],
            "rss_mib": flinkruns.most_memory(running),
            "restart": job.restart(plan.end + 60_000 * (BACKENDS.index(backend) + 1)) if restart else None,
        }


def _open_row(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "open items": one["items"],
        "state": SHOWN[one["backend"]],
        "events/s": round(one["rate"]),
        "µs an event": round(1e6 / one["rate"], 2),
        "checkpoint, MB": round(one["bytes"] / 1e6, 1),
        "checkpoint, ms": one["checkpoint_ms"],
        "most memory of Flink, MiB": round(one["rss_mib"]),
    }


def _weights(opened: Sequence[dict[str, Any]], memory: float) -> list[dict[str, Any]]:
    """Bytes an item: of the largest size, where what is not about items counts for least."""
    most = max(one["items"] for one in opened)
    rows = [
        {"where": f"in a checkpoint, {SHOWN[one['backend']]}", "bytes": round(one["bytes"] / one["items"])}
        for one in opened
        if one["items"] == most
    ]
    return [*rows, {"where": "decoded in Python, as long as it is cached", "bytes": round(memory)}]


def _restarts(opened: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "open items": one["items"],
            "state": SHOWN[one["backend"]],
            "submission has returned": round(one["restart"]["accepted"], 1),
            "all tasks run, state restored": round(one["restart"]["running"], 1),
            "it goes on reading": round(one["restart"]["goes on"], 1),
        }
        for one in opened
        if one["restart"]
    ]


def _open_charts(opened: Sequence[dict[str, Any]]) -> list[Chart]:
    def series(value: str, scale: float) -> dict[str, list[list[float]]]:
        return {
            SHOWN[backend]: [[one["items"], one[value] * scale] for one in opened if one["backend"] == backend]
            for backend in BACKENDS
        }

    costs = {
        SHOWN[backend]: [[one["items"], round(1e6 / one["rate"], 3)] for one in opened if one["backend"] == backend]
        for backend in BACKENDS
    }
    title, axis = "An event among open items", "open items"
    return [
        {"title": title, "x": axis, "y": "µs an event", "log": "x", "series": costs},
        {"title": "Size of a checkpoint", "x": axis, "y": "MB", "log": "xy", "series": series("bytes", 1e-6)},
        {"title": "Time of a checkpoint", "x": axis, "y": "s", "log": "x", "series": series("checkpoint_ms", 1e-3)},
    ]


def _python_memory(items: int) -> float:
    print(f"growth: memory of {items:,} items in Python", flush=True)
    command = [sys.executable, "-m", "tests.bench.memory", str(items)]
    return float(subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=True).stdout)


# --- rules


def _rules(options: Options) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    trades, rounds = (1_000, 1) if options.smoke else (25_000, options.rounds)
    lines = rulesizes.log(trades)
    packs = options.work / "packs"
    print(f"growth: {len(lines):,} events with more workflows and with more deadlines", flush=True)
    workflows = {n: rulesizes.write_pack(packs / f"workflows-{n}", workflows=n) for n in WORKFLOWS}
    deadlines = {n: rulesizes.write_pack(packs / f"deadlines-{n}", deadlines=n) for n in DEADLINES}
    return list(rulesizes.compare(workflows, lines, rounds)), list(rulesizes.compare(deadlines, lines, rounds))


def _rules_in_flink(options: Options) -> list[dict[str, Any]]:
    """Passes of the job over a file of trades without anomalies, with the packs of the extremes, in turns."""
    packs = options.work / "packs"
    names = {"1 workflow": "workflows-1", f"{WORKFLOWS[-1]} workflows": f"workflows-{WORKFLOWS[-1]}"}
    names |= {f"{DEADLINES[-1]} deadlines": f"deadlines-{DEADLINES[-1]}"}
    log = options.work / "log.ndjson"
    log.write_bytes(b"".join(rulesizes.log(1_000 if options.smoke else 100_000)))
    ticking = ticked(log, options.work / "ticking.ndjson")
    events = sum(1 for _ in log.open("rb"))
    rates: dict[str, list[float]] = {name: [] for name in names}
    home = options.work / "rules-in-flink"
    home.mkdir()
    with cluster(home, 1) as running:
        for number in range(1 + (1 if options.smoke else options.rounds)):
            for name, pack in names.items():
                one = flinkruns.from_file(running, ticking, home / "rows", packs=[str(packs / pack)])
                flinkruns.found_in(home / "rows").check(
                    truth.expected({"items": events // 4, "anomalies": {}}), events, name
                )
                if number:  # the first round warms up
                    rates[name].append(events / one.seconds)
    return [{"pack": name, "events/s": round(median(some))} for name, some in rates.items()]


def _rules_table(title: str, what: str, measured: Sequence[dict[str, Any]]) -> Table:
    rows = [
        {what: one["size"], "core, µs an event": one["core"], "function, µs an event": one["function"]}
        for one in measured
    ]
    return {"title": title, "rows": rows}


def _rule_charts(workflows: Sequence[dict[str, Any]], deadlines: Sequence[dict[str, Any]]) -> list[Chart]:
    return [
        {
            "title": f"An event as {what} are added",
            "x": what,
            "y": "µs an event",
            "series": {who: [[one["size"], one[who]] for one in measured] for who in ("core", "function")},
        }
        for what, measured in (("workflows", workflows), ("deadlines", deadlines))
    ]


def _targets(opened: Sequence[dict[str, Any]], workflows: Sequence[dict[str, Any]]) -> list[Target]:
    """Nothing may grow with open items, nor with workflows that an event doesn't concern."""
    targets: list[Target] = []
    for backend in BACKENDS:
        of = [one for one in opened if one["backend"] == backend]
        name = f"an event among {of[-1]['items']:,} open items / among {of[0]['items']:,}, {SHOWN[backend]}"
        targets.append(_flat(name, of[0]["rate"] / of[-1]["rate"]))
    for who in ("core", "function"):
        name = f"an event with {workflows[-1]['size']} workflows / with {workflows[0]['size']}, {who}"
        targets.append(_flat(name, workflows[-1][who] / workflows[0][who]))
    return targets


def _flat(name: str, ratio: float) -> Target:
    return {"name": name, "target": f"≤ {FLAT}", "measured": round(ratio, 2), "met": ratio <= FLAT}
