"""One stack a home; nothing outlives its parent; what was left behind is found and ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from api.stack import ports, process
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State, running
from tests.kafka_help import eventually

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


def state_of(home: Home, *parts: subprocess.Popen[bytes]) -> State:
    state = State(running(os.getpid()), time.time(), ports={"http": 1, "kafka": 2, "flink": 3})
    state.parts = {f"part-{n}": [running(one.pid)] for n, one in enumerate(parts)}
    home.write(state)
    return state


def test_a_second_stack_in_one_home_is_refused_with_the_way_out(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.lock()
    state_of(home)
    with pytest.raises(StackError, match=r"already runs in .*daymark stop.*DAYMARK_HOME") as caught:
        Home(tmp_path).lock()
    assert caught.value.code == Exit.PREREQUISITE
    home.unlock()
    Home(tmp_path).lock()


def test_the_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    Home(tmp_path).prepare()
    program = f"""
from pathlib import Path
from api.stack.home import Home
import time
home = Home(Path({str(tmp_path)!r}))
home.lock()
print("locked", flush=True)
time.sleep(600)
"""
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"locked\n"
    with pytest.raises(StackError):
        Home(tmp_path).lock()
    holder.kill()
    holder.wait()
    Home(tmp_path).lock()


def test_a_full_disk_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"GiB left; Daymark needs .* Make room, or set DAYMARK_HOME") as caught:
        Home(tmp_path).prepare(needed=1 << 60)
    assert caught.value.code == Exit.PREREQUISITE


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match="can't be used as Daymark's home"):
        Home(tmp_path / "file").prepare()


def test_a_state_file_that_is_cut_off_counts_as_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    state_of(home)
    file = tmp_path / "run" / "state.json"
    file.write_text(file.read_text()[:40])
    assert home.state() is None
    assert home.sweep() == []


def test_what_an_earlier_stack_left_behind_is_ended_and_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    left = process.start(SLEEPER, tmp_path / "log")
    state_of(home, left)
    assert home.sweep() == ["part-0"]
    assert left.wait(5) == -signal.SIGKILL
    assert home.sweep() == []


def test_a_process_that_only_has_the_same_number_is_left_alone(tmp_path: Path) -> None:
    other = process.start(SLEEPER, tmp_path / "log")
    try:
        created = process.identity(other.pid)
        assert created is not None
        assert not process.sweep(other.pid, created - 3600)
        assert other.poll() is None
    finally:
        process.stop(other)


def test_a_child_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
from api.stack import process
import time
print(process.start({SLEEPER!r}, Path({str(tmp_path / "log")!r})).pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout
    child = int(parent.stdout.readline())
    eventually(lambda: "setpriv" not in psutil.Process(child).cmdline()[0], 5)
    parent.kill()
    parent.wait()
    eventually(lambda: process.identity(child) is None, 5)


def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    program = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    child = process.start([sys.executable, "-c", program], tmp_path / "log")
    eventually(lambda: "deaf" in process.tail(tmp_path / "log"))
    process.stop(child, grace=0.3)
    assert child.poll() == -signal.SIGKILL


def test_the_tail_of_a_log_is_its_last_lines_whatever_bytes_it_holds(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert process.tail(log) == ""
    log.write_bytes(b"\xff\xfe\n" * 5000 + b"one\ntwo\n")
    assert process.tail(log, 2) == "one\ntwo"


def test_a_taken_port_is_named_with_its_holder_and_the_option(tmp_path: Path) -> None:
    with socket.create_server((ports.HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        with pytest.raises(StackError, match=rf"Port {port} \(HTTP\) is taken by .*process {os.getpid()}.*--port"):
            ports.require(port, "HTTP", "--port")
    ports.require(port, "HTTP", "--port")
