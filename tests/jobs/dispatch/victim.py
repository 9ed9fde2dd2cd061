"""The real dispatcher in a process of its own, which kills itself (SIGKILL) at the step of a delivery that it is told.

python -m tests.jobs.dispatch.victim BOOTSTRAP PREFIX HOME STEP
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import httpx

from jobs import logs
from jobs.channels.vault import Vault
from jobs.dispatcher import build

STEPS = ("before the send", "after the send", "after the record")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(action: Callable[..., Any]) -> Callable[..., Any]:
    async def deadly(*_: Any) -> None:
        die()

    return deadly


def after(action: Callable[..., Any]) -> Callable[..., Any]:
    async def deadly(*arguments: Any) -> None:
        await action(*arguments)
        die()

    return deadly


async def run(bootstrap: str, prefix: str, home: str, step: str) -> None:
    options = argparse.Namespace(bootstrap=bootstrap, prefix=prefix, home=home, public_url="https://d.example")
    async with httpx.AsyncClient(timeout=5) as http:
        dispatcher = build(options, {}, http, Vault({}))
        if step == "before the send":
            dispatcher.outbox.send = before(dispatcher.outbox.send)  # type: ignore[method-assign]
        elif step == "after the send":
            dispatcher.writer.write = before(dispatcher.writer.write)  # type: ignore[method-assign]
        elif step == "after the record":
            dispatcher.writer.write = after(dispatcher.writer.write)  # type: ignore[method-assign]
        await dispatcher.run(asyncio.Event())


if __name__ == "__main__":
    logs.configure("victim")
    asyncio.run(run(*sys.argv[1:]))
