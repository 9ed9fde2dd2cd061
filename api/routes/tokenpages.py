"""The page of one's API tokens: make one, see them, end one."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.access import tokens
from api.access.roles import ACTIONS, SCOPES
from api.access.who import Who
from api.clock import now_ms
from api.context import Context, Ctx
from api.problems import ProblemError
from api.routes.users import Access, TokenPost, end_token, make_token, user_of
from api.templating import templates
from api.webforms import fields_of, groups, words

router = APIRouter(include_in_schema=False)
USUAL_DAYS = 90
SPANS = (7, 30, USUAL_DAYS, 180, 365)
Fields = dict[str, list[str]]


@router.get("/account/tokens", response_class=HTMLResponse)
def page(request: Request, ctx: Ctx) -> Response:
    """One's tokens, and a form for a new one."""
    return _page(request, ctx)


@router.post("/account/tokens", response_class=HTMLResponse)
async def create(request: Request, ctx: Ctx) -> Response:
    """Make a token. Its secret is on this page, and on no other."""
    fields = await fields_of(request)
    return await run_in_threadpool(_create, request, ctx, fields)


@router.post("/account/tokens/{number}/revoke", response_class=HTMLResponse)
def revoke(request: Request, ctx: Ctx, number: Annotated[str, Path(max_length=64)]) -> Response:
    """End one of one's tokens."""
    who: Who = request.state.who
    try:
        end_token(ctx, who, number, who.user or "-")
    except ProblemError as fault:
        return _page(request, ctx, fault.problem.detail, status=fault.problem.status)
    return RedirectResponse("/account/tokens", 303)


def _create(request: Request, ctx: Context, fields: Fields) -> Response:
    try:
        made = make_token(ctx, user_of(request), _wanted(fields))
    except ProblemError as fault:
        return _page(request, ctx, fault.problem.detail, fields, fault.problem.status)
    except ValidationError as faults:
        return _page(request, ctx, _said(faults), fields, 422)
    except ValueError as fault:
        return _page(request, ctx, f"{fault}.", fields, 422)
    return _page(request, ctx, made=made)


def _wanted(fields: Fields) -> TokenPost:
    """What the form asks for. Raises ValueError."""
    first = {name: values[0] for name, values in fields.items()}
    limits = Access(workflows=words(first.get("workflows", "")) or None, groups=groups(first.get("groups", "")))
    asked = {"name": first.get("name", "").strip(), "scopes": fields.get("scopes", []), "days": first.get("days", "")}
    return TokenPost.model_validate({**asked, "limits": limits})


def _said(faults: ValidationError) -> str:
    places = {"name": "a name", "scopes": "at least one thing that it may do", "days": "a number of days, 1 to 366"}
    named = {str(fault["loc"][0]) for fault in faults.errors() if fault["loc"]}
    return f"A token needs {' and '.join(text for place, text in places.items() if place in named) or 'other values'}."


def _page(
    request: Request,
    ctx: Context,
    wrong: str = "",
    fields: Fields | None = None,
    status: int = 200,
    *,
    made: dict[str, Any] | None = None,
) -> Response:
    """The page: with what is wrong and what was typed, or with the token that was just made."""
    who: Who = request.state.who
    with ctx.records.reading() as connection:
        own = tokens.listed(connection, who.user) if who.user else []
    may = {name: ACTIONS[name] for name in SCOPES if name in who.permissions.actions}
    about = {
        "who": who,
        "tokens": own,
        "may": may,
        "spans": SPANS,
        "asked": {"days": [str(USUAL_DAYS)], "scopes": ["read"], **(fields or {})},
        "wrong": wrong,
        "made": made,
        "now_ms": now_ms(),
    }
    return templates.TemplateResponse(request, "tokens.html", about, status)
