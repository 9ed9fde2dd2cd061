"""What commands say and how they end: colour on a terminal, plain text elsewhere, one sentence for a failure."""

from __future__ import annotations

import functools
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from api.stack.errors import Exit, StackError
from api.stack.home import Home
from udfs.packs.problems import PackError
from udfs.simulation.logs import LogError

P = ParamSpec("P")
R = TypeVar("R")

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Turn the failures that are expected into one sentence and an exit code; the rest goes to the home's log."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except StackError as error:
            fail(str(error), error.code)
        except (PackError, LogError) as error:
            fail(str(error))
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            fail(f"{type(error).__name__}: {error}. This is a fault of Daymark's; {_write_down()}.")

    return run


def fail(message: str, code: int = Exit.FAILED) -> NoReturn:
    """Say what is wrong, on standard error, and end with `code`."""
    err.print(f"[red]daymark:[/red] {escape(message)}" if err.is_terminal else f"daymark: {escape(message)}")
    raise typer.Exit(int(code))


def emit(document: Any) -> None:
    """Print a document for scripts: JSON on standard output, nothing else."""
    typer.echo(json.dumps(document, indent=2, default=str))


def escape(text: str) -> str:
    """Text that must not be taken for rich's markup."""
    return text.replace("[", r"\[")


def log_to(file: Path) -> None:
    """Send this process's own log, tracebacks included, to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=file, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for noisy in ("kafka", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _write_down() -> str:
    """Keep the traceback of the exception that is being handled; says where it is."""
    file = Home().log("daymark")
    try:
        log_to(file)
        logging.getLogger("daymark").exception("unexpected")
    except OSError:
        logging.getLogger("daymark").exception("unexpected")
        return "its traceback is above"
    return f"its traceback is in {file}"
