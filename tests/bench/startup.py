"""Start-up: a warm `make demo` to ready and to its first finding, and a job from submission to its first event.

"Warm" is the second start: everything is installed, and the files are in the machine's memory.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from api.stack import ports, process
from api.stack.flink import REPOSITORY
from api.stack.home import Home
from tests.bench.live import EVENTS, Live, live, wait_for
from tests.bench.load import plan
from tests.bench.load.plan import Plan
from tests.bench.section import Options, Result

READY_SECONDS = 180
STOP_SECONDS = 90

NOTE = """\
`make setup` finds that nothing has to be done, which `make demo` does first; then `daymark demo` runs, on free ports
and in a new home. It is ready when it says so; its first finding counts when the API shows it. A job's first event
counts by the broker's stamp on the first row that it wrote: the cluster runs, and the events were there before the
job was."""


def run(options: Options) -> Result:
    """Measure; see the module."""
    rounds = 1 if options.smoke else 3
    _demo(options.work / "warming")
    demos = [_demo(options.work / f"demo-{number}") for number in range(rounds)]
    with live(options.work / "home") as system:
        jobs = _jobs(system, 1 + rounds)
    return {
        "title": "Start-up",
        "notes": [NOTE],
        "targets": [],
        "tables": [
            {"title": "Warm `make demo`, seconds", "rows": _medians(demos)},
            {"title": "From submitting a job to its first event, seconds", "rows": _medians(jobs)},
        ],
    }


def _demo(home: Path) -> dict[str, float]:
    """Start the demo and stop it once something was found; seconds from the start."""
    http, kafka, flink = (ports.free() for _ in range(3))
    url = f"http://{ports.HOST}:{http}"
    command = [sys.executable, "-m", "api.cli", "demo"]
    command += [f"--port={http}", f"--kafka-port={kafka}", f"--flink-port={flink}"]
    print("startup: make setup, and the demo", flush=True)
    began = time.monotonic()
    subprocess.run(["make", "setup"], cwd=REPOSITORY, check=True, capture_output=True)
    set_up = time.monotonic() - began
    demo = process.start(command, home / "demo.out", {**os.environ, "DAYMARK_HOME": str(home)}, REPOSITORY)
    try:
        wait_for(lambda: _is_ready(Home(home), demo), READY_SECONDS, pause=0.05)
        ready = time.monotonic() - began
        wait_for(lambda: _first_finding(url), READY_SECONDS, pause=0.05)
        found = time.monotonic() - began
        demo.send_signal(signal.SIGINT)
        demo.wait(STOP_SECONDS)
    finally:
        process.stop(demo)
        Home(home).sweep()
    stopped = time.monotonic() - began - found
    return {"make setup": set_up, "ready": ready, "first finding": found, "Ctrl-C to stopped": stopped}


def _is_ready(home: Home, demo: subprocess.Popen[bytes]) -> bool:
    if demo.poll() is not None:
        raise RuntimeError(f"the demo ended: {process.tail(home.path / 'demo.out')}")
    state = home.running()
    return state is not None and state.ready


def _first_finding(url: str) -> bool:
    answer = httpx.get(f"{url}/api/v1/findings", params={"limit": 1}, timeout=10)
    return bool(answer.is_success and answer.json()["items"])


def _jobs(system: Live, rounds: int) -> list[dict[str, float]]:
    """Submit the job again and again, each time from nothing; the first one, which starts the cluster, is left out."""
    print("startup: a job, submitted again and again", flush=True)
    sent = Plan("startup", (int(time.time()) - 60) * 1000, 1000, 1000, width=1000)
    plan.report(plan.start(sent, system.bootstrap, EVENTS, paced=False))
    return [_job(system, sent.sends) for _ in range(rounds)][1:]


def _job(system: Live, events: int) -> dict[str, float]:
    def written() -> list[int]:
        return sorted(at for at, _ in system.rows("eventlog"))

    before = len(written())
    began = time.time()
    job = system.detect()
    running = time.time() - began
    wait_for(lambda: len(written()) >= before + events, 60)
    system.cluster.cancel(job)
    return {"running": running, "first event": written()[before] / 1000 - began}


def _medians(measured: Sequence[dict[str, float]]) -> list[dict[str, Any]]:
    """A row for each thing that was timed."""
    return [
        {
            "what": name,
            "median": round(median(one[name] for one in measured), 1),
            "least": round(min(one[name] for one in measured), 1),
            "most": round(max(one[name] for one in measured), 1),
        }
        for name in measured[0]
    ]
