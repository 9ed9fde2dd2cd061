"""The server-rendered pages that belong to no screen: the API's description."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from api.paging import FAR
from api.templating import templates as templates

router = APIRouter(include_in_schema=False)


@router.get("/docs", response_class=HTMLResponse)
def describe(request: Request) -> Response:
    """The API's routes, out of its OpenAPI schema. A page of our own: the usual ones load script from elsewhere."""
    parts = {"api": request.app.openapi(), "takes": takes, "phrase": lambda status: HTTPStatus(int(status)).phrase}
    parts |= {"shown": lambda example: json.dumps(example, indent=2, ensure_ascii=False)}
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
