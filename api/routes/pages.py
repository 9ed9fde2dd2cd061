"""The server-rendered pages that belong to no screen: the API's description, sign-in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import security
from api.context import Ctx
from api.paging import FAR
from api.templating import templates as templates

router = APIRouter(include_in_schema=False)
MAX_LOGIN = 4096  # bytes: anybody may send them


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
