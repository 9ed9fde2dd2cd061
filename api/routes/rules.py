"""Rules over HTTP: read, check, compare, put in force, switch off and on, roll back, withdraw, approve."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.concurrency import run_in_threadpool

from api import rulechanges, ruleset
from api.context import Context, Ctx
from api.models import RuleAccepted
from api.paging import PathText
from api.problems import ProblemError, documented, not_found
from api.records import rules
from api.records.rules import PUT, Draft, Revision
from api.rulechanges import ANY, Change, Done
from api.security import body_of
from udfs.packs.compare import compared, text_diff
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

router = APIRouter(prefix="/api/v1/rules", tags=["rules"], responses=documented(401, 403, 422, 503))

MOST_BYTES = 900_000
MOST_BODY = 2 * MOST_BYTES  # a body may be laid out with blanks
Number = Annotated[int, Query(ge=0, lt=1 << 31, description="a revision")]
Why = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$", description="the reason, for those who come later")]
IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="the ETag of the revision that you change; `*`: whichever it is")
]
IfNoneMatch = Annotated[str | None, Header(alias="If-None-Match", description="`*`: only if there is no such rule yet")]


class Rule(BaseModel):
    """A workflow to put in force: its YAML as `text`, or the same as JSON in `definition`."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str | None, Field(max_length=MOST_BYTES)] = None
    definition: dict[str, Any] | None = None
    version: Annotated[
        int | None, Field(ge=1, lt=1 << 53, description="default: the one that the text names, or the last counted on")
    ] = None
    effective_from: Annotated[
        int | None, Field(ge=0, lt=1 << 53, description="epoch ms, by event time; default: now. 0: from the beginning")
    ] = None
    why: Why = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Rule:
        if (self.text is None) == (self.definition is None):
            raise ValueError("give either `text` (YAML) or `definition` (JSON)")
        return self


class Summary(BaseModel):
    """A rule as it stands."""

    model_config = ConfigDict(from_attributes=True)

    workflow: str
    revision: int = Field(description="how often it was changed through Daymark; 0: it is as a pack, or Kafka, gave it")
    action: str = Field(description="put, enable, disable, rollback or withdraw; of revision 0 pack or topic")
    version: int = Field(description="what items and findings of it show")
    state: str = Field(description="enabled, disabled or withdrawn")
    effective_from: int | None = Field(description="epoch ms, by event time; null: not known, or withdrawn")
    who: str
    why: str
    at_ms: int
    approved_by: str


class Full(Summary):
    """A rule in one revision, with its text."""

    text: str
    definition: dict[str, Any]


class WaitingChange(BaseModel):
    """A change that waits for another person's approval."""

    model_config = ConfigDict(from_attributes=True)

    workflow: str
    base: int | None = Field(description="the revision that it was made for")
    action: str
    effective_from: int | None
    who: str
    why: str
    at_ms: int
    text: str


class Asked(BaseModel):
    """A rule's text to look at."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MOST_BYTES)]


class TextFault(BaseModel):
    """One fault of a text, and where."""

    line: int = Field(description="from 1; 0: of the whole text")
    path: str
    message: str
    level: Literal["error", "warning"]


class Verdict(BaseModel):
    """What is wrong with a text."""

    valid: bool
    workflow: str | None
    problems: list[TextFault]


class Part(BaseModel):
    """A part of a definition that differs."""

    path: str
    change: Literal["added", "removed", "changed"]
    before: Any
    after: Any
    sentence: str


class Diff(BaseModel):
    """Two revisions, beside each other."""

    text: str = Field(description="line by line, as `diff -u` writes it")
    parts: list[Part]
    same_meaning: bool = Field(description="whether both find the same: only words for people differ")


class Reason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    why: Why = ""


class Back(Reason):
    """Which revision to go back to."""

    revision: Annotated[int, Field(ge=0, lt=1 << 31)]


BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": Rule.model_json_schema()}}}}


@router.get("", response_model=list[Summary])
def list_rules(ctx: Ctx) -> list[Revision]:
    """Every rule as it stands, by name; those that were withdrawn too."""
    with ctx.records.reading() as connection:
        return ruleset.listed(ctx, connection)


@router.post("/validate", response_model=Verdict, responses=documented(413))
def validate_rule(ctx: Ctx, asked: Asked) -> Verdict:
    """Say all that is wrong with a rule's text, with line, path and what would be right. Changes nothing."""
    found, problems = ruleset.read(ctx, asked.text)
    faults = [TextFault(line=one.line, path=one.path, message=one.message, level=one.level) for one in problems]
    return Verdict(valid=found is not None, workflow=found.name if found else None, problems=faults)


@router.get("/{workflow}", response_model=Full, responses=documented(404))
def get_rule(ctx: Ctx, workflow: PathText, response: Response) -> Revision:
    """One rule with its text; its ETag is what If-Match wants."""
    with ctx.records.reading() as connection:
        found = ruleset.standing(ctx, connection, workflow)
    response.headers["ETag"] = etag(found.revision)
    return found


@router.get("/{workflow}/versions", response_model=list[Summary], responses=documented(404))
def list_versions(ctx: Ctx, workflow: PathText) -> list[Revision]:
    """Every revision of a rule, the newest first: who put it in force, when and why."""
    with ctx.records.reading() as connection:
        return ruleset.revisions(ctx, connection, workflow)


@router.get("/{workflow}/versions/{revision}", response_model=Full, responses=documented(404))
def get_version(ctx: Ctx, workflow: PathText, revision: Annotated[int, Path(ge=0, lt=1 << 31)]) -> Revision:
    """One revision of a rule, with its text."""
    with ctx.records.reading() as connection:
        return ruleset.revision(ctx, connection, workflow, revision)


@router.get("/{workflow}/diff", response_model=Diff, responses=documented(404))
def diff_versions(
    ctx: Ctx, workflow: PathText, older: Number = 0, newer: Annotated[int | None, Query(ge=0, lt=1 << 31)] = None
) -> Diff:
    """What is different between two revisions: line by line, and in what the rule does. `newer`: the newest."""
    with ctx.records.reading() as connection:
        one = ruleset.revision(ctx, connection, workflow, older)
        other = (
            ruleset.standing(ctx, connection, workflow)
            if newer is None
            else ruleset.revision(ctx, connection, workflow, newer)
        )
    return difference(one, other)


def difference(one: Revision, other: Revision) -> Diff:
    """The difference of two revisions of a workflow."""
    parts = [
        Part(path=part.path, change=part.change, before=part.before, after=part.after, sentence=str(part))  # type: ignore[arg-type]
        for part in compared(one.definition, other.definition)
    ]
    names = (f"revision {one.revision}", f"revision {other.revision}")
    same = not parts or _hash(one) == _hash(other) != ""
    return Diff(text=text_diff(one.text, other.text, names), parts=parts, same_meaning=same)


def _hash(one: Revision) -> str:
    """The identity of what a revision means, with how it is put in force; '' for one that this version can't read."""
    try:
        spec = compile_workflow(one.definition, version=1, lane="main")
    except PackError:
        return ""
    return f"{spec.hash} {spec.enabled} {spec.migrates}"


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
    `enabled`). A `text` for a rule that is there already needs If-Match: 409 without it, 412 if somebody else was
    faster; a `definition`, as `daymark rules put` sends it, may do without."""
    try:
        rule = Rule.model_validate_json(await body_of(request, MOST_BODY))
    except ValidationError as error:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    known = 0 if if_none_match == "*" else known_of(if_match)
    done = await run_in_threadpool(_put, ctx, workflow, rule, known)
    return accepted(done, workflow, response)


def _put(ctx: Context, workflow: str, rule: Rule, known: int | None) -> Done:
    if rule.definition is None:
        wanted = Change(PUT, rule.text or "", {}, rule.why, known, rule.version, rule.effective_from)
        return rulechanges.put(ctx, workflow, wanted)
    named = rule.definition.get("version", 1)
    version = named if rule.version is None else rule.version
    wanted = Change(PUT, "", rule.definition, rule.why, ANY if known is None else known, version, rule.effective_from)
    return rulechanges.put_definition(ctx, workflow, wanted)


@router.delete("/{workflow}", status_code=202, response_model=RuleAccepted, responses=documented(404, 412))
def withdraw_rule(
    ctx: Ctx,
    workflow: PathText,
    response: Response,
    why: Annotated[str, Query(max_length=2000, pattern=r"^[^\x00]*$")] = "",
    if_match: IfMatch = None,
) -> RuleAccepted:
    """Withdraw a workflow in all its versions: its open items are closed, and nothing of it stays in state. What was
    found stays in the history. 404 for one that is not in force."""
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
    """Put the text of an older revision in force, as a new one."""
    done = rulechanges.roll_back(ctx, workflow, back.revision, back.why, known_of(if_match))
    return accepted(done, workflow, response)


@router.get("/{workflow}/draft", response_model=WaitingChange, responses=documented(404))
def get_draft(ctx: Ctx, workflow: PathText) -> Draft:
    """The change that waits for another person's approval."""
    with ctx.records.reading() as connection:
        found = rules.draft(connection, workflow) if ruleset.visible(ctx, workflow) else None
    if found is None:
        raise not_found(f"No change of {workflow!r} waits for approval.")
    return found


@router.post("/{workflow}/draft/approve", status_code=202, response_model=RuleAccepted, responses=documented(404, 409))
def approve_draft(ctx: Ctx, workflow: PathText, response: Response) -> RuleAccepted:
    """Put a waiting change in force. 403 for whoever made it."""
    return accepted(rulechanges.approve(ctx, workflow), workflow, response)


@router.delete("/{workflow}/draft", response_model=WaitingChange, responses=documented(404))
def discard_draft(ctx: Ctx, workflow: PathText) -> Draft:
    """Forget a waiting change."""
    return rulechanges.discard(ctx, workflow)


def accepted(done: Done, workflow: str, response: Response) -> RuleAccepted:
    """What a change came to, as an answer."""
    one = done.revision
    if one is None:
        return RuleAccepted(workflow=workflow, version=None, effective_from=None, revision=None, outcome="waits")
    response.headers["ETag"] = etag(one.revision)
    return RuleAccepted(
        workflow=workflow,
        version=one.version if one.document else None,
        effective_from=one.effective_from,
        revision=one.revision,
        outcome="pending" if done.pending else "sent",
    )


def etag(revision: int) -> str:
    """The ETag of a revision."""
    return f'"{revision}"'


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
