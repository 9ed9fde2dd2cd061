"""Scenario files: events, moments, and what must have been said by then.

    scenario: A reply that never comes is missing five minutes after the trade was sent
    begin: 2026-01-05T09:00:00Z
    events:
      - {at: 0s, type: trade.sent, key: T1}
    expect:
      - {at: 4m59s, findings: []}
      - {at: 5m, findings: [{kind: missing, rule: reply, key: T1}]}

An instant is a span since `begin`, or a date with a time and a zone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from udfs.core.event import Event
from udfs.core.measures import Measures
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.packs.durations import parse_duration
from udfs.packs.explain import validate
from udfs.packs.outline import RESERVED_RULES
from udfs.packs.problems import Loc, PackError, Problem, suggest
from udfs.packs.sections import SPAN, Duration, Section, Severity, Text
from udfs.packs.times import time_reader
from udfs.packs.yamlfile import Document, read_documents
from udfs.simulation.placing import renamed

FOLDER = "scenarios"
MONDAY = 1_767_571_200_000  # 2026-01-05T00:00:00Z

Kind = Literal[
    "missing",
    "late",
    "reported_late",
    "at_risk",
    "early",
    "out_of_order",
    "duplicate",
    "unexpected",
    "stalled",
    "predicted",
]

_iso = time_reader("iso", None)


@dataclass(frozen=True, slots=True)
class Instant:
    """`ms` since the scenario's beginning, or since the epoch if it is `absolute`."""

    ms: int
    absolute: bool


def _instant(value: Any) -> Instant:
    if isinstance(value, str) and value[:4].isdigit() and "-" in value:
        return Instant(_date(value), True)
    return Instant(parse_duration(value), False)


def _date(value: Any) -> int:
    try:
        return _iso.read(value)
    except (ValueError, TypeError):
        text = "write date, time and zone, like `2026-01-05T09:00:00Z` or `2026-01-05T09:00:00+01:00`"
        raise ValueError(f"`{value}` is no instant; {text}") from None


def _signed(value: Any) -> int:
    """A span that may be less than nothing: how much too early."""
    if isinstance(value, str) and value.startswith("-"):
        return -parse_duration(value[1:])
    return parse_duration(value)


_DATE = {"type": "string", "format": "date-time"}
At = Annotated[
    Instant,
    BeforeValidator(_instant),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SPAN}, {"const": 0}, _DATE], "examples": ["5m"]}),
]
Delta = Annotated[
    int,
    BeforeValidator(_signed),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": SPAN.replace("^", "^-?")}, {"const": 0}]}),
]
Begin = Annotated[int, BeforeValidator(_date), WithJsonSchema(_DATE)]


class Happening(Section):
    """An event of one item. It reaches Daymark when it happens, or when it `arrives`. `keys` are further keys that it
    bears, by name; where it bears one of those only, there is no `key`."""

    EXAMPLE: ClassVar[str] = "{at: 0s, type: trade.sent, key: T1}"
    at: At
    type: Text
    key: Text | None = None
    keys: dict[Text, Text] = {}
    id: Text | None = None
    source: Text = "scenario"
    arrives: At | None = None
    started: At | None = None
    groups: dict[Text, Text] = {}
    amount: float | None = None
    data: dict[str, Any] = {}


class Said(Section):
    """A finding. What isn't named may be anything."""

    EXAMPLE: ClassVar[str] = "{kind: missing, rule: reply, key: T1}"
    kind: Kind
    rule: Text | None = None
    key: Text | None = None
    step: Text | None = None
    because: Text | None = None
    occurrence: Text | None = None
    severity: Severity | None = None
    deadline: At | None = None
    happened: At | None = None
    delta: Delta | None = None


class Moment(Section):
    """Time has come to `at`: what has been said since the moment before, in any order. An empty list: nothing."""

    EXAMPLE: ClassVar[str] = "{at: 5m, findings: []}"
    at: At
    findings: list[Said]


class Blindness(Section):
    """The source of some steps is blind, from its heartbeat's end until the grace after its return is over."""

    EXAMPLE: ClassVar[str] = "{steps: [confirm], since: 5m, until: 31m}"
    steps: Annotated[list[Text], Field(min_length=1)]
    since: At
    until: At


class Span(Section):
    """How long it took from one step to another so far: the quantiles of 50, 75, 90, 95 and 99 percent."""

    EXAMPLE: ClassVar[str] = "{after: send, expect: reply, took: [20s, 30s, 40s, 50s, 90s]}"
    after: Text
    expect: Text
    took: Annotated[list[Duration], Field(min_length=5, max_length=5)]


class Statistics(Section):
    """What was seen of the workflow before: what is usual after a step (the 95th percentile), and how long it took from
    one to another."""

    usual: dict[Text, Duration] = {}
    spans: list[Span] = []


class Scenario(Section):
    """`workflow` may be left out in a pack that has only one."""

    scenario: Text
    workflow: Text | None = None
    begin: Begin = MONDAY
    events: list[Happening] = []
    blind: list[Blindness] = []
    statistics: Statistics = Statistics()
    expect: Annotated[list[Moment], Field(min_length=1)]

    def ms(self, at: Instant) -> int:
        """Epoch ms."""
        return at.ms if at.absolute else self.begin + at.ms

    def measures(self) -> Measures:
        """The statistics, as the core reads them."""
        said = self.statistics
        return Measures(dict(said.usual), {(one.after, one.expect): tuple(one.took) for one in said.spans})

    def horizons(self, spec: Spec, now: int) -> tuple[int, ...]:
        """For each step the last instant up to which it is known behind `now`, epoch ms; none where all is."""
        found = [NEVER] * len(spec.steps)
        for one in self.blind:
            horizon = self.ms(one.since) - 1
            if horizon <= now < self.ms(one.until):
                found = [
                    min(was, horizon) if step.name in one.steps else was
                    for was, step in zip(found, spec.steps, strict=True)
                ]
        return tuple(found) if min(found) < NEVER else ()

    def event(self, index: int) -> tuple[int, Event]:
        """When the event reaches Daymark, and the event. One without an id is the only one of its kind."""
        one = self.events[index]
        time = self.ms(one.at)
        arrives = self.ms(one.arrives) if one.arrives is not None else time
        started = self.ms(one.started) if one.started is not None else None
        name = f"event {index + 1}" if one.id is None else one.id
        groups = tuple(one.groups.items())
        key = one.key or ""
        return arrives, Event(name, one.source, one.type, time, key, groups, one.data, started, one.amount, arrives)

    def copies(self, index: int, key_name: str) -> tuple[int, dict[str, Event]]:
        """When the event reaches Daymark, and the event for each of its keys; `key_name` is that of the item's own."""
        arrives, event = self.event(index)
        one = self.events[index]
        own = {key_name: event} if one.key is not None else {}
        return arrives, own | {name: renamed(event, text) for name, text in one.keys.items()}


def find_scenarios(pack: Path) -> list[Path]:
    """The scenario files of a pack's folder."""
    return sorted(file for file in (pack / FOLDER).glob("*") if file.suffix in (".yaml", ".yml"))


def read_scenarios(file: Path) -> list[tuple[Document, Scenario]]:
    """The scenarios in a file, one a YAML document. Raises PackError with all that is wrong with their form."""
    documents, problems = read_documents(file)
    found: list[tuple[Document, Scenario]] = []
    for document in documents:
        scenario, faults = validate(Scenario, document)
        problems += faults
        if scenario is not None:
            problems += _order(document, scenario)
            found.append((document, scenario))
    if not documents and not problems:
        problems.append(Problem(str(file), 0, "", "is empty; it must hold a scenario"))
    if problems:
        raise PackError(problems)
    return found


def check_names(document: Document, scenario: Scenario, spec: Spec) -> Iterator[Problem]:
    """Types and rules that the workflow doesn't have would make a scenario that tests nothing."""
    further = spec.correlation.keys[1:] if spec.correlation else ()
    for index, event in enumerate(scenario.events):
        for name in event.keys:
            if name not in further:
                text = f"`{spec.workflow}` has no further key `{name}`{suggest(name, further)}"
                yield document.problem(("events", index, "keys", name), text)
        if event.key is None and not event.keys:
            yield document.problem(("events", index), "bears no key; write `key: …`, the item that it belongs to")
        if event.type not in spec.by_type:
            text = f"no step of `{spec.workflow}` is on `{event.type}`{suggest(event.type, spec.by_type)}"
            yield document.problem(("events", index, "type"), text)
        for name in event.groups:
            if name not in spec.groups:
                text = f"`{spec.workflow}` has no group `{name}`{suggest(name, spec.groups)}"
                yield document.problem(("events", index, "groups", name), text)
    steps = [step.name for step in spec.steps]
    for index, blindness in enumerate(scenario.blind):
        for number, name in enumerate(blindness.steps):
            if name not in steps:
                text = f"`{spec.workflow}` has no step `{name}`{suggest(name, steps)}"
                yield document.problem(("blind", index, "steps", number), text)
    named: list[tuple[Loc, str]] = [(("statistics", "usual", name), name) for name in scenario.statistics.usual]
    for index, span in enumerate(scenario.statistics.spans):
        named += [(("statistics", "spans", index, "after"), span.after)]
        named += [(("statistics", "spans", index, "expect"), span.expect)]
        if sorted(span.took) != span.took:
            text = "a quantile is less than the one before it; write them in ascending order"
            yield document.problem(("statistics", "spans", index, "took"), text)
    for loc, name in named:
        if name not in steps:
            yield document.problem(loc, f"`{spec.workflow}` has no step `{name}`{suggest(name, steps)}")
    rules = [*(deadline.id for deadline in spec.deadlines), *(one.id for one in spec.schedules), *RESERVED_RULES]
    for index, moment in enumerate(scenario.expect):
        for number, said in enumerate(moment.findings):
            if said.rule is not None and said.rule not in rules:
                text = f"`{spec.workflow}` has no rule `{said.rule}`{suggest(said.rule, rules)}"
                yield document.problem(("expect", index, "findings", number, "rule"), text)


def _order(document: Document, scenario: Scenario) -> Iterator[Problem]:
    moments = [scenario.ms(moment.at) for moment in scenario.expect]
    for index in range(1, len(moments)):
        if moments[index] <= moments[index - 1]:
            yield document.problem(("expect", index, "at"), "is not behind the moment before; sort them by time")
    for index, blindness in enumerate(scenario.blind):
        if scenario.ms(blindness.until) <= scenario.ms(blindness.since):
            yield document.problem(("blind", index, "until"), "is not behind `since`; a source is blind for a while")
    for index, event in enumerate(scenario.events):
        loc: Loc = ("events", index, "arrives")
        if event.arrives is not None and scenario.ms(event.arrives) < scenario.ms(event.at):
            yield document.problem(loc, "is before `at`: nothing arrives before it happens")
        elif scenario.event(index)[0] > moments[-1]:
            yield document.problem(("events", index, "at"), "is behind the last moment; add a moment behind it")
