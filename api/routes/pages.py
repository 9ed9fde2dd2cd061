"""The server-rendered pages: overview, an item's timeline, the API's description."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from fastapi.templating import Jinja2Templates

from api import views, words
from api.context import Context, Ctx
from api.paging import FAR, MAX_LIMIT, At, PathText, Text

router = APIRouter(include_in_schema=False)
templates = Jinja2Templates(Path(__file__).resolve().parents[1] / "templates")
LATEST = 25
NOTES = {
    "blind": "blind: its clock stands still",
    "behind": "catching up",
    "ended": "history",
    "live": "live",
}


def item_path(row: dict[str, Any]) -> str:
    """Where the page of a finding's item is, on the run that it is about."""
    if not row["workflow"] or (row["kind"], row["occurrence"]) == ("stalled", "step"):  # about a source, a whole step
        return f"/?{urlencode({'lane': row['lane']})}"
    names = ("since_ms", "at_ms", "deadline_ms") if row["kind"] != "invalid" else ("deadline_ms",)
    at = next(row[name] for name in names if row[name] is not None)
    place = f"/items/{quote(row['workflow'], safe='')}/{quote(row['key'], safe='/')}"
    return f"{place}?{urlencode({'lane': row['lane'], 'run': at})}"


def pretty(text: str) -> str:
    """JSON laid out for reading; as it is where it isn't JSON (an excerpt may be cut)."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


templates.env.filters |= {"span": words.span, "clock": words.clock, "pretty": pretty}
templates.env.globals |= {"sentence": words.sentence, "item_path": item_path, "notes": NOTES}


def _overview(ctx: Context, lane: str) -> dict[str, Any]:
    stale = ctx.settings.stale_after_s
    clocks = views.lanes(ctx.store, stale)
    tiles = views.workflows(ctx.store, stale, lane=lane)
    latest = views.latest_findings(ctx.store, LATEST, lane)
    now = {row["lane"]: row["watermark_ms"] or row["now_ms"] for row in clocks}
    return {"tiles": tiles, "findings": latest, "lanes": clocks, "now": now, "lane": lane, "most": MAX_LIMIT}


@router.get("/", response_class=HTMLResponse)
def overview(request: Request, ctx: Ctx, lane: Text = "") -> Response:
    """The workflows with their counts and the latest findings, of one lane or of all."""
    return templates.TemplateResponse(request, "overview.html", _overview(ctx, lane))


@router.get("/fragments/overview", response_class=HTMLResponse)
def overview_fragment(request: Request, ctx: Ctx, lane: Text = "") -> Response:
    """The part of the overview that changes."""
    return templates.TemplateResponse(request, "_overview.html", _overview(ctx, lane))


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
