"""The language of alerting documents: people, teams, on-call schedules, escalations, routes, silences, maintenance."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field

from udfs.packs.alertchannels import AnyChannel, Email
from udfs.packs.alertmatch import LISTED, Match
from udfs.packs.alerttimes import DateText, Days, Moment, WeekHours
from udfs.packs.calendarmodel import Calendar
from udfs.packs.cron import read_cron
from udfs.packs.daytime import TimeOfDay
from udfs.packs.sections import Duration, Name, Section, Severity, Text
from udfs.packs.times import ZoneName

NOBODY = "none"
"""The escalation of a route whose alerts are kept and shown, and nobody is told."""

NINE = 9 * 3_600_000
DAY = 24 * 3_600_000


def _phone(value: str) -> str:
    if not re.fullmatch(r"\+[0-9]{6,15}", value, re.ASCII):
        raise ValueError(f"`{value}` is not a number with its country; write it like `+31612345678`")
    return value


Names = Annotated[list[Name], LISTED, Field(min_length=1)]
Labels = Annotated[list[Text], LISTED]
Phone = Annotated[str, AfterValidator(_phone)]


def _cron(value: str) -> str:
    read_cron(value)
    return value


def _window(value: int) -> int:
    if not 0 < value <= DAY:
        raise ValueError("must be longer than nothing and a day at most; write a span like `10m`")
    return value


def _worth(value: float) -> float:
    if value <= 0:
        raise ValueError("must be more than 0; write a number like `1000000`")
    return value


class Chat(Section):
    """How somebody is called in chats, so that a message there can mention them."""

    slack: Text | None = None
    teams: Text | None = None


class Person(Section):
    """Somebody who can be told. `by` names the channels that are used where nothing else is said."""

    EXAMPLE: ClassVar[str] = "{email: anna@example.com, by: mail}"
    name: Text | None = None
    email: Email | None = None
    phone: Phone | None = None
    chat: Chat = Chat()
    zone: ZoneName | None = None
    by: Annotated[list[Name], LISTED] = []


class Team(Section):
    """People who answer together; `channels` are those that they read together."""

    EXAMPLE: ClassVar[str] = "{members: [anna, ben]}"
    name: Text | None = None
    description: str = ""
    members: Annotated[list[Name], LISTED] = []
    channels: Annotated[list[Name], LISTED] = []


class Layer(Section):
    """A rotation: one after the other, from the first handover on. With `hours`, only then."""

    EXAMPLE: ClassVar[str] = "{people: [anna, ben], every: 1w, from: 2026-01-05}"
    name: Text | None = None
    people: Names
    every: Days
    handover: TimeOfDay = NINE
    begin: DateText = Field(alias="from")
    until: Moment | None = None
    hours: WeekHours | None = None


class Override(Section):
    """These people instead, from a moment up to another."""

    EXAMPLE: ClassVar[str] = '{from: "2026-03-02 09:00", until: "2026-03-03 09:00", people: ben}'
    begin: Moment = Field(alias="from")
    until: Moment
    people: Names
    why: str = ""


class OnCall(Section):
    """Who is on call: the override that holds, else the first layer that has somebody."""

    EXAMPLE: ClassVar[str] = "{zone: Europe/Amsterdam, layers: [{people: [anna, ben], every: 1w, from: 2026-01-05}]}"
    description: str = ""
    zone: ZoneName
    layers: Annotated[list[Layer], Field(min_length=1)]
    overrides: list[Override] = []


class Target(Section):
    """One of person, team, on-call schedule or channel; `by` names the channels."""

    EXAMPLE: ClassVar[str] = "{person: anna, by: mail}"
    person: Name | None = None
    team: Name | None = None
    on_call: Name | None = None
    channel: Name | None = None
    by: Annotated[list[Name], LISTED] = []


def _targets(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


Targets = Annotated[list[Target], BeforeValidator(_targets, json_schema_input_type=Target | list[Target])]


class Step(Section):
    """Whom to tell, if nobody has answered `after` a span. `during` is a calendar: see `udfs.alerting.policy.Step`."""

    EXAMPLE: ClassVar[str] = "{after: 15m, notify: [{person: ben}]}"
    after: Duration = 0
    notify: Annotated[Targets, Field(min_length=1)]
    during: Name | None = None
    otherwise: Targets | None = None


class Repeat(Section):
    """The steps begin anew, so many times, each that much after the last beginning."""

    EXAMPLE: ClassVar[str] = "{times: 2, every: 1h}"
    times: Annotated[int, Field(ge=1, le=100)]
    every: Duration


class Escalation(Section):
    """Steps, until somebody acknowledges. `zone` is that of calendars that name none."""

    EXAMPLE: ClassVar[str] = "{steps: [{notify: [{person: anna}]}]}"
    description: str = ""
    zone: ZoneName | None = None
    steps: Annotated[list[Step], Field(min_length=1)]
    repeat: Repeat | None = None


class Routing(Section):
    """What a route says; the rest is as in the route around it."""

    team: Name | None = None
    escalation: Name | None = None
    group_by: Labels | None = None
    wait: Duration | None = None
    interval: Duration | None = None
    repeat: Duration | None = None
    hold: Duration | None = None
    severity: Severity | None = None
    ack: Duration | None = None
    expire_after: Duration | None = None
    events_expire_after: Duration | None = None


class Route(Routing):
    """For alerts that fit `match`; of several the first, and with `continue` those behind it too."""

    EXAMPLE: ClassVar[str] = "{match: workflow = trade_lifecycle, escalation: desk}"
    name: Name | None = None
    match: Match
    go_on: bool = Field(default=False, alias="continue")
    routes: list[Route] = []


class Incidents(Section):
    """From when on alerts that share something are an incident, and from which value at risk on it counts for more."""

    EXAMPLE: ClassVar[str] = "{alerts: 5, within: 10m, value: 1000000}"
    alerts: Annotated[int, Field(ge=2, le=1000)] = 5
    within: Annotated[Duration, AfterValidator(_window)] = 600_000
    value: Annotated[float, Field(allow_inf_nan=False), AfterValidator(_worth)] = 1_000_000


class Routes(Routing):
    """The tree of routes. What stands at its top is for all alerts that no route below fits."""

    EXAMPLE: ClassVar[str] = "{escalation: desk, routes: [{match: severity = low, escalation: none}]}"
    respond: dict[Severity, Duration] = {}
    incidents: Incidents = Incidents()
    routes: list[Route] = []


class Silence(Section):
    """Nobody is told, from a moment up to another."""

    EXAMPLE: ClassVar[str] = '{match: book = FX, from: "2026-03-02T08:00Z", until: "2026-03-02T10:00Z"}'
    match: Match
    begin: Moment = Field(alias="from")
    until: Moment
    zone: ZoneName | None = None
    by: str = ""
    why: str = ""


class Maintenance(Section):
    """A window, once or again and again: deadlines inside it are held, judged at its end and count nowhere."""

    EXAMPLE: ClassVar[str] = '{match: workflow = trade_lifecycle, weekly: {sat: "22:00-06:00"}, zone: Europe/London}'
    match: Match
    begin: Moment | None = Field(default=None, alias="from")
    until: Moment | None = None
    cron: Annotated[str, AfterValidator(_cron)] | None = None
    span: Duration | None = Field(default=None, alias="for")
    weekly: WeekHours | None = None
    zone: ZoneName | None = None
    calendar: Name | None = None
    by: str = ""
    why: str = ""


class AlertingFile(Section):
    """`alerting.yaml`: all documents in one file."""

    people: dict[Name, Person] = {}
    teams: dict[Name, Team] = {}
    channels: dict[Name, AnyChannel] = {}
    calendars: dict[Name, Calendar] = {}
    on_call: dict[Name, OnCall] = {}
    escalations: dict[Name, Escalation] = {}
    routes: Routes = Routes()
    silences: dict[Name, Silence] = {}
    maintenance: dict[Name, Maintenance] = {}


Route.model_rebuild()
