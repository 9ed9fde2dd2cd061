"""Signing in and out, in a browser: with a password, with the server's token, at an OpenID provider, by a link."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import security
from api.access import people, provided, sessions
from api.access.oidc import OidcError
from api.access.people import Refused, User
from api.access.who import COOKIE, Who, address_of
from api.clock import now_ms
from api.context import Context, Ctx
from api.records.database import Change
from api.templating import templates

router = APIRouter(include_in_schema=False)
MAX_LOGIN = 4096  # bytes: anybody may send them
STATE = "daymark-oidc"
STATE_MS = 10 * 60_000
FIRST = "admin"
"""The user that the link of the first start signs in."""

USED_UP = "This link was used, or is too old. `daymark users link` makes a new one."
Code = Annotated[str, Path(max_length=256)]
Short = Annotated[str, Query(max_length=4096)]


@router.get("/login", response_class=HTMLResponse)
def login_form(request: Request, ctx: Ctx) -> Response:
    """Where a browser hands in name and password."""
    return _form(request, ctx, "")


@router.post("/login", response_class=HTMLResponse)
async def login(request: Request, ctx: Ctx) -> Response:
    """Begin a session, if name and password, or the server's token, are right."""
    body = await security.body_of(request, MAX_LOGIN)
    given = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
    return await run_in_threadpool(_signed_in, request, ctx, given)


def _signed_in(request: Request, ctx: Context, given: dict[str, str]) -> Response:
    if "token" in given:
        if ctx.doorkeeper.service(given["token"]):
            return _welcome(request, ctx, None, "token")
        return _form(request, ctx, "This is not the token that the server was started with (DAYMARK_API_TOKEN).", 401)
    name, password = given.get("name", "").strip(), given.get("password", "")
    try:
        user = people.sign_in(ctx.records, name, password, address_of(request), now_ms())
    except Refused as fault:
        return _form(request, ctx, str(fault), 429 if fault.wait_ms else 401, -(-fault.wait_ms // 1000))
    return _welcome(request, ctx, user, "password")


@router.post("/logout")
def logout(request: Request, ctx: Ctx) -> Response:
    """End the session."""
    who: Who | None = request.state.who
    if who and who.session:
        with ctx.records.transaction() as tx:
            sessions.end(tx, who.session)
            tx.changed(Change(now_ms(), who.name, "sign-out", f"user/{who.name}", origin=who.address))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/welcome/{code}", response_class=HTMLResponse)
def welcome(request: Request, ctx: Ctx, code: Code) -> Response:
    """The button that signs in by a one-time link. Opening the page uses nothing up, since mail scanners open every
    link. A link that was used leads a browser that is signed in to the overview."""
    with ctx.records.reading() as connection:
        held = sessions.held(connection, "welcome", code, now_ms())
    if held is None:
        return _used_up(request, ctx)
    detail = f"This link signs you in as {held['user']}, once."
    about = {"title": "Sign in to Daymark?", "detail": detail, "button": "Sign in"}
    return templates.TemplateResponse(request, "ack.html", about)


@router.post("/welcome/{code}", response_class=HTMLResponse)
def sign_in_by_link(request: Request, ctx: Ctx, code: Code) -> Response:
    """Sign in by a one-time link, which is used up."""
    with ctx.records.transaction() as tx:
        held = sessions.used(tx, "welcome", code, now_ms())
        if held and held.get("creates") and people.read(tx.connection, held["user"]) is None:
            people.put(tx, User(held["user"], "admin"), "first start", address_of(request), now_ms())
        user = people.read(tx.connection, held["user"]) if held else None
    if user is not None and not user.disabled:
        return _welcome(request, ctx, user, "link")
    return _used_up(request, ctx)


def _used_up(request: Request, ctx: Context) -> Response:
    if request.state.who is not None:
        return RedirectResponse("/", 303)
    return _form(request, ctx, USED_UP, 410)


@router.get("/login/oidc")
def to_provider(request: Request, ctx: Ctx) -> Response:
    """Send the browser to the OpenID provider."""
    if ctx.oidc is None:
        return _form(request, ctx, "No OpenID provider is set up here.", 404)
    try:
        url, state, held = ctx.oidc.begin(f"{_base(request, ctx)}/login/oidc/back")
    except OidcError as fault:
        return _form(request, ctx, str(fault), 502)
    with ctx.records.transaction() as tx:
        secret = sessions.link(tx, "oidc", {**held, "state": state}, now_ms() + STATE_MS)
    answer = RedirectResponse(url, 303)
    answer.set_cookie(
        STATE, secret, max_age=600, path="/login/oidc", httponly=True, samesite="lax", secure=_secure(request, ctx)
    )
    return answer


@router.get("/login/oidc/back", response_class=HTMLResponse)
def from_provider(request: Request, ctx: Ctx, state: Short = "", code: Short = "", error: Short = "") -> Response:
    """Begin a session for whom the OpenID provider vouches."""
    with ctx.records.transaction() as tx:
        held = sessions.used(tx, "oidc", request.cookies.get(STATE, ""), now_ms())
    if ctx.oidc is None or held is None or not state or state != held["state"]:
        return _form(request, ctx, "This sign-in was not begun here, or took too long. Begin again.", 400)
    if error or not code:
        return _form(request, ctx, f"The provider did not sign you in: {error or 'no code'}.", 401)
    try:
        person = ctx.oidc.finish(code, held)
        role, limits = ctx.oidc.role(person.groups), ctx.oidc.limits(person.groups)
        user = provided.admitted(ctx.records, person, role, limits, address_of(request), now_ms())
    except (OidcError, Refused) as fault:
        return _form(request, ctx, str(fault), 401)
    answer = _welcome(request, ctx, user, "OpenID")
    answer.delete_cookie(STATE, path="/login/oidc")
    return answer


def _welcome(request: Request, ctx: Context, user: User | None, way: str) -> Response:
    """A new session, in a cookie, and on to the overview."""
    name, address = user.name if user else "api-token", address_of(request)
    with ctx.records.transaction() as tx:
        sessions.sweep(tx, now_ms(), ctx.settings.session_idle_s * 1000, ctx.settings.session_max_s * 1000)
        agent, previous = request.headers.get("user-agent", ""), request.cookies.get(COOKIE, "")
        secret = sessions.begin(tx, user.name if user else None, address, agent, now_ms(), previous)
        tx.changed(Change(now_ms(), name, "sign-in", f"user/{name}", None, {"by": way}, address))
    answer = RedirectResponse("/", 303)
    longest = ctx.settings.session_max_s
    # Lax, not strict: a link in a mail, and the way back from an OpenID provider, must find the session. Writes from
    # other sites are refused by their origin (api/access/origin.py).
    answer.set_cookie(COOKIE, secret, max_age=longest, httponly=True, samesite="lax", secure=_secure(request, ctx))
    return answer


def _form(request: Request, ctx: Context, wrong: str, status: int = 200, wait_s: int = 0) -> Response:
    about = {"wrong": wrong, "oidc": ctx.oidc is not None}
    headers = {"Retry-After": str(wait_s)} if wait_s else None
    return templates.TemplateResponse(request, "login.html", about, status, headers)


def _secure(request: Request, ctx: Context) -> bool:
    """Whether browsers come by https: to us, or to a proxy in front of us."""
    return request.url.scheme == "https" or ctx.settings.public_url.startswith("https://")


def _base(request: Request, ctx: Context) -> str:
    return ctx.settings.public_url or f"{request.url.scheme}://{request.headers.get('host', '')}"
