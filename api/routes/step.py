"""The page of a step, what keeps it live, and the same as JSON."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.context import Context, Ctx
from api.models import StepDetail
from api.paging import GroupFilter, PathText, Text
from api.problems import documented, not_found
from api.screens.map import choices, chosen
from api.screens.step import charts, step
from api.templating import address, templates

router = APIRouter()


def _seen(ctx: Context, workflow: str, lane: str, name: str, group: str) -> dict[str, Any] | None:
    known, about = chosen(ctx.store, ctx.settings.stale_after_s, workflow, lane)
    if about is None:
        return None
    steps, groups, first = choices(ctx.store, ctx.rulebook, about)
    found = step(ctx.store, about, name or first, group=group)
    asked = {"workflow": about["workflow"], "lane": about["lane"], "step": found["step"], "group": group}
    return {
        "step": found,
        "charts": charts(found),
        "known": known,
        "steps": list(dict.fromkeys([*steps, found["step"]])),
        "groups": groups,
        "refresh": address("/fragments/steps", **asked),
    }


@router.get(
    "/api/v1/workflows/{workflow}/steps/{step}",
    tags=["screens"],
    response_model=StepDetail,
    responses=documented(401, 404, 422, 503),
)
def step_data(ctx: Ctx, workflow: PathText, step: PathText, lane: Text = "", group: GroupFilter = "") -> dict[str, Any]:
    """What waits at a step, and its rates and durations in the last two hours beside the same hours of four weeks."""
    seen = _seen(ctx, workflow, lane, step, group)
    if seen is None:
        raise not_found(f"No lane has items of the workflow {workflow!r}{f' in lane {lane!r}' if lane else ''}.")
    found: dict[str, Any] = seen["step"]
    return found


@router.get("/steps", response_class=HTMLResponse, include_in_schema=False)
def page(
    request: Request, ctx: Ctx, workflow: Text = "", lane: Text = "", step: Text = "", group: GroupFilter = ""
) -> Response:
    """One step: without a name the one where most is overdue."""
    seen = _seen(ctx, workflow, lane, step, group)
    if seen is None:
        about = {
            "title": "No steps yet",
            "detail": "No workflow has items that fit. Send events, or choose another lane.",
        }
        return templates.TemplateResponse(request, "message.html", about, 404 if workflow else 200)
    return templates.TemplateResponse(request, "step.html", seen)


@router.get("/fragments/steps", response_class=HTMLResponse, include_in_schema=False)
def step_fragment(ctx: Ctx, workflow: Text = "", lane: Text = "", step: Text = "", group: GroupFilter = "") -> str:
    """The part of a step's page that changes."""
    return _fragment(ctx, workflow, lane, step, group)


@router.get("/live/steps", include_in_schema=False)
async def step_live(
    ctx: Ctx, workflow: Text = "", lane: Text = "", step: Text = "", group: GroupFilter = ""
) -> Response:
    """The same, sent whenever it has changed."""
    return ctx.watch(("steps", workflow, lane, step, group), lambda: _fragment(ctx, workflow, lane, step, group))


def _fragment(ctx: Context, workflow: str, lane: str, name: str, group: str) -> str:
    seen = _seen(ctx, workflow, lane, name, group)
    return "" if seen is None else templates.get_template("_step.html").render(seen)
