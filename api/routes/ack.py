"""The page behind the link in a mail or chat: one button that does the one action that the link stands for.

Whoever has the link may use it: no sign-in. Opening the page does nothing, since mail scanners open every link.
"""

from __future__ import annotations

import os
import time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from api.access.rates import network
from api.actions import act
from api.actor import Actor
from api.alertmodels import ENDED
from api.context import Context, Ctx
from api.problems import ProblemError
from api.store import StoreError
from api.templating import templates
from udfs.alerting.links import Link, LinkError, action_id, read
from udfs.linksecret import LinkSecretError, link_secret

router = APIRouter(include_in_schema=False)
PER_MINUTE = RateLimitItemPerMinute(120)  # for each address; a proxy's is shared by all behind it
SHOWN = 20
_limiter = FixedWindowRateLimiter(MemoryStorage())
VERBS = {"ack": "Acknowledge", "resolve": "Resolve", "unack": "Take back the acknowledgement of"}


@router.get("/ack/{token:path}", response_class=HTMLResponse)
async def ask(request: Request, ctx: Ctx, token: str) -> Response:
    """What the link is about, and the button."""
    link, refusal = _read(request, ctx, token)
    if link is None:
        return _page(request, refusal)
    known = ctx.listener.answers.get(action_id(token))
    if known is not None:
        return _page(request, _told(known, link))
    rows = await run_in_threadpool(_rows, ctx, link)
    live = [row for row in rows if _is_meant(row, link)]
    if rows and not live:
        return _page(request, {"title": "It has ended", "detail": _ending(rows), "status": 200})
    return _page(
        request, {"title": _title(link), "detail": "", "status": 200, "alerts": live, "button": VERBS[link.action]}
    )


@router.post("/ack/{token:path}", response_class=HTMLResponse)
async def do(request: Request, ctx: Ctx, token: str) -> Response:
    """Do it. Twice is once: a link's action has one id."""
    link, refusal = _read(request, ctx, token)
    if link is None:
        return _page(request, refusal)
    rows = await run_in_threadpool(_rows, ctx, link)
    over = {row["id"] for row in rows if not _is_meant(row, link)}
    meant = [id for id in link.alerts if id not in over]  # also one that ClickHouse doesn't know yet: the job does
    if not meant:
        return _page(request, {"title": "It has ended", "detail": _ending(rows), "status": 409})
    actor = Actor(link.person or "link", request.client.host if request.client else "")
    given = {"alerts": meant, "why": "by the link in a message"}
    outcome = await act(ctx, actor, action_id(token), link.action, **given)
    return _page(request, _told(outcome.answer, link))


def _read(request: Request, ctx: Context, token: str) -> tuple[Link | None, dict[str, Any]]:
    """The link, or what the page says instead. Raises a 429 problem if there were too many of late."""
    address = request.client.host if request.client else ""
    if not _limiter.hit(PER_MINUTE, network(address)):
        raise ProblemError(429, "Too many requests", "Too many links were opened from this address. Wait a minute.")
    try:
        link = read(token, link_secret(ctx.settings.home, os.environ), time.time_ns() // 1_000_000)
    except LinkError as fault:
        title, status = ("This link has expired", 410) if fault.expired else ("This link is not valid", 404)
        return None, {"title": title, "detail": str(fault), "status": status}
    except LinkSecretError as fault:
        raise ProblemError(503, "Links can't be read", str(fault)) from fault
    if link.action not in VERBS or not link.alerts:
        return None, {
            "title": "This link is not valid",
            "detail": "It stands for nothing that can be done.",
            "status": 404,
        }
    return link, {}


def _rows(ctx: Context, link: Link) -> list[dict[str, Any]]:
    """The alerts as they stand, none while ClickHouse is away: the button works without it."""
    try:
        return ctx.store.query("alerts/some", ids=list(link.alerts))
    except StoreError:
        return []


def _is_meant(row: dict[str, Any], link: Link) -> bool:
    """Whether an alert is still what the person was told of."""
    return row["state"] not in ENDED and row["episode"] == link.alerts[row["id"]]


def _title(link: Link) -> str:
    count = len(link.alerts)
    return f"{VERBS[link.action]} {'this alert' if count == 1 else f'these {count} alerts'}?"


def _ending(rows: list[dict[str, Any]]) -> str:
    if any(row["state"] not in ENDED for row in rows):
        return "What you were told of has ended; it has come back since, which you are told of with a link of its own."
    return f"There is nothing left to do: {rows[0]['summary']} ({rows[0]['state']})."


def _told(answer: dict[str, Any] | None, link: Link) -> dict[str, Any]:
    """What became of it, for the person."""
    if answer is None:
        detail = "It was taken down and is done as soon as the alert job answers. Reload this page to see."
        return {"title": "Taken down", "detail": detail, "status": 202}
    if answer.get("outcome") == "refused":
        return {"title": "Nothing was changed", "detail": str(answer.get("detail", "")), "status": 409}
    detail = str(answer.get("detail", "")) or "You can close this page."
    if link.action == "ack":
        detail = f"Nobody else is told of it while you deal with it. {detail}"
    return {"title": "Done", "detail": detail, "status": 200}


def _page(request: Request, shown: dict[str, Any]) -> Response:
    values = {"alerts": [], "button": "", **shown}
    values["alerts"], values["more"] = values["alerts"][:SHOWN], max(0, len(values["alerts"]) - SHOWN)
    answer = templates.TemplateResponse(request, "ack.html", values, shown["status"])
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is what allows it
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
