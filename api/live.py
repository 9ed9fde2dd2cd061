"""Live screens: one rendering for all who watch the same screen, sent to each by server-sent events.

A screen is rendered anew as soon as rows have come in (`came`), else every second: sources fall silent, too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Hashable

from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.concurrency import run_in_threadpool

from api.clock import now_ms
from api.problems import ProblemError

log = logging.getLogger(__name__)
EVERY_S = 1.0
LEAST_S = 0.5  # between two renderings, however much comes in
LOOK_S = 0.05  # how often it is looked whether rows have come in
SHARE = 1.0
"""How long a screen rests, in times of what its rendering took: a slow one never takes more than half a core."""
BEAT_S = 5.0
MOST_OPEN = 200  # for one user or token: a wall of screens, and not a thousand renderings
RIGHTS_S = 10.0  # how often an open stream is asked whether who watches may still see it
Render = Callable[[], str]
Still = Callable[[], bool]


class Ticket:
    """Whether somebody may still watch; asked now and then, in another thread."""

    def __init__(self, still: Still | None) -> None:
        self._still = still
        self._looked = time.monotonic()

    async def holds(self) -> bool:
        if self._still is None or time.monotonic() - self._looked < RIGHTS_S:
            return True
        self._looked = time.monotonic()
        return await run_in_threadpool(self._still)


class Channel:
    """What one screen looks like now. `turn` counts its changes; who waits is woken by each, and by each failure."""

    def __init__(self) -> None:
        self.watchers = 0
        self.turn = 0
        self.text: str | None = None
        self.failed = False
        self.changed = asyncio.Condition()
        self.task: asyncio.Task[None] | None = None


class Live:
    """The channels that somebody watches. Used on the event loop only.

    A channel is named by all that its content depends on: screen, parameters, and what the viewer may see. It is
    rendered while it has watchers; with the last of them it ends. `stopping` says that the server is about to stop, so
    that open streams end and nobody waits for them. `came` is a number that changes with each insert, as far as this
    process makes them: of what a loader in a process of its own inserts, it knows nothing.
    """

    def __init__(self, came: Callable[[], int] = lambda: 0) -> None:
        self.came = came
        self.channels: dict[Hashable, Channel] = {}
        self.stopping: Callable[[], bool] = lambda: False
        self.rendered = 0
        self.open: Counter[str] = Counter()

    def stream(self, name: Hashable, render: Render, still: Still | None = None, viewer: str = "") -> StreamingResponse:
        """The answer to a browser's EventSource, for as long as who watches is `still` let in. Raises a 429 problem if
        `viewer` (an account) has too many open: each that differs from the others is rendered every second."""
        self.admit(viewer)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self.counted(viewer, self.watch(name, render, still)), media_type="text/event-stream", headers=headers
        )

    def admit(self, viewer: str) -> None:
        """Raises a 429 problem if somebody has too many streams open."""
        if self.open[viewer] >= MOST_OPEN:
            detail = f"{MOST_OPEN} live screens are open for you. Close some, or sign in as another user."
            raise ProblemError(429, "Too many live screens", detail)

    async def counted(self, viewer: str, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream that counts among its viewer's for as long as it is open."""
        self.open[viewer] += 1
        try:
            async with contextlib.aclosing(stream) as parts:  # type: ignore[type-var]
                async for part in parts:
                    yield part
        finally:
            self.open[viewer] -= 1
            if not self.open[viewer]:
                del self.open[viewer]

    async def over(self, ticket: Ticket) -> bool:
        """Whether an open stream must end: the server is about to stop, or who watches may no longer see it."""
        return self.stopping() or not await ticket.holds()

    async def watch(self, name: Hashable, render: Render, still: Still | None = None) -> AsyncIterator[bytes]:
        """What is sent to one watcher: the screen, then the screen again whenever it has changed, a `beat` with the
        server's clock (epoch ms) when it hasn't for a while, and `fault` when it can't be told how things are."""
        channel = self.channels.setdefault(name, Channel())
        channel.watchers += 1
        if channel.task is None:
            channel.task = asyncio.create_task(self._run(channel, render))
        ticket = Ticket(still)
        seen, beaten = -1, time.monotonic()
        try:
            yield format_sse_event(event="beat", data_str=_now(), retry=2000)
            while not await self.over(ticket):
                async with channel.changed:
                    if channel.turn == seen or channel.text is None:
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(channel.changed.wait(), EVERY_S)
                if channel.turn != seen and channel.text is not None:
                    seen, beaten = channel.turn, time.monotonic()
                    yield format_sse_event(event="fault" if channel.failed else None, data_str=channel.text)
                elif time.monotonic() - beaten >= BEAT_S and not channel.failed:
                    beaten = time.monotonic()
                    yield format_sse_event(event="beat", data_str=_now())
        finally:
            channel.watchers -= 1
            if channel.watchers == 0:
                if channel.task is not None:
                    channel.task.cancel()
                if self.channels.get(name) is channel:
                    del self.channels[name]

    async def _run(self, channel: Channel, render: Render) -> None:
        while True:
            began, came = time.monotonic(), self.came()
            try:
                text, failed = await run_in_threadpool(render), False
            except (
                Exception
            ) as error:  # whatever is wrong with the store: those who watch are told, and it is tried again
                log.warning("a live screen could not be rendered", extra={"error": str(error)})
                text, failed = "No answer from the store", True
            self.rendered += 1
            async with channel.changed:
                if (text, failed) != (channel.text, channel.failed):
                    channel.text, channel.failed = text, failed
                    channel.turn += 1
                    channel.changed.notify_all()
            took = time.monotonic() - began
            await asyncio.sleep(max(LEAST_S - took, SHARE * took))
            while self.came() == came and time.monotonic() - began < EVERY_S:
                await asyncio.sleep(LOOK_S)


def _now() -> str:
    return str(now_ms())
