"""Matchers as people write them: `workflow = trade_lifecycle`, `severity in [critical, high]`, `book =~ FX.*`.

Quotes around a label or a value are as in Alertmanager. They may be left out, but around a label that is more than one
word: `"cost centre" = 17`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from re import _constants as tokens  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from udfs.alerting.matchers import Matcher

EXAMPLE = "`workflow = trade_lifecycle`, `severity in [critical, high]` or `book =~ FX.*`"
LONGEST_PATTERN = 200
MOST_OPEN = 3
SHORT = 20

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_WORD = re.compile(r"[^\W\d][\w.-]*")
_FORM = re.compile(rf"({_WORD.pattern}|{_QUOTED})\s*(!=|=~|!~|=|\bnot\s+in\b|\bin\b)\s*(.*)", re.DOTALL)
_PARTS = re.compile(rf'{_QUOTED}|[^\s,"](?:[^,]*[^\s,])?')
_REFERS = (tokens.GROUPREF, tokens.GROUPREF_EXISTS)
_REPEATS = (tokens.MAX_REPEAT, tokens.MIN_REPEAT, tokens.POSSESSIVE_REPEAT)


def parse_matcher(text: str) -> Matcher:
    """The matcher. Raises ValueError with what would be right."""
    found = _FORM.fullmatch(text.strip())
    if not found:
        raise ValueError(f"`{text}` doesn't say which label is what; write it like {EXAMPLE}")
    label, sign, said = found.groups()
    label = _unquoted(label)
    if not label:
        raise ValueError(f"`{text}` names no label; write it like {EXAMPLE}")
    if sign in ("=~", "!~"):
        return Matcher(label, pattern=_pattern(_unquoted(said)), negated=sign == "!~")
    if sign in ("=", "!="):
        return Matcher(label, frozenset({_unquoted(said)}), negated=sign == "!=")
    inner = said[1:-1] if said.startswith("[") and said.endswith("]") else said
    values = frozenset(_unquoted(part) for part in _PARTS.findall(inner))
    if not values:
        raise ValueError(f"`{text}` names no value; write it like `severity in [critical, high]`")
    return Matcher(label, values, negated=sign != "in")


def parse_matchers(texts: list[str]) -> tuple[Matcher, ...]:
    """The matchers. Raises ValueError with what would be right."""
    return tuple(parse_matcher(text) for text in texts)


def write_label(label: str) -> str:
    """A label as it stands in a matcher."""
    return label if _WORD.fullmatch(label) else json.dumps(label, ensure_ascii=False)


def _unquoted(text: str) -> str:
    if len(text) < 2 or not text.startswith('"') or not text.endswith('"'):
        return text
    try:
        return str(json.loads(text, strict=False))
    except ValueError:
        raise ValueError(f"`{text}` has an open quote or an unknown `\\` in it; double each `\\`") from None


def _pattern(text: str) -> str:
    """The pattern, if it can't take for ever: a job that waits for a matcher alerts nobody."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"the pattern is longer than {LONGEST_PATTERN} characters; use several, or a list of values")
    try:
        read = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as fault:
        raise ValueError(f"`{text}` is not a regular expression: {fault}") from None
    if _heavy(read, False):
        raise ValueError(f"`{text}` repeats what varies, or refers back, and could take for ever; make it simpler")
    if _open_parts(read) > MOST_OPEN:
        raise ValueError(f"`{text}` has more than {MOST_OPEN} parts of any length, like `.*`; make it simpler")
    return text


def _heavy(part: Any, repeated: bool) -> bool:
    """Whether a parsed pattern could be slow: what may be repeated is fixed, and has no alternatives."""
    for operator, argument in part:
        varies = operator in _REPEATS and argument[0] != argument[1]
        if operator in _REFERS or (repeated and (varies or operator is tokens.BRANCH)):
            return True
        if any(_heavy(inner, repeated or varies) for inner in _inner(argument)):
            return True
    return False


def _open_parts(part: Any) -> int:
    """How many parts of what it matches may be of any length: the time it takes grows with the length to that power."""
    found = 0
    for operator, argument in part:
        found += operator in _REPEATS and argument[1] - argument[0] > SHORT
        found += max((_open_parts(inner) for inner in _inner(argument)), default=0)
    return found


def _inner(argument: Any) -> Iterator[Any]:
    """The patterns inside an operator's argument."""
    if isinstance(argument, parser.SubPattern):
        yield argument
    elif isinstance(argument, tuple | list):
        for one in argument:
            yield from _inner(one)


def _check(text: str) -> str:
    parse_matcher(text)
    return text


def listed(value: Any) -> Any:
    """One text stands for a list of one."""
    return [value] if isinstance(value, str) else value


LISTED = BeforeValidator(listed, json_schema_input_type=str | list[str])
Match = Annotated[list[Annotated[str, AfterValidator(_check)]], LISTED, Field(min_length=1)]
