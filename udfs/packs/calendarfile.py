"""A pack's `calendars.yaml`: calendars that its workflows share.

A rule document holds everything that its workflow means. So the shared calendars become part of each workflow's
definition before that is checked, compiled, hashed and sent.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from udfs.packs.calendarcheck import SECTION, check_calendars
from udfs.packs.calendarmodel import CalendarFile
from udfs.packs.explain import validate
from udfs.packs.problems import ERROR, Problem
from udfs.packs.yamlfile import Document, read_documents

CALENDAR_FILE = "calendars.yaml"


def read_calendars(file: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The calendars of a file, as plain data under their names, and what is wrong with them; none if one of that is an
    error."""
    documents, problems = read_documents(file)
    if problems:
        return {}, problems
    if len(documents) != 1:
        return {}, [Problem(str(file), 0, "", f"holds {len(documents)} documents; it must hold one, with `{SECTION}:`")]
    model, problems = validate(CalendarFile, documents[0])
    problems += check_calendars(documents[0], model.calendars) if model else []
    sound = all(problem.level != ERROR for problem in problems)
    return (documents[0].data[SECTION] if sound else {}), problems


def with_shared(document: Document, shared: dict[str, Any]) -> tuple[Document, list[Problem]]:
    """The workflow with the shared calendars among its own, and what is wrong with that: a name that both use."""
    if not shared or not isinstance(document.data, dict):
        return document, []
    own = document.data.get(SECTION)
    if own is None:
        own = {}
    if not isinstance(own, dict):
        return document, []
    problems = [
        document.problem((SECTION, name), f"`{name}` is in {CALENDAR_FILE} too; rename one of them")
        for name in own
        if name in shared
    ]
    return replace(document, data={**document.data, SECTION: {**shared, **own}}), problems
