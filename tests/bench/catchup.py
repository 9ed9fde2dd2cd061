"""Catch-up: the job was away for an hour while 1,000 events a second came in; how it gets back to the present.

The job runs, takes a checkpoint, and is killed. The hour that it misses is written meanwhile, with its ticks, as
fast as it goes: time is in the log, so an hour of it need not last one. Then Flink starts and the job resumes.
Nearly all of the traffic is clean: what is found must be the few stranded trades and copied events that were
written, and nothing else. The serving process runs all the while and loads what comes out, as it would in life.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import Any

from tests.bench.live import EVENTS, LATENESS_MS, Clock, Findings, Live, first_findings, live, wait_for
from tests.bench.load import plan
from tests.bench.load.plan import STEPS, Plan
from tests.bench.section import NotExact, Options, Result

RATE = 1_000
STEP_SECONDS = 20
BEFORE_SECONDS = 60
GIVE_UP_SECONDS = 3600

NOTE = """\
The job runs, takes a checkpoint and is killed. The traffic of the outage is written meanwhile, with a tick for each
second of its time, as fast as it goes. Then Flink starts, and the job resumes from the checkpoint: measured from
the start of Flink's processes until the job's time has come to the last tick. The serving process runs and loads
all the while. Next to all traffic is clean; what is found must be the few stranded trades and copied events that
were written, and nothing else."""


def run(options: Options) -> Result:
    """Measure; see the module."""
    seconds = 300 if options.smoke else 3600
    began = (int(time.time()) - seconds - BEFORE_SECONDS) * 1000
    # All that began before the outage is completed before it, so that nothing of it is rightly missing afterwards.
    before = Plan("before", began, RATE, RATE * BEFORE_SECONDS, width=RATE * BEFORE_SECONDS // STEPS)
    away = replace(
        before,
        run="away",
        width=RATE * STEP_SECONDS,
        start_ms=before.end_ms,
        sends=RATE * seconds,
        copy_every=RATE * seconds // 20,
        strand_every=RATE * seconds // 500,
    )
    with live(options.work / "home") as system:
        system.serve()
        resume = _until_killed(system, before)
        written = int(plan.report(plan.start(away, system.bootstrap, EVENTS, paced=False))["written"])
        print(f"catchup: the job is down, {written:,} events wait", flush=True)
        took = _caught_up(system, away, written, resume)
        return _result(away, written, took, first_findings(system))


def _until_killed(system: Live, before: Plan) -> str:
    """Let the job see the time before the outage and take a checkpoint of it, and kill it; returns the checkpoint."""
    job = system.detect()
    plan.report(plan.start(before, system.bootstrap, EVENTS, paced=False))
    system.await_time(before.end_ms - LATENESS_MS - 1, 120)
    seen = system.cluster.newest_checkpoint("main")
    newest = wait_for(lambda: path if (path := system.cluster.newest_checkpoint("main")) != seen else None, 60)
    print(f"catchup: job {job} killed after {newest}", flush=True)
    system.cluster.kill()
    return str(newest)


def _caught_up(system: Live, away: Plan, written: int, resume: str) -> dict[str, Any]:
    """Start Flink and the job, and follow them to the present; (seconds, watermark) on the way, both from the start."""
    began = time.monotonic()
    system.detect(resume)
    running = time.monotonic() - began
    way = []
    present = away.end_ms - LATENESS_MS - 1
    with closing(Clock(system)) as clock:
        while (mark := clock.now()) < present:
            if time.monotonic() - began > GIVE_UP_SECONDS:
                raise TimeoutError(f"the job stands at {mark}, {present - mark} ms behind")
            way.append((round(time.monotonic() - began, 2), mark))
            time.sleep(0.2)
    current = time.monotonic() - began
    print(f"catchup: current again after {current:.1f} s", flush=True)
    wait_for(lambda: _all_loaded(system, written), GIVE_UP_SECONDS, pause=0.5)
    return {"running": running, "current": current, "stored": time.monotonic() - began, "way": way}


def _all_loaded(system: Live, written: int) -> bool:
    rows, waiting = system.loaded()
    return rows.get("events", 0) >= written and not waiting


def _result(away: Plan, written: int, took: dict[str, Any], findings: Findings) -> Result:
    found = {(row["kind"], row["event_id"] if row["kind"] == "duplicate" else row["key"]) for _, row in findings}
    truth = {("missing", key) for key in away.stranded(away.end_ms - LATENESS_MS - 1)}
    truth |= {("duplicate", event) for event in away.copied()}
    if lacking := truth - found:
        raise NotExact(f"{len(lacking)} of {len(truth)} findings are not there, for example {min(lacking)}")
    wrong = len(findings) - len(truth)
    seconds = took["current"] - took["running"]
    return {
        "title": "Catch-up",
        "notes": [NOTE],
        "targets": [{"name": "false findings on the way", "target": "0", "measured": wrong, "met": not wrong}],
        "tables": [
            {
                "title": f"An outage of {away.sends / RATE / 60:.0f} minutes at {RATE:,} events/s",
                "rows": [
                    {
                        "events": written,
                        "job runs again, s": round(took["running"], 1),
                        "current again, s": round(took["current"], 1),
                        "events/s on the way": round(written / seconds),
                        "with 1,000/s coming in meanwhile, s": round(
                            took["running"] + written / (written / seconds - RATE)
                        ),
                        "all in ClickHouse, s": round(took["stored"], 1),
                        "findings": len(findings),
                        "in truth": len(truth),
                    }
                ],
            }
        ],
        "charts": [
            {
                "title": "Behind the present",
                "x": "seconds",
                "y": "minutes",
                "series": {"job": _behind(away, took["way"])},
            }
        ],
    }


def _behind(away: Plan, way: list[tuple[float, int]]) -> list[tuple[float, float]]:
    """How many minutes the job was behind, at most 200 points."""
    return [
        (at, round((away.end_ms - max(mark, away.start_ms)) / 60_000, 2)) for at, mark in way[:: len(way) // 200 + 1]
    ]
