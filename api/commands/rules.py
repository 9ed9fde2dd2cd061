"""`daymark rules`: puts workflows in force, and withdraws them, while the job runs."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import typer

from api.clock import now_ms
from api.commands.output import emit, escape, guarded, out
from api.commands.packs import AsJson
from api.stack.ask import ask, tell
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State
from udfs.packs.load import load_pack

LISTEN_S = 3.0
EVERY_S = 0.2
Row = dict[str, Any]

app = typer.Typer(help="Put workflows in force, and withdraw them, while the job runs.", no_args_is_help=True)


def instant(text: str) -> int:
    """Epoch ms of an instant: now, beginning, or ISO 8601 with a zone. Raises BadParameter."""
    if text in ("now", "beginning"):
        return now_ms() if text == "now" else 0
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.timestamp() < 0:
        raise typer.BadParameter(f"{text!r} is no instant; give now, beginning, or one like 2026-03-01T08:00:00Z.")
    return round(at.timestamp() * 1000)


@app.command()
@guarded
def put(
    pack: Annotated[Path, typer.Argument(help="The pack: a folder with a workflow.yaml, or a YAML file.")],
    since: Annotated[
        str, typer.Option("--from", help="In force from then on, by event time: now, beginning, 2026-03-01T08:00:00Z.")
    ] = "now",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what was changed through Daymark since it started, too.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Seconds to listen for the job's refusal.", min=0, max=600)] = LISTEN_S,
    as_json: AsJson = False,
) -> None:
    """Put the workflows of a pack in force. Items that are open stay with their version, unless it says otherwise.

    What a pack gave at the start is replaced. What somebody has changed through Daymark since (by the editor, the API
    or this command) is only replaced with --overwrite: else exit code 1.

    The job says nothing of a rule that it takes, and refuses one that it can't run: exit code 1. Exit code 5 while one
    waits, for another person's approval or for Kafka.
    """
    state = Home().require_running()
    at = instant(since)
    done: list[Row] = []
    for one in load_pack(pack).workflows:
        rule = {"definition": one.data, "version": one.version, "effective_from": at}
        known = "*" if overwrite else _given(state, one.name)
        done.append({**_told(state, "PUT", one.name, rule, known), "refused": ""})
        if not as_json:
            _say(done[-1], f"version {one.version} put in force")
    _listen(state, done, wait)
    _end(done, as_json)


@app.command()
@guarded
def withdraw(
    workflow: Annotated[str, typer.Argument(help="The workflow's name.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw a workflow: close its open items and forget it. What was found stays in the history. Exit code 5 while
    that waits, for another person's approval or for Kafka."""
    done = {**_told(Home().require_running(), "DELETE", workflow, None, "*"), "refused": ""}
    if not as_json:
        _say(done, "withdrawn")
    _end([done], as_json, alone=True)


def _say(row: Row, sent: str) -> None:
    """What became of one change, as the API answered it."""
    if row["outcome"] == "waits":
        text = "[yellow]{}: waits until another person approves it, on the page Rules; nothing has changed yet[/yellow]"
    elif row["outcome"] == "pending":
        text = "[yellow]{}: kept, but Kafka can't be reached; the job gets it as soon as it can[/yellow]"
    else:
        text = f"[green]{{}}: {sent}[/green]"
    out.print(text.format(escape(row["workflow"])))


def _listen(state: State, rows: list[Row], seconds: float) -> None:
    """Wait for what the job may refuse, and note why."""
    until = time.monotonic() + seconds
    sent = [row for row in rows if row["outcome"] == "sent"]
    while sent and time.monotonic() < until:
        for row in sent:
            place = f"rules/{quote(row['workflow'], safe='')}/versions/{row['revision']}"
            try:
                row["refused"] = ask(state, place).get("refused", "")
            except httpx.HTTPError as error:
                raise StackError(
                    f"The rules are put, but whether the job refuses them can't be told: {error}"
                ) from error
        sent = [row for row in sent if not row["refused"]]
        time.sleep(EVERY_S)


def _end(rows: list[Row], as_json: bool, *, alone: bool = False) -> None:
    """Say what the job refused, and leave with the exit code of what went worst."""
    if as_json:
        emit(rows[0] if alone else rows)
    refused = [f"{row['workflow']}: the job refused it: {row['refused']}" for row in rows if row["refused"]]
    if refused:
        raise StackError("\n".join(refused), Exit.FAILED)
    if any(row["outcome"] != "sent" for row in rows):
        raise typer.Exit(Exit.WAITING)


def _given(state: State, workflow: str) -> str:
    """The ETag of a rule as it was given at the start; '' for one that is not there, or that somebody has changed."""
    try:
        found = ask(state, f"rules/{quote(workflow, safe='')}")
    except httpx.HTTPError:  # what is wrong is told by the change itself
        return ""
    return '"0"' if found["revision"] == 0 else ""


def _told(state: State, method: str, workflow: str, rule: Row | None, known: str) -> Any:
    try:
        return tell(state, method, f"rules/{quote(workflow, safe='')}", rule, if_match=known)
    except httpx.HTTPStatusError as error:
        more = " Or give --overwrite." if rule and error.response.status_code == httpx.codes.CONFLICT else ""
        raise StackError(f"{workflow}: {_detail(error)}{more}", Exit.FAILED) from error
    except httpx.HTTPError as error:
        raise StackError(f"{workflow}: the API does not answer: {error}") from error


def _detail(error: httpx.HTTPStatusError) -> str:
    """What a problem says; of an answer that is none, as a proxy may give it, its status."""
    try:
        return str(error.response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return str(error)
