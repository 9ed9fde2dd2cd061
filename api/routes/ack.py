"""The page behind the link in a mail or chat: one button that does the one action that the link stands for.

Whoever has the link may use it: no sign-in. Opening the page does nothing, since mail scanners open every link.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from api.access.rates import network
from api.actions import act, outcome_of
from api.actor import Actor
from api.alertmodels import ENDED
from api.clock import now_ms
from api.context import Context, PublicCtx
from api.problems import ProblemError
from api.routes.actions import MOST_ALERTS
from api.store import StoreError
from api.templating import templates
from udfs.alerting.links import Link, LinkError, action_id, read
from udfs.linksecret import LinkSecretError, link_secret

router = APIRouter(include_in_schema=False)
PER_MINUTE = RateLimitItemPerMinute(120)  # for each address; a proxy's is shared by all behind it
SHOWN = 20
_limiter = FixedWindowRateLimiter(MemoryStorage())
UNKNOWN_YET = {
    "title": "One moment",
    "detail": "Which alerts this message was about is not known here yet. Reload this page in a few seconds.",
    "status": 503,
}
VERBS = {"ack": "Acknowledge", "resolve": "Resolve", "unack": "Take back the acknowledgement of"}


@dataclass(frozen=True)
class About:
    """What a link is about by now: the ids of the alerts that are still as the person was told, those of them that can
    be shown, and the rows of those that have ended or come back."""

    meant: list[str]
    shown: list[dict[str, Any]]
    over: list[dict[str, Any]]


@router.get("/ack/{token:path}", response_class=HTMLResponse)
async def ask(request: Request, ctx: PublicCtx, token: str) -> Response:
    """What the link is about, and the button."""
    opened = await _opened(request, ctx, token, over=200)
    if isinstance(opened, dict):
        return _page(request, opened)
    link, about = opened
    title = f"{VERBS[link.action]} {'this alert' if len(about.meant) == 1 else f'these {len(about.meant)} alerts'}?"
    return _page(request, {"title": title, "detail": "", "status": 200, "about": about, "button": VERBS[link.action]})


@router.post("/ack/{token:path}", response_class=HTMLResponse)
async def do(request: Request, ctx: PublicCtx, token: str) -> Response:
    """Do it. Twice is once: a link's action has one id."""
    opened = await _opened(request, ctx, token, over=409)
    if isinstance(opened, dict):
        return _page(request, opened)
    link, about = opened
    actor = Actor(link.person or "link", request.client.host if request.client else "")
    told = {"told_ms": link.told_ms} if link.message else {"episodes": dict(link.alerts)}
    given = {"alerts": about.meant, "why": "by the link in a message", **told}
    outcome = await act(ctx, actor, action_id(token), link.action, **given)
    return _page(request, _told(outcome.answer, link))


async def _opened(request: Request, ctx: Context, token: str, *, over: int) -> tuple[Link, About] | dict[str, Any]:
    """The link and what can be done by it, or what the page says instead: `over` is its status where all has ended."""
    link, refusal = _read(request, ctx, token)
    if link is None:
        return refusal
    known = await outcome_of(ctx, action_id(token))
    if known and known.answer:
        return _told(known.answer, link)
    about = await run_in_threadpool(_about, ctx, link)
    if about is None:
        return UNKNOWN_YET
    if not about.meant:
        return {"title": "It has ended", "detail": _ending(about), "status": over}
    return link, about


def _read(request: Request, ctx: Context, token: str) -> tuple[Link | None, dict[str, Any]]:
    """The link, or what the page says instead. Raises a 429 problem if there were too many of late."""
    address = request.client.host if request.client else ""
    if not _limiter.hit(PER_MINUTE, network(address)):
        raise ProblemError(429, "Too many requests", "Too many links were opened from this address. Wait a minute.")
    try:
        link = read(token, link_secret(ctx.settings.home, os.environ), now_ms())
    except LinkError as fault:
        title, status = ("This link has expired", 410) if fault.expired else ("This link is not valid", 404)
        return None, {"title": title, "detail": str(fault), "status": status}
    except LinkSecretError as fault:
        raise ProblemError(503, "Links can't be read", str(fault)) from fault
    if link.action not in VERBS or not (link.alerts or link.message):
        return None, {
            "title": "This link is not valid",
            "detail": "It stands for nothing that can be done.",
            "status": 404,
        }
    return link, {}


def _about(ctx: Context, link: Link) -> About | None:
    """What a link is about by now. None while that can't be known: ClickHouse is away, or its loader behind. A link
    that names its alerts does without it: of one that isn't known here, the job knows."""
    try:
        if link.message:
            rows = ctx.store.query("alerts/of_message", id=link.message, limit=MOST_ALERTS)
        else:
            rows = ctx.store.query("alerts/some", ids=list(link.alerts))
    except StoreError:
        rows = []
    if link.message and not rows:
        return None
    over = [row for row in rows if not _is_meant(row, link)]
    gone = {row["id"] for row in over}
    ids = [row["id"] for row in rows] if link.message else list(link.alerts)
    shown = [row for row in rows if row["id"] not in gone and row["summary"]]
    return About([id for id in ids if id not in gone], shown, over)


def _is_meant(row: dict[str, Any], link: Link) -> bool:
    """Whether an alert is still what the person was told of."""
    if not link.message and row["episode"] < link.alerts[row["id"]]:
        return True  # the row is older than the message; the job knows
    if row["state"] in ENDED:
        return False
    told = row["opened_ms"] <= link.told_ms if link.message else row["episode"] == link.alerts[row["id"]]
    return bool(told)


def _ending(about: About) -> str:
    if any(row["state"] not in ENDED for row in about.over):
        return "What you were told of has ended; it has come back since, which you are told of with a link of its own."
    return f"There is nothing left to do: {about.over[0]['summary']} ({about.over[0]['state']})."


def _told(answer: dict[str, Any] | None, link: Link) -> dict[str, Any]:
    """What became of it, for the person."""
    if answer is None:
        detail = "It was noted, and is done as soon as the alert job answers. Reload this page to see."
        return {"title": "Noted", "detail": detail, "status": 202}
    if answer.get("outcome") == "refused":
        return {"title": "Nothing was changed", "detail": str(answer.get("detail", "")), "status": 409}
    detail = str(answer.get("detail", "")) or "You can close this page."
    if link.action == "ack":
        detail = f"Nobody else is told of it while you deal with it. {detail}"
    return {"title": "Done", "detail": detail, "status": 200}


def _page(request: Request, shown: dict[str, Any]) -> Response:
    about: About | None = shown.get("about")
    alerts = about.shown[:SHOWN] if about else []
    more = len(about.meant) - len(alerts) if about else 0
    values = {"button": "", **shown, "alerts": alerts, "more": more}
    answer = templates.TemplateResponse(request, "ack.html", values, shown["status"])
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer
