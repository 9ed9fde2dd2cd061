"""What is asked and answered about rules, for the OpenAPI description. Instants are epoch ms, by event time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_BYTES = 900_000
MOST_BODY = 2 * MOST_BYTES  # a body may be laid out with blanks
Why = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$", description="the reason, for those who come later")]


class Rule(BaseModel):
    """A workflow to put in force: its YAML as `text`, or the same as JSON in `definition`."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str | None, Field(max_length=MOST_BYTES)] = None
    definition: dict[str, Any] | None = None
    version: Annotated[
        int | None, Field(ge=1, lt=1 << 53, description="default: the one that the text names, or the last counted on")
    ] = None
    effective_from: Annotated[
        int | None, Field(ge=0, lt=1 << 53, description="epoch ms, by event time; default: now. 0: from the beginning")
    ] = None
    why: Why = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Rule:
        if (self.text is None) == (self.definition is None):
            raise ValueError("give either `text` (YAML) or `definition` (JSON)")
        return self


class Summary(BaseModel):
    """A rule as it stands."""

    model_config = ConfigDict(from_attributes=True)

    workflow: str
    revision: int = Field(description="how often it was changed through Daymark; 0: it is as a pack, or Kafka, gave it")
    action: str = Field(description="put, enable, disable, rollback or withdraw; of revision 0 pack or topic")
    version: int = Field(description="what items and findings of it show")
    state: str = Field(description="enabled, disabled or withdrawn")
    effective_from: int | None = Field(description="epoch ms, by event time; null: not known, or withdrawn")
    who: str
    why: str
    at_ms: int
    approved_by: str
    refused: str = Field("", description="why the running job refused it; empty if it did not, or that can't be told")


class Full(Summary):
    """A rule in one revision, with its text."""

    text: str
    definition: dict[str, Any]


class WaitingChange(BaseModel):
    """A change that waits for another person's approval."""

    model_config = ConfigDict(from_attributes=True)

    workflow: str
    base: int | None = Field(description="the revision that it was made for")
    action: str
    effective_from: int | None
    who: str
    why: str
    at_ms: int
    text: str


class Asked(BaseModel):
    """A rule's text to look at."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(max_length=MOST_BYTES)]


class TextFault(BaseModel):
    """One fault of a text, and where."""

    line: int = Field(description="from 1; 0: of the whole text")
    path: str
    message: str
    level: Literal["error", "warning"]


class Verdict(BaseModel):
    """What is wrong with a text."""

    valid: bool
    workflow: str | None
    problems: list[TextFault]


class Part(BaseModel):
    """A part of a definition that differs."""

    path: str
    change: Literal["added", "removed", "changed"]
    before: Any
    after: Any
    sentence: str


class Diff(BaseModel):
    """Two revisions, beside each other."""

    text: str = Field(description="line by line, as `diff -u` writes it")
    parts: list[Part]
    same_meaning: bool = Field(description="whether both find the same: only words for people differ")


class Reason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    why: Why = ""


class Back(Reason):
    """Which revision to go back to."""

    revision: Annotated[int, Field(ge=0, lt=1 << 31)]
