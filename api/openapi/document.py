"""The OpenAPI document: FastAPI's, completed with what it can't know.

Every error is problem+json (FastAPI says of its own 422 that it isn't); who has to be signed in, and for which
permission, is in the matrix; each schema and each body has an example.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from api.access import matrix
from api.openapi.examples import REF, Examples

PROBLEM = "application/problem+json"
TITLES = {
    "400": ("Invalid request", "Pass `next` of the page before, or no cursor."),
    "401": ("Not signed in", "Sign in at /login, or send the header `Authorization: Bearer <token>`."),
    "403": ("Not allowed", "This needs the permission `rules`, which anna does not have."),
    "404": ("Not found", "No item 'T-123' of the workflow 'trade_lifecycle'."),
    "409": ("Conflict", "Say which version you change: If-Match with its ETag."),
    "412": ("Changed meanwhile", "Somebody else was faster: read it again, then change it."),
    "413": ("Too large", "A body has at most 1 MB here."),
    "415": ("Not an event", "Send application/json or application/cloudevents+json."),
    "422": ("Invalid request", "limit: Input should be less than or equal to 1000"),
    "429": ("Too many requests", "Too many requests. Try again in 5 s."),
    "501": ("Not implemented", "Daymark takes no alerts of others: it alerts on its own findings."),
    "503": ("Store not available", "ClickHouse did not answer this query. /readyz tells more; try again in a moment."),
}
MEANT = {
    "400": "The request can't be understood",
    "401": "Nobody is signed in",
    "403": "Not allowed to this user or token",
    "404": "There is no such thing, or it is beyond what this user may see",
    "409": "It stands otherwise than the request assumes",
    "412": "Somebody else changed it meanwhile",
    "413": "The body is too long",
    "415": "Not a kind of body that is taken here",
    "422": "Something in the request is wrong: `errors` says what, and where",
    "429": "Too many requests; `Retry-After` says when to ask again",
    "501": "Not done here",
    "503": "A store, or Kafka, is away; ask again after `Retry-After`",
}
Operation = dict[str, Any]


def install(app: FastAPI) -> None:
    """Let the app describe itself with this document, made once, when it is first asked for."""
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            complete(made_by_fastapi())
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, Operation]]:
    """Each operation with its method, in capitals, and its path."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def complete(document: dict[str, Any]) -> Examples:
    """Put in what is missing; returns what made the examples, which knows what has none."""
    schemas = document["components"]["schemas"]
    for method, path, operation in operations(document):
        _errors(operation, method, path)
    for leftover in ("HTTPValidationError", "ValidationError"):
        schemas.pop(leftover, None)
    examples = Examples(schemas)
    for name, schema in schemas.items():
        schema.setdefault("examples", [examples.of_schema(name)])
    for _, _, operation in operations(document):
        _bodies(operation, examples)
    return examples


def _errors(operation: Operation, method: str, path: str) -> None:
    answers = operation["responses"]
    if path.startswith("/api/v2/") and answers.pop("422", None):  # the words of Alertmanager (routes/alertmanager.py)
        text = {"type": "string", "examples": ["bad matcher format: severity"]}
        answers["400"] = {"description": MEANT["400"], "content": {"application/json": {"schema": text}}}
    for status in _guarded(method, path):
        answers.setdefault(status, {"content": {PROBLEM: {}}})
    for status in [one for one in answers if one[0] in "45"]:
        answer = answers[status]
        answer["description"] = MEANT.get(status, answer.get("description", ""))
        if PROBLEM in answer.get("content", {}) or _is_fastapis(answer):
            answer["content"] = {PROBLEM: {"schema": {"$ref": f"{REF}Problem"}, "example": _problem(status)}}
    operation["responses"] = dict(sorted(answers.items()))


def _guarded(method: str, path: str) -> list[str]:
    """What api/access/guard.py may answer."""
    template = path.replace("{key}", "{key:key}").replace("{token}", "{token}")
    return [] if matrix.needed(method, template) is None else ["401", "403", "429"]


def _is_fastapis(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return bool(schema.get("$ref") == f"{REF}HTTPValidationError")


def _problem(status: str) -> dict[str, Any]:
    title, detail = TITLES[status]
    wrong = [{"index": None, "field": "limit", "message": "Input should be less than or equal to 1000"}]
    errors = wrong if status == "422" else []
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail, "errors": errors}


def _bodies(operation: Operation, examples: Examples) -> None:
    """An example beside each body that is JSON; what is a list or has no fields finds it by the operation's id."""
    name = operation["operationId"]
    given = [(f"{name}.request", operation.get("requestBody", {}))]
    given += [(name if status[0] == "2" else status, one) for status, one in operation["responses"].items()]
    for known_as, place in given:
        for kind, body in place.get("content", {}).items():
            if "json" in kind and "example" not in body and "examples" not in body:
                body["example"] = examples.of(body.get("schema", {}), known_as, "")
