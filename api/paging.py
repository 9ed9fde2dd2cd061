"""Cursors and filters that several routes share."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import Path, Query, Response
from pydantic import AfterValidator, BeforeValidator
from starlette.convertors import PathConvertor, register_url_convertor

from api.problems import Fault, ProblemError

FAR = 2**63 - 1
MAX_LIMIT = 1000
TRUNCATED = "Daymark-Truncated"
"""The header of a list that isn't paged and was cut; its value is the number of rows shown."""


def instant(value: Any) -> Any:
    """Epoch ms out of epoch ms or ISO 8601 with a zone."""
    text = str(value).strip()
    if text.lstrip("-").isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # an unescaped + arrives as a blank
    except ValueError:
        raise ValueError("give epoch milliseconds or ISO 8601 with a zone, such as 2026-03-01T08:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("the time has no zone; append Z or an offset such as +01:00")
    return int(moment.timestamp() * 1000)


def _in_range(value: int) -> int:
    if not -FAR <= value <= FAR:
        raise ValueError("the time is out of range")
    return value


def plain_text(value: str) -> str:
    if "\0" in value:
        raise ValueError("a text can't hold a NUL character")
    return value


def _group(value: str) -> str:
    if value and not value.partition(":")[0]:
        raise ValueError("give name:value, such as market:EU")
    return value


def split_group(value: str) -> dict[str, str]:
    """The query parameters of a filter name:value."""
    name, _, wanted = value.partition(":")
    return {"group_name": name, "group_value": wanted}


class _Key(PathConvertor):
    """The rest of a path, whatever it holds: `path` ends at a line break, and a key may have one."""

    regex = "(?s:.*)"


register_url_convertor("key", _Key())
Text = Annotated[str, AfterValidator(plain_text), Query(max_length=1024)]
PathText = Annotated[str, AfterValidator(plain_text), Path(max_length=1024)]
Since = Annotated[
    int,
    BeforeValidator(instant, json_schema_input_type=str),
    AfterValidator(_in_range),
    Query(description="from this instant on: epoch ms, or ISO 8601 with a zone", examples=["2026-03-01T08:00:00Z"]),
]
Until = Annotated[
    int,
    BeforeValidator(instant, json_schema_input_type=str),
    AfterValidator(_in_range),
    Query(description="before this instant: epoch ms, or ISO 8601 with a zone"),
]
At = Annotated[
    int,
    BeforeValidator(instant, json_schema_input_type=str),
    AfterValidator(_in_range),
    Query(description="the run under way at this instant, such as its `run_ms`: epoch ms, or ISO 8601 with a zone"),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows a page")]
Most = Annotated[
    int, Query(ge=1, le=MAX_LIMIT, description="rows; the header Daymark-Truncated says if there are more")
]
Cursor = Annotated[str, Query(max_length=8192, description="`next` of the page before")]
GroupFilter = Annotated[Text, AfterValidator(_group), Query(description="name:value", examples=["market:EU"])]


def encode(place: Sequence[str | int]) -> str:
    """An opaque cursor for the place after which the next page begins."""
    return base64.urlsafe_b64encode(orjson.dumps(list(place))).decode().rstrip("=")


def decode(cursor: str, names: Sequence[str], kinds: Sequence[type]) -> dict[str, Any]:
    """The query's parameters for a cursor; '' begins at the first page. Raises a 400 problem for a foreign one."""
    if not cursor:
        return {"resumed": 0, **{name: kind() for name, kind in zip(names, kinds, strict=True)}}
    try:
        place = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError):
        place = None
    if not isinstance(place, list) or [type(part) for part in place] != list(kinds) or not all(map(_storable, place)):
        fault = Fault(field="cursor", message="not a cursor of this list")
        raise ProblemError(400, "Invalid cursor", "Pass `next` of the page before, or no cursor.", [fault])
    return {"resumed": 1, **dict(zip(names, place, strict=True))}


def _storable(part: str | int) -> bool:
    """Whether a part of a cursor is one that a store can hold: 64 bits, or a text without NUL."""
    return -FAR <= part <= FAR if isinstance(part, int) else "\0" not in part


def after_item(cursor: str) -> dict[str, Any]:
    """`decode` of a cursor in a list of items."""
    names = ("after_place", "after_lane", "after_workflow", "after_key", "after_run")
    return decode(cursor, names, (int, str, str, str, int))


def page_of_items(rows: list[dict[str, Any]], limit: int, by: str = "place") -> dict[str, Any]:
    """`page` out of rows of items in the order of a column, the latest first."""
    return page(rows, limit, lambda row: (row[by], row["lane"], row["workflow"], row["key"], row["run_ms"]))


def cut(rows: list[dict[str, Any]], limit: int, response: Response) -> list[dict[str, Any]]:
    """At most `limit` rows; the answer's header Daymark-Truncated says so where there are more."""
    if len(rows) > limit:
        response.headers[TRUNCATED] = str(limit)
    return rows[:limit]


def page(
    rows: list[dict[str, Any]], limit: int, place: Callable[[dict[str, Any]], Sequence[str | int]]
) -> dict[str, Any]:
    """A page out of up to limit + 1 rows: `items`, and `next` where there is more."""
    shown = rows[:limit]
    return {"items": shown, "next": encode(place(shown[-1])) if len(rows) > limit else None}
