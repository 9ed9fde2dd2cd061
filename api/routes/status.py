"""The public status page, the same as JSON, and badges. For everybody: see api/status/public.py for what is said."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, Field

from api.context import PublicCtx
from api.paging import PathText
from api.problems import documented, not_found
from api.status.badge import COLOURS, badge
from api.status.public import NOW_S, public
from api.templating import templates

router = APIRouter()
State = Annotated[
    Literal["operational", "degraded", "outage", "unknown"],
    Field(description="unknown: nothing was heard, so nothing can be said"),
]
Percent = Annotated[
    float | None, Field(description="of what was due, how much was met; null where nothing was due", examples=[99.93])
]
SVG: dict[int | str, dict[str, Any]] = {200: {"content": {"image/svg+xml": {}}, "description": "The badge"}}
EMBEDDED = {"Cross-Origin-Resource-Policy": "cross-origin"}


class Day(BaseModel):
    """A day (UTC) of a component."""

    day: Annotated[str, Field(examples=["2026-03-01"])]
    state: State
    met_percent: Percent


class Counts(BaseModel):
    """Items, where the status page's file allows that they are told."""

    in_flight: int
    late: int


class Component(BaseModel):
    """What customers know as one thing."""

    id: Annotated[str, Field(description="the name of its badge", examples=["confirmations"])]
    name: Annotated[str, Field(examples=["Trade confirmations"])]
    description: str
    state: State
    met_percent: Percent
    days: Annotated[list[Day], Field(description="the last 90 days, today the last")]
    counts: Counts | None


class PublicIncident(BaseModel):
    """What the public was told of an incident."""

    state: Annotated[str, Field(description="open or resolved")]
    opened_ms: int
    resolved_ms: int | None
    components: list[str]
    note: str
    note_ms: int | None


class PublicStatus(BaseModel):
    """The whole status page."""

    title: str
    state: State
    now_ms: int
    reachable: Annotated[bool, Field(description="false while the store is away: then everything is unknown")]
    components: list[Component]
    incidents: list[PublicIncident]


@router.get(
    "/api/v1/public/status",
    tags=["public"],
    response_model=PublicStatus,
    responses={304: {"description": "Not changed since the answer with this ETag"}},
)
def get_public_status(request: Request, ctx: PublicCtx) -> Response:
    """How the listed components stand, and stood, for everybody. Made at most once in five seconds, however many ask;
    with `If-None-Match` the answer is short where nothing has changed."""
    return cached(request, JSONResponse(PublicStatus.model_validate(public(ctx)).model_dump()))


@router.get("/status", response_class=HTMLResponse, include_in_schema=False)
def page(request: Request, ctx: PublicCtx) -> Response:
    """The same as a page."""
    return cached(request, templates.TemplateResponse(request, "status.html", {"status": public(ctx)}))


@router.get(
    "/status/badge/{component}.svg", tags=["public"], response_class=Response, responses={**SVG, **documented(404)}
)
def get_component_badge(request: Request, ctx: PublicCtx, component: PathText) -> Response:
    """A component's state as an SVG image, for other sites' pages."""
    found = next((one for one in public(ctx)["components"] if one["id"] == component), None)
    if found is None:
        raise not_found("The status page lists no component of this name.")
    return svg(request, badge(found["name"], found["state"], COLOURS[found["state"]]))


def svg(request: Request, image: str) -> Response:
    """An image that other sites may show."""
    return cached(request, Response(image, media_type="image/svg+xml", headers=EMBEDDED))


def cached(request: Request, answer: Response) -> Response:
    """An answer that everybody, and proxies, may keep for some seconds; 304 for who has it."""
    etag = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": f"public, max-age={NOW_S}"}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if etag in known:
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer
