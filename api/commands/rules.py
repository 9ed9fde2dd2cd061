"""`daymark rules`: puts workflows in force, and withdraws them, while the job runs."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from api.commands.output import emit, escape, guarded, out
from api.commands.packs import AsJson
from api.stack.ask import tell
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State
from udfs.packs.load import load_pack

app = typer.Typer(help="Put workflows in force, and withdraw them, while the job runs.", no_args_is_help=True)


def instant(text: str) -> int:
    """Epoch ms of an instant: now, beginning, or ISO 8601 with a zone. Raises BadParameter."""
    if text in ("now", "beginning"):
        return time.time_ns() // 1_000_000 if text == "now" else 0
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
    as_json: AsJson = False,
) -> None:
    """Put the workflows of a pack in force. Items that are open stay with their version, unless it says otherwise."""
    state = Home().require_running()
    at = instant(since)
    done: list[Any] = []
    for one in load_pack(pack).workflows:
        rule = {"definition": one.data, "version": one.version, "effective_from": at}
        done.append(_told(state, "PUT", one.name, rule))
        if not as_json:
            out.print(f"[green]{escape(one.name)}: version {one.version} put in force[/green]")
    if as_json:
        emit(done)


@app.command()
@guarded
def withdraw(
    workflow: Annotated[str, typer.Argument(help="The workflow's name.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw a workflow: close its open items and forget it. What was found stays in the history."""
    done = _told(Home().require_running(), "DELETE", workflow, None)
    if as_json:
        emit(done)
    else:
        out.print(f"[green]{escape(workflow)}: withdrawn[/green]")


def _told(state: State, method: str, workflow: str, rule: dict[str, Any] | None) -> Any:
    try:
        return tell(state, method, f"rules/{workflow}", rule)
    except httpx.HTTPStatusError as error:
        said = error.response.json().get("detail", str(error))
        raise StackError(f"{workflow}: {said}", Exit.FAILED) from error
    except httpx.HTTPError as error:
        raise StackError(f"{workflow}: the API does not answer: {error}") from error
