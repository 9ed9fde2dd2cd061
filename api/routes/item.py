"""The page of an item, and the search that finds it by any of its keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import paging, views
from api.context import Context, Ctx
from api.models import FoundItem, Page
from api.paging import FAR, At, Cursor, Limit, PathText, Text
from api.problems import documented
from api.routes.alerts import listed
from api.ruleset import visible
from api.runbooks import runbook
from api.screens import item as screen
from api.screens.map import spec_of
from api.screens.why import reasons
from api.templating import address, item_place, templates

router = APIRouter()
PAGE = 50
ALERTS = 20
"""Alerts shown with an item, the latest."""

Status = Annotated[Literal["", "in_flight", "completed", "failed", "expired", "closed"], Query()]


@router.get(
    "/api/v1/search", tags=["screens"], response_model=Page[FoundItem], responses=documented(400, 401, 422, 503)
)
def search(
    ctx: Ctx, key: Annotated[Text, Query(min_length=1)], lane: Text = "", limit: Limit = PAGE, cursor: Cursor = ""
) -> dict[str, Any]:
    """The items known by exactly this key, whichever of their keys it is, the latest news first: those whose own key it
    is, and those that one of its latest thousand events belongs to."""
    return paging.page_of_items(screen.search(ctx.store, key, lane, limit + 1, cursor), limit, "updated_ms")


@router.get("/items", response_class=HTMLResponse, include_in_schema=False)
def items(
    request: Request,
    ctx: Ctx,
    key: Text = "",
    workflow: Text = "",
    lane: Text = "",
    status: Status = "",
    step: Text = "",
    group: paging.GroupFilter = "",
    cursor: Cursor = "",
) -> Response:
    """Items that are known by a key, or whose key begins so. The page of the one, where there is only one."""
    filters = {"key": key, "workflow": workflow, "lane": lane, "status": status, "step": step, "group": group}
    known = screen.search(ctx.store, key, lane) if key and not (workflow or status or step or group or cursor) else []
    if len(known) == 1:
        return RedirectResponse(address(item_place(known[0]), lane=known[0]["lane"], run=known[0]["run_ms"]), 303)
    rows = ctx.store.query(
        "items/list",
        **{name: value for name, value in filters.items() if name not in ("key", "group")},
        key_prefix=key,
        has_findings=-1,
        sort="updated",
        limit=PAGE + 1,
        **paging.split_group(group),
        **paging.after_item(cursor),
    )
    shown = paging.page_of_items(rows, PAGE)
    begun = {(row["lane"], row["workflow"], row["key"], row["run_ms"]) for row in shown["items"]}
    others = [row for row in known if (row["lane"], row["workflow"], row["key"], row["run_ms"]) not in begun]
    more = address("/items", **filters, cursor=shown["next"]) if shown["next"] else ""
    clocks = {row["lane"]: row["watermark_ms"] for row in views.lanes(ctx.store, ctx.settings.stale_after_s)}
    parts = {"rows": [*others, *shown["items"]], "more": more, "filters": filters, "clocks": clocks}
    return templates.TemplateResponse(request, "items.html", parts)


def _seen(ctx: Context, workflow: str, key: str, lane: str, run: int) -> dict[str, Any] | None:
    found = screen.item(ctx.store, workflow, key, lane, ctx.settings.stale_after_s, at_ms=run)
    if found is None:
        return None
    paths = {finding["runbook"] for finding in found["findings"]}
    books = {path: text for path in paths if (text := runbook(ctx.settings.packs, path)) is not None}
    alerts = listed(ctx.store, workflow=workflow, key=key, lane=found["lane"], sort="opened", limit=ALERTS)
    why = reasons(found, lambda name, version, at: _definition(ctx, name, version, at))
    refresh = address("/fragments" + item_place(found), lane=found["lane"], run=run if run != FAR else "")
    shown = {"item": found, "bars": screen.waterfall(found), "runbooks": books, "alerts": alerts, "why": why}
    shown["live_lane"] = ctx.settings.lane  # the customer view is of this one
    return {**shown, "refresh": refresh}


def _definition(ctx: Context, workflow: str, version: int, at_ms: int) -> dict[str, Any] | None:
    """The workflow that made a finding, where its rules are known here in that version and may be read."""
    if not visible(ctx, workflow):
        return None
    spec = spec_of(ctx.rulebook, workflow, at_ms)
    return ctx.rulebook.definition(spec) if spec and spec.version == version else None


@router.get("/items/{workflow}/{key:key}", response_class=HTMLResponse, include_in_schema=False)
def item(request: Request, ctx: Ctx, workflow: PathText, key: PathText, lane: Text = "", run: At = FAR) -> Response:
    """The story of an item's run."""
    seen = _seen(ctx, workflow, key, lane, run)
    if seen is None:
        about = {"title": "No such item", "detail": f"No item {key} of the workflow {workflow} has been seen yet."}
        return templates.TemplateResponse(request, "message.html", about, 404)
    return templates.TemplateResponse(request, "item.html", seen)


@router.get("/fragments/items/{workflow}/{key:key}", response_class=HTMLResponse, include_in_schema=False)
def item_fragment(ctx: Ctx, workflow: PathText, key: PathText, lane: Text = "", run: At = FAR) -> str:
    """The part of an item's page that changes."""
    return _fragment(ctx, workflow, key, lane, run)


@router.get("/live/items/{workflow}/{key:key}", include_in_schema=False)
async def item_live(ctx: Ctx, workflow: PathText, key: PathText, lane: Text = "", run: At = FAR) -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("item", workflow, key, lane, run), lambda: _fragment(ctx, workflow, key, lane, run))


def _fragment(ctx: Context, workflow: str, key: str, lane: str, run: int) -> str:
    seen = _seen(ctx, workflow, key, lane, run)
    return "" if seen is None else templates.get_template("_item.html").render(seen)
