"""`daymark users` and `daymark audit`: who may sign in, and whether the account of changes is whole."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import typer
from rich.table import Table

from api.commands.output import emit, escape, guarded, out
from api.commands.packs import AsJson
from api.stack.ask import ask, tell
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State

users = typer.Typer(help="Say who may sign in, and make one-time links.", no_args_is_help=True)
audit = typer.Typer(help="Look whether the account of who changed what is whole.", no_args_is_help=True)


@users.command("list")
@guarded
def list_users(as_json: AsJson = False) -> None:
    """List the users with their roles and limits."""
    found = _asked(Home().require_running(), "users")
    if as_json:
        emit(found)
        return
    table = Table("name", "role", "limited to", box=None, pad_edge=False, header_style="dim")
    for user in found:
        limits = [
            *(user["limits"]["workflows"] or []),
            *(f"{name}:{'|'.join(values)}" for name, values in user["limits"]["groups"].items()),
        ]
        table.add_row(escape(user["name"]), user["role"], escape(", ".join(limits)))
    out.print(table)


@users.command()
@guarded
def link(
    name: Annotated[str, typer.Argument(help="Whom it signs in; one that isn't there yet becomes an admin.")] = "admin",
) -> None:
    """Print a link that signs a user in, once, within a day: for who has forgotten a password."""
    state = Home().require_running()
    try:
        made = tell(state, "POST", "sign-in-links", {"user": name})
    except httpx.HTTPStatusError as error:
        raise StackError(error.response.json().get("detail", str(error)), Exit.FAILED) from error
    except httpx.HTTPError as error:
        raise StackError(f"The API does not answer: {error}") from error
    out.print(f"{state.url}{made['path']}", soft_wrap=True)


@audit.command()
@guarded
def verify(
    head: Annotated[str, typer.Option(help="The last hash as you kept it elsewhere: finds entries cut off.")] = "",
    as_json: AsJson = False,
) -> None:
    """Follow the chain of hashes: finds an entry that was changed, removed or moved. Exit code 1 if one was."""
    found = _asked(Home().require_running(), "audit/verification", head=head)
    if as_json:
        emit(found)
    elif found["intact"]:
        out.print(f"[green]{found['entries']:,} entries, none changed, removed or moved[/green]")
        if found["redacted"]:
            out.print(f"{found['redacted']:,} of them without what erasures took out of them since")
        out.print(
            f"head: {found['head']}   (keep it elsewhere; `--head` finds entries cut off at the end)", soft_wrap=True
        )
    else:
        out.print(f"[red]{escape(found['fault'])}[/red]")
    raise typer.Exit(Exit.OK if found["intact"] else Exit.FAILED)


def _asked(state: State, path: str, head: str = "") -> Any:
    try:
        return ask(state, path, head=head) if head else ask(state, path)
    except httpx.HTTPStatusError as error:
        raise StackError(error.response.json().get("detail", str(error)), Exit.FAILED) from error
    except httpx.HTTPError as error:
        raise StackError(f"The API does not answer: {error}") from error
