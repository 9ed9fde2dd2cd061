"""Alerting documents: people, teams, channels, calendars, on-call schedules, escalations, routes, silences and
maintenance windows, each under its kind and name, with versions."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api import alerting
from api.actor import Who
from api.context import Context, Ctx
from api.paging import PathText
from api.problems import ProblemError, documented, not_found
from api.records import documents
from api.records.documents import Document
from api.security import body_of
from udfs.packs.alertkinds import KINDS
from udfs.packs.problems import Problem

router = APIRouter(prefix="/api/v1/alerting", tags=["alerting"], responses=documented(401, 422, 503))
MOST_BODY = 1_000_000
MOST_FILE = 5_000_000
Kind = Literal["person", "team", "channel", "calendar", "on_call", "escalation", "routes", "silence", "maintenance"]
assert set(KINDS) == set(Kind.__args__)  # type: ignore[attr-defined]  # noqa: S101 (else the description lies)
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="the ETag of the version that you change; `*`: whichever it is")
]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="`*`: only if there is none yet")]
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}, "example": {"email": "anna@example.com", "by": "mail"}}
        },
    }
}
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object"},
                "example": {"documents": {"person/anna": {"email": "anna@example.com"}}, "prune": False},
            }
        },
    }
}


class Stored(BaseModel):
    """A document in one of its versions."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    name: str
    version: int
    updated_by: str
    updated_ms: int
    deleted: bool
    body: dict[str, Any] = Field(description="as in alerting.yaml (docs/alerting-language.md)")


class Warned(BaseModel):
    """What is doubtful about a document, though it was taken."""

    field: str
    message: str


class Put(Stored):
    """A document as it was put."""

    changed: bool = Field(description="false where it said the same already")
    warnings: list[Warned]


class Outcome(BaseModel):
    """What applying many documents did, by `<kind>/<name>`."""

    changed: list[str]
    deleted: list[str]
    unchanged: list[str]
    warnings: list[Warned]


@router.get("", response_model=list[Stored])
def list_documents(ctx: Ctx) -> list[Document]:
    """All documents, by kind and name."""
    with ctx.records.reading() as connection:
        return documents.listed(connection)


@router.put("", response_model=Outcome, responses=documented(400, 413), openapi_extra=FILE)
async def apply_documents(ctx: Ctx, who: Who, request: Request) -> Outcome:
    """Put many documents, all or none; with `prune` all others are deleted, except silences. What refers to each other
    can only be put like this. `daymark alerting apply FILE` does it with a file."""
    said = await _json(request, MOST_FILE)
    given, prune = said.get("documents"), said.get("prune", False)
    if not isinstance(given, dict) or not isinstance(prune, bool) or set(said) - {"documents", "prune"}:
        detail = 'Send {"documents": {"<kind>/<name>": {…}}, "prune": false}.'
        raise ProblemError(422, "Invalid request", detail)
    done = await run_in_threadpool(alerting.apply, ctx, who, given, prune=prune)
    return Outcome(
        changed=done.changed, deleted=done.deleted, unchanged=done.unchanged, warnings=_warned(done.warnings)
    )


@router.get("/{kind}", response_model=list[Stored])
def list_kind(ctx: Ctx, kind: Kind) -> list[Document]:
    """The documents of a kind, by name. Somebody with limits sees silences, those that can hide nothing but theirs."""
    alerting.require_seen(ctx, kind)
    with ctx.records.reading() as connection:
        return alerting.seen(ctx, documents.listed(connection, kind))


@router.get("/{kind}/{name}", response_model=Stored, responses=documented(404))
def get_document(ctx: Ctx, kind: Kind, name: PathText, response: Response) -> Document:
    """One document; its ETag is what If-Match wants."""
    alerting.require_seen(ctx, kind)
    with ctx.records.reading() as connection:
        found = documents.read(connection, kind, name)
    if found is None or not alerting.seen(ctx, [found]):
        raise not_found(f"There is no {kind} {name!r}.")
    response.headers["ETag"] = _etag(found)
    return found


@router.get("/{kind}/{name}/versions", response_model=list[Stored])
def list_document_versions(ctx: Ctx, kind: Kind, name: PathText) -> list[Document]:
    """Every version of a document, the newest first; of a deleted one what was deleted, and by whom."""
    with ctx.records.reading() as connection:
        return documents.versions(connection, kind, name)


@router.put("/{kind}/{name}", response_model=Put, responses=documented(400, 409, 412, 413), openapi_extra=BODY)
async def put_document(
    ctx: Ctx,
    who: Who,
    request: Request,
    response: Response,
    kind: Kind,
    name: PathText,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Put:
    """Put a document in force. It is refused with every fault, and when it would break one that names it. One that is
    there already is only changed with If-Match: 409 without it, 412 if somebody else was faster. Somebody with limits
    puts silences: matchers are added that keep one within the limits, and one that names what is beyond is a 403."""
    _require(ctx, kind)
    body = await _json(request, MOST_BODY)
    known = 0 if if_none_match == "*" else _version(if_match)
    fresh, changed, warnings = await run_in_threadpool(alerting.put, ctx, who, kind, name, body, known)
    response.headers["ETag"] = _etag(fresh)
    return Put(**vars(fresh), changed=changed, warnings=_warned(warnings))


@router.delete("/{kind}/{name}", response_model=Stored, responses=documented(404, 409, 412))
async def delete_document(ctx: Ctx, who: Who, kind: Kind, name: PathText, if_match: IfMatch = None) -> Document:
    """Delete a document; 409 while another one names it."""
    _require(ctx, kind)
    gone = await run_in_threadpool(alerting.remove, ctx, who, kind, name, _version(if_match))
    if gone is None:
        raise not_found(f"There is no {kind} {name!r}.")
    return gone


def _require(ctx: Context, kind: Kind) -> None:
    """Who acts on alerts makes silences and windows; who is told what is for those who put rules in force."""
    if kind not in ("silence", "maintenance") and ctx.who and not ctx.who.permissions.may("rules"):
        raise ProblemError(403, "Not allowed", f"Your role may put silences and maintenance windows, but no {kind}.")


async def _json(request: Request, most: int) -> dict[str, Any]:
    try:
        said = orjson.loads(await body_of(request, most))
    except orjson.JSONDecodeError as fault:
        raise ProblemError(400, "Not JSON", f"The body must be a JSON object: {fault}.") from None
    if not isinstance(said, dict):
        raise ProblemError(422, "Invalid request", "The body must be a JSON object.")
    return said


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return alerting.ANY
    found = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if not found:
        raise ProblemError(412, "Changed meanwhile", 'If-Match is no ETag of a document; one looks like "3".')
    return int(found[1])


def _etag(document: Document) -> str:
    return f'"{document.version}"'


def _warned(problems: list[Problem]) -> list[Warned]:
    return [Warned(field=".".join(filter(None, (one.file, one.path))), message=one.message) for one in problems]
