"""The language of source mappings: where in a record its id, type, time, keys, groups and personal data stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from udfs.packs.paths import FieldPath, parse_path
from udfs.packs.pii import HASH
from udfs.packs.problems import Loc, Problem
from udfs.packs.sections import Accepted, Duration, Name, Paths, PathText, Section, Severity, Text, matching
from udfs.packs.times import check_format, read_zone
from udfs.packs.yamlfile import Document

_topic = matching(r"[A-Za-z0-9._-]{1,249}", "letters, digits, `.`, `_` and `-`")
_lane = matching(r"[a-z0-9][a-z0-9-]{0,47}", "up to 48 small letters, digits and `-`")


def _format(value: str) -> str:
    check_format(value)
    return value


REQUIRED = "required"
"""In place of a zone: a time stamp that names none can't be read."""

FUTURE = 24 * 3_600_000
"""How far ahead of Kafka's clock an event may be, unless the mapping says otherwise: more than zones can differ."""

GRACE = 60_000
"""How long a source that was silent has to send what it held back, unless the mapping says otherwise."""


def _zone(value: str) -> str:
    if value != REQUIRED:
        read_zone(value)
    return value


def _at_path(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


class Time(Section):
    """A time stamp: its path, its format, and the zone of those that name none."""

    path: PathText
    format: Annotated[str, AfterValidator(_format)] = "iso"
    zone: Annotated[str, AfterValidator(_zone)] | None = None


class EventTime(Time):
    """When the event happened, and how far that may be from when Kafka took the record: what is further ahead or behind
    comes from a broken clock. Live lanes only."""

    future: Duration = FUTURE
    past: Duration | None = None
    severity: Severity = "medium"


TimeAt = Annotated[
    Time,
    BeforeValidator(_at_path),
    WithJsonSchema({"anyOf": [{"type": "string"}, Time.model_json_schema()]}),
]
EventTimeAt = Annotated[
    EventTime,
    BeforeValidator(_at_path),
    WithJsonSchema({"anyOf": [{"type": "string"}, EventTime.model_json_schema()]}),
]


class Source(Section):
    """A source mapping. `format` says how files are read, and which fields have defaults. A source with a `heartbeat`
    sends something at least so often; its `types` are all that it sends."""

    source: Text
    topic: Annotated[str, AfterValidator(_topic)] | None = None
    lane: Annotated[str, AfterValidator(_lane)] | None = None
    format: Literal["cloudevents", "json", "csv"] = "cloudevents"
    when: dict[PathText, Accepted] = {}
    id: Paths | None = None
    type: PathText | None = None
    types: list[Text] = []
    heartbeat: Duration | None = None
    grace: Duration | None = None
    time: EventTimeAt | None = None
    started: TimeAt | None = None
    keys: Annotated[dict[Name, PathText], Field(min_length=1)]
    groups: dict[Name, PathText] = {}
    amount: PathText | None = None
    pii: dict[PathText, Literal["mask", "hash"]] = {}


def with_defaults(source: Source) -> Source:
    """CloudEvents have their id, type and time at known places."""
    if source.format != "cloudevents":
        return source
    known = {"id": source.id or ["id"], "type": source.type or "type", "time": source.time or EventTime(path="time")}
    return source.model_copy(update=known)


def check_source(document: Document, source: Source) -> Iterator[Problem]:
    """What is wrong between the sections of a mapping."""
    for word, example in (("type", "type: event_type"), ("time", "time: {path: created_at, format: iso}")):
        if getattr(source, word) is None and source.format != "cloudevents":
            yield document.problem(
                (word,),
                f"`{word}` is missing, and `{source.format}` has no usual place for it; write `{example}`",
            )
    if source.heartbeat == 0:
        yield document.problem(("heartbeat",), "is 0, so the source would always be silent; write a span like `5m`")
    if source.heartbeat is None and source.grace is not None:
        text = "there is no `heartbeat`, so nothing ever waits for a grace; write `heartbeat: 5m`, or remove `grace`"
        yield document.problem(("grace",), text)
    for text, change in source.pii.items():
        for loc, name, path in _uses(source):
            yield from _hidden(document, text, change, loc, name, path)


def _uses(source: Source) -> Iterator[tuple[Loc, str, FieldPath]]:
    """Every field that becomes part of the event itself, which is shown and stored beside its payload."""
    for path in source.id or []:
        yield ("id",), "the event's id", parse_path(path)
    if source.type:
        yield ("type",), "the event's type", parse_path(source.type)
    if source.format == "cloudevents":
        yield ("source",), "the event's source", ("source",)
    for word, at in (("time", source.time), ("started", source.started)):
        if at:
            yield (word,), f"the event's `{word}`", parse_path(at.path)
    if source.amount:
        yield ("amount",), "the amount", parse_path(source.amount)
    for name, path in source.keys.items():
        yield ("keys", name), f"the key `{name}`", parse_path(path)
    for name, path in source.groups.items():
        yield ("groups", name), f"the group `{name}`", parse_path(path)


def _hidden(document: Document, text: str, change: str, loc: Loc, name: str, path: FieldPath) -> Iterator[Problem]:
    """A field that is hidden can't be shown elsewhere; a hashed one can stand for itself as an id, a key or a group."""
    hidden = parse_path(text)
    if path[: len(hidden)] != hidden:
        return
    if change == HASH and path == hidden and loc[0] in ("id", "keys", "groups"):
        return
    cure = (
        "hash it instead" if path == hidden and loc[0] in ("id", "keys", "groups") else f"use another field for {name}"
    )
    verb = "hashed" if change == HASH else "masked"
    yield document.problem(("pii", text), f"`{text}` is {verb}, but it holds {name}; {cure}, or leave it out of `pii`")
