"""What all sections of a pack's YAML have in common: strict types, no unknown words, words reserved for later."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from udfs.packs.durations import parse_duration
from udfs.packs.paths import parse_path


class Section(BaseModel):
    """A mapping in a pack. `LATER` names words that this version doesn't know yet, `EXAMPLE` shows the whole."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    LATER: ClassVar[frozenset[str]] = frozenset()
    EXAMPLE: ClassVar[str] = ""

    @classmethod
    def words(cls) -> dict[str, Any]:
        """The words of the section, and the type of what each holds."""
        return {field.alias or name: field.annotation for name, field in cls.model_fields.items()}


Scalar = str | int | float | bool | None


def _path(value: Any) -> Any:
    parse_path(value)
    return value


def _scalars(value: Any) -> list[Scalar]:
    """One value, or a list of accepted ones, as a list."""
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError("the list is empty, so nothing could ever match; name the values that do")
    if any(isinstance(one, list | dict) for one in values):
        raise ValueError("must be a text, a number, true, false, null, or a list of these")
    return values


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def chains_of(value: Any) -> Any:
    """A text with a chain on each line is a list of chains."""
    return [line for line in value.splitlines() if line.strip()] if isinstance(value, str) else value


def matching(pattern: str, words: str) -> Callable[[str], str]:
    """A check for texts that must match the pattern as a whole; `words` say what it allows."""

    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"`{value}` can't be used as a name here; use {words}")
        return value

    return check


Severity = Literal["critical", "high", "medium", "low"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
_name = matching(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", "up to 64 letters, digits, `_`, `-` and `.`")
Name = Annotated[str, AfterValidator(_name)]
SPAN = r"^\s*([0-9]+\s*(ms|s|m|h|d|w)\s*)+$"
Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SPAN}, {"const": 0}], "examples": ["5m", "1h30m"]}),
]
PathText = Annotated[str, BeforeValidator(_path)]
Paths = Annotated[
    list[PathText],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]
_SCALAR = ["string", "number", "boolean", "null"]
Accepted = Annotated[
    list[Any],
    BeforeValidator(_scalars),
    WithJsonSchema({"anyOf": [{"type": _SCALAR}, {"type": "array", "items": {"type": _SCALAR}, "minItems": 1}]}),
]
Chains = Annotated[
    list[str],
    BeforeValidator(chains_of),
    WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}),
]
