"""How workflows, their steps and their lanes stand."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api import views
from api.context import Ctx
from api.models import Lane, Steps, Workflow
from api.paging import MAX_LIMIT, Most, PathText, Since, Text, cut
from api.problems import documented, not_found

router = APIRouter(prefix="/api/v1", tags=["workflows"], responses=documented(401, 422, 503))
Group = Annotated[Text, Query(description="count by the values of this group", examples=["market"])]


@router.get("/workflows", response_model=list[Workflow])
def list_workflows(
    ctx: Ctx, response: Response, lane: Text = "", workflow: Text = "", group: Group = "", limit: Most = MAX_LIMIT
) -> list[dict[str, Any]]:
    """Every workflow in every lane, with its counts. Status `blind` means that the lane's clock stands still. There
    are as many as rules, hence no pages; of a `group` with very many values `lane` and `workflow` choose some."""
    stale = ctx.settings.stale_after_s
    rows = views.workflows(ctx.store, stale, lane=lane, workflow=workflow, group=group, limit=limit + 1)
    return cut(rows, limit, response)


@router.get("/workflows/{workflow}/steps", response_model=Steps, responses=documented(404))
def list_steps(
    ctx: Ctx,
    response: Response,
    workflow: PathText,
    lane: Text = "",
    group: Group = "",
    since: Since = 0,
    limit: Most = MAX_LIMIT,
) -> dict[str, Any]:
    """What passed each step since `since`, what waits there now and for how long. Default lane: the busiest of late.
    As many as the rules name, hence no pages."""
    known = views.workflows(ctx.store, ctx.settings.stale_after_s, workflow=workflow, lane=lane)
    if not known:
        raise not_found(f"No lane has items of the workflow {workflow!r}{f' in lane {lane!r}' if lane else ''}.")
    chosen = max(known, key=lambda row: row["last_event_ms"])["lane"]
    now = views.clock_of(ctx.store, chosen, ctx.settings.stale_after_s)
    found = views.steps(ctx.store, workflow, chosen, group=group, since_ms=since, now_ms=now, limit=limit + 1)
    return {
        "workflow": workflow,
        "lane": chosen,
        "now_ms": now,
        "ageing_ms": views.AGEING_MS,
        "steps": cut(found, limit, response),
    }


@router.get("/lanes", response_model=list[Lane])
def list_lanes(ctx: Ctx, response: Response, limit: Most = MAX_LIMIT) -> list[dict[str, Any]]:
    """Each lane with its clock; lanes are few, hence no pages."""
    return cut(views.lanes(ctx.store, ctx.settings.stale_after_s, limit + 1), limit, response)
