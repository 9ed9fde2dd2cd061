"""Alerts as they change, for those who watch: server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import orjson
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from api.access.roles import UNLIMITED, Limits, Subject
from api.context import Ctx
from api.listener import Listener, Row
from api.live import Ticket
from api.problems import documented

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=documented(401, 429, 503))
BEAT_S = 15.0
LOOK_S = 0.5  # how often it is asked whether the stream is over: a server that stops waits for no longer


@router.get("/alerts/live", response_class=StreamingResponse)
async def live(ctx: Ctx) -> Response:
    """Every change of an alert from now on: the event `alert` with its row, `notification` with a message that a
    channel of type `browser` has for you or for all, `lost` where some were left out (read the list anew), a comment
    every 15 s so that nobody takes the line for dead."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    limits = ctx.who.permissions.limits if ctx.who else UNLIMITED
    viewer = ctx.who.name if ctx.who else ""
    ctx.live.admit(ctx.account)
    ticket = Ticket(ctx.still_let_in)
    rows = changes(ctx.listener, limits, viewer, over=lambda: ctx.live.over(ticket))
    return StreamingResponse(ctx.live.counted(ctx.account, rows), media_type="text/event-stream", headers=headers)


async def _never() -> bool:
    return False


async def changes(
    listener: Listener,
    limits: Limits = UNLIMITED,
    viewer: str = "",
    beat_s: float = BEAT_S,
    over: Callable[[], Awaitable[bool]] = _never,
) -> AsyncIterator[bytes]:
    """What is sent to one who watches, of the alerts inside their limits, until it is `over`."""
    watcher = listener.watch()
    yield format_sse_event(comment="watching")
    beaten = time.monotonic()
    try:
        while not await over():
            try:
                row = await asyncio.wait_for(watcher.rows.get(), min(beat_s, LOOK_S))
            except TimeoutError:
                if time.monotonic() - beaten >= beat_s:
                    beaten = time.monotonic()
                    yield format_sse_event(comment="beat")
                continue
            beaten = time.monotonic()
            if row is None:
                yield format_sse_event(event="lost", data_str="{}")
            elif row.get("type") == "notify":
                if _is_for(row, limits, viewer):
                    yield format_sse_event(event="notification", data_str=orjson.dumps(row).decode())
            elif limits.allow(Subject(row.get("workflow", ""), row.get("groups", {}))):
                yield format_sse_event(event="alert", data_str=orjson.dumps(row).decode())
    finally:
        listener.leave(watcher)


def _is_for(message: Row, limits: Limits, viewer: str) -> bool:
    """Whether a message is for a viewer: theirs or everybody's, and about nothing outside their limits."""
    about = [Subject(one.get("workflow", ""), one.get("groups", {})) for one in message.get("alerts", [])]
    if limits and (not about or message.get("count", 0) > len(about)):
        return False  # it may be about more than is said of it
    return message.get("person", "") in ("", viewer) and all(map(limits.allow, about))
