"""What is public: components, each of them some workflows under a name that customers know. Nothing else is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from udfs.packs.explain import validate
from udfs.packs.problems import PackError, Problem, raise_errors
from udfs.packs.sections import Name, Section, Text
from udfs.packs.servicemodel import Objective
from udfs.packs.yamlfile import read_documents


class Component(Section):
    """Some workflows, as customers know them. `outage` is the share of what is in flight, or was due on a day, from
    which on being late is an outage. `counts` says how many items are in flight and late, too."""

    EXAMPLE: ClassVar[str] = "{name: Confirmations, workflows: [trade_lifecycle]}"
    name: Text
    workflows: Annotated[list[Text], Field(min_length=1)]
    description: str = ""
    outage: Objective = 0.5
    counts: bool = False


class StatusPage(Section):
    """The page: a title, and components by the name that their badge has."""

    EXAMPLE: ClassVar[str] = "{title: Status, components: {confirmations: {name: Confirmations, workflows: [trades]}}}"
    title: Text = "Status"
    components: dict[Name, Component] = {}

    @property
    def workflows(self) -> list[str]:
        """All that is listed."""
        return sorted({name for one in self.components.values() for name in one.workflows})


NOTHING = StatusPage()
"""The page of who lists nothing."""


def load_page(path: Path | None) -> StatusPage:
    """The page that a file describes; one with nothing on it without a file. Raises PackError with every fault."""
    if path is None:
        return NOTHING
    documents, problems = read_documents(path)
    raise_errors(problems)
    if len(documents) != 1:
        raise PackError([Problem(str(path), 0, "", f"holds {len(documents)} documents; it must hold one")])
    page, problems = validate(StatusPage, documents[0])
    raise_errors(problems)
    return page or NOTHING
