"""Simulations on history: the events come out of the store, the rules are run in a process of their own.

One runs at a time, for at most a minute; what is asked for meanwhile waits its turn. Results are kept in memory, the
latest few, for whoever asked for them.
"""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from api.store import Store, StoreError

log = logging.getLogger(__name__)
MOST_EVENTS = 300_000
MOST_WAITING = 4
KEPT = 20
PAGE = 20_000
LONGEST_S = 60.0
PASSED_ON = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "HOME", "DAYMARK_PURE")
"""Of the environment, what the worker gets: no secret."""


@dataclass(frozen=True)
class Job:
    """What to simulate: definitions (`before` None where nothing is in force), from `since` to `until` (epoch ms).
    Events from `begin` on are played, so that items that were open at `since` are known. `notes` are told with the
    result."""

    workflow: str
    lane: str
    before: dict[str, Any] | None
    after: dict[str, Any]
    begin: int
    since: int
    until: int
    mappings: list[dict[str, Any]] = field(repr=False)
    notes: tuple[str, ...] = ()


@dataclass
class Backtest:
    """A simulation and how far it is. `state`: waiting, running, done, failed or cancelled."""

    id: str
    owner: str
    job: Job
    text: str
    state: str = "waiting"
    done: int = 0
    total: int = 0
    error: str = ""
    result: dict[str, Any] | None = None
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)


class Busy(Exception):
    """Too many simulations wait already."""


class Backtests:
    """The simulations of one serving process; safe to call from any thread."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Backtest] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def start(self, store: Store, owner: str, job: Job, text: str) -> Backtest:
        """Begin one. `store` is as the owner may see it. Raises Busy."""
        one = Backtest(secrets.token_hex(8), owner, job, text)
        with self._lock:
            if sum(other.state in ("waiting", "running") for other in self._known.values()) >= MOST_WAITING:
                raise Busy(f"{MOST_WAITING} simulations are at work already; try again in a minute")
            self._known[one.id] = one
            for old in [key for key, other in self._known.items() if other.state not in ("waiting", "running")]:
                if len(self._known) > KEPT:
                    del self._known[old]
        threading.Thread(target=self._run, args=(store, one), name="backtest", daemon=True).start()
        return one

    def find(self, id: str, owner: str, workflow: str) -> Backtest | None:
        """One that somebody began; None if there is none of theirs."""
        one = self._known.get(id)
        return one if one and (one.owner, one.job.workflow) == (owner, workflow) else None

    def cancel(self, one: Backtest) -> None:
        """Stop one; what is done stays done."""
        with self._lock:
            if one.state in ("waiting", "running"):
                one.state = "cancelled"
            if one._process is not None:
                one._process.kill()

    def close(self) -> None:
        """Stop all."""
        for one in list(self._known.values()):
            self.cancel(one)

    def _run(self, store: Store, one: Backtest) -> None:
        with self._turn, tempfile.TemporaryDirectory(prefix="daymark-backtest-") as place:
            if one.state != "waiting":
                return
            one.state = "running"
            try:
                file = Path(place) / "events.ndjson"
                one.total = _fetch(store, one, file)
                if one.state == "running":
                    self._work(one, file)
            except StoreError as fault:
                log.warning("a simulation failed", extra={"error": str(fault)})
                one.error = "ClickHouse did not give the events; try again in a moment"
            except Exception as fault:  # whoever asked must hear of it
                log.exception("a simulation failed")
                one.error = f"it broke off: {type(fault).__name__}"
            with self._lock:
                if one.state == "running":
                    one.state = "done" if one.result is not None else "failed"

    def _work(self, one: Backtest, events: Path) -> None:
        """Run the worker and hear what it says, for as long as it may take."""
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        command = [sys.executable, "-m", "udfs.simulation.worker"]
        with self._lock:
            if one.state != "running":
                return
            one._process = process = subprocess.Popen(  # noqa: S603 (our own module)
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
            )
        late = threading.Timer(LONGEST_S, process.kill)
        late.start()
        try:
            assert process.stdin is not None  # noqa: S101 (both are pipes)
            assert process.stdout is not None  # noqa: S101
            process.stdin.write(orjson.dumps({**vars(one.job), "events": str(events)}) + b"\n")
            process.stdin.close()
            for line in process.stdout:
                _hear(one, orjson.loads(line))
            process.wait()
        except BrokenPipeError:
            process.wait()
        finally:
            expired = not late.is_alive()
            late.cancel()
            process.stdout and process.stdout.close()
        if one.result is None and not one.error:
            slow = f"it took longer than {LONGEST_S:g} s; choose a shorter time"
            one.error = slow if expired else f"the worker ended with code {process.returncode}"


def _hear(one: Backtest, word: dict[str, Any]) -> None:
    one.done, one.total = word.get("done", one.done), word.get("total", one.total)
    one.result, one.error = word.get("result", one.result), word.get("error", one.error)


def types_of(job: Job) -> list[str]:
    """The types of the events that either version follows."""
    definitions = [one for one in (job.before, job.after) if one is not None]
    return sorted({step["on"] for one in definitions for step in one["steps"].values()})


def size(store: Store, job: Job) -> int:
    """How many events there are to play. Raises StoreError."""
    where = {"lane": job.lane, "since_ms": job.begin, "until_ms": job.until, "types": types_of(job)}
    return int(store.query("rules/history_size", **where)[0]["events"])


def _fetch(store: Store, one: Backtest, file: Path) -> int:
    """Write the events into a file, page by page; returns how many."""
    job, count = one.job, 0
    where = {"lane": job.lane, "since_ms": job.begin, "until_ms": job.until, "types": types_of(job), "limit": PAGE}
    place: dict[str, Any] = {"resumed": 0, "after_ms": 0, "after_source": "", "after_id": ""}
    with file.open("wb") as out:
        while one.state == "running" and count < MOST_EVENTS:
            lines = store.file("rules/history", "JSONEachRow", **where, **place).splitlines()
            out.writelines(line + b"\n" for line in lines)
            count += len(lines)
            if len(lines) < PAGE:
                break
            last = orjson.loads(lines[-1])
            place = {"resumed": 1, "after_ms": last["time_ms"], "after_source": last["source"], "after_id": last["id"]}
    return count
