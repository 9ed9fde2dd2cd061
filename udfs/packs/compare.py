"""What is different between two definitions of a workflow, part by part. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from udfs.packs.problems import Loc, show_path

ABSENT: Any = object()
FOR_PEOPLE = ("version", "description")
"""What a definition says to people alone."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A part that is not the same. `change` is added, removed or changed; the values are JSON, None where there is
    none."""

    path: str
    change: str
    before: Any
    after: Any

    def __str__(self) -> str:
        match self.change:
            case "added":
                return f"{self.path}: {_shown(self.after)} is new"
            case "removed":
                return f"{self.path}: {_shown(self.before)} is gone"
        return f"{self.path}: {_shown(self.before)} becomes {_shown(self.after)}"


def compared(before: dict[str, Any], after: dict[str, Any]) -> list[Difference]:
    """All differences in what a workflow does. Deadlines and schedules are told apart by their id, not their place."""
    old, new = ({key: value for key, value in one.items() if key not in FOR_PEOPLE} for one in (before, after))
    return list(_differences(old, new, ()))


def text_diff(before: str, after: str, names: tuple[str, str]) -> str:
    """The difference of two texts, line by line, as `diff -u` writes it; '' where there is none."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), *names, lineterm="")
    return "".join(f"{line}\n" for line in lines)


def _differences(before: Any, after: Any, loc: Loc) -> Iterator[Difference]:
    old, new = _named(before), _named(after)
    if old is not None and new is not None:
        for name in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(name, ABSENT), new.get(name, ABSENT), (*loc, name))
    elif before is ABSENT:
        yield Difference(show_path(loc), "added", None, after)
    elif after is ABSENT:
        yield Difference(show_path(loc), "removed", before, None)
    elif before != after:
        yield Difference(show_path(loc), "changed", before, after)


def _named(value: Any) -> dict[str, Any] | None:
    """A mapping, or a list whose entries have ids of their own, by these."""
    if isinstance(value, dict):
        return {str(name): one for name, one in value.items()}
    if not isinstance(value, list) or not value:
        return None
    named = {one["id"]: one for one in value if isinstance(one, dict) and isinstance(one.get("id"), str)}
    return named if len(named) == len(value) else None


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"
