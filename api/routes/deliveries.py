"""What the dispatcher is asked to do: to try again what it has given up."""

from __future__ import annotations

import time
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel

from api.actor import Actor, Who
from api.context import Context, Ctx
from api.paging import FAR
from api.problems import ProblemError, documented, not_found
from api.publish import PublishError, Record
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


@router.post("/deliveries/{id}/retry", status_code=202, response_model=Sent, responses=documented(404, 409))
def retry_delivery(ctx: Ctx, who: Who, id: Id) -> Sent:
    """Have the dispatcher try a notification again that it has given up or called off (outcome `dead`, `called_off`).
    404 where nothing is known of it, 409 where there is nothing to be tried. While ClickHouse doesn't answer it is
    handed over as it is; a notification that the log doesn't have any more gets the outcome `refused`."""
    try:
        known = delivery(ctx, id)
    except StoreError:
        return handed(ctx, who, {"type": "retry", "id": id})
    if known is None:
        raise not_found(f"Nothing has been delivered, or was to be, under the id {id!r}.")
    if why := NOT_AGAIN.get(known["outcome"]):
        raise ProblemError(409, "Nothing to try again", f"Notification {id} isn't tried again: {why}.")
    return handed(ctx, who, {"type": "retry", "id": id})


def delivery(ctx: Context, id: str) -> dict[str, Any] | None:
    """The last attempt of a notification, None if there was none. Raises StoreError."""
    where = dict.fromkeys(("alert", "channel", "person", "outcome", "lane", "after_id"), "")
    place = {"resumed": 0, "after_ms": 0, "after_attempt": 0, "since_ms": -FAR, "until_ms": FAR}
    rows = ctx.store.query("deliveries/list", id=id, **where, **place, limit=1)
    return rows[0] if rows else None


def handed(ctx: Context, who: Actor, record: dict[str, Any]) -> Sent:
    """A record for the dispatcher, from whoever asks, now. Raises a 503 problem if Kafka doesn't take it."""
    value = orjson.dumps({**record, "who": who.name, "at_ms": time.time_ns() // 1_000_000})
    try:
        ctx.publisher.publish([Record(f"{ctx.settings.topic_prefix}notifications", b"", value)])
    except PublishError as error:
        raise ProblemError(503, "Kafka not available", f"It was not handed over ({error}). Send it again.") from error
    return Sent(id=record["id"])
