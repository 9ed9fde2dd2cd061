"""Whatever happens while the stack says that it stops, every part is stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.stack.home import Home
from api.stack.parts import Options, Service
from api.stack.process import stop
from api.stack.supervisor import Supervisor

SLEEP = ["sleep", "600"]


def raises(fault: BaseException) -> Callable[..., Any]:
    def tell(*_: object) -> None:
        raise fault

    return tell


@pytest.mark.parametrize("fault", [BrokenPipeError(), OSError(5, "input/output error"), SystemExit(1)])
def test_every_part_is_stopped_though_nobody_can_be_told(tmp_path: Path, fault: BaseException) -> None:
    home = Home(tmp_path)
    home.prepare()
    supervisor = Supervisor(home, Options(home=tmp_path), raises(fault))
    parts = [Service(name, SLEEP, tmp_path / f"{name}.log") for name in ("one", "two")]
    for part in parts:
        part.start()
    processes = [part.process for part in parts]
    supervisor.clocks, supervisor.serving = parts[:1], parts[1]
    supervisor.before_stop = raises(fault)
    try:
        supervisor._stop_all()
        assert all(one is not None and one.poll() is not None for one in processes)
    finally:
        for one in processes:
            stop(one)
