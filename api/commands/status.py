"""`daymark status` and `stop`: what runs, whether it does its work, and an end to it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import httpx
import typer
from rich.table import Table

from api.commands.output import emit, guarded, out
from api.commands.packs import AsJson
from api.stack.ask import ask, health_of
from api.stack.detection import ALERTS
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State

STOP_SECONDS = 180
FIRST_CLOCK_SECONDS = 60.0


@guarded
def status(as_json: AsJson = False) -> None:
    """Say which parts run, and whether they do their work. Exit code 3 if nothing runs, 1 if a part does not."""
    home = Home()
    state = home.running()
    if state is None:
        if as_json:
            emit({"running": False, "home": str(home.path)})
            raise typer.Exit(Exit.NOT_RUNNING)
        raise StackError(f"Daymark does not run in {home.path}.", Exit.NOT_RUNNING)
    document = describe(home, state)
    if as_json:
        emit(document)
    else:
        _show(document)
    raise typer.Exit(Exit.OK if document["ready"] else Exit.FAILED)


@guarded
def stop() -> None:
    """Stop a running stack: a savepoint first, then every part. Exit code 3 if nothing runs."""
    home = Home()
    state = home.running()
    if state is None:
        left = home.sweep()
        home.forget()
        if not left:
            raise StackError(f"Daymark does not run in {home.path}.", Exit.NOT_RUNNING)
        out.print(f"Ended what an earlier run had left behind: {', '.join(left)}.")
        return
    os.kill(state.supervisor.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while state.supervisor.alive():
        if time.monotonic() > deadline:
            raise StackError(f"Daymark has not stopped after {STOP_SECONDS} s; see {home.log('daymark')}.")
        time.sleep(0.1)
    out.print("Daymark has stopped.")


def describe(home: Home, state: State) -> dict[str, Any]:
    """What `status --json` prints."""
    parts = {name: all(one.alive() for one in many) for name, many in state.parts.items()}
    try:
        health = health_of(state)
    except (httpx.HTTPError, ValueError) as error:
        health = {"ready": False, "parts": {"serving": str(error)}}
    job, alert_job, clock = _job_state(state, state.lane), _job_state(state, ALERTS), _clock_state(state)
    fine = works(job, clock, time.time() - state.started) and alert_job == "RUNNING"
    return {
        "running": True,
        "ready": state.ready and all(parts.values()) and bool(health.get("ready")) and fine,
        "home": str(home.path),
        "url": state.url,
        "lane": state.lane,
        "packs": state.packs,
        "ports": state.ports,
        "started": state.started,
        "supervisor": state.supervisor.pid,
        "parts": {name: {"running": parts[name], "pids": [one.pid for one in state.parts[name]]} for name in parts},
        "health": health.get("parts", {}),
        "jobs": state.jobs,
        "job": job,
        "alert_job": alert_job,
        "clock": clock,
    }


def works(job: str, clock: str, age: float) -> bool:
    """Whether the live lane is followed: its job runs and its time moves, or may do so soon (`age` in seconds)."""
    return job == "RUNNING" and (clock in ("live", "behind") or (clock == "unknown" and age < FIRST_CLOCK_SECONDS))


def _job_state(state: State, name: str) -> str:
    """What Flink says of a job, which is known by its lane or as ALERTS; "unknown" where it says nothing."""
    url = f"http://127.0.0.1:{state.ports['flink']}/jobs/{state.jobs.get(name, '')}"
    try:
        return str(httpx.get(url, timeout=3).raise_for_status().json()["state"])
    except (httpx.HTTPError, ValueError, KeyError):
        return "unknown"


def _clock_state(state: State) -> str:
    """How the live lane's time moves: live, behind, or blind where it stands still; "unknown" before it is heard of."""
    try:
        found = [lane["state"] for lane in ask(state, "lanes", 3) if lane["lane"] == state.lane]
    except (httpx.HTTPError, ValueError, KeyError):
        return "unknown"
    return str(found[0]) if found else "unknown"


def _show(document: dict[str, Any]) -> None:
    out.print(f"Daymark {'runs' if document['ready'] else 'is not ready'}: {document['url']}, lane {document['lane']}")
    table = Table("part", "", "processes", box=None, pad_edge=False, header_style="dim")
    for name, part in document["parts"].items():
        word = "[green]runs[/green]" if part["running"] else "[red]ended[/red]"
        table.add_row(name, word, ", ".join(map(str, part["pids"])))
    out.print(table)
    for name, word in document["health"].items():
        out.print(f"{name}: {word}")
    out.print(f"job: {document['job']}")
    out.print(f"alert job: {document['alert_job']}")
    out.print(f"time of lane {document['lane']}: {document['clock']}")
