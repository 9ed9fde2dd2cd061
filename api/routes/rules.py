"""Rules over HTTP: read, check, compare. What changes them is in api/routes/rulewrites.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from api import ruleset
from api.context import Context, Ctx
from api.paging import PathText
from api.problems import documented
from api.records.rules import Revision
from api.rulemodels import Asked, Diff, Full, Part, Summary, TextFault, Verdict
from udfs.packs.compare import compared, text_diff
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

router = APIRouter(prefix="/api/v1/rules", tags=["rules"], responses=documented(401, 403, 422, 503))

Number = Annotated[int, Query(ge=0, lt=1 << 31, description="a revision")]


@router.get("", response_model=list[Summary])
def list_rules(ctx: Ctx) -> list[Full]:
    """Every rule as it stands, by name; those that were withdrawn too."""
    with ctx.records.reading() as connection:
        found = ruleset.listed(ctx, connection)
    return shown(ctx, found)


@router.post("/validate", response_model=Verdict, responses=documented(413))
def validate_rule(ctx: Ctx, asked: Asked) -> Verdict:
    """Say all that is wrong with a rule's text, with line, path and what would be right. Changes nothing."""
    found, problems = ruleset.read(ctx, asked.text)
    faults = [TextFault(line=one.line, path=one.path, message=one.message, level=one.level) for one in problems]
    return Verdict(valid=found is not None, workflow=found.name if found else None, problems=faults)


@router.get("/{workflow}", response_model=Full, responses=documented(404))
def get_rule(ctx: Ctx, workflow: PathText, response: Response) -> Full:
    """One rule with its text; its ETag is what If-Match wants."""
    with ctx.records.reading() as connection:
        found = ruleset.standing(ctx, connection, workflow)
    response.headers["ETag"] = etag(found.revision)
    return shown(ctx, [found])[0]


@router.get("/{workflow}/versions", response_model=list[Summary], responses=documented(404))
def list_versions(ctx: Ctx, workflow: PathText) -> list[Full]:
    """Every revision of a rule, the newest first: who put it in force, when and why."""
    with ctx.records.reading() as connection:
        found = ruleset.revisions(ctx, connection, workflow)
    return shown(ctx, found)


@router.get("/{workflow}/versions/{revision}", response_model=Full, responses=documented(404))
def get_version(ctx: Ctx, workflow: PathText, revision: Annotated[int, Path(ge=0, lt=1 << 31)]) -> Full:
    """One revision of a rule, with its text, and whether the job has refused it."""
    with ctx.records.reading() as connection:
        found = ruleset.revision(ctx, connection, workflow, revision)
    return shown(ctx, [found])[0]


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


def shown(ctx: Context, revisions: Sequence[Revision]) -> list[Full]:
    """Revisions as the API shows them, with what the job says of them."""
    refused = ctx.refusals.of(revisions)
    rows = []
    for one in revisions:
        refusal = refused.get((one.workflow, one.revision))
        row = Full.model_validate(one)
        rows.append(row.model_copy(update={"refused": refusal.reason}) if refusal else row)
    return rows


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


def etag(revision: int) -> str:
    """The ETag of a revision."""
    return f'"{revision}"'
