"""`daymark alerting`: what an alerting file says, without a running stack; `apply` puts it in force in one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from api.clock import now_ms
from api.commands.options import known_zone, moment
from api.commands.output import emit, escape, fail, guarded, out
from api.commands.packs import AsJson, validate
from api.stack.ask import ask, tell
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State
from udfs.alerting.policy import Policy, Recipient
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertfile import load_alerting
from udfs.packs.alertquestions import Explained, Explanation, explain, next_shifts
from udfs.packs.alerttimes import parse_moment, show_local
from udfs.packs.durations import show_duration
from udfs.packs.problems import suggest
from udfs.packs.zones import compile_zone

app = typer.Typer(help="Who is told what: alerting files. All but apply need no running stack.", no_args_is_help=True)
app.command()(validate)

MINUTE = 60_000

File = Annotated[Path, typer.Argument(help="The alerting file: YAML with people, routes and so on.")]
At = Annotated[
    str | None,
    typer.Option("--at", callback=moment, help="When: `2026-03-02 09:00`, or with an offset (default: now)."),
]
ZoneName = Annotated[str, typer.Option("--zone", callback=known_zone, help="Whose wall clock is meant and shown.")]


@app.command("apply")
@guarded
def apply(
    file: File,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete the documents that the file doesn't have, except silences.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a file in force in the running stack: all of it, or nothing if the whole would have a fault."""
    documents, _ = load_alerting(file)
    done = put_in_force(Home().require_running(), file, documents, prune=prune)
    if as_json:
        emit(done)
        return
    for word, colour in (("changed", "green"), ("deleted", "yellow"), ("unchanged", "dim")):
        if done[word]:
            out.print(f"[{colour}]{word}:[/{colour}] {escape(', '.join(done[word]))}")
    for warning in done["warnings"]:
        out.print(f"[yellow]warning:[/yellow] {escape(warning['field'])}: {escape(warning['message'])}")


def put_in_force(state: State, file: Path, documents: dict[str, Any], *, prune: bool = False) -> Any:
    """Have the API of a running stack apply a file's documents; returns what it answers. Raises StackError."""
    try:
        return tell(state, "PUT", "alerting", {"documents": documents, "prune": prune})
    except httpx.HTTPStatusError as error:
        raise StackError(f"{file}: {_refusal(error.response)}", Exit.FAILED) from error
    except httpx.HTTPError as error:
        raise StackError(f"{file}: the API does not answer: {error}") from error


def anything_in_force(state: State) -> bool:
    """Whether the API of a running stack has any alerting document. Raises StackError."""
    try:
        return bool(ask(state, "alerting"))
    except httpx.HTTPError as error:
        raise StackError(f"The API does not say which alerting documents are in force: {error}") from error


def _refusal(answer: httpx.Response) -> str:
    """Every fault that the API named, or what it said instead."""
    try:
        said = answer.json()
        faults = [f"{fault['field']}: {fault['message']}" for fault in said["errors"]]
        return "\n".join(faults) or str(said["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the API answered {answer.status_code}"


@app.command("on-call")
@guarded
def on_call(
    file: File,
    schedule: Annotated[str, typer.Argument(help="The on-call schedule.")],
    at: At = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="How many shifts.")] = 5,
    zone: ZoneName = "UTC",
    as_json: AsJson = False,
) -> None:
    """Say who is on call, and who comes next."""
    policy = _policy(file)
    if schedule not in policy.on_calls:
        fail(f"There is no on-call schedule {schedule} in {file}{suggest(schedule, policy.on_calls)}")
    shifts = next_shifts(policy, schedule, _instant(at, zone), count)
    if as_json:
        emit([{"from_ms": one.begin, "until_ms": one.end, "people": one.people} for one in shifts])
        return
    table = Table("from", "until", "on call", box=None, pad_edge=False)
    for one in shifts:
        until = "for good" if one.end is None else _shown(one.end, zone)
        table.add_row(_shown(one.begin, zone), until, ", ".join(one.people) or "nobody")
    out.print(table)


@app.command("explain")
@guarded
def explain_alert(
    file: File,
    labels: Annotated[list[str], typer.Argument(help="The alert's labels, like workflow=trade_lifecycle.")],
    at: At = None,
    zone: ZoneName = "UTC",
    as_json: AsJson = False,
) -> None:
    """Say which routes an alert takes, and who is told when, as long as nobody answers."""
    policy = _policy(file)
    found = explain(policy, _labels(labels), _instant(at, zone))
    if as_json:
        emit(asdict(found))
    else:
        _show(found, zone)


def _show(found: Explanation, zone: str) -> None:
    if found.mute is not None:
        text = f"{found.mute.kind} {found.mute.id}, until {_shown(found.mute.until, zone)}"
        out.print(f"[yellow]nobody is told:[/yellow] {escape(text)}")
    for one in found.routes:
        out.print(escape(_route(one)))
        table = Table("at", "step", "told", box=None, pad_edge=False)
        for told in one.steps:
            table.add_row(_shown(told.due, zone), str(told.step + 1), escape(_recipients(told.recipients)))
        if one.steps:
            out.print(table)
    respond, ack = show_duration(found.respond_ms), show_duration(found.ack_ms)
    out.print(f"to be answered within {respond}; acknowledged, it is quiet for {ack}")


def _route(one: Explained) -> str:
    route = one.route
    team = f", team {route.team}" if route.team else ""
    way = f"escalation {route.escalation}" if route.escalation else "nobody is told"
    return f"route {route.name}{team}: {way}, grouped by {', '.join(route.group_by)}"


def _recipients(found: Iterable[Recipient]) -> str:
    shown = [f"{one.person or one.address or 'all'} by {one.channel}" for one in found]
    return ", ".join(shown) or "nobody"


def _policy(file: Path) -> Policy:
    documents, _ = load_alerting(file)
    return compile_policy(documents)


def _labels(texts: list[str]) -> dict[str, str]:
    labels: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not sign:
            fail(f"{text} is no label; write it like workflow=trade_lifecycle", 2)
        labels[name.strip()] = value.strip()
    return labels


def _instant(at: str | None, zone: str) -> int:
    """Without a moment it is now, in whole minutes."""
    return parse_moment(at, compile_zone(zone)) if at else now_ms() // MINUTE * MINUTE


def _shown(at: int, zone: str) -> str:
    return show_local(compile_zone(zone), at)
