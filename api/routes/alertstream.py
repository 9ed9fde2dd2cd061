"""Alerts as they change, for those who watch: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from api.access.roles import UNLIMITED, Limits, Subject
from api.context import Ctx
from api.listener import Listener
from api.problems import documented

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=documented(401, 503))
BEAT_S = 15.0


@router.get("/alerts/live", response_class=StreamingResponse)
async def live(ctx: Ctx) -> Response:
    """Every change of an alert from now on: the event `alert` with its row, `lost` where some were left out (read the
    list anew), a comment every 15 s so that nobody takes the line for dead."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    limits = ctx.who.permissions.limits if ctx.who else UNLIMITED
    return StreamingResponse(changes(ctx.listener, limits), media_type="text/event-stream", headers=headers)


async def changes(listener: Listener, limits: Limits = UNLIMITED, beat_s: float = BEAT_S) -> AsyncIterator[bytes]:
    """What is sent to one who watches, of the alerts inside their limits."""
    watcher = listener.watch()
    yield format_sse_event(comment="watching")
    try:
        while True:
            try:
                row = await asyncio.wait_for(watcher.rows.get(), beat_s)
            except TimeoutError:
                yield format_sse_event(comment="beat")
                continue
            if row is None:
                yield format_sse_event(event="lost", data_str="{}")
            elif limits.allow(Subject(row.get("workflow", ""), row.get("groups", {}))):
                yield format_sse_event(event="alert", data_str=orjson.dumps(row).decode())
    finally:
        listener.leave(watcher)
