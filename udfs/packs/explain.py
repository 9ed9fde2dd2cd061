"""pydantic's errors, said in plain sentences that name the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from udfs.packs.problems import Loc, Problem, suggest
from udfs.packs.sections import Section
from udfs.packs.yamlfile import Document

S = TypeVar("S", bound=Section)

EXAMPLES = {
    "workflow": "trade_lifecycle",
    "key": "trade_id",
    "steps": "{ingest: {on: trade.ingested, start: true}}",
    "on": "trade.ingested",
    "id": "reply",
    "after": "send",
    "expect": "reply",
    "within": "5m",
    "source": "trades",
    "keys": "{trade_id: data.trade_id}",
    "path": "time",
    "while": "[on_hold]",
    "resume": "[released]",
    "people": "[anna, ben]",
    "zone": "Europe/Amsterdam",
    "layers": "[{people: [anna, ben], every: 1w, from: 2026-01-05}]",
    "every": "1w",
    "notify": "[{person: anna, by: mail}]",
    "match": "workflow = trade_lifecycle",
}

_KINDS = {
    "string_type": "a text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of names to values",
    "model_attributes_type": "a mapping of names to values",
    "list_type": "a list",
}


HALF = "holds half a character (a lone surrogate); write the character itself"


def validate(model: type[S], document: Document) -> tuple[S | None, list[Problem]]:
    """The document as a `model`, or None and what is wrong with it."""
    if broken := [document.problem(loc, HALF) for loc in _half(document.data, ())]:
        return None, broken  # nobody could be told what else is wrong: UTF-8 can't hold it
    try:
        return model.model_validate(document.data), []
    except ValidationError as faults:
        return None, [_problem(model, document, error) for error in faults.errors(include_url=False)]


def _half(value: Any, loc: Loc) -> Iterator[Loc]:
    """Where a text, or a word on the left, has half a character; a word by the place of its section."""
    if isinstance(value, dict):
        for word, part in value.items():
            if isinstance(word, str) and _is_half(word):
                yield loc
            else:
                yield from _half(part, (*loc, word))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _half(part, (*loc, index))
    elif isinstance(value, str) and _is_half(value):
        yield loc


def _is_half(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)


def _problem(model: type[Section], document: Document, error: ErrorDetails) -> Problem:
    loc: Loc = tuple(part for part in error["loc"] if part != "[key]")
    return document.problem(loc, _sentence(model, loc, error))


def _sentence(model: type[Section], loc: Loc, error: ErrorDetails) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    word = str(loc[-1]) if loc else ""
    match kind:
        case "missing":
            example = f"; for example `{word}: {EXAMPLES[word]}`" if word in EXAMPLES else ""
            return f"`{word}` is missing{example}"
        case "extra_forbidden":
            return _unknown_word(model, loc)
        case "value_error":
            return str(context["error"])
        case "literal_error":
            words = context["expected"].replace("'", "`")
            if " or " not in words:
                return f"must be {words}, not {_given(given)}; this version knows no other"
            return f"{_given(given)} is not one of {words}{_near(given, context['expected'])}"
        case "string_too_short":
            return "is empty; write a name"
        case "string_too_long":
            return f"is longer than {context['max_length']} characters; shorten it"
        case "too_short":
            return f"is empty; it needs at least one entry{f', like `{EXAMPLES[word]}`' if word in EXAMPLES else ''}"
        case "greater_than_equal":
            return f"{_given(given)} is too small; write {context['ge']} or more"
        case "less_than_equal":
            return f"{_given(given)} is too large; write {context['le']} or less"
    wanted = _KINDS.get(kind)
    if not wanted:
        return f"{error['msg']}; it is {_given(given)}"
    quote = (
        f'; put it in quotes: `{word}: "{str(given).lower()}"`'
        if kind == "string_type" and type(given) in (int, float, bool)
        else ""
    )
    example = _section(model, loc).EXAMPLE if kind.startswith("model") and loc else ""
    return f"must be {wanted}, not {_given(given)}{quote}{f'; for example `{example}`' if example else ''}"


def _unknown_word(model: type[Section], loc: Loc) -> str:
    section = _section(model, loc[:-1])
    word = str(loc[-1])
    if word in section.LATER:
        return f"this version doesn't know `{word}` yet; leave it out until a version that does is installed"
    return f"`{word}` is not a word of the language here{suggest(word, section.words())}"


def _section(model: type[Section], loc: Loc) -> type[Section]:
    """The class of the section at `loc`, found by following the fields' types."""
    current: Any = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, Section):
            current = current.words()[str(part)]
        else:
            current = get_args(current)[-1]
        current = next(
            (inner for inner in _inside(current) if isinstance(inner, type) and issubclass(inner, Section)), current
        )
    return current  # type: ignore[no-any-return]


def _inside(annotation: Any) -> Iterator[Any]:
    """The members of `X | None`, bare; containers keep their parameters."""
    if getattr(annotation, "__origin__", None) not in (list, dict):
        for inner in get_args(annotation):
            yield get_args(inner)[0] if get_origin(inner) is Annotated else inner


def _given(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f"the text `{value}`" if len(value) <= 60 else "this text"
        case int() | float():
            return f"the number `{value}`"
        case list():
            return "a list"
    return "a mapping"


def _near(given: Any, expected: str) -> str:
    found = (
        suggest(given, expected.replace("'", "").replace(" or ", ", ").split(", ")) if isinstance(given, str) else ""
    )
    return found if "did you mean" in found else ""
