"""Rules put in force and withdrawn while the job runs, through the rules topic."""

from __future__ import annotations

import time
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from api.access import audit
from api.context import Context, Ctx
from api.models import RuleAccepted
from api.paging import PathText
from api.problems import Fault, ProblemError, documented, not_found
from api.publish import PublishError, Record
from api.rulebook import Rulebook, RulesUnknown
from api.security import body_of
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

router = APIRouter(prefix="/api/v1", tags=["rules"], responses=documented(401, 422, 503))


class Rule(BaseModel):
    """A version of a workflow. The definition is its YAML as JSON."""

    model_config = ConfigDict(extra="forbid")

    definition: dict[str, Any]
    version: Annotated[
        int | None, Field(ge=1, lt=1 << 53, description="default: the one that the definition names")
    ] = None
    effective_from: Annotated[
        int | None, Field(ge=0, lt=1 << 53, description="epoch ms, by event time; default: now. 0: from the beginning")
    ] = None


MOST_BYTES = 900_000
"""Of a rule document: what Kafka takes as one record."""

MOST_BODY = 2 * MOST_BYTES  # a body may be laid out with blanks
BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Rule.model_json_schema()}}}}


@router.put(
    "/rules/{workflow}", status_code=202, response_model=RuleAccepted, responses=documented(413), openapi_extra=BODY
)
async def put_rule(ctx: Ctx, workflow: PathText, request: Request) -> RuleAccepted:
    """Put a version of a workflow in force without a redeploy. What becomes of items that are open then is said in it
    (`migrate`, `enabled`). Answers when the broker has acknowledged it."""
    try:
        rule = Rule.model_validate_json(await body_of(request, MOST_BODY))
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    return await run_in_threadpool(_put, ctx, workflow, rule)


def _put(ctx: Context, workflow: str, rule: Rule) -> RuleAccepted:
    written = rule.definition.get("version", 1) if rule.version is None else rule.version
    since = time.time_ns() // 1_000_000 if rule.effective_from is None else rule.effective_from
    try:
        spec = compile_workflow(rule.definition, version=written, lane=ctx.settings.lane)
    except PackError as error:
        faults = [Fault(field=f"definition.{one.path}", message=one.message) for one in error.problems]
        raise ProblemError(
            422, "Invalid rule", f"Nothing was put in force. First: {faults[0].message}", faults
        ) from None
    if spec.workflow != workflow:
        detail = f"The definition is of the workflow {spec.workflow!r}; put it at /api/v1/rules/{spec.workflow}."
        raise ProblemError(422, "Invalid rule", detail)
    document = {"workflow": workflow, "version": written, "effective_from": since, "definition": rule.definition}
    try:
        text = orjson.dumps(document)
    except TypeError as fault:
        raise ProblemError(422, "Invalid rule", f"The definition can't be written as JSON: {fault}.") from None
    if len(text) > MOST_BYTES:
        raise ProblemError(413, "Body too large", f"A rule document has at most {MOST_BYTES:,} bytes; send less.")
    _publish(ctx, workflow, text)
    return RuleAccepted(workflow=workflow, version=written, effective_from=since)


@router.delete("/rules/{workflow}", status_code=202, response_model=RuleAccepted, responses=documented(404))
async def withdraw_rule(ctx: Ctx, workflow: PathText) -> RuleAccepted:
    """Withdraw a workflow in all its versions: its open items are closed, and nothing of it stays in state. What was
    found stays in the history. 404 for one that is not in force."""
    await run_in_threadpool(_withdraw, ctx, workflow)
    return RuleAccepted(workflow=workflow, version=None, effective_from=None)


def _withdraw(ctx: Context, workflow: str) -> None:
    rulebook = Rulebook(ctx.settings)  # one of its own: the process's is another thread's
    try:
        rulebook.refresh()
    except RulesUnknown as error:
        raise ProblemError(503, "Kafka not available", f"Which rules there are can't be told: {error}.") from error
    finally:
        rulebook.close()
    if not rulebook.engine.has(workflow):
        raise not_found(f"There is no workflow {workflow!r} in force.")
    _publish(ctx, workflow, None)


def _publish(ctx: Context, workflow: str, document: bytes | None) -> None:
    topic = f"{ctx.settings.topic_prefix}rules"
    action, subject = "withdraw" if document is None else "put", f"rule/{workflow}"
    after = None if document is None else orjson.loads(document)
    with ctx.records.transaction() as tx:  # first: no rule is in force that the audit doesn't know
        before = audit.latest(tx.connection, subject)
        tx.changed(ctx.change(action, subject, before, after))
    try:
        ctx.publisher.publish([Record(topic, workflow.encode(), document)])
    except PublishError as error:
        with ctx.records.transaction() as tx:
            tx.changed(ctx.change(f"{action} failed", subject, after, before))
        detail = f"The rule was not acknowledged ({error}). Send it again: what is put twice counts once."
        raise ProblemError(503, "Kafka not available", detail) from error
