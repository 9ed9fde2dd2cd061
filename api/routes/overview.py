"""The overview and the wall: pages, what keeps them live, and the same as JSON."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.alertmodels import ACTIVE
from api.context import Context, Ctx
from api.overviewmodels import Overview
from api.paging import MAX_LIMIT, Text
from api.problems import documented
from api.routes.alerts import listed
from api.screens.overview import overview
from api.templating import templates

router = APIRouter()
STRIP = 12
"""Alerts on the overview: the gravest; the console has them all."""

WALL = 60
"""Boards on the wall: the worst ones. Ten pages are more than anybody waits for."""


def _seen(ctx: Context, lane: str, limit: int = MAX_LIMIT) -> dict[str, Any]:
    seen = overview(ctx.store, ctx.rulebook, ctx.settings.stale_after_s, lane, limit)
    return {**seen, "alerts": listed(ctx.store, states=ACTIVE, lane=lane, sort="severity", limit=STRIP)}


def _fragment(ctx: Context, name: str, lane: str) -> str:
    return templates.get_template(f"_{name}.html").render(_seen(ctx, lane, WALL if name == "wall" else MAX_LIMIT))


@router.get("/api/v1/overview", tags=["screens"], response_model=Overview, responses=documented(401, 422, 503))
def overview_data(ctx: Ctx, lane: Text = "") -> dict[str, Any]:
    """What the overview shows: a tile for each workflow, the worst first; what is broken now, the gravest first."""
    return _seen(ctx, lane)


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request, ctx: Ctx, lane: Text = "") -> Response:
    """The workflows with their counts, what is broken now and what was found last, of one lane or of all."""
    return templates.TemplateResponse(request, "overview.html", _seen(ctx, lane))


@router.get("/wall", response_class=HTMLResponse, include_in_schema=False)
def wall(request: Request, ctx: Ctx, lane: Text = "") -> Response:
    """The overview for a screen on a wall."""
    return templates.TemplateResponse(request, "wall.html", _seen(ctx, lane, WALL))


@router.get("/fragments/overview", response_class=HTMLResponse, include_in_schema=False)
def overview_fragment(ctx: Ctx, lane: Text = "") -> str:
    """The part of the overview that changes."""
    return _fragment(ctx, "overview", lane)


@router.get("/fragments/wall", response_class=HTMLResponse, include_in_schema=False)
def wall_fragment(ctx: Ctx, lane: Text = "") -> str:
    """The part of the wall that changes."""
    return _fragment(ctx, "wall", lane)


@router.get("/live/overview", include_in_schema=False)
async def overview_live(ctx: Ctx, lane: Text = "") -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("overview", lane), lambda: _fragment(ctx, "overview", lane))


@router.get("/live/wall", include_in_schema=False)
async def wall_live(ctx: Ctx, lane: Text = "") -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("wall", lane), lambda: _fragment(ctx, "wall", lane))
