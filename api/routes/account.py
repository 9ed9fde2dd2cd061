"""Pages: one's own account, and the users."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api.access import people, sessions, tokens
from api.access.roles import ROLES
from api.access.who import COOKIE, Who
from api.context import Context, Ctx
from api.problems import ProblemError
from api.routes.users import Access, UserPut, save_user, set_password, sign_out_everywhere
from api.templating import templates
from api.webforms import form_of, groups, words

router = APIRouter(include_in_schema=False)


@router.get("/account", response_class=HTMLResponse)
def account(request: Request, ctx: Ctx) -> Response:
    """Who one is, what one may do, one's sessions, the way to one's tokens."""
    return _account(request, ctx, "")


@router.post("/account/password", response_class=HTMLResponse)
async def password(request: Request, ctx: Ctx) -> Response:
    """Change one's password."""
    form = await form_of(request)
    return await run_in_threadpool(_password, request, ctx, form)


def _password(request: Request, ctx: Context, form: dict[str, str]) -> Response:
    if not request.state.who.user:
        return _account(request, ctx, "This is not a user's account; it has no password.", 403)
    try:
        set_password(ctx, request.state.who, form.get("current", ""), form.get("new", ""))
    except ProblemError as fault:
        return _account(request, ctx, fault.problem.detail, fault.problem.status)
    return RedirectResponse("/account", 303)


@router.post("/account/sign-out-everywhere")
def everywhere(request: Request, ctx: Ctx) -> Response:
    """End all of one's sessions."""
    sign_out_everywhere(request, ctx)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/users", response_class=HTMLResponse)
def users(request: Request, ctx: Ctx) -> Response:
    """All users, and a form for a new one."""
    return _users(request, ctx, "")


@router.post("/users", response_class=HTMLResponse)
async def save(request: Request, ctx: Ctx) -> Response:
    """Create or change a user."""
    form = await form_of(request)
    return await run_in_threadpool(_save, request, ctx, form)


def _save(request: Request, ctx: Context, form: dict[str, str]) -> Response:
    name = form.get("name", "").strip()
    try:
        limits = Access(workflows=words(form.get("workflows", "")) or None, groups=groups(form.get("groups", "")))
        wanted = {"role": form.get("role"), "disabled": "disabled" in form, "password": form.get("password") or None}
        wanted["openid"] = "openid" in form
        save_user(ctx, request.state.who, name, UserPut.model_validate({**wanted, "limits": limits}))
    except ProblemError as fault:
        return _users(request, ctx, fault.problem.detail, fault.problem.status)
    except (ValidationError, ValueError) as fault:
        return _users(request, ctx, str(fault).splitlines()[-1].strip(), 422)
    return RedirectResponse("/users", 303)


def _account(request: Request, ctx: Context, wrong: str, status: int = 200) -> Response:
    who: Who = request.state.who
    with ctx.records.reading() as connection:
        user = people.read(connection, who.user) if who.user else None
        begun = sessions.listed(connection, who.user) if who.user else []
        own = tokens.listed(connection, who.user) if who.user else []
    about = {"who": who, "user": user, "sessions": begun, "tokens": own, "wrong": wrong}
    return templates.TemplateResponse(request, "account.html", about, status)


def _users(request: Request, ctx: Context, wrong: str, status: int = 200) -> Response:
    with ctx.records.reading() as connection:
        known = people.listed(connection)
    about = {"users": known, "roles": list(ROLES), "wrong": wrong}
    return templates.TemplateResponse(request, "users.html", about, status)
