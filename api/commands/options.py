"""Values of the command line that are checked before anything is started; a wrong one is wrong usage (exit code 2)."""

from __future__ import annotations

import math
import re
from pathlib import Path

import typer

from udfs.core.zone import UTC
from udfs.packs.alerttimes import parse_moment
from udfs.packs.durations import parse_duration
from udfs.packs.times import read_zone

LANE = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


def lane_name(text: str | None) -> str | None:
    """A lane's name as docs/contracts.md has it: it becomes part of topics' and folders' names. Raises BadParameter."""
    if text is not None and not LANE.fullmatch(text):
        raise typer.BadParameter(
            f"{text!r} is no lane's name; take 1 to 48 of a-z, 0-9 and -, the first of them no dash."
        )
    return text


def replay_speed(text: str) -> str:
    """A factor such as 1000x, or max. Raises BadParameter."""
    try:
        value = 1.0 if text == "max" else float(text.removesuffix("x"))
    except ValueError:
        value = 0
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{text!r} is no speed; give a factor such as 1000x, or max.")
    return text


def span(text: str) -> str:
    """A duration such as 2s. Raises BadParameter."""
    try:
        parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None
    return text


def moment(text: str | None) -> str | None:
    """A moment such as `2026-03-02 09:00`. Raises BadParameter."""
    try:
        if text is not None:
            parse_moment(text, UTC)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None
    return text


def known_zone(text: str) -> str:
    """A time zone's name. Raises BadParameter."""
    try:
        read_zone(text)
    except ValueError as error:
        raise typer.BadParameter(f"{error}.") from None
    return text


def new_file(path: Path | None) -> Path | None:
    """A file that can be written: its folder is there. Raises BadParameter."""
    if path is not None and not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {path.absolute().parent}; make it, or name another file.")
    return path
