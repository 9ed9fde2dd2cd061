"""The kinds of alerting documents, and where each stands in `alerting.yaml`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from udfs.packs import alertmodel as language
from udfs.packs.alertchannels import CHANNELS, Channel
from udfs.packs.calendarmodel import Calendar
from udfs.packs.explain import validate
from udfs.packs.problems import ERROR, Level, Loc, Problem, suggest
from udfs.packs.sections import Section
from udfs.packs.yamlfile import Document

ROUTES: Final = "routes"
MAIN: Final = "main"
"""The name of the one document of kind `routes`."""

SECTIONS: Final = {
    "person": "people",
    "team": "teams",
    "channel": "channels",
    "calendar": "calendars",
    "on_call": "on_call",
    "escalation": "escalations",
    ROUTES: ROUTES,
    "silence": "silences",
    "maintenance": "maintenance",
}
"""Of each kind the section of the file. Documents are known as `<kind>/<name>`."""

KINDS: Final = tuple(SECTIONS)

_MODELS: dict[str, type[Section]] = {
    "person": language.Person,
    "team": language.Team,
    "calendar": Calendar,
    "on_call": language.OnCall,
    "escalation": language.Escalation,
    ROUTES: language.Routes,
    "silence": language.Silence,
    "maintenance": language.Maintenance,
}

Documents = Mapping[str, Document]
Models = Mapping[str, Section]


@dataclass(slots=True)
class Part(Document):
    """A document that stands at `within` in a file."""

    within: Loc = ()

    def problem(self, loc: Loc, message: str, level: Level = ERROR) -> Problem:
        """A problem with the part at `loc` of it."""
        return Document.problem(self, (*self.within, *loc), message, level)


def split(document: Document) -> tuple[dict[str, Document], list[Problem]]:
    """The documents of an `alerting.yaml`, and what is wrong with its sections."""
    if not isinstance(document.data, dict):
        return {}, [document.problem((), "must be a mapping of sections, like `people:` and `routes:`")]
    kinds = {section: kind for kind, section in SECTIONS.items()}
    found: dict[str, Document] = {}
    problems: list[Problem] = []
    for section, said in document.data.items():
        kind = kinds.get(section)
        if kind is None:
            text = f"`{section}` is not a section of an alerting file{suggest(section, kinds)}"
            problems.append(document.problem((section,), text))
        elif kind == ROUTES:
            found[f"{ROUTES}/{MAIN}"] = Part(document.file, said, document.lines, (section,))
        elif isinstance(said, dict):
            for name, body in said.items():
                found[f"{kind}/{name}"] = Part(document.file, body, document.lines, (section, name))
        elif said is not None:
            problems.append(document.problem((section,), "must be a mapping of names to what they are"))
    return found, problems


def plain(documents: Mapping[str, Any]) -> dict[str, Document]:
    """Documents that come from no file; a problem names them in its place."""
    return {key: Document(key, body) for key, body in documents.items()}


def readable(documents: Documents) -> tuple[dict[str, Document], list[Problem]]:
    """Without those that UTF-8 can't hold: nobody could be told about them."""
    found: dict[str, Document] = {}
    problems: list[Problem] = []
    for key, document in documents.items():
        try:
            json.dumps([key, document.data], ensure_ascii=False, default=str).encode()
            found[key] = document
        except UnicodeEncodeError:
            text = "holds half a character (a lone surrogate); write the character itself"
            problems.append(Problem(key.encode(errors="replace").decode(), 0, "", text))
    return found, problems


def read_models(documents: Documents) -> tuple[dict[str, Section], list[Problem]]:
    """The documents whose form is right, and what is wrong with the others."""
    models: dict[str, Section] = {}
    problems: list[Problem] = []
    for key, document in documents.items():
        faults = [*_name(key, document)]
        model = model_of(key, document, faults)
        problems += faults
        if model is not None and not faults:
            models[key] = model
    return models, problems


def model_of(key: str, document: Document, problems: list[Problem]) -> Section | None:
    """The document in its form; None, and what is wrong with it among the problems."""
    kind = key.partition("/")[0]
    found = _channel(document, problems) if kind == "channel" else _MODELS.get(kind)
    if found is None:
        if kind not in SECTIONS:
            problems.append(document.problem((), f"`{kind}` is not a kind of document{suggest(kind, KINDS)}"))
        return None
    model, faults = validate(found, document)
    problems += faults
    return model


def _channel(document: Document, problems: list[Problem]) -> type[Channel] | None:
    said = document.data.get("type") if isinstance(document.data, dict) else None
    if isinstance(said, str) and said in CHANNELS:
        return CHANNELS[said]
    given = f"`{said}` is not a type of channel" if isinstance(said, str) else "`type` is missing"
    problems.append(document.problem(("type",), f"{given}{suggest(str(said), CHANNELS)}"))
    return None


def _name(key: str, document: Document) -> Iterator[Problem]:
    kind, _, name = key.partition("/")
    if kind == ROUTES:
        if name != MAIN:
            yield document.problem((), f"there is one tree of routes, `{MAIN}`; it can't be called `{name}`")
    elif not name or len(name) > 64 or not name.replace("_", "a").replace("-", "a").replace(".", "a").isalnum():
        yield document.problem(
            (), f"`{name}` can't be used as a name here; use up to 64 letters, digits, `_`, `-`, `.`"
        )
    elif kind == "escalation" and name == language.NOBODY:
        yield document.problem((), f"`{name}` means that nobody is told; choose another name")
