"""Events in, events found again, and the records that could not be read."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from api import cloudevents, paging, security
from api.context import Context, Ctx
from api.models import Accepted, DeadLetter, Event, Page
from api.paging import FAR, Cursor, Limit, Since, Text, Until
from api.problems import Fault, ProblemError, documented
from api.publish import PublishError
from api.screens.deadletters import shown
from api.screens.events import latest

router = APIRouter(prefix="/api/v1", tags=["events"], responses=documented(401, 422, 503))
MAX_BODY = 5_000_000
MAX_FAULTS = 1000
TYPES = ("application/json", "application/cloudevents+json", "application/cloudevents-batch+json")
EXAMPLE = {
    "specversion": "1.0",
    "id": "7f1c",
    "source": "/trading",
    "type": "trade.sent",
    "time": "2026-03-01T08:00:00Z",
    "data": {"trade_id": "T-123", "market": "EU"},
}
BODY = {"requestBody": {"required": True, "content": {kind: {"schema": {}, "example": EXAMPLE} for kind in TYPES}}}
LaneName = Annotated[str, Query(pattern=r"^([a-z0-9][a-z0-9-]{0,47})?$", description="default: the server's live lane")]


@router.get("/events", response_model=Page[Event], responses=documented(400))
def search_events(
    ctx: Ctx,
    text: Annotated[Text, Query(description="somewhere in the record, whatever the case of its ASCII letters")] = "",
    lane: Text = "",
    type: Text = "",
    source: Text = "",
    key: Text = "",
    id: Text = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Events that fit all filters, the latest first."""
    asked = {"pattern": pattern(text), "lane": lane, "type": type, "source": source, "key": key, "id": id}
    place = paging.decode(cursor, ("after_ms", "after_lane", "after_source", "after_id"), (int, str, str, str))
    rows = latest(ctx.store, "events/search", limit + 1, asked | {"since_ms": since, "until_ms": until} | place)
    return paging.page(rows, limit, lambda row: (row["time_ms"], row["lane"], row["source"], row["id"]))


@router.get("/dead-letters", response_model=Page[DeadLetter], responses=documented(400))
def list_dead_letters(
    ctx: Ctx, lane: Text = "", reason: Text = "", limit: Limit = 50, cursor: Cursor = ""
) -> dict[str, Any]:
    """Records that could not be read, with their bytes and the reason, the latest first. What their topic's mappings
    say is personal is masked; what can't be, since it is no JSON object, is for those who may `manage`."""
    after = ("after_ms", "after_topic", "after_partition", "after_offset")
    place = paging.decode(cursor, after, (int, str, int, int))
    rows = ctx.store.query("dead_letters/list", lane=lane, reason=reason, limit=limit + 1, **place)
    for row in rows:
        row["raw"] = base64.b64encode(letter(ctx, row)).decode()
    return paging.page(rows, limit, lambda row: (row["received_ms"], row["topic"], row["partition"], row["offset"]))


def letter(ctx: Context, row: dict[str, Any]) -> bytes:
    """The bytes of a dead letter as whoever asks may see them."""
    whole = ctx.who is None or "manage" in ctx.who.permissions.actions
    return shown(base64.b64decode(row["raw"]), ctx.publisher.reading(row["topic"]), whole=whole)


@router.post("/events", status_code=202, response_model=Accepted, responses=documented(413, 415), openapi_extra=BODY)
async def post_events(request: Request, ctx: Ctx, lane: LaneName = "") -> Accepted:
    """Take in one CloudEvent or a JSON array of up to 10,000 (5 MB), all of them or, if one is invalid or no mapping
    of the lane can read it, none.

    Answers when the broker has acknowledged all. After a 503 send the same again: an event with the same source and id
    counts once.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in TYPES:
        detail = f"Content-Type is {kind or 'missing'}; send one of {', '.join(TYPES)}."
        raise ProblemError(415, "Unsupported media type", detail)
    events, faults = await run_in_threadpool(cloudevents.read, await security.body_of(request, MAX_BODY))
    _refuse(faults)
    lane = lane or ctx.settings.lane
    records, faults = await run_in_threadpool(ctx.publisher.addressed, lane, events)
    _refuse(faults)
    try:
        await run_in_threadpool(ctx.publisher.publish, records)
    except PublishError as error:
        raise ProblemError(
            503,
            "Kafka not available",
            f"{error.acknowledged} of {len(events)} events were acknowledged ({error}). Send all of them again: "
            "an event with the same source and id counts once.",
        ) from error
    ctx.metrics.posted.labels(lane).inc(len(events))
    return Accepted(accepted=len(events), lane=lane, topics=sorted({record.topic for record in records}))


def _refuse(faults: list[Fault]) -> None:
    """Raise a 422 problem if there are any."""
    if faults:
        detail = f"{len(faults):,} fault{'s' * (len(faults) > 1)}; nothing was accepted. First: {_first(faults[0])}"
        raise ProblemError(422, "Invalid events", detail, faults[:MAX_FAULTS])


def _first(fault: Fault) -> str:
    where = f"event {fault.index}, " if fault.index is not None else ""
    return f"{where}{fault.field or 'body'}: {fault.message}"


def pattern(text: str) -> str:
    """A LIKE pattern that finds `text` as it stands in JSON, in small ASCII letters (more ClickHouse's `lower` does not
    change); '' finds everything."""
    if not text:
        return ""
    inside = json.dumps(text, ensure_ascii=False)[1:-1].encode(errors="replace").lower().decode()
    for special in ("\\", "%", "_"):
        inside = inside.replace(special, "\\" + special)
    return f"%{inside}%"
