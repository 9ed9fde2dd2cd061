"""What is wrong with alerting documents that are right by themselves: names, ways to reach people, times, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from udfs.packs import alertmodel as language
from udfs.packs.alertchannels import Channel
from udfs.packs.alertcheckcall import check_escalation, check_on_call, check_people
from udfs.packs.alertchecktimes import check_maintenance, check_matchers, check_silence
from udfs.packs.alertcompile import Compiler
from udfs.packs.alertkinds import Documents, Models, plain, read_models, readable
from udfs.packs.alertrefs import check_references
from udfs.packs.calendarcheck import SECTION, check_calendars
from udfs.packs.calendarmodel import Calendar
from udfs.packs.problems import ERROR, WARNING, Level, Loc, Problem
from udfs.packs.yamlfile import Document


def check_document(kind: str, name: str, body: Any, others: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with a document that shall be put among others (by `<kind>/<name>`; its own last form may be among
    them), and what it would break in them."""
    key = f"{kind}/{name}"
    before = {_what(problem) for problem in check_all(plain(others))}
    after = check_all(plain({**others, key: body}))
    return [problem for problem in after if problem.file == key or _what(problem) not in before]


def check_removal(kind: str, name: str, others: Mapping[str, Any]) -> list[Problem]:
    """What would be broken, if the document were no longer among the others: whatever refers to it."""
    key = f"{kind}/{name}"
    before = {_what(problem) for problem in check_all(plain(others))}
    after = check_all(plain({other: body for other, body in others.items() if other != key}))
    return [problem for problem in after if problem.level == ERROR and _what(problem) not in before]


def _what(problem: Problem) -> tuple[str, ...]:
    """What is wrong, without the remedy: that names what else there is."""
    return problem.file, problem.path, problem.message.partition(";")[0]


def check_all(documents: Documents) -> list[Problem]:
    """Everything at once; what follows from another fault isn't said as well."""
    documents, problems = readable(documents)
    models, faults = read_models(documents)
    problems += faults
    problems += check_references(documents)
    problems += _calendars(documents, models)
    unsound = {(problem.file, problem.path) for problem in problems}
    compiler = Compiler(models)
    for key, model in models.items():
        found = [*_check(documents[key], key.partition("/")[2], model, models, compiler)]
        problems += [problem for problem in found if (problem.file, problem.path) not in unsound]
    return problems


def _check(document: Document, name: str, model: Any, models: Models, compiler: Compiler) -> Iterator[Problem]:
    match model:
        case language.Person() | language.Team():
            yield from check_people(document, name, model, models)
        case language.OnCall():
            yield from check_on_call(document, model)
        case language.Escalation():
            yield from check_escalation(document, model, models, compiler)
        case Channel():
            if not model.limit.per:
                yield document.problem(("limit", "per"), "is 0, so it is no limit; write a span like `1m`")
        case language.Routes():
            yield from check_matchers(document, (), model.group_by or [], [])
            yield from _spans(document, (), model)
            if model.escalation is None:
                text = "is not said, so alerts that no route below fits are told to nobody; name one, or write `none`"
                yield document.problem(("escalation",), text, WARNING)
            yield from _routes(document, (), model.routes)
        case language.Silence():
            yield from check_matchers(document, (), [], model.match)
            yield from check_silence(document, model)
        case language.Maintenance():
            yield from check_matchers(document, (), [], model.match)
            yield from check_maintenance(document, model, compiler)


def _routes(document: Document, loc: Loc, routes: list[language.Route]) -> Iterator[Problem]:
    names = [route.name for route in routes]
    for index, route in enumerate(routes):
        here = (*loc, "routes", index)
        if route.name is not None and route.name in names[:index]:
            first = names.index(route.name)
            yield document.problem((*here, "name"), f"`{route.name}` is the name of `routes[{first}]` too; rename one")
        yield from check_matchers(document, here, route.group_by or [], route.match)
        yield from _spans(document, here, route)
        yield from _routes(document, here, route.routes)


def _spans(document: Document, loc: Loc, said: language.Routing) -> Iterator[Problem]:
    """Spans that must not be 0. The models take it: a document that is stored must not be left out for that."""
    for word in ("ack", "expire_after", "events_expire_after"):
        if getattr(said, word) == 0:
            text = "is 0, so it would be over as it begins; write a longer span, or leave it out"
            yield document.problem((*loc, word), text)


@dataclass(slots=True)
class _Calendars(Document):
    """All calendars as the one section that `check_calendars` looks at."""

    parts: Documents = field(default_factory=dict)

    def problem(self, loc: Loc, message: str, level: Level = ERROR) -> Problem:
        return self.parts[f"calendar/{loc[1]}"].problem(loc[2:], message, level)


def _calendars(documents: Documents, models: Models) -> list[Problem]:
    sections = {key.partition("/")[2]: one for key, one in models.items() if isinstance(one, Calendar)}
    return check_calendars(_Calendars("", {SECTION: sections}, parts=documents), sections)
