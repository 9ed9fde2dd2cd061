"""Trends and anomalies: what changes over time, beside the same hour and weekday of the weeks before."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api import paging, views
from api.clock import now_ms
from api.context import Ctx
from api.models import Page
from api.models.trends import Anomaly, Trend
from api.paging import FAR, Cursor, GroupFilter, Limit, PathText, Since, Text, Until, split_group
from api.problems import Fault, ProblemError, documented, not_found
from api.trends import DAY_MS, HOUR_MS, WEEK_MS, anomalies, days, trend

router = APIRouter(prefix="/api/v1", tags=["workflows"], responses=documented(401, 422, 503))
SPANS = {"hour": HOUR_MS, "day": DAY_MS}
USUALLY = {"hour": 24, "day": 28}
MOST_SPANS = 10_000
Span = Annotated[Literal["hour", "day"], Query(description="of UTC")]


@router.get("/workflows/{workflow}/trends", response_model=Trend, responses=documented(400, 404))
def get_trends(
    ctx: Ctx,
    workflow: PathText,
    lane: Text = "",
    group: GroupFilter = "",
    span: Span = "hour",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 500,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """A workflow over time: items begun and ended, findings, durations, and what is usual at that hour and weekday.

    By default the last 24 hours, or 28 days; a page has at most 1,000 points. Default lane: the busiest of late.
    """
    known = views.workflows(ctx.store, ctx.settings.stale_after_s, workflow=workflow, lane=lane)
    if not known:
        raise not_found(f"No lane has items of the workflow {workflow!r}{f' in lane {lane!r}' if lane else ''}.")
    chosen = max(known, key=lambda row: row["last_event_ms"])["lane"]
    now = views.clock_of(ctx.store, chosen, ctx.settings.stale_after_s)
    long = SPANS[span]
    end = -(-max(0, min(until, now + 1)) // long) * long
    place = paging.decode(cursor, ("from_ms",), (int,))
    begin = place["from_ms"] if place["resumed"] else end - USUALLY[span] * long if since == -FAR else since
    begin = max(begin // long * long, end - MOST_SPANS * long)
    spans = max(0, (end - begin) // long)
    shown = min(spans, limit)
    where: dict[str, Any] = {"group": group, "since_ms": begin, "spans": shown, "span_ms": long}
    points = trend(ctx.store, workflow, chosen, **where, now_ms=now_ms())
    more = paging.encode((begin + shown * long,)) if spans > shown else None
    return {"workflow": workflow, "lane": chosen, "now_ms": now, "span_ms": long, "points": points, "next": more}


@router.get("/anomalies", response_model=Page[Anomaly], responses=documented(400))
def list_anomalies(
    ctx: Ctx,
    workflow: Text = "",
    lane: Text = "",
    group: GroupFilter = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Hours in which a step happened half or twice as often as at that hour and weekday, or took twice as long.

    By default of the last 24 hours; a week at most. An hour is judged when it is over by its lane's clock, and only
    where chance doesn't explain it; lanes that have ended are left out.
    """
    after = ("at_ms", "lane", "workflow", "step", "measure")
    place = paging.decode(cursor, after, (int, str, str, str, str))
    end = max(0, min(until, now_ms())) // HOUR_MS * HOUR_MS
    begin = since // HOUR_MS * HOUR_MS if since != -FAR else end - DAY_MS
    if end - begin > WEEK_MS:
        fault = Fault(field="since", message="give at most a week, from `since` to `until`")
        raise ProblemError(422, "Invalid request", "Anomalies are told of a week at a time.", [fault])
    clocks = views.lanes(ctx.store, ctx.settings.stale_after_s)
    ends = {row["lane"]: min(end, row["watermark_ms"]) for row in clocks if row["watermark_ms"] is not None}
    where = {"workflow": workflow, "lane": lane, **split_group(group), "since_ms": begin, "until_ms": end}
    rows = ctx.store.query("trends/passed", **where, span_ms=HOUR_MS, days=days(begin, end)) if begin < end else []
    found = anomalies(rows, begin, ends)
    if place["resumed"]:
        last = (-place["at_ms"], *(place[name] for name in after[1:]))
        found = [row for row in found if (-row["at_ms"], *(row[name] for name in after[1:])) > last]
    return paging.page(found[: limit + 1], limit, lambda row: [row[name] for name in after])
