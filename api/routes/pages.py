"""The server-rendered pages that belong to no screen: the API's description, sign-in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import security, views
from api.context import Ctx
from api.paging import FAR, At, PathText, Text
from api.templating import templates

router = APIRouter(include_in_schema=False)
MAX_LOGIN = 4096  # bytes: anybody may send them


@router.get("/items/{workflow}/{key:key}", response_class=HTMLResponse)
def item(request: Request, ctx: Ctx, workflow: PathText, key: PathText, lane: Text = "", run: At = FAR) -> Response:
    """The timeline of an item's run."""
    found = views.item(ctx.store, workflow, key, lane, ctx.settings.stale_after_s, at_ms=run)
    if found is None:
        about = {"title": "No such item", "detail": f"No item {key} of the workflow {workflow} has been seen yet."}
        return templates.TemplateResponse(request, "message.html", about, 404)
    return templates.TemplateResponse(request, "item.html", {"item": found, "bars": waterfall(found)})


def waterfall(item: dict[str, Any]) -> dict[str, Any]:
    """Where the bars of hops and the marks of deadlines stand, in percent of the time shown."""
    hops, deadlines = item["timeline"], item["deadlines"]
    instants = [hop["at_ms"] for hop in hops] + [row["due_ms"] for row in deadlines] or [item["started_ms"]]
    if any(row["state"] == "pending" for row in deadlines):
        instants.append(item["now_ms"])
    first, last = min(instants), max(instants)
    width = max(last - first, 1)

    def at(ms: int) -> float:
        return float(round(100 * (ms - first) / width, 3))

    bars = []
    for hop in hops:
        start = hop["previous_at_ms"] if hop["previous_at_ms"] is not None else hop["at_ms"]
        left, right = at(min(start, hop["at_ms"])), at(hop["at_ms"])
        share = hop["queue_ms"] / hop["duration_ms"] if hop["queue_ms"] and hop["duration_ms"] else 0
        queue = round((right - left) * min(share, 1), 3)
        bars.append({"x": left, "width": max(right - left, 0.4), "queue": queue})
    marks = [{"x": at(row["due_ms"]), "state": row["state"]} for row in deadlines]
    return {"hops": bars, "marks": marks, "first": first, "last": last}


@router.get("/docs", response_class=HTMLResponse)
def describe(request: Request) -> Response:
    """The API's routes, out of its OpenAPI schema. A page of our own: the usual ones load script from elsewhere."""
    parts = {"api": request.app.openapi(), "takes": takes, "phrase": lambda status: HTTPStatus(int(status)).phrase}
    return templates.TemplateResponse(request, "docs.html", parts)


def takes(schema: dict[str, Any]) -> str:
    """What a parameter takes, in words: 'integer, 1 to 1000, default 50'."""
    kinds = [str(part["type"]) for part in schema.get("anyOf", [schema]) if part.get("type", "null") != "null"]
    words = [" or ".join(kinds)] if kinds else []
    if "enum" in schema:
        words = [" | ".join(repr(value) for value in schema["enum"])]
    if "maximum" in schema:
        words.append(f"{schema.get('minimum', '')} to {schema['maximum']}")
    if schema.get("default") not in (None, "", FAR, -FAR):
        words.append(f"default {schema['default']}")
    return ", ".join(words)


@router.get("/login", response_class=HTMLResponse)
def login_form(request: Request) -> Response:
    """Where a browser hands in the token."""
    return templates.TemplateResponse(request, "login.html", {"wrong": False})


@router.post("/login", response_class=HTMLResponse)
async def login(request: Request, ctx: Ctx) -> Response:
    """Leave a cookie that stands for the token, if it is the right one."""
    body = await security.body_of(request, MAX_LOGIN)
    given = parse_qs(body.decode(errors="replace")).get("token", [""])[0]
    token = ctx.settings.api_token
    if not token or not security.same(given, token):
        return templates.TemplateResponse(request, "login.html", {"wrong": True}, 401)
    answer = RedirectResponse("/", 303)
    secure = request.url.scheme == "https"
    answer.set_cookie(
        security.COOKIE, security.session_of(token), max_age=43_200, httponly=True, samesite="strict", secure=secure
    )
    return answer
