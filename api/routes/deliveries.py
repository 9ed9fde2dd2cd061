"""How the channels do, and what the dispatcher is asked to do: to try again what it has given up."""

from __future__ import annotations

from typing import Any, Literal

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api import channels
from api.actor import Actor, Who
from api.clock import now_ms
from api.context import Context, Ctx
from api.paging import FAR
from api.problems import ProblemError, documented, not_found
from api.publish import PublishError, Record
from api.records import documents
from api.records.database import Change
from api.routes.actions import Id
from api.store import StoreError

router = APIRouter(prefix="/api/v1", tags=["alerting"], responses=documented(401, 422, 503))
NOT_AGAIN = {
    "sent": "it was sent",
    "retry": "it is tried again already, as soon as its channel takes it",
    "superseded": "it was over before it was told",
    "failed": "it was a test; send another one",
}


class Sent(BaseModel):
    """What was handed to the dispatcher; what becomes of it is at /api/v1/deliveries?id=…"""

    id: str


class Sender(BaseModel):
    """The dispatcher whose turn it is to send."""

    run: str
    place: str = Field(description="its machine and home")
    state: Literal["sends", "silent", "ended"] = Field(description="silent: nothing was heard of it for half a minute")
    heard_ms: int


class Channel(BaseModel):
    """How a channel has done in the last 24 hours. Numbers are of notifications, but for `failed` and `failing`."""

    channel: str
    type: str
    exists: bool = Field(description="whether there is such a channel; false: it was deleted, or somebody names it")
    state: Literal["works", "fails", "down", "unused"] = Field(description="down: it failed five times in a row")
    sent: int
    waiting: int = Field(description="those that were tried, and will be again")
    dead: int = Field(description="those that were given up")
    failed: int = Field(description="attempts that failed")
    failing: int = Field(description="attempts that failed since the last one that didn't")
    sent_ms: int | None = Field(description="when it last worked")
    failed_ms: int | None = Field(description="when it last failed")
    detail: str = Field(description="what was said when it last failed")


class Channels(BaseModel):
    """How people are reached."""

    dispatcher: Sender | None = Field(description="null: none was heard of within the last hour")
    channels: list[Channel]


@router.get("/channels", response_model=Channels)
def list_channels(ctx: Ctx) -> dict[str, Any]:
    """Which dispatcher sends, and how each channel does: whether it works, what waits, what was given up."""
    now = now_ms()
    with ctx.records.reading() as connection:
        there = {one.name: one.body for one in documents.listed(connection, "channel")}
    return {
        "dispatcher": channels.dispatcher(ctx.listener.dispatcher, now),
        "channels": channels.listed(channels.seen(ctx.store, now), there),
    }


@router.post("/deliveries/{id}/retry", status_code=202, response_model=Sent, responses=documented(404, 409))
def retry_delivery(ctx: Ctx, who: Who, id: Id) -> Sent:
    """Have the dispatcher try a notification again that it has given up or called off (outcome `dead`, `called_off`).
    404 where nothing is known of it, 409 where there is nothing to be tried. While ClickHouse doesn't answer it is
    handed over as it is; a notification that the log doesn't have any more gets the outcome `refused`."""
    try:
        known = delivery(ctx, id)
    except StoreError:
        return handed(ctx, who, {"type": "retry", "id": id}, f"delivery/{id}")
    if known is None:
        raise not_found(f"Nothing has been delivered, or was to be, under the id {id!r}.")
    if why := NOT_AGAIN.get(known["outcome"]):
        raise ProblemError(409, "Nothing to try again", f"Notification {id} isn't tried again: {why}.")
    return handed(ctx, who, {"type": "retry", "id": id}, f"delivery/{id}")


def delivery(ctx: Context, id: str) -> dict[str, Any] | None:
    """The last attempt of a notification, None if there was none. Raises StoreError."""
    where = dict.fromkeys(("alert", "channel", "person", "outcome", "lane", "after_id"), "")
    place = {"resumed": 0, "after_ms": 0, "after_attempt": 0, "since_ms": -FAR, "until_ms": FAR}
    rows = ctx.store.query("deliveries/list", id=id, **where, **place, limit=1)
    return rows[0] if rows else None


def handed(ctx: Context, who: Actor, record: dict[str, Any], subject: str) -> Sent:
    """A record for the dispatcher, from whoever asks, now; the audit is told of it under `subject`. Raises a 503
    problem if Kafka doesn't take it."""
    now = now_ms()
    value = orjson.dumps({**record, "who": who.name, "at_ms": now})
    told = {name: record[name] for name in ("id", "person") if record.get(name)}
    with ctx.records.transaction() as tx:  # before it is sent: a kill in between must leave a trace
        tx.changed(Change(now, who.name, record["type"], subject, None, told, who.origin))
    try:
        ctx.publisher.publish([Record(f"{ctx.settings.topic_prefix}notifications", b"", value)])
    except PublishError as error:
        raise ProblemError(503, "Kafka not available", f"It was not handed over ({error}). Send it again.") from error
    return Sent(id=record["id"])
