"""What the routes in Alertmanager's words have in common: errors are JSON texts there, as its clients expect them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

from api import alertmanager
from api.problems import ProblemError
from udfs.alerting.matchers import Matcher

Filters = Annotated[list[str], Query(alias="filter", description='such as alertname="reply"; all must fit')]
Flag = Annotated[bool, Query()]


class JsonTextRoute(APIRoute):
    """Turns what is wrong into a JSON text."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                told = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
                return JSONResponse(told, 400)
            except ProblemError as error:
                problem = error.problem
                return JSONResponse(problem.detail, 400 if problem.status in (413, 422) else problem.status)

        return handle


def matchers_of(texts: list[str]) -> tuple[Matcher, ...]:
    """Raises a 400 problem if one is no matcher."""
    try:
        return alertmanager.filters(texts)
    except ValueError as fault:
        raise ProblemError(400, "Invalid matcher", str(fault)) from None


def epoch_ms(at: datetime) -> int:
    """An instant as epoch ms."""
    return int(at.timestamp() * 1000)
