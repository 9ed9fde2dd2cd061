"""Values of the command line that are checked before anything is started; a wrong one is wrong usage (exit code 2)."""

from __future__ import annotations

import re

import typer

LANE = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


def lane_name(text: str | None) -> str | None:
    """A lane's name as docs/contracts.md has it: it becomes part of topics' and folders' names. Raises BadParameter."""
    if text is not None and not LANE.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is no lane's name; take 1 to 48 of a-z, 0-9 and -, the first of them no dash."
        )
    return text
