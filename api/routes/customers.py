"""What was done for a customer: for us, and for the customer by a link without a sign-in."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel, Field

from api import customers, views
from api.access.roles import Limits
from api.access.rows import seen_by
from api.clock import now_ms
from api.context import Context, Ctx, PublicCtx
from api.customerlinks import CustomerLink, read
from api.paging import PathText, Text
from api.problems import documented, not_found
from api.routes.slo import Share
from api.routes.status import SVG, Percent, svg
from api.status.badge import COLOURS, NEUTRAL, badge
from api.status.states import percent
from api.templating import templates

router = APIRouter(responses=documented(422, 503))
KEEP_S = 30
Days = Annotated[int, Query(ge=1, le=366, description="how many days the figures reach back")]


class Figures(BaseModel):
    """What was done. Spans are the days asked for; `open` and `late` are now."""

    processed: Annotated[int, Field(description="items that began")]
    closed: Annotated[int, Field(description="items that ended")]
    completed: int
    failed: Annotated[int, Field(description="ended as failed, or expired")]
    open: int
    late: Annotated[int, Field(description="open, and a deadline is missed")]
    error_rate: Annotated[float | None, Field(description="failed / closed", examples=[0.004])]
    confirmed: int | None
    corrected: int | None
    correctness: Annotated[float | None, Field(description="confirmed / (confirmed + corrected)", examples=[0.98])]
    saved_minutes: Annotated[float | None, Field(description="completed items times the minutes that each saves")]


class WorkflowFigures(Figures):
    """The same of one workflow."""

    workflow: str


class MonthLevel(BaseModel):
    """How a deadline was kept in a month."""

    workflow: str
    deadline: str
    met: int
    missed: int
    excused: int
    share: Share
    objective: float | None


class Month(BaseModel):
    """The service levels of a month (UTC)."""

    month: Annotated[str, Field(examples=["2026-03"])]
    share: Share
    levels: list[MonthLevel]


class Customer(BaseModel):
    """What was done for one value of a group."""

    group: str
    value: str
    lane_state: Annotated[str, Field(description="live, behind, blind or ended; while blind the figures are old")]
    since_ms: int
    until_ms: int
    total: Figures
    workflows: list[WorkflowFigures]
    months: list[Month]


class PublicMonth(BaseModel):
    """A month, for the customer."""

    month: str
    met_percent: Percent


class PublicCustomer(BaseModel):
    """What the customer sees: no workflow, deadline or key is named."""

    current: Annotated[bool, Field(description="false while nothing is heard: then the figures are old")]
    since_ms: int
    until_ms: int
    total: Figures
    months: list[PublicMonth]


def figures(ctx: Context, group: str, value: str, days: int) -> dict[str, Any]:
    """Raises a 404 problem if nothing of it is known to whoever asks."""
    lane, stale = ctx.settings.lane, ctx.settings.stale_after_s
    now = views.clock_of(ctx.store, lane, stale)
    found = customers.customer(ctx.store, ctx.rulebook, lane, f"{group}:{value}", days, now)
    if found is None:
        raise not_found(f"No item of the live lane has the group {group}:{value}.")
    states = {row["lane"]: row["state"] for row in views.lanes(ctx.store, stale)}
    return {"group": group, "value": value, "lane_state": states.get(lane, "blind"), **found}


@router.get(
    "/api/v1/customers/{group}/{value:key}", tags=["customers"], response_model=Customer, responses=documented(401, 404)
)
def get_customer(ctx: Ctx, group: PathText, value: PathText, days: Days = 30) -> dict[str, Any]:
    """What was done for a customer, such as `customer/acme` or `market/EU`, by workflow, and the service levels of the
    last three months."""
    return figures(ctx, group, value, days)


@router.get("/customers", response_class=HTMLResponse, include_in_schema=False)
def page_of(request: Request, ctx: Ctx, group: Text, value: Text, days: Days = 30) -> Response:
    """The same as a page. Pages link here, since a path can't hold every value: browsers drop a "." from it."""
    return page(request, ctx, group, value, days)


@router.get("/customers/{group}/{value:key}", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request, ctx: Ctx, group: PathText, value: PathText, days: Days = 30) -> Response:
    """The same, under a path that people can type."""
    found = figures(ctx, group, value, days)
    return templates.TemplateResponse(request, "customer.html", {"customer": found, "days": days, "percent": percent})


@router.get(
    "/api/v1/public/customers/{token}", tags=["public"], response_model=PublicCustomer, responses=documented(404)
)
def get_public_customer(ctx: PublicCtx, token: PathText) -> dict[str, Any]:
    """What a customer's token shows: figures of the last 30 days, and service levels of three months."""
    return _public(ctx, token)


@router.get("/status/customers/{token}.svg", tags=["public"], response_class=Response, responses=SVG)
def get_customer_badge(
    request: Request, ctx: PublicCtx, token: PathText, show: Literal["met", "open", "processed", "late"] = "met"
) -> Response:
    """One figure of it as an SVG image: `met` is the share of deadlines met this month."""
    found = _public(ctx, token)
    if not found["current"]:
        return svg(request, badge(show, "unknown", COLOURS["unknown"]))
    if show != "met":
        return svg(request, badge(show, f"{found['total'][show]:,}", NEUTRAL))
    months = found["months"]
    share = months[0]["met_percent"] if months else None
    return svg(request, badge("on time", "unknown" if share is None else f"{share} %", NEUTRAL))


def _public(ctx: Context, token: str) -> dict[str, Any]:
    """The figures of a token's customer, read as somebody who is limited to this customer."""
    with ctx.records.reading() as connection:
        link = read(connection, token, now_ms())
    if link is None:
        raise not_found("This link is not valid, was taken back, or has expired.")
    seen: dict[str, Any] = ctx.cache.get(("customer", link.group, link.value), KEEP_S, lambda: _told(ctx, link))
    return seen


def _told(ctx: Context, link: CustomerLink) -> dict[str, Any]:
    only = Limits(None, {link.group: frozenset({link.value})})
    lane, stale = ctx.settings.lane, ctx.settings.stale_after_s
    now = views.clock_of(ctx.store, lane, stale)
    found = customers.customer(seen_by(ctx.store, only), ctx.rulebook, lane, f"{link.group}:{link.value}", 30, now)
    if found is None:
        raise not_found("Nothing is known yet.")
    states = {row["lane"]: row["state"] for row in views.lanes(ctx.store, stale)}
    months = [{"month": one["month"], "met_percent": percent(one["share"])} for one in found["months"]]
    told = {name: found[name] for name in ("since_ms", "until_ms", "total")}
    return {**told, "current": states.get(lane) in ("live", "behind"), "months": months}
