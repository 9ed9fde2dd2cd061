"""The console of alerts and incidents: what people work through. What they do goes through the API."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response

from api import alerting, incidents, paging
from api.access import within
from api.alertlog import log_of
from api.channels import troubled
from api.context import Context, Ctx
from api.paging import Cursor, PathText, Text
from api.routes.alerts import STORY, Responded, Severity, listed, openable, states_of
from api.runbooks import runbook
from api.templating import address, templates

router = APIRouter(include_in_schema=False)
PAGE = 100
STATES = ("active", "open", "escalated", "acknowledged", "suppressed", "pending", "ended")
State = Annotated[
    Literal["active", "open", "escalated", "acknowledged", "suppressed", "pending", "ended", "all"], Query()
]


class Asked(NamedTuple):
    """Which alerts to show."""

    state: str
    severity: str
    workflow: str
    lane: str
    team: str
    assignee: str
    response: str
    cursor: str


def _asked(
    state: State = "active",
    severity: Severity = "",
    workflow: Text = "",
    lane: Text = "",
    team: Text = "",
    assignee: Text = "",
    response: Responded = "",
    cursor: Cursor = "",
) -> Asked:
    return Asked(state, severity, workflow, lane, team, assignee, response, cursor)


Question = Annotated[Asked, Depends(_asked)]


def _listed(ctx: Context, question: Asked) -> dict[str, Any]:
    asked = question._asdict()
    state, cursor = asked.pop("state"), asked.pop("cursor")
    states = states_of([state]) if state != "all" else ()
    place = paging.decode(cursor, ("after_place", "after_id"), (int, str))
    rows = listed(ctx.store, states=states, sort="severity", limit=PAGE + 1, **asked, **place)
    shown = paging.page(rows, PAGE, lambda row: (row["place"], row["id"]))
    counts: dict[str, int] = {}
    for row in ctx.store.query("alerts/counts", lane=question.lane, workflow=question.workflow, limit=paging.MAX_LIMIT):
        counts[row["state"]] = counts.get(row["state"], 0) + row["alerts"]
    asked |= {"state": state}
    more = address("/alerts", **asked, cursor=shown["next"]) if shown["next"] else ""
    refresh = address("/fragments/alerts", **asked, cursor=cursor)
    return {
        "rows": shown["items"],
        "more": more,
        "asked": asked,
        "counts": counts,
        "refresh": refresh,
        "states": STATES,
        "troubled": troubled(ctx.store),
    }


@router.get("/alerts", response_class=HTMLResponse)
def alerts(request: Request, ctx: Ctx, question: Question) -> Response:
    """Alerts to work through, the gravest first."""
    return templates.TemplateResponse(request, "alerts.html", _listed(ctx, question))


@router.get("/fragments/alerts", response_class=HTMLResponse)
def alerts_fragment(ctx: Ctx, question: Question) -> str:
    """The part of the console that changes."""
    return templates.get_template("_alerts.html").render(_listed(ctx, question))


@router.get("/live/alerts")
async def alerts_live(ctx: Ctx, question: Question) -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("alerts", *question), lambda: alerts_fragment(ctx, question))


def _alert(ctx: Context, id: str) -> dict[str, Any] | None:
    found = openable(ctx.store, ctx.store.query("alerts/some", ids=[id]))
    if not found:
        return None
    labels = [f"{name} = {json.dumps(found[0][name])}" for name in ("lane", "workflow", "rule") if found[0][name]]
    try:
        labels = within.narrowed(labels, alerting.limits_of(ctx))
    except within.Beyond:
        labels = []
    return {
        "alert": found[0],
        "log": log_of(ctx.store, [id], STORY),
        "deliveries": ctx.store.query("deliveries/of_alerts", ids=[id], limit=STORY),
        "explains": listed(ctx.store, explained_by=id, limit=PAGE),
        "runbook": runbook(ctx.settings.packs, found[0]["runbook"]),
        "labels": labels,
    }


@router.get("/alerts/{id}", response_class=HTMLResponse)
def alert(request: Request, ctx: Ctx, id: PathText) -> Response:
    """One alert: what is wrong, what to do, what was done."""
    seen = _alert(ctx, id)
    if seen is None:
        about = {"title": "No such alert", "detail": f"There is no alert {id}."}
        return templates.TemplateResponse(request, "message.html", about, 404)
    return templates.TemplateResponse(request, "alert.html", seen)


@router.get("/fragments/alerts/{id}", response_class=HTMLResponse)
def alert_fragment(ctx: Ctx, id: PathText) -> str:
    """The part of an alert's page that changes."""
    seen = _alert(ctx, id)
    return "" if seen is None else templates.get_template("_alert.html").render(seen)


@router.get("/live/alerts/{id}")
async def alert_live(ctx: Ctx, id: PathText) -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("alert", id), lambda: alert_fragment(ctx, id))


@router.get("/incidents", response_class=HTMLResponse)
def incident_list(
    request: Request, ctx: Ctx, state: Literal["", "open", "resolved"] = "", cursor: Cursor = ""
) -> Response:
    """Incidents, the newest first."""
    where = {"state": state, "lane": "", "priority": "", "since_ms": -paging.FAR, "until_ms": paging.FAR}
    place = paging.decode(cursor, ("after_ms", "after_id"), (int, str))
    rows = ctx.store.query("incidents/list", **where, limit=PAGE + 1, **place)
    shown = paging.page(rows, PAGE, lambda row: (row["opened_ms"], row["id"]))
    more = address("/incidents", state=state, cursor=shown["next"]) if shown["next"] else ""
    return templates.TemplateResponse(request, "incidents.html", {"rows": shown["items"], "more": more, "state": state})


@router.get("/incidents/{id}", response_class=HTMLResponse)
def incident(request: Request, ctx: Ctx, id: PathText) -> Response:
    """One incident with its alerts and all that was done."""
    found = incidents.whole(ctx.store, id)
    if found is None:
        about = {"title": "No such incident", "detail": f"There is no incident {id}."}
        return templates.TemplateResponse(request, "message.html", about, 404)
    names = {"": "the incident"} | {row["id"]: row["summary"] for row in found["members"]}
    return templates.TemplateResponse(request, "incident.html", {"incident": found, "names": names})
