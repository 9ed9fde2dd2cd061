"""A child process of the stack: starts with its own log, dies with its parent, stops when told.

A child must not outlive its parent, even when the parent is killed with SIGKILL. The kernel does that for us
(PR_SET_PDEATHSIG), and util-linux' `setpriv` sets it without a line of code of ours. The kernel watches the parent's
*thread*, so children have to be started from a thread that lives as long as they should: the main one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import psutil

JAVA = {"LC_ALL": "C.UTF-8"}
"""What a JVM needs in its environment to read file names that are not ASCII."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TAIL_BYTES = 16_384


def start(
    command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, its output appended to `log`, by default in the log's folder.

    That is where a crash leaves what it wrote down; so paths in `command` have to be absolute.
    `env` is added to this process's environment. The group keeps a Ctrl-C at the terminal away from the child: parts
    are stopped in order by their parent, not all at once by the terminal.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 (commands are ours)
            ["setpriv", "--pdeathsig", "KILL", *map(str, command)],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            cwd=cwd or log.parent,
            start_new_session=True,
        )


def start_beside(command: Sequence[str | Path]) -> subprocess.Popen[bytes]:
    """Start a command that shows its progress on this terminal; what it prints comes through `stdout`.

    It dies with its parent as the others do, and hears of Ctrl-C from its parent alone.
    """
    return subprocess.Popen(  # noqa: S603 (ours)
        ["setpriv", "--pdeathsig", "KILL", *map(str, command)],  # noqa: S607
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def stop(process: subprocess.Popen[bytes] | None, grace: float = 10.0) -> None:
    """Ask the process to end (SIGTERM), and kill its whole group after `grace` seconds."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        process.wait()


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """In here SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    A shell has what it puts in the background ignore SIGINT, and Python leaves it so; not here. SIGHUP stays ignored
    where it is, since that is what nohup is for.
    """
    numbers = [one for one in SIGNALS if one != signal.SIGHUP or signal.getsignal(one) != signal.SIG_IGN]
    with _handled(numbers, _interrupt):
        yield


@contextmanager
def undisturbed() -> Iterator[None]:
    """In here those signals do nothing: for tidying up, which takes seconds and must not stop half-way."""
    with _handled(SIGNALS, signal.SIG_IGN):
        yield


@contextmanager
def _handled(numbers: Sequence[signal.Signals], handler: Any) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def kill_group(pid: int) -> None:
    """SIGKILL to a process that `start` started, and to whatever it started in turn."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def identity(pid: int) -> float | None:
    """When the process was created (epoch seconds), or None if it is gone: a pid alone may have been reused."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def same(pid: int, created: float) -> bool:
    """Whether the process with this pid is the one created then (a clock that was set moves the time a little)."""
    now = identity(pid)
    return now is not None and abs(now - created) < 2


def sweep(pid: int, created: float) -> bool:
    """Kill a process that an earlier stack left behind, if it is still the same one. True if there was one."""
    if not same(pid, created):
        return False
    kill_group(pid)
    deadline = time.monotonic() + 5
    while same(pid, created) and time.monotonic() < deadline:
        time.sleep(0.05)
    return True


def tail(log: Path, lines: int = 10) -> str:
    """The last lines of a log file; "" if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])
