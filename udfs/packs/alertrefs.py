"""Which alerting document names which others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from udfs.packs import alertmodel as language
from udfs.packs.alertkinds import Documents, Models
from udfs.packs.alertmodel import NOBODY
from udfs.packs.calendars import BUILT_IN
from udfs.packs.problems import Loc, Problem, suggest
from udfs.packs.sections import Section

Whom = Literal["person", "team", "on_call", "channel"]
WHOM: Final[tuple[Whom, ...]] = ("person", "team", "on_call", "channel")
"""The kinds of documents that a target may name."""

Reference = tuple[Loc, str, str]
"""Where it stands, and the kind and the name of the document that it means."""


def check_references(documents: Documents, models: Models) -> Iterator[Problem]:
    """Names that no document has."""
    for key, model in models.items():
        for loc, kind, name in references(model):
            if f"{kind}/{name}" in documents or (kind == "calendar" and name in BUILT_IN):
                continue
            names = [other.partition("/")[2] for other in documents if other.startswith(f"{kind}/")]
            known = [*names, *(BUILT_IN if kind == "calendar" else ())]
            words = "on-call schedule" if kind == "on_call" else kind
            yield documents[key].problem(loc, f"there is no {words} `{name}`{suggest(name, known)}")


def references(model: Section) -> Iterator[Reference]:
    """All that a document names. (The bases of calendars are looked at elsewhere.)"""
    match model:
        case language.Person():
            yield from _listed((), "by", "channel", model.by)
        case language.Team():
            yield from _listed((), "members", "person", model.members)
            yield from _listed((), "channels", "channel", model.channels)
        case language.OnCall():
            for index, layer in enumerate(model.layers):
                yield from _listed(("layers", index), "people", "person", layer.people)
            for index, override in enumerate(model.overrides):
                yield from _listed(("overrides", index), "people", "person", override.people)
        case language.Escalation():
            for index, step in enumerate(model.steps):
                yield from _step(("steps", index), step)
        case language.Routes():
            yield from _routing((), model)
            yield from _routes((), model.routes)
        case language.Maintenance(calendar=str(name)):
            yield ("calendar",), "calendar", name


def target_of(target: language.Target) -> tuple[Whom, str] | None:
    """The kind and name of whom a target means; None, if it doesn't name exactly one."""
    said = [(kind, name) for kind in WHOM if (name := getattr(target, kind)) is not None]
    return said[0] if len(said) == 1 else None


def _step(loc: Loc, step: language.Step) -> Iterator[Reference]:
    for word, targets in (("notify", step.notify), ("otherwise", step.otherwise or [])):
        for index, target in enumerate(targets):
            here = (*loc, word, index)
            for kind in WHOM:
                if (name := getattr(target, kind)) is not None:
                    yield (*here, kind), kind, name
            yield from _listed(here, "by", "channel", target.by)
    if step.during is not None:
        yield (*loc, "during"), "calendar", step.during


def _routes(loc: Loc, routes: list[language.Route]) -> Iterator[Reference]:
    for index, route in enumerate(routes):
        here = (*loc, "routes", index)
        yield from _routing(here, route)
        yield from _routes(here, route.routes)


def _routing(loc: Loc, route: language.Routing) -> Iterator[Reference]:
    if route.team is not None:
        yield (*loc, "team"), "team", route.team
    if route.escalation is not None and route.escalation != NOBODY:
        yield (*loc, "escalation"), "escalation", route.escalation


def _listed(loc: Loc, word: str, kind: str, names: list[str]) -> Iterator[Reference]:
    for index, name in enumerate(names):
        yield (*loc, word, index), kind, name
