"""The screen of rules: the list, the editor with the graph beside it, simulations. Works without JavaScript too."""

from __future__ import annotations

import sys
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from api import rulechanges, ruleset
from api.access.roles import Subject
from api.commands.schema import Language, schema_of
from api.context import Context, Ctx
from api.paging import PathText
from api.problems import ProblemError
from api.records import rules
from api.records.rules import PUT, Draft, Revision
from api.routes import rulehistory
from api.routes.rules import difference
from api.rulechanges import Change, Done
from api.rulemodels import MOST_BODY
from api.screens.rule import drawing
from api.security import body_of
from api.templating import templates
from udfs.packs.compare import text_diff
from udfs.packs.rulefile import read_rule

router = APIRouter(include_in_schema=False)
VENDOR = Path(sys.prefix) / "vendor" / "META-INF" / "resources" / "webjars"
"""Where `make setup` puts what the pages take from others (jobs/java/vendor)."""
SAID = {
    "sent": "In force: Kafka has it, and the job follows it from its next record on.",
    "pending": "Kept. Kafka can't be reached; the job gets it as soon as it can.",
    "waits": "Kept as a draft: another person must approve it.",
    "discarded": "The draft is discarded.",
}
NEW = """\
workflow: my_workflow
key: order_id
steps:
  receive: {on: order.received, start: true}
  ship:    {on: order.shipped, end: completed}
flow:
  - receive -> ship
deadlines:
  - {id: ship, after: receive, expect: ship, within: 2h, severity: high}
"""


def vendored() -> str:
    """Under which address the editor's files are; '' where they were not set up, then the text field is plain."""
    found = sorted((VENDOR / "codemirror").glob("*/lib/codemirror.js"))
    return f"/static/vendor/codemirror/{found[-1].parts[-3]}" if found else ""


@router.get("/rules", response_class=HTMLResponse)
def list_page(request: Request, ctx: Ctx) -> Response:
    """All rules, and what waits for approval."""
    with ctx.records.reading() as connection:
        rows = ruleset.listed(ctx, connection)
        waiting = [one for one in rules.drafts(connection) if ruleset.visible(ctx, one.workflow)]
    parts = {"rows": rows, "refused": ctx.refusals.of(rows), "waiting": waiting, "may": _may(ctx, "")}
    return templates.TemplateResponse(request, "rules.html", parts)


@router.get("/new-rule", response_class=HTMLResponse)
def new_page(request: Request, ctx: Ctx) -> Response:
    """The editor, with a workflow to begin with."""
    return _editor(request, ctx, None, NEW)


@router.post("/new-rule", response_class=HTMLResponse)
async def new_rule(request: Request, ctx: Ctx) -> Response:
    """What the editor of a new rule asks for."""
    form = await _form(request)
    return await run_in_threadpool(_do, request, ctx, "", form)


@router.get("/rules/{workflow}", response_class=HTMLResponse)
def edit_page(
    request: Request,
    ctx: Ctx,
    workflow: PathText,
    revision: Annotated[int | None, Query(ge=0, lt=1 << 31)] = None,
    said: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """A rule in the editor; with `revision` as it was then. A new one that waits for approval is there too."""
    with ctx.records.reading() as connection:
        draft = rules.draft(connection, workflow) if ruleset.visible(ctx, workflow) else None
        if draft and ruleset.known_to(ctx, connection, workflow) is None:
            return _editor(request, ctx, None, draft.text, draft=draft, said=SAID.get(said, ""))
        now = ruleset.standing(ctx, connection, workflow)
        shown = now if revision is None else ruleset.revision(ctx, connection, workflow, revision)
    return _editor(request, ctx, now, shown.text, shown=shown, draft=draft, said=SAID.get(said, ""))


@router.post("/rules/{workflow}", response_class=HTMLResponse)
async def edit(request: Request, ctx: Ctx, workflow: PathText) -> Response:
    """What the editor asks for: check, simulate, put in force, switch, roll back, withdraw, approve, discard."""
    form = await _form(request)
    return await run_in_threadpool(_do, request, ctx, workflow, form)


@router.post("/fragments/rules/check", response_class=HTMLResponse)
async def check(request: Request, ctx: Ctx) -> Response:
    """What is wrong with a text, and its graph: asked for as one types."""
    form = await _form(request)
    return await run_in_threadpool(_checked, request, ctx, form.get("text", ""))


@router.get("/rules/{workflow}/simulations/{id}", response_class=HTMLResponse)
def simulation_page(request: Request, ctx: Ctx, workflow: PathText, id: rulehistory.Id) -> Response:
    """A simulation, for whoever has no JavaScript: the page comes anew until it is done."""
    one = rulehistory.found(ctx, workflow, id)
    parts = {"one": rulehistory.shown(one), "text": one.text, "workflow": workflow}
    return templates.TemplateResponse(request, "simulation.html", parts)


@router.get("/fragments/rules/{workflow}/simulations/{id}", response_class=HTMLResponse)
def simulation_part(request: Request, ctx: Ctx, workflow: PathText, id: rulehistory.Id) -> Response:
    """A simulation as a part of the editor's page."""
    one = rulehistory.found(ctx, workflow, id)
    return templates.TemplateResponse(request, "_simulation.html", {"one": rulehistory.shown(one)})


@router.get("/api/v1/schemas/workflow", tags=["rules"], include_in_schema=True)
def workflow_schema() -> dict[str, Any]:
    """The JSON Schema of a workflow's YAML, made from the language itself: what editors complete and check it with."""
    return schema_of(Language.workflow)


def _do(request: Request, ctx: Context, workflow: str, form: dict[str, str]) -> Response:
    text, why = form.get("text", "").replace("\r\n", "\n"), form.get("why", "")[:2000]
    what, _, number = form.get("do", "check").partition(":")
    name = workflow or _named(text)
    with ctx.records.reading() as connection:
        seen = bool(name) and ruleset.visible(ctx, name)
        now = ruleset.known_to(ctx, connection, name) if seen else None
        draft = rules.draft(connection, name) if seen else None
    wrong = ""
    try:
        if what == "simulate":
            one = rulehistory.begin(ctx, name, rulehistory.Wanted(text=text, days=_days(form)))
            return _see(f"/rules/{quote(name, safe='')}/simulations/{one.id}")
        if what == "discard":
            rulechanges.discard(ctx, name)
            return _see(f"/rules/{quote(name, safe='')}?said=discarded" if now else "/rules")
        if what != "check":
            done = _change(ctx, name, what, number, text, why, form)
            return _see(f"/rules/{quote(name, safe='')}?said={done.outcome}")
    except ProblemError as fault:
        wrong = fault.problem.detail
    return _editor(request, ctx, now, text, draft=draft, wrong=wrong, why=why, known=form.get("known", ""))


def _change(ctx: Context, name: str, what: str, number: str, text: str, why: str, form: dict[str, str]) -> Done:
    known = _known(form)
    match what:
        case "put":
            return rulechanges.put(ctx, name, Change(PUT, text, {}, why, known))
        case "enable" | "disable":
            return rulechanges.switch(ctx, name, what == "enable", why, known)
        case "withdraw":
            return rulechanges.withdraw(ctx, name, why, known)
        case "rollback" if number.isdecimal() and len(number) < 10:
            return rulechanges.roll_back(ctx, name, int(number), why, known)
        case "approve":
            return rulechanges.approve(ctx, name, form.get("draft", ""))
    raise ProblemError(422, "Invalid request", "This page asked for something that isn't there; load it anew.")


def _editor(
    request: Request,
    ctx: Context,
    now: Revision | None,
    text: str,
    *,
    shown: Revision | None = None,
    draft: Draft | None = None,
    said: str = "",
    wrong: str = "",
    why: str = "",
    known: str = "",
) -> Response:
    revisions: list[Revision] = []
    if now is not None:
        with ctx.records.reading() as connection:
            revisions = ruleset.revisions(ctx, connection, now.workflow)
    name = now.workflow if now else draft.workflow if draft else ""
    pairs = zip_longest(revisions, revisions[1:])
    parts = {
        "now": now,
        "shown": shown or now,
        "text": text,
        "known": known or ("" if now is None else str(now.revision)),
        "history": [(one, difference(older, one) if older else None) for one, older in pairs],
        "refused": ctx.refusals.of(revisions),
        "draft": draft,
        "draft_diff": text_diff(now.text, draft.text, (f"revision {now.revision}", "draft")) if now and draft else "",
        "said": said,
        "wrong": wrong,
        "why": why,
        "name": name,
        "may": _may(ctx, name),
        "vendor": vendored(),
        "action": f"/rules/{quote(name, safe='')}" if name else "/new-rule",
    }
    page = templates.TemplateResponse(request, "rule.html", parts | _looked_at(ctx, text))
    page.status_code = 422 if wrong else 200
    return page


def _checked(request: Request, ctx: Context, text: str) -> Response:
    return templates.TemplateResponse(request, "_check.html", _looked_at(ctx, text.replace("\r\n", "\n")))


def _looked_at(ctx: Context, text: str) -> dict[str, Any]:
    found, problems = ruleset.read(ctx, text)
    return {"valid": found is not None, "problems": problems, "drawing": drawing(text)}


def _may(ctx: Context, workflow: str) -> bool:
    """Whether whoever asks may change a rule, or, without one, make new ones."""
    return ctx.who is None or ctx.who.permissions.may("rules", Subject(workflow) if workflow else None)


def _named(text: str) -> str:
    found, _ = read_rule(text)
    return found.name if found else ""


def _known(form: dict[str, str]) -> int | None:
    known = form.get("known", "")
    return int(known) if known.isdecimal() and len(known) < 10 else None


def _days(form: dict[str, str]) -> int:
    days = form.get("days", "7")
    return min(max(1, int(days)), 3660) if days.isdecimal() and len(days) < 5 else 7


def _see(path: str) -> Response:
    return RedirectResponse(path, 303)


async def _form(request: Request) -> dict[str, str]:
    body = await body_of(request, 3 * MOST_BODY)
    pairs = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    return {name: values[0] for name, values in pairs.items()}
