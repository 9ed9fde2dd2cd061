"""What a rule would have found: simulations on history, with how far they are."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from api import backtests, ruleset, views
from api.backtests import MOST_EVENTS, Backtest, Busy, Job
from api.clock import now_ms
from api.context import Context, Ctx
from api.paging import PathText
from api.problems import ProblemError, documented, not_found
from api.rulechecks import invalid
from api.rulemodels import MOST_BYTES
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import ERROR, PackError
from udfs.simulation.warmup import longest_wait

router = APIRouter(prefix="/api/v1/rules/{workflow}", tags=["rules"], responses=documented(401, 403, 422, 503))
DAY_MS = 86_400_000
LONGEST_MS = 3660 * DAY_MS
FAR = 1 << 53
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
Instant = Annotated[int | None, Field(ge=0, lt=FAR, description="epoch ms, by event time")]


class Wanted(BaseModel):
    """What to simulate: a rule's text beside the rule in force, on a lane's events. Default: the last seven days up to
    the lane's time."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MOST_BYTES)]
    lane: Annotated[str, Field(pattern=r"^([a-z0-9][a-z0-9-]{0,47})?$", description="default: the live one")] = ""
    since: Instant = None
    until: Instant = None
    days: Annotated[int, Field(ge=1, le=3660, description="before `until`, where `since` isn't given")] = 7


class FoundByOne(BaseModel):
    """A finding of one version that the other has not."""

    key: str
    rule: str
    kind: str
    severity: str
    step: str
    because: str
    occurrence: str
    deadline_ms: int
    at_ms: int | None
    delta_ms: int | None
    since_ms: int | None


class Count(BaseModel):
    """How many findings of a kind a deadline has, in force and as edited."""

    rule: str
    kind: str
    before: int
    after: int


class Result(BaseModel):
    """What both would have found. Findings are listed up to 200 of each sort; the numbers count all."""

    before: int | None = Field(description="findings of the rule in force; null: there is none")
    after: int
    same: int
    new: int
    gone: int
    items: int
    events: int
    counts: list[Count]
    new_findings: list[FoundByOne]
    gone_findings: list[FoundByOne]
    notes: list[str] = Field(description="what history can't answer")


class Simulation(BaseModel):
    """A simulation, and how far it is."""

    id: str
    workflow: str
    lane: str
    since: int
    until: int
    state: str = Field(description="waiting, running, done, failed or cancelled")
    done: int = Field(description="events played, of both versions")
    total: int
    error: str
    sentence: str
    result: Result | None


@router.post("/simulations", status_code=202, response_model=Simulation, responses=documented(413, 429))
def start_simulation(ctx: Ctx, workflow: PathText, wanted: Wanted) -> dict[str, Any]:
    """Play a rule's text, and the rule in force, on what happened. Answers at once; ask for the simulation until it is
    done. Nothing is changed, and nobody is told."""
    return shown(begin(ctx, workflow, wanted))


@router.get("/simulations/{id}", response_model=Simulation, responses=documented(404))
def get_simulation(ctx: Ctx, workflow: PathText, id: Id) -> dict[str, Any]:
    """How far a simulation is, and its result. Only who began it can see it; the latest few are kept."""
    return shown(found(ctx, workflow, id))


@router.delete("/simulations/{id}", response_model=Simulation, responses=documented(404))
def cancel_simulation(ctx: Ctx, workflow: PathText, id: Id) -> dict[str, Any]:
    """Stop a simulation."""
    one = found(ctx, workflow, id)
    ctx.backtests.cancel(one)
    return shown(one)


def begin(ctx: Context, workflow: str, wanted: Wanted) -> Backtest:
    """Start a simulation. Raises a 422 problem for a text or a span that can't be played, 429 when too many wait."""
    rule, problems = ruleset.read(ctx, wanted.text)
    if rule is None:
        raise invalid([one for one in problems if one.level == ERROR])
    if rule.name != workflow:
        raise ProblemError(422, "Invalid rule", f"The text is of the workflow {rule.name!r}, not of {workflow!r}.")
    lane = wanted.lane or ctx.settings.lane
    until = views.clock_of(ctx.store, lane, ctx.settings.stale_after_s) if wanted.until is None else wanted.until
    since = max(0, until - wanted.days * DAY_MS) if wanted.since is None else wanted.since
    if not 0 < until - since <= LONGEST_MS:
        raise ProblemError(422, "Invalid request", "since must lie before until, by ten years at most.")
    with ctx.records.reading() as connection:
        now = ruleset.in_force(ctx, connection, workflow, max(until, now_ms()))
    before = now.definition if now and now.state == "enabled" else None
    usual = max(DAY_MS, (until - since) // 4)
    job = Job(
        workflow,
        lane,
        before,
        rule.data,
        max(0, since - max(usual, _longest_wait([before, rule.data], since))),
        since,
        until,
        [one.definition for one in ctx.publisher.mappings],
        tuple(_unseen(ctx, workflow, lane, since, until)),
    )
    events = backtests.size(ctx.store, job)
    if events > MOST_EVENTS and job.begin < since - usual:
        job = replace(job, begin=since - usual, notes=(*job.notes, _shorter(since - usual)))
        events = backtests.size(ctx.store, job)
    if events > MOST_EVENTS:
        detail = f"There are {events:,} events in that time; at most {MOST_EVENTS:,} are played. Choose a shorter one."
        raise ProblemError(422, "Too many events", detail)
    try:
        return ctx.backtests.start(ctx.store, ctx.account, job, wanted.text)
    except Busy as fault:
        raise ProblemError(429, "Too many simulations", f"{str(fault).capitalize()}.") from None


def _longest_wait(definitions: list[dict[str, Any] | None], since: int) -> int:
    """Ms before `since` in which items may have begun to wait for what was due in the span, by either rule."""
    waits = [0]
    for one in definitions:
        with suppress(PackError):  # the simulation tells what is wrong with it
            waits += [longest_wait(compile_workflow(one, version=1, lane=""), since)] if one else []
    return max(waits)


def _shorter(begin: int) -> str:
    return (
        f"There are too many events to play all that the longest deadline spans; they are played from "
        f"{datetime.fromtimestamp(begin / 1000, UTC):%Y-%m-%d %H:%M} UTC on. What items waited for since before that "
        "is not known here."
    )


def _unseen(ctx: Context, workflow: str, lane: str, since: int, until: int) -> list[str]:
    """What the job held back and the simulation doesn't: the times at which sources were blind."""
    rows = ctx.store.query("rules/blind", workflow=workflow, lane=lane, since_ms=since, until_ms=until)
    held = "the job held back what waited for it, the simulation does not."
    return [
        f"The source {row['source']} was blind {_between(row['since_ms'], row['until_ms'])}: {held}" for row in rows
    ]


def _between(since: int, until: int | None) -> str:
    first, last = (None if at is None else datetime.fromtimestamp(at / 1000, UTC) for at in (since, until))
    return f"from {first:%Y-%m-%d %H:%M} UTC {'on' if last is None else f'to {last:%Y-%m-%d %H:%M} UTC'}"


def found(ctx: Context, workflow: str, id: str) -> Backtest:
    """A simulation of whoever asks. Raises a 404 problem."""
    one = ctx.backtests.find(id, ctx.account, workflow)
    if one is None:
        raise not_found("There is no such simulation of yours, or it is forgotten; begin it anew.")
    return one


def shown(one: Backtest) -> dict[str, Any]:
    """A simulation as JSON."""
    job = one.job
    fields = {"id": one.id, "workflow": job.workflow, "lane": job.lane, "since": job.since, "until": job.until}
    state = {"state": one.state, "done": one.done, "total": one.total, "error": one.error, "result": one.result}
    return {**fields, **state, "sentence": sentence(one)}


def sentence(one: Backtest) -> str:
    """What came out, in a sentence."""
    result = one.result
    if result is None:
        return one.error[:1].upper() + one.error[1:] + "." if one.error else f"The simulation is {one.state}."
    new = f"This rule would have raised {_many(result['after'])}"
    if result["before"] is None:
        return f"{new}; none is in force."
    old = f"the one in force would have raised {result['before']:,}"
    return f"{new}; {old}. {result['new']:,} new, {result['gone']:,} gone."


def _many(count: int) -> str:
    return f"{count:,} finding{'s' * (count != 1)}"
