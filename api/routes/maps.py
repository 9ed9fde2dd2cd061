"""The map of a workflow: page, what keeps it live, and the same as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api.context import Context, Ctx
from api.models import Map
from api.paging import GroupFilter, PathText, Since, Text
from api.problems import documented, not_found
from api.screens.map import chosen, workflow_map
from api.templating import address, templates

router = APIRouter()
When = Annotated[Since, Query(description="as it was then: epoch ms, or ISO 8601 with a zone; 0: now")]


def _seen(ctx: Context, workflow: str, lane: str, group: str, at: int) -> dict[str, Any] | None:
    known, about = chosen(ctx.store, ctx.settings.stale_after_s, workflow, lane)
    if about is None:
        return None
    shown = workflow_map(ctx.store, ctx.rulebook, about, group=group, at_ms=at or None)
    asked = {"workflow": about["workflow"], "lane": about["lane"], "group": group}
    refresh = address("/fragments/map", **asked, at=at or "")
    return {"map": shown, "known": known, "asked": asked, "refresh": refresh, "live_lane": ctx.settings.lane}


@router.get(
    "/api/v1/workflows/{workflow}/map", tags=["screens"], response_model=Map, responses=documented(401, 404, 422, 503)
)
def map_data(ctx: Ctx, workflow: PathText, lane: Text = "", group: GroupFilter = "", at: When = 0) -> dict[str, Any]:
    """A workflow's graph as configured, with what moved along each edge in the hour before, and what waits where."""
    seen = _seen(ctx, workflow, lane, group, at)
    if seen is None:
        raise not_found(f"No lane has items of the workflow {workflow!r}{f' in lane {lane!r}' if lane else ''}.")
    shown: dict[str, Any] = seen["map"]
    return shown


@router.get("/map", response_class=HTMLResponse, include_in_schema=False)
def page(
    request: Request, ctx: Ctx, workflow: Text = "", lane: Text = "", group: GroupFilter = "", at: When = 0
) -> Response:
    """The map of one workflow: without a name the one that needs it most."""
    seen = _seen(ctx, workflow, lane, group, at)
    if seen is None:
        about = {
            "title": "No map yet",
            "detail": "No workflow has items that fit. Send events, or choose another lane.",
        }
        return templates.TemplateResponse(request, "message.html", about, 404 if workflow else 200)
    return templates.TemplateResponse(request, "map.html", seen)


@router.get("/fragments/map", response_class=HTMLResponse, include_in_schema=False)
def map_fragment(ctx: Ctx, workflow: Text = "", lane: Text = "", group: GroupFilter = "", at: When = 0) -> str:
    """The part of the map that changes."""
    return _fragment(ctx, workflow, lane, group, at)


@router.get("/live/map", include_in_schema=False)
async def map_live(ctx: Ctx, workflow: Text = "", lane: Text = "", group: GroupFilter = "", at: When = 0) -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("map", workflow, lane, group, at), lambda: _fragment(ctx, workflow, lane, group, at))


def _fragment(ctx: Context, workflow: str, lane: str, group: str, at: int) -> str:
    seen = _seen(ctx, workflow, lane, group, at)
    return "" if seen is None else templates.get_template("_map.html").render(seen)
