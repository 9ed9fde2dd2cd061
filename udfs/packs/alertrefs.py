"""Which alerting document names which others: read from plain data that may be faulty elsewhere, so that a misspelt
name is reported together with a misspelt word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

from udfs.packs import alertmodel as language
from udfs.packs.alertkinds import Documents
from udfs.packs.alertmodel import NOBODY
from udfs.packs.calendars import BUILT_IN
from udfs.packs.problems import Loc, Problem, suggest

Whom = Literal["person", "team", "on_call", "channel"]
WHOM: Final[tuple[Whom, ...]] = ("person", "team", "on_call", "channel")
"""The kinds of documents that a target may name."""

Reference = tuple[Loc, str, str]
"""Where it stands, and the kind and the name of the document that it means."""


def check_references(documents: Documents) -> Iterator[Problem]:
    """Names that no document has. (The bases of calendars are looked at elsewhere.)"""
    for key, document in documents.items():
        for loc, kind, name in references(key.partition("/")[0], document.data):
            if f"{kind}/{name}" in documents or (kind == "calendar" and name in BUILT_IN):
                continue
            names = [other.partition("/")[2] for other in documents if other.startswith(f"{kind}/")]
            known = [*names, *(BUILT_IN if kind == "calendar" else ())]
            words = "on-call schedule" if kind == "on_call" else kind
            yield document.problem(loc, f"there is no {words} `{name}`{suggest(name, known)}")


def references(kind: str, said: Any) -> Iterator[Reference]:
    """All that a document names."""
    match kind:
        case "person":
            yield from _names((), said, "by", "channel")
        case "team":
            yield from _names((), said, "members", "person")
            yield from _names((), said, "channels", "channel")
        case "on_call":
            for word in ("layers", "overrides"):
                for loc, part in _parts((), said, word):
                    yield from _names(loc, part, "people", "person")
        case "escalation":
            for loc, step in _parts((), said, "steps"):
                yield from _step(loc, step)
        case "routes":
            yield from _route((), said)
        case "maintenance":
            yield from _names((), said, "calendar", "calendar")


def target_of(target: language.Target) -> tuple[Whom, str] | None:
    """The kind and name of whom a target means; None, if it doesn't name exactly one."""
    said = [(kind, name) for kind in WHOM if (name := getattr(target, kind)) is not None]
    return said[0] if len(said) == 1 else None


def _step(loc: Loc, step: Any) -> Iterator[Reference]:
    for word in ("notify", "otherwise"):
        for here, target in _parts(loc, step, word):
            for kind in WHOM:
                yield from _names(here, target, kind, kind)
            yield from _names(here, target, "by", "channel")
    yield from _names(loc, step, "during", "calendar")


def _route(loc: Loc, route: Any) -> Iterator[Reference]:
    yield from _names(loc, route, "team", "team")
    yield from (one for one in _names(loc, route, "escalation", "escalation") if one[2] != NOBODY)
    for here, inner in _parts(loc, route, "routes"):
        yield from _route(here, inner)


def _parts(loc: Loc, said: Any, word: str) -> Iterator[tuple[Loc, Any]]:
    """The parts of a list; one alone may stand without it."""
    found = said.get(word) if isinstance(said, dict) else None
    if isinstance(found, dict):
        yield (*loc, word), found
    for index, part in enumerate(found if isinstance(found, list) else ()):
        yield (*loc, word, index), part


def _names(loc: Loc, said: Any, word: str, kind: str) -> Iterator[Reference]:
    """A name, or a list of them."""
    found = said.get(word) if isinstance(said, dict) else None
    if isinstance(found, str) and found:
        yield (*loc, word), kind, found
    for index, name in enumerate(found if isinstance(found, list) else ()):
        if isinstance(name, str) and name:
            yield (*loc, word, index), kind, name
