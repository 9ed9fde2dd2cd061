"""How what is to be erased may stand in what is stored: as given, as a number, as the hash that a mapping made of it;
and how JSON writes each. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection

import orjson

from udfs.packs.pii import hashed

NEVER = r"(\z)x(.)"
"""A pattern that fits nothing, with two groups as the others have."""

STANDING = r"(^|\\[bfnrt]|[^\pL\pN_-])(?:{})($|[^\pL\pN_-])"
"""A text that stands for itself, as ClickHouse's expressions say it: K-1 is not in K-10, nor in K-1-2. A line break as
JSON writes it is no letter."""

_ESCAPED = re.compile(r"\\u[0-9a-f]{4}")


def values(given: str, secret: bytes) -> list[str]:
    """What a key, a group or a field may be that is what is given; `secret` is that of hashed fields."""
    plain = list(dict.fromkeys([given, *_numbers(given)]))
    return [*plain, *(hashed(one, secret) for one in plain)]


def quoted(texts: Collection[str]) -> list[str]:
    """How JSON writes texts, in quotes: with letters of all scripts, or with ASCII alone, as some producers do."""
    found: dict[str, None] = {}
    for text in texts:
        ascii_only = json.dumps(text)
        upper = _ESCAPED.sub(lambda part: rf"\u{part[0][2:].upper()}", ascii_only)
        utf8 = orjson.dumps(text.encode(errors="replace").decode()).decode()
        for one in (utf8, ascii_only, upper):
            found |= dict.fromkeys([one, one.replace("/", r"\/")])
    return list(found)


def anywhere(texts: Collection[str]) -> list[str]:
    """Texts as they may stand somewhere in a longer one."""
    return list(dict.fromkeys([*texts, *(text[1:-1] for text in quoted(texts))]))


def standing(texts: Collection[str]) -> str:
    """The pattern of texts that stand for themselves; two groups are what stands around them."""
    return STANDING.format("|".join(re.escape(text) for text in anywhere(texts)))


def number(texts: Collection[str]) -> str:
    """The pattern of numbers in JSON that are written like one of some texts; two groups are what stands around."""
    found = [re.escape(text) for text in texts if _number(text) is not None]
    return rf"([:,\[]\s*)(?:{'|'.join(found)})(\s*[,}}\]])" if found else NEVER


def _numbers(text: str) -> list[str]:
    """A number as Python and JSON's writers write it: 12, 12.0, 12.5."""
    found = _number(text)
    if found is None or found in (float("inf"), float("-inf")):
        return []
    return [str(found), str(int(found)), f"{int(found)}.0"] if found == int(found) else [str(found)]


def _number(text: str) -> int | float | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return None if isinstance(found, bool) or not isinstance(found, int | float) else found
