"""The screens of events and dead letters: search, histogram, patterns, export, retry."""

from __future__ import annotations

import base64
import itertools
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse
from pydantic import BaseModel, Field

from api import paging
from api.context import Context, Ctx
from api.models import EventPattern, Histogram
from api.paging import FAR, Cursor, Since, Text, Until
from api.problems import ProblemError, documented
from api.publish import PublishError, Record
from api.routes.events import letter, pattern
from api.screens import events as screen
from api.templating import address, templates

router = APIRouter()
PAGE = 100
EXPORTED = 1_000_000
EXPORT_PAGE = 10_000
PARQUET = 100_000
"""Rows of a Parquet file, which can't be made page by page."""

AFTER = ("after_ms", "after_source", "after_id")
FORMATS = {
    "csv": (("CSVWithNames", "CSV"), "text/csv; charset=utf-8"),
    "ndjson": (("JSONEachRow", "JSONEachRow"), "application/x-ndjson"),
    "parquet": (("Parquet", ""), "application/vnd.apache.parquet"),
}
CUT = "bytes are kept)"
"""How the detail of a dead letter ends whose record was too long to be kept whole."""
DOCUMENTED = documented(401, 422, 503)


def _filters(
    ctx: Ctx,
    text: Annotated[Text, Query(description="somewhere in the record, whatever the case of its ASCII letters")] = "",
    lane: Annotated[Text, Query(description="default: the live one")] = "",
    type: Text = "",
    source: Text = "",
    key: Text = "",
    id: Text = "",
    since: Since = -FAR,
    until: Until = FAR,
) -> dict[str, Any]:
    """The filters of a request: what was asked, and the parameters of the queries. Without a time: the last day."""
    chosen, now, lanes = screen.lane_of(ctx.store, ctx.settings.stale_after_s, lane, ctx.settings.lane)
    until_ms = until if until < FAR else now + screen.MINUTE_MS
    since_ms = since if since > -FAR else until_ms - screen.DAY_MS
    if until_ms - since_ms > 3660 * screen.DAY_MS or since_ms >= until_ms:
        raise ProblemError(422, "Invalid request", "since must lie before until, by ten years at most.")
    asked = {"text": text, "lane": chosen, "type": type, "source": source, "key": key, "id": id}
    times = {"since": since if since > -FAR else "", "until": until if until < FAR else ""}
    where = {name: value for name, value in asked.items() if name != "text"} | {"pattern": pattern(text)}
    return {
        "asked": asked | times,
        "where": where | {"since_ms": since_ms, "until_ms": until_ms},
        "lanes": lanes,
        "now_ms": now,
    }


Filters = Annotated[dict[str, Any], Depends(_filters)]


@router.get("/events", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request, ctx: Ctx, filters: Filters, cursor: Cursor = "") -> Response:
    """The log of events of one lane."""
    where = filters["where"]
    place = paging.decode(cursor, AFTER, (int, str, str))
    counted = screen.bounded(ctx.store, where)
    few = {"instants": counted["instants"]} if "instants" in counted else {}
    rows = screen.latest(ctx.store, "events/latest", PAGE + 1, where | few | place)
    shown = paging.page(rows, PAGE, lambda row: (row["time_ms"], row["source"], row["id"]))
    day = {"since_ms": max(where["since_ms"], where["until_ms"] - screen.DAY_MS), "until_ms": where["until_ms"]}
    [names] = ctx.store.query("events/names", lane=where["lane"], **day)
    parts = {
        "rows": shown["items"],
        "more": address("/events", **filters["asked"], cursor=shown["next"]) if shown["next"] else "",
        "histogram": screen.histogram(ctx.store, counted),
        "patterns": screen.patterns(ctx.store, counted) if not cursor else [],
        "names": names,
        "exports": {name: address("/api/v1/events/export", **filters["asked"], format=name) for name in FORMATS},
        **filters,
    }
    return templates.TemplateResponse(request, "events.html", parts)


@router.get("/api/v1/events/histogram", tags=["events"], response_model=Histogram, responses=DOCUMENTED)
def event_histogram(ctx: Ctx, filters: Filters) -> dict[str, Any]:
    """How many events of one lane fit all filters, in at most 61 spans of time. Somebody limited to workflows is shown
    the last day of a longer time, unless few events fit."""
    return screen.histogram(ctx.store, screen.bounded(ctx.store, filters["where"]))


@router.get("/api/v1/events/patterns", tags=["events"], response_model=list[EventPattern], responses=DOCUMENTED)
def event_patterns(ctx: Ctx, filters: Filters) -> list[dict[str, Any]]:
    """What up to 3,000 of the latest events that fit look like, numbers and ids left out; the 20 commonest shapes. Of a
    longer time somebody limited to workflows is shown the last day."""
    return screen.patterns(ctx.store, screen.bounded(ctx.store, filters["where"]))


@router.get("/api/v1/events/export", tags=["events"], response_class=Response, responses=DOCUMENTED)
def export(
    ctx: Ctx,
    filters: Filters,
    format: Literal["csv", "ndjson", "parquet"] = "csv",
    limit: Annotated[int, Query(ge=1, le=EXPORTED, description="rows")] = PARQUET,
) -> Response:
    """The events of one lane that fit all filters as a file, the oldest first, at most 1,000,000 (Parquet: 100,000);
    personal data is masked in it as everywhere. In CSV a text that a spreadsheet would take for a formula has an
    apostrophe ahead of it. It is sent as it is read: one that breaks off is incomplete."""
    kinds, media = FORMATS[format]
    whole = format == "parquet"
    most = min(limit, PARQUET) if whole else limit
    pages = screen.exported(ctx.store, filters["where"], kinds, most, most if whole else EXPORT_PAGE)
    begun = next(pages)  # what is wrong with the store is told before the answer begins
    named = {"Content-Disposition": f'attachment; filename="events.{format}"'}
    return StreamingResponse(itertools.chain([begun], pages), media_type=media, headers=named)


class Place(BaseModel):
    """Where a record was in Kafka."""

    topic: Annotated[str, Field(max_length=249)]
    partition: Annotated[int, Field(ge=0, lt=1 << 31)]
    offset: Annotated[int, Field(ge=0, lt=1 << 63)]


class Retry(BaseModel):
    """Which dead letters to send once more."""

    letters: Annotated[list[Place], Field(min_length=1, max_length=1000)]


class Retried(BaseModel):
    """What was sent once more."""

    sent: int
    refused: list[str] = Field(description="what was not, and why")


@router.get("/dead-letters", response_class=HTMLResponse, include_in_schema=False)
def dead_letters(request: Request, ctx: Ctx, lane: Text = "", reason: Text = "", cursor: Cursor = "") -> Response:
    """Records that could not be read, by reason."""
    after = ("after_ms", "after_topic", "after_partition", "after_offset")
    place = paging.decode(cursor, after, (int, str, int, int))
    rows = ctx.store.query("dead_letters/list", lane=lane, reason=reason, limit=PAGE + 1, **place)
    shown = paging.page(rows, PAGE, lambda row: (row["received_ms"], row["topic"], row["partition"], row["offset"]))
    for row in shown["items"]:
        row["text"] = letter(ctx, row)[:2000].decode(errors="replace")
        row["retriable"] = not _refused(ctx, row)
    parts = {
        "rows": shown["items"],
        "more": address("/dead-letters", lane=lane, reason=reason, cursor=shown["next"]) if shown["next"] else "",
        "counts": ctx.store.query("dead_letters/counts"),
        "asked": {"lane": lane, "reason": reason},
    }
    return templates.TemplateResponse(request, "dead_letters.html", parts)


@router.post("/api/v1/dead-letters/retry", tags=["events"], response_model=Retried, responses=DOCUMENTED)
def retry(ctx: Ctx, retry: Retry) -> Retried:
    """Send records once more into the topic that they came from, byte for byte: after a mapping or a rule has been put
    right. One that still can't be read becomes a new dead letter; one that was read before counts once. Answers when
    the broker has acknowledged all."""
    wanted = {
        "topics": [one.topic for one in retry.letters],
        "partitions": [one.partition for one in retry.letters],
        "offsets": [one.offset for one in retry.letters],
    }
    rows = ctx.store.query("dead_letters/some", **wanted)
    refused = [
        f"{row['topic']}/{row['partition']}@{row['offset']}: {why}" for row in rows if (why := _refused(ctx, row))
    ]
    if len(rows) < len({(one.topic, one.partition, one.offset) for one in retry.letters}):
        refused.append("some are not kept any more")
    fit = [row for row in rows if not _refused(ctx, row)]
    records = [Record(row["topic"], b"", base64.b64decode(row["raw"])) for row in fit]
    if records:
        letters = [f"{row['topic']}/{row['partition']}@{row['offset']}" for row in fit]
        with ctx.records.transaction() as tx:  # before they are sent: a kill in between must leave a trace
            tx.changed(ctx.change("retry", "dead-letters", None, {"letters": letters}))
    try:
        if records:
            ctx.publisher.publish(records)
    except PublishError as error:
        done = f"{error.acknowledged} of {len(records)} were acknowledged ({error})"
        detail = f"{done}. Send all again: an event with the same id counts once."
        raise ProblemError(503, "Kafka not available", detail) from error
    return Retried(sent=len(records), refused=refused)


def _refused(ctx: Context, row: dict[str, Any]) -> str:
    """Why a dead letter can't be sent once more; "" if it can."""
    own = {mapping.topic for mapping in ctx.publisher.mappings if mapping.topic}
    if row["topic"] not in own and not row["topic"].startswith(f"{ctx.settings.topic_prefix}events."):
        return "it is no event: its topic is not one that events are read from"
    return "it was too long to be kept whole" if row["detail"].endswith(CUT) else ""
