"""Rules over HTTP: put in force, switch off and on, roll back, withdraw, approve."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from api import rulechanges, ruleset
from api.context import Context, Ctx
from api.models import RuleAccepted
from api.paging import PathText
from api.problems import ProblemError, documented, not_found
from api.records import rules
from api.records.rules import PUT, Draft
from api.routes.rules import etag
from api.rulechanges import Change, Done
from api.rulechecks import ABSENT, ANY
from api.rulemodels import MOST_BODY, Back, Reason, Rule, WaitingChange
from api.security import body_of

router = APIRouter(prefix="/api/v1/rules", tags=["rules"], responses=documented(401, 403, 422, 503))

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="the ETag of the revision that you change; `*`: whichever it is")
]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="`*`: only if there is no such rule yet")]
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Rule.model_json_schema()}}}}


@router.put(
    "/{workflow}", status_code=202, response_model=RuleAccepted, responses=documented(409, 412, 413), openapi_extra=BODY
)
async def put_rule(
    ctx: Ctx,
    workflow: PathText,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> RuleAccepted:
    """Put a rule in force without a redeploy. What becomes of items that are open then is said in it (`migrate`,
    `enabled`). One that is there already is changed by who says which revision: 409 without If-Match, or if somebody
    else was faster. With `If-None-Match: *` only a new one is put: 412 if it is there."""
    try:
        rule = Rule.model_validate_json(await body_of(request, MOST_BODY))
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    known = ABSENT if if_none_match == "*" else known_of(if_match)
    done = await run_in_threadpool(_put, ctx, workflow, rule, known)
    return accepted(done, workflow, response)


def _put(ctx: Context, workflow: str, rule: Rule, known: int | None) -> Done:
    if rule.definition is None:
        wanted = Change(PUT, rule.text or "", {}, rule.why, known, rule.version, rule.effective_from)
        return rulechanges.put(ctx, workflow, wanted)
    named = rule.definition.get("version", 1)
    version = named if rule.version is None else rule.version
    wanted = Change(PUT, "", rule.definition, rule.why, known, version, rule.effective_from)
    return rulechanges.put_definition(ctx, workflow, wanted)


@router.delete("/{workflow}", status_code=202, response_model=RuleAccepted, responses=documented(404, 409, 412))
def withdraw_rule(
    ctx: Ctx,
    workflow: PathText,
    response: Response,
    why: Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$")] = "",
    if_match: IfMatch = None,
) -> RuleAccepted:
    """Withdraw a workflow in all its versions: its open items are closed, and nothing of it stays in state. What was
    found stays in the history. 404 for one that is not in force, 409 without If-Match."""
    done = rulechanges.withdraw(ctx, workflow, why, known_of(if_match))
    return accepted(done, workflow, response)


@router.post("/{workflow}/enable", status_code=202, response_model=RuleAccepted, responses=documented(404, 409, 412))
def enable_rule(
    ctx: Ctx, workflow: PathText, response: Response, reason: Reason, if_match: IfMatch = None
) -> RuleAccepted:
    """Follow a workflow again, from now on."""
    return accepted(rulechanges.switch(ctx, workflow, True, reason.why, known_of(if_match)), workflow, response)


@router.post("/{workflow}/disable", status_code=202, response_model=RuleAccepted, responses=documented(404, 409, 412))
def disable_rule(
    ctx: Ctx, workflow: PathText, response: Response, reason: Reason, if_match: IfMatch = None
) -> RuleAccepted:
    """Stop following a workflow: its open items are closed, new ones don't begin."""
    return accepted(rulechanges.switch(ctx, workflow, False, reason.why, known_of(if_match)), workflow, response)


@router.post("/{workflow}/rollback", status_code=202, response_model=RuleAccepted, responses=documented(404, 409, 412))
def roll_back(ctx: Ctx, workflow: PathText, response: Response, back: Back, if_match: IfMatch = None) -> RuleAccepted:
    """Put the text of an older revision in force, as a new one. 409 without If-Match, or if somebody was faster."""
    done = rulechanges.roll_back(ctx, workflow, back.revision, back.why, known_of(if_match))
    return accepted(done, workflow, response)


@router.get("/{workflow}/draft", response_model=WaitingChange, responses=documented(404))
def get_draft(ctx: Ctx, workflow: PathText, response: Response) -> Draft:
    """The change that waits for another person's approval; its ETag is what approving it wants."""
    with ctx.records.reading() as connection:
        found = rules.draft(connection, workflow) if ruleset.visible(ctx, workflow) else None
    if found is None:
        raise not_found(f"No change of {workflow!r} waits for approval.")
    response.headers["ETag"] = f'"{found.mark}"'
    return found


@router.post("/{workflow}/draft/approve", status_code=202, response_model=RuleAccepted, responses=documented(404, 409))
def approve_draft(
    ctx: Ctx,
    workflow: PathText,
    response: Response,
    if_match: Annotated[str, Header(alias="If-Match", description="the ETag of the draft that you have read")] = "",
) -> RuleAccepted:
    """Put a waiting change in force, if it still is the one that you have read: 409 for another. 403 for whoever made
    it."""
    return accepted(rulechanges.approve(ctx, workflow, if_match.strip().strip('"')), workflow, response)


@router.delete("/{workflow}/draft", response_model=WaitingChange, responses=documented(404))
def discard_draft(ctx: Ctx, workflow: PathText) -> Draft:
    """Forget a waiting change."""
    return rulechanges.discard(ctx, workflow)


def accepted(done: Done, workflow: str, response: Response) -> RuleAccepted:
    """What a change came to, as an answer."""
    one = done.revision
    if one is None:
        return RuleAccepted(workflow=workflow, version=None, effective_from=None, revision=None, outcome=done.outcome)
    response.headers["ETag"] = etag(one.revision)
    return RuleAccepted(
        workflow=workflow,
        version=one.version if one.document else None,
        effective_from=one.effective_from,
        revision=one.revision,
        outcome=done.outcome,
    )


def known_of(if_match: str | None) -> int | None:
    """The revision that a caller knows. Raises a 412 problem for what is no ETag of ours."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return ANY
    found = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if not found:
        raise ProblemError(412, "Changed meanwhile", 'If-Match is no ETag of a rule; one looks like "3".')
    return int(found[1])
