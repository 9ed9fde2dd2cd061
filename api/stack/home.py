"""The home directory: everything that one stack keeps on disk, and who runs there.

kafka/        the broker's data            flink/    checkpoints, savepoints, the cluster's own files
clickhouse/   the embedded ClickHouse      logs/     a log for each part
run/          lock, state.json (who runs, since when, on which ports), the jobs' configurations
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from api.stack import process
from api.stack.errors import Exit, StackError

VARIABLE = "DAYMARK_HOME"
FOLDERS = ("kafka", "clickhouse", "flink", "logs", "run")
NEEDED_BYTES = 1 << 30


@dataclass
class Running:
    """One process of the stack. `created` (epoch seconds) tells it from a later process with the same pid."""

    pid: int
    created: float

    def alive(self) -> bool:
        """Whether that very process still runs."""
        return process.same(self.pid, self.created)


@dataclass
class State:
    """What run/state.json says of the stack that was started last. `started` is epoch seconds."""

    supervisor: Running
    started: float
    ready: bool = False
    lane: str = "main"
    packs: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[Running]] = field(default_factory=dict)
    jobs: dict[str, str] = field(default_factory=dict)
    tls_cert: str = ""

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"{'https' if self.tls_cert else 'http'}://127.0.0.1:{self.ports['http']}"

    @property
    def bootstrap(self) -> str:
        """Where Kafka is."""
        return f"127.0.0.1:{self.ports['kafka']}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> State:
        raw = json.loads(text)
        raw["supervisor"] = Running(**raw["supervisor"])
        raw["parts"] = {name: [Running(**one) for one in many] for name, many in raw["parts"].items()}
        return cls(**raw)


class Home:
    """A home directory. Opening one creates nothing; `prepare` does."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = (path or Path(os.environ.get(VARIABLE) or ".daymark")).absolute()
        self._lock: IO[str] | None = None

    def log(self, part: str) -> Path:
        """The log file of a part."""
        return self.path / "logs" / f"{part}.log"

    def prepare(self, needed: int = NEEDED_BYTES) -> None:
        """Create the folders. Raises StackError when the place can't be written, or has too little room."""
        try:
            for folder in FOLDERS:
                (self.path / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StackError(
                f"{self.path} can't be used as Daymark's home: {error.strerror}. Set {VARIABLE} to a directory that "
                "you may write.",
                Exit.PREREQUISITE,
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < needed:
            raise StackError(
                f"The disk that holds {self.path} has {free / 2**30:.1f} GiB left; Daymark needs "
                f"{needed / 2**30:.1f} GiB. Make room, or set {VARIABLE} to a directory on another disk.",
                Exit.PREREQUISITE,
            )

    def lock(self) -> None:
        """Take the home for this process until it ends, however it ends. Raises StackError if another holds it."""
        file = (self.path / "run" / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            state = self.state()
            who = f"process {state.supervisor.pid}, {state.url}" if state else "another process"
            raise StackError(
                f"Daymark already runs in {self.path} ({who}). Stop it with `daymark stop`, or set {VARIABLE} to "
                "another directory.",
                Exit.PREREQUISITE,
            ) from None
        self._lock = file

    def unlock(self) -> None:
        """Let others have the home."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def state(self) -> State | None:
        """What was written last, whether it still runs or not; None where nothing (readable) was."""
        with suppress(FileNotFoundError, ValueError, TypeError, KeyError):
            return State.from_json(self._state_file.read_text())
        return None

    def running(self) -> State | None:
        """The state of the stack that runs here now, or None."""
        state = self.state()
        return state if state and state.supervisor.alive() else None

    def require_running(self) -> State:
        """As `running`, but raises StackError (exit code 3) where nothing runs or it is still starting."""
        state = self.running()
        if state is None:
            raise StackError(f"Daymark does not run in {self.path}. Start it with `daymark up`.", Exit.NOT_RUNNING)
        if not state.ready:
            raise StackError(f"Daymark in {self.path} is still starting; try again in a moment.", Exit.NOT_RUNNING)
        return state

    def write(self, state: State) -> None:
        """Replace the state in one step, so that nobody ever reads half of it."""
        draft = self._state_file.with_suffix(".tmp")
        draft.write_text(state.to_json())
        draft.replace(self._state_file)

    def forget(self) -> None:
        """The stack has stopped: nothing runs any more."""
        self._state_file.unlink(missing_ok=True)

    def sweep(self) -> list[str]:
        """Kill what a stack left behind that could not stop in order; returns the names of those parts."""
        state = self.state()
        if state is None:
            return []
        left = [(name, one) for name, many in state.parts.items() for one in many]
        return sorted({name for name, one in left if process.sweep(one.pid, one.created)})

    @property
    def _state_file(self) -> Path:
        return self.path / "run" / "state.json"


def running(pid: int) -> Running:
    """The identity of a process that runs now (one that has just ended gets the present time)."""
    return Running(pid, process.identity(pid) or time.time())
