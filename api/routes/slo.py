"""Service levels: the share of deadlines met, and what is left of the error budget."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api import levels, views
from api.access.roles import UNLIMITED
from api.context import Ctx
from api.paging import GroupFilter, Text
from api.problems import documented

router = APIRouter(prefix="/api/v1", tags=["service levels"], responses=documented(401, 422, 503))
DAYS = {"day": 1, "week": 7, "month": 30}
Share = Annotated[float | None, Field(description="from 0 to 1; null where nothing was due", examples=[0.9982])]


class Level(BaseModel):
    """How one deadline, or schedule, of a workflow was kept."""

    workflow: str
    deadline: Annotated[str, Field(description="the id of a deadline or a schedule")]
    met: int
    missed: int
    excused: Annotated[int, Field(description="missed during maintenance; they don't count")]
    share: Share
    objective: Annotated[
        float | None, Field(description="what the workflow, or `objective`, asks for", examples=[0.99])
    ]
    budget_left: Annotated[
        float | None,
        Field(description="of the misses that the objective allows: 1 all, below 0 not kept", examples=[0.4]),
    ]


class Levels(BaseModel):
    """Service levels in a window."""

    lane: str
    lane_state: Annotated[
        str, Field(description="live, behind, blind or ended; while blind, later misses aren't known")
    ]
    since_ms: int
    until_ms: int
    levels: list[Level]


@router.get("/slo", response_model=Levels)
def get_service_levels(
    ctx: Ctx,
    window: Annotated[Literal["day", "week", "month"], Query(description="1, 7 or 30 days up to now")] = "week",
    workflow: Text = "",
    lane: Text = "",
    group: GroupFilter = "",
    objective: Annotated[
        float | None, Query(gt=0, le=1, description="for deadlines of which the workflow says nothing", examples=[0.99])
    ] = None,
) -> dict[str, Any]:
    """For each deadline the share that was met, up to now as the lane sees it. What was due during maintenance is
    left out. A deadline of which nothing was due has no share: silence is not 100 %. Somebody limited to a group is
    told of deadlines of workflows in which something of theirs was due, and of no schedules, which are everybody's."""
    lane = lane or ctx.settings.lane
    states = {row["lane"]: row["state"] for row in views.lanes(ctx.store, ctx.settings.stale_after_s)}
    until = views.clock_of(ctx.store, lane, ctx.settings.stale_after_s)
    since = until - DAYS[window] * levels.DAY_MS
    limits = ctx.who.permissions.limits if ctx.who else UNLIMITED
    specs = [
        spec
        for spec in ctx.rulebook.in_force(until)
        if workflow in ("", spec.workflow) and (limits.workflows is None or spec.workflow in limits.workflows)
    ]
    sums = levels.totals(levels.tallies(ctx.store, specs, lane, since, until, group, schedules=not limits.groups))
    if limits.groups:  # a workflow's name, and its deadlines', are told to who has items in it
        had = {name for name, _ in sums}
        specs = [spec for spec in specs if spec.workflow in had]
    rows = []
    for spec in specs:
        asked = levels.objectives(ctx.rulebook, spec)
        expected = () if limits.groups else spec.schedules
        for rule in [*dict.fromkeys(one.id for one in spec.deadlines), *(one.id for one in expected)]:
            tally, wanted = sums[spec.workflow, rule], asked.get(rule, objective)
            left = None if wanted is None else levels.budget_left(tally, wanted)
            rows.append(
                {"workflow": spec.workflow, "deadline": rule, **vars(tally), "share": tally.share}
                | {"objective": wanted, "budget_left": left}
            )
    return {
        "lane": lane,
        "lane_state": states.get(lane, "blind"),
        "since_ms": since,
        "until_ms": until,
        "levels": rows,
    }
