"""The real dispatcher in a process of its own, which kills itself (SIGKILL) when it comes to a step for the nth time.

python -m tests.jobs.dispatch.victim BOOTSTRAP PREFIX HOME STEP N
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
from jobs.dispatch.dispatcher import Dispatcher
from jobs.dispatch.metrics import DispatcherMetrics
from jobs.dispatcher import build

Bomb = Callable[[], None]
Place = Callable[[Dispatcher, httpx.AsyncClient, Bomb], None]


def before(thing: str, name: str) -> Place:
    """The step is just before a call of this method."""

    def place(dispatcher: Dispatcher, _http: httpx.AsyncClient, bomb: Bomb) -> None:
        kind = type(getattr(dispatcher, thing))
        original = getattr(kind, name)

        def deadly(*arguments: Any, **named: Any) -> Any:
            bomb()
            return original(*arguments, **named)

        setattr(kind, name, deadly)

    return place


def behind(thing: str, name: str) -> Place:
    """The step is just behind a call of this method, which may be a coroutine."""

    def place(dispatcher: Dispatcher, _http: httpx.AsyncClient, bomb: Bomb) -> None:
        kind = type(getattr(dispatcher, thing))
        original = getattr(kind, name)

        def deadly(*arguments: Any, **named: Any) -> Any:
            result = original(*arguments, **named)
            if not asyncio.iscoroutine(result):
                bomb()
                return result

            async def awaited() -> Any:
                value = await result
                bomb()
                return value

            return awaited()

        setattr(kind, name, deadly)

    return place


def at_the_answer(_dispatcher: Dispatcher, http: httpx.AsyncClient, bomb: Bomb) -> None:
    """The step is the first byte of a receiver's answer."""

    async def hook(_response: httpx.Response) -> None:
        bomb()

    http.event_hooks["response"].append(hook)


STEPS: dict[str, tuple[Place, int]] = {
    "before anything is read": (before("log", "begin"), 1),
    "the log is read, nothing is planned": (before("plan", "take"), 700),
    "it is planned, nothing is asked": (before("log", "caught_up"), 60),
    "the log is read to its end": (behind("log", "caught_up"), 60),
    "before the send": (before("outbox", "send"), 60),
    "while the receiver answers": (at_the_answer, 60),
    "sent and not recorded": (before("writer", "write"), 60),
    "recorded, and the plan doesn't know": (behind("writer", "write"), 60),
    "before progress is committed": (before("log", "_commit"), 2),
    "progress is committed": (behind("log", "_commit"), 2),
}
"""The steps of a delivery, in their order, and at which time the victim dies there."""


async def run(bootstrap: str, prefix: str, home: str, step: str, times: str) -> None:
    left = int(times)

    def bomb() -> None:
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    options = argparse.Namespace(bootstrap=bootstrap, prefix=prefix, home=home, public_url="https://d.example")
    async with httpx.AsyncClient(timeout=5) as http:
        dispatcher = build(options, {}, http, Vault(os.environ), DispatcherMetrics())
        if step in STEPS:
            STEPS[step][0](dispatcher, http, bomb)
        await dispatcher.run(asyncio.Event())


if __name__ == "__main__":
    logs.configure("victim")
    asyncio.run(run(*sys.argv[1:]))
