"""Silences in the words of Alertmanager's API v2; they are documents of kind `silence` like those of /api/v1."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api import alerting, alertmanager
from api.actor import Actor, Who
from api.clock import now_ms
from api.context import Context, Ctx
from api.problems import ProblemError
from api.records import documents
from api.records.documents import Document
from api.routes.jsontexts import Filters, Flag, JsonTextRoute, epoch_ms, matchers_of

KEPT_MS = 5 * 86_400_000  # a silence that has ended is shown for so long, as Alertmanager does

router = APIRouter(prefix="/api/v2", tags=["alertmanager"], route_class=JsonTextRoute)


class PostedMatcher(BaseModel):
    """On one label."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    value: Annotated[str, Field(max_length=4_096)]
    isRegex: bool
    isEqual: bool = True


class PostedSilence(BaseModel):
    """With an id it changes a silence, without one it is new."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(max_length=64)] = ""
    matchers: Annotated[list[PostedMatcher], Field(min_length=1, max_length=100)]
    startsAt: AwareDatetime
    endsAt: AwareDatetime
    createdBy: Annotated[str, Field(max_length=256)]
    comment: Annotated[str, Field(max_length=10_000)]


@router.get("/silences")
def get_silences(
    ctx: Ctx,
    filter: Filters = [],  # noqa: B006
    active: Flag = True,
    expired: Flag = True,
    pending: Flag = True,
) -> list[dict[str, Any]]:
    """The silences, those in force first."""
    asked = [state for state, wanted in (("active", active), ("expired", expired), ("pending", pending)) if wanted]
    matchers, now = matchers_of(filter), now_ms()
    with ctx.records.reading() as connection:
        found = [_shown(one, now) for one in alerting.seen(ctx, documents.listed(connection, "silence"))]
    return alertmanager.in_order(
        one for one in found if one["status"]["state"] in asked and alertmanager.has(one, matchers)
    )


@router.post("/silences")
def post_silence(ctx: Ctx, who: Who, said: PostedSilence) -> dict[str, str]:
    """Make a silence, or change one. Where its matchers change, or it has ended, it becomes another one."""
    now = now_ms()
    begin, end = max(epoch_ms(said.startsAt), now), epoch_ms(said.endsAt)
    if end <= now:
        raise ProblemError(422, "Invalid silence", "Failed to create silence: end time can't be in the past")
    if begin >= end:
        raise ProblemError(422, "Invalid silence", "Failed to create silence: start time must be before end time")
    try:
        body = alertmanager.body_of_silence(said.model_dump(), begin, end)
    except ValueError as fault:
        raise ProblemError(422, "Invalid silence", str(fault)) from None
    body = alerting.within_limits(ctx, body)
    known = _silence(ctx, said.id) if said.id else None
    if known and known.body["match"] == body["match"] and _state(known, now) != "expired":
        began = alertmanager.span(known.body)[0]
        if began <= now:
            body["from"] = known.body["from"]  # when it began is history
        alerting.put(ctx, who, "silence", said.id, body, known.version)
        return {"silenceID": said.id}
    name = str(uuid.uuid4())
    alerting.put(ctx, who, "silence", name, body, 0)
    if known:
        _expire(ctx, who, known, now)
    _sweep(ctx, who, now)
    return {"silenceID": name}


@router.get("/silence/{id}")
def get_silence(ctx: Ctx, id: str) -> dict[str, Any]:
    """One silence."""
    return _shown(_silence(ctx, id), now_ms())


@router.delete("/silence/{id}")
def delete_silence(ctx: Ctx, who: Who, id: str) -> Response:
    """End a silence. It is shown as expired for five days more."""
    _expire(ctx, who, _silence(ctx, id), now_ms())
    return Response(status_code=200)


def _silence(ctx: Context, name: str) -> Document:
    with ctx.records.reading() as connection:
        found = documents.read(connection, "silence", name)
    if found is None or not alerting.seen(ctx, [found]):
        raise ProblemError(404, "Not found", f"silence {name} not found")
    return found


def _expire(ctx: Context, actor: Actor, known: Document, now: int) -> None:
    """Let it end now; one that was to come never holds."""
    begin, end = alertmanager.span(known.body)
    if end > now:
        ended = {**known.body, "from": alertmanager.stamp(min(begin, now - 1)), "until": alertmanager.stamp(now)}
        alerting.put(ctx, actor, "silence", known.name, ended, known.version)


def _sweep(ctx: Context, actor: Actor, now: int) -> None:
    """Delete the silences that ended long ago, of whatever origin (of those that whoever asks sees): their versions
    stay."""
    with ctx.records.reading() as connection:
        known = alerting.seen(ctx, documents.listed(connection, "silence"))
    old = [one for one in known if alertmanager.span(one.body)[1] < now - KEPT_MS]
    for one in old:
        alerting.remove(ctx, actor, one.kind, one.name, alerting.ANY)


def _shown(one: Document, now: int) -> dict[str, Any]:
    return alertmanager.silence(one.name, one.body, one.updated_ms, now)


def _state(one: Document, now: int) -> str:
    return str(_shown(one, now)["status"]["state"])
