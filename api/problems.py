"""Errors as problem+json (RFC 9457): title, status, a sentence that says what to do, every fault with its place."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from api.store import StoreError
from api.templating import templates

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """One thing that is wrong with a request, and where."""

    index: Annotated[int | None, Field(description="which event of a batch, from 0")] = None
    field: Annotated[str, Field(description="the parameter or attribute at fault")] = ""
    message: str


class Problem(BaseModel):
    """What every error looks like."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] = []


class ProblemError(Exception):
    """Ends a request with this problem."""

    def __init__(self, status: int, title: str, detail: str, errors: list[Fault] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(title=title, status=status, detail=detail, errors=errors or [])


def response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem as an HTTP answer."""
    return JSONResponse(problem.model_dump(), problem.status, headers, media_type="application/problem+json")


def shown(request: Request, problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """The problem as somebody sees it who followed a link or sent a form in a browser; for programs as `response`."""
    if request.url.path.startswith("/api/") or "text/html" not in request.headers.get("accept", ""):
        return response(problem, headers)
    about = {"title": problem.title, "detail": problem.detail}
    return templates.TemplateResponse(request, "message.html", about, problem.status, headers)


def not_found(what: str) -> ProblemError:
    """404 with a sentence."""
    return ProblemError(404, "Not found", what)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these problems."""
    return {status: {"model": Problem, "content": {"application/problem+json": {}}} for status in statuses}


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem."""

    @app.exception_handler(ProblemError)
    def _ours(request: Request, error: ProblemError) -> Response:
        return shown(request, error.problem)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> Response:
        title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Request refused")
        detail = "There is nothing at this address." if error.detail == "Not Found" else str(error.detail)
        problem = Problem(title=title, status=error.status_code, detail=detail)
        return shown(request, problem, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [Fault(field=".".join(map(str, e["loc"][1:])), message=e["msg"]) for e in error.errors()]
        detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
        return shown(request, Problem(title="Invalid request", status=422, detail=detail, errors=faults))

    @app.exception_handler(StoreError)
    def _store(request: Request, error: StoreError) -> Response:
        log.error("query failed", extra={"path": request.url.path, "error": str(error)})
        detail = "ClickHouse did not answer this query. /readyz tells more; try again in a moment."
        return shown(request, Problem(title="Store not available", status=503, detail=detail), {"Retry-After": "5"})

    @app.exception_handler(SQLAlchemyError)
    def _records(request: Request, error: SQLAlchemyError) -> Response:
        log.error("records failed", extra={"path": request.url.path, "error": str(error).split("\n", 1)[0]})
        detail = "The relational store did not answer; nothing was changed. Try again in a moment."
        return shown(request, Problem(title="Records not available", status=503, detail=detail), {"Retry-After": "5"})

    @app.exception_handler(Exception)
    def _unexpected(request: Request, error: Exception) -> Response:
        log.error("request failed", exc_info=error, extra={"path": request.url.path})
        detail = "Something unexpected happened; the server's log has it."
        return shown(request, Problem(title="Internal error", status=500, detail=detail))
