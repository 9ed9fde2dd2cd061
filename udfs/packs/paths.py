"""Paths into a record: `data.trade_id`, `['case:concept:name']`, `data['a.b'].c`, `legs[0].id`. A `$` may lead.

A name without dots and brackets is a field of the record itself, whatever else it holds: `case:concept:name`,
`(case)_Amount`.
"""

from __future__ import annotations

import re
from typing import Any

FieldPath = tuple[str | int, ...]

_PART = re.compile(
    r"""\.?(?P<name>[^.\[\]'"]+)        # a name, after a dot if it isn't the first
      | \[(?P<index>[0-9]{1,6})\]       # an index into a list
      | \['(?P<single>[^']+)'\]         # an odd name in quotes
      | \["(?P<double>[^"]+)"\]""",
    re.VERBOSE,
)


def parse_path(value: object) -> FieldPath:
    """The path's names and indexes. Raises ValueError with what would be right."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be the path of a field, like `data.trade_id`")
    rest = value.removeprefix("$") if value.startswith(("$.", "$[")) else value
    if not re.search(r"[.\[\]]", rest):
        return (rest,)
    parts: list[str | int] = []
    at = 1 if rest.startswith(".") and value.startswith("$") else 0
    while at < len(rest):
        found = _PART.match(rest, at)
        if not found or (found["name"] is not None and (rest[at] == ".") != bool(parts)):
            raise ValueError(
                f"`{value}` is no path from `{rest[at:]}` on; write `data.trade_id`, `legs[0].id`, `data['odd.name']`"
            )
        parts.append(int(found["index"]) if found["index"] else found["name"] or found["single"] or found["double"])
        at = found.end()
    if not parts or isinstance(parts[0], int):
        raise ValueError(f"`{value}` is not a path; begin it with a field of the record, like `data.trade_id`")
    return tuple(parts)


class Getter:
    """Gives the value at a path of a record, or None where it is absent. It never raises."""

    def __init__(self, path: FieldPath) -> None:
        names = [part for part in path if isinstance(part, str)]
        self._path = path
        self._names = len(names) if len(names) == len(path) else 0
        self._outer = names[0]
        self._inner = names[1] if len(names) > 1 else ""

    def get(self, record: dict[str, Any]) -> Any:
        if self._names == 1:
            return record.get(self._outer)
        if self._names == 2:  # the usual case, `data.trade_id`, without a loop
            inside = record.get(self._outer)
            return inside.get(self._inner) if isinstance(inside, dict) else None
        return walk(record, self._path)


def walk(value: Any, path: FieldPath) -> Any:
    """The value at a path of any kind."""
    for part in path:
        if isinstance(part, int):
            # A text has characters at indexes as well; they are not what a path means.
            value = value[part] if isinstance(value, list) and part < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value
