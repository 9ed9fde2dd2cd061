"""Incidents: alerts with one cause, what is said of them to others, and the document written afterwards."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from api import incidents, ownincidents, paging
from api.actions import act
from api.actor import Who
from api.alertmodels import Incident, IncidentDetail
from api.context import Ctx
from api.models import Page
from api.paging import FAR, Cursor, Limit, PathText, Since, Text, Until
from api.problems import ProblemError, documented, not_found
from api.routes.actions import MOST_ALERTS, Answer, Id, NewId, Said, answered

router = APIRouter(prefix="/api/v1", tags=["incidents"], responses=documented(401, 422, 503))
ACTION = {202: {"model": Answer}, **documented(404, 409)}
PUBLIC = "The note is, or would be, on the status page, which is everybody's: that is for somebody without limits."


class Note(BaseModel):
    """What others are told of an incident."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[Said, Field(min_length=1)]
    public: bool = Field(False, description="show it on the status page; each note says it anew")


class Why(BaseModel):
    """The reason for what is done."""

    model_config = ConfigDict(extra="forbid")

    why: Said = ""


class Merge(Why):
    """What turns out to belong to an incident: ids of other incidents, with all their alerts, or of alerts."""

    alerts: Annotated[list[Id], Field(min_length=1, max_length=MOST_ALERTS)]


@router.get("/incidents", response_model=Page[Incident], responses=documented(400))
def list_incidents(
    ctx: Ctx,
    state: Literal["", "open", "resolved"] = "",
    lane: Text = "",
    priority: Annotated[Literal["", "P1", "P2", "P3", "P4"], Query()] = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Incidents that fit all filters, the newest first. `since` and `until` are about when they opened."""
    where = {"state": state, "lane": lane, "priority": priority, "since_ms": since, "until_ms": until}
    place = paging.decode(cursor, ("after_ms", "after_id"), (int, str))
    rows = ctx.store.query("incidents/list", **where, limit=limit + 1, **place)
    return paging.page(rows, limit, lambda row: (row["opened_ms"], row["id"]))


@router.get("/incidents/{id}", response_model=IncidentDetail, responses=documented(404))
def get_incident(ctx: Ctx, id: PathText) -> dict[str, Any]:
    """One incident with its alerts, what became of it and of them, how people were told, and the events of its
    items."""
    found = incidents.whole(ctx.store, id)
    if found is None:
        raise not_found(f"There is no incident {id!r}.")
    return found


@router.get("/incidents/{id}/post-mortem", response_class=PlainTextResponse, responses=documented(404))
def get_post_mortem(ctx: Ctx, id: PathText) -> Response:
    """A post-mortem in Markdown: summary, impact, evidence, timeline, events and deliveries as recorded, with the
    questions that only people can answer."""
    return PlainTextResponse(incidents.post_mortem(get_incident(ctx, id)), media_type="text/markdown; charset=utf-8")


@router.post("/incidents/{id}/note", response_model=Answer, responses=ACTION)
async def put_note(ctx: Ctx, who: Who, response: Response, id: Id, note: Note, new: NewId) -> Answer:
    """Say how things stand, instead of what was said before. Somebody with limits says so of incidents whose alerts are
    all theirs (403 else), and nothing on the status page."""
    own = await ownincidents.incident(ctx, id)
    if own and (note.public or own["public"]):
        raise ProblemError(403, "Not allowed", PUBLIC)
    given = {"incident": id, "text": note.text, "public": int(note.public)}
    return answered(await act(ctx, who, new, "incident_note", **given), response)


@router.post("/incidents/{id}/resolve", response_model=Answer, responses=ACTION)
async def resolve(ctx: Ctx, who: Who, response: Response, id: Id, new: NewId, body: Why | None = None) -> Answer:
    """Resolve an incident and the alerts that it holds. For somebody with limits all of these must be theirs (else
    403); each is resolved, and with the last of them the incident: one of others' that joins now is not."""
    given: dict[str, Any] = {"incident": id, "why": body.why if body else ""}
    if await ownincidents.incident(ctx, id) is None:
        return answered(await act(ctx, who, new, "incident_resolve", **given), response)
    given |= {"alerts": await ownincidents.live(ctx, id), "why": given["why"] or "incident resolved"}
    if not given["alerts"]:
        raise ProblemError(
            409, "Action refused", f"The incident {id} is resolved already, or has no alert that goes on."
        )
    return answered(await act(ctx, who, new, "resolve", **given), response)


@router.post("/incidents/{id}/merge", response_model=Answer, responses=ACTION)
async def merge(ctx: Ctx, who: Who, response: Response, id: Id, body: Merge, new: NewId) -> Answer:
    """Have an incident take in others, or alerts, which belong to it from then on. For somebody with limits all of them
    must be theirs, and all that is in the same incidents: 403 or 404 else."""
    await ownincidents.incident(ctx, id)
    given = {"incident": id, "alerts": await ownincidents.taken(ctx, body.alerts), "why": body.why}
    return answered(await act(ctx, who, new, "incident_merge", **given), response)
