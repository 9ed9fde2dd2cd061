"""From alerting documents to the policy that the core asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from udfs.alerting import policy as core
from udfs.alerting.rotation import Layer, OnCall, Override
from udfs.alerting.windows import Agenda, Kind, Recurring, Window
from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime
from udfs.core.state import NEVER
from udfs.core.zone import Zone
from udfs.packs import alertmodel as language
from udfs.packs.alertchannels import Channel, PagerdutyChannel, SlackChannel, TeamsChannel
from udfs.packs.alertkinds import MAIN, ROUTES, Models, plain, read_models, readable
from udfs.packs.alertmatch import parse_matchers
from udfs.packs.alertmodel import NOBODY
from udfs.packs.alertreach import address_of, room_of
from udfs.packs.alertrefs import target_of
from udfs.packs.alerttimes import hours_of, parse_moment
from udfs.packs.calendarmodel import Calendar as CalendarSection
from udfs.packs.calendars import compile_calendar, known_calendars, lineage, zone_name
from udfs.packs.cron import compile_cron
from udfs.packs.daytime import parse_days
from udfs.packs.problems import Problem
from udfs.packs.sections import Section
from udfs.packs.zones import compile_zone

S = TypeVar("S", bound=Section)


def compile_policy(documents: Mapping[str, Any]) -> core.Policy:
    """The policy of documents by `<kind>/<name>`. What is unfit, or names what isn't there, is left out."""
    return read_policy(documents)[0]


def read_policy(documents: Mapping[str, Any]) -> tuple[core.Policy, list[Problem]]:
    """The policy, and why which documents were left out of it. Never raises: a job that stops alerts nobody."""
    found, unreadable = readable(plain(documents))
    models, problems = read_models(found)
    return Compiler(models).policy(), unreadable + problems


class Compiler:
    """Compiles documents one by one, with those that they name."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.calendars = self._all("calendar", CalendarSection)

    def policy(self) -> core.Policy:
        """Everything."""
        routes = self.models.get(f"{ROUTES}/{MAIN}")
        people = self._all("person", language.Person)
        channels = self._all("channel", Channel)
        silences, maintenance = self._all("silence", language.Silence), self._all("maintenance", language.Maintenance)
        windows = [self.silence(name, one) for name, one in silences.items()]
        windows += [self.maintenance(name, one) for name, one in maintenance.items()]
        teams = self._all("team", language.Team)
        top = routes if isinstance(routes, language.Routes) else None
        return core.Policy(
            routes=_root(top) if top else core.Branch(),
            respond=core.RESPOND | ({**top.respond} if top else {}),
            incidents=_gathering(top.incidents) if top else core.Gathering(),
            escalations={
                name: self.escalation(one) for name, one in self._all("escalation", language.Escalation).items()
            },
            on_calls={name: on_call(one) for name, one in self._all("on_call", language.OnCall).items()},
            people={name: _contact(name, one, channels) for name, one in people.items()},
            teams={name: core.Team(tuple(one.members), tuple(one.channels)) for name, one in teams.items()},
            channels={name: _channel(one) for name, one in channels.items()},
            agenda=Agenda(tuple(windows)),
        )

    def escalation(self, said: language.Escalation) -> core.Escalation:
        """Its steps and rounds."""
        rounds = (said.repeat.times + 1, said.repeat.every) if said.repeat else (1, 0)
        return core.Escalation(tuple(self._step(said, step) for step in said.steps), *rounds)

    def silence(self, name: str, said: language.Silence) -> Window:
        """When it holds, and what for."""
        zone = compile_zone(said.zone) if said.zone else None
        begin, end = _bounds(said, zone)
        return self._window(name, "silence", said, begin, end)

    def maintenance(self, name: str, said: language.Maintenance) -> Window:
        """When it holds, and what for; never, where that can't be told."""
        zone = self.zone(said.zone, said.calendar)
        begin, end = _bounds(said, zone)
        calendar = self.calendar(said.calendar) if said.calendar else Calendar()
        if said.cron is not None and said.span and zone and calendar:
            times = Recurring(compile_cron(said.cron, zone, calendar), said.span)
            return self._window(name, "maintenance", said, begin, end, times)
        if said.weekly is not None and zone and calendar:
            return self._window(name, "maintenance", said, begin, end, hours_of(said.weekly, zone, calendar))
        whole = said.cron is None and said.weekly is None and said.begin and said.until
        return self._window(name, "maintenance", said, begin, end if whole else begin)

    def calendar(self, name: str) -> Calendar | None:
        """None, if there is no such calendar, or its bases make no sense."""
        try:
            return compile_calendar(self.calendars, name) if self._sound(name) else None
        except ValueError:
            return None

    def zone(self, name: str | None, calendar: str | None) -> Zone | None:
        """The zone that is named, or else that of the calendar."""
        if name is None and calendar is not None and self._sound(calendar):
            name = zone_name(self.calendars, calendar)
        return compile_zone(name) if name else None

    def _step(self, whole: language.Escalation, said: language.Step) -> core.Step:
        during = None
        if said.during is not None:
            zone, calendar = self.zone(whole.zone, said.during), self.calendar(said.during)
            during = BusinessTime(zone, calendar) if zone and calendar else None
        otherwise = None if said.otherwise is None else _targets(said.otherwise)
        return core.Step(said.after, _targets(said.notify), during, otherwise)

    def _window(
        self,
        name: str,
        kind: Kind,
        said: language.Silence | language.Maintenance,
        begin: int,
        end: int,
        times: Any = None,
    ) -> Window:
        return Window(name, kind, parse_matchers(said.match), begin, end, times, said.by, said.why)

    def _sound(self, name: str) -> bool:
        """Whether the calendar and its bases are there, and none is its own base."""
        known, seen = known_calendars(self.calendars), set[str]()
        here: str | None = name
        while here is not None:
            if here in seen or here not in known:
                return False
            seen.add(here)
            here = known[here].base
        return bool(lineage(self.calendars, name))

    def _all(self, kind: str, model: type[S]) -> dict[str, S]:
        named = {key.partition("/")[2]: one for key, one in self.models.items() if key.startswith(f"{kind}/")}
        return {name: one for name, one in named.items() if isinstance(one, model)}


def on_call(said: language.OnCall) -> OnCall:
    """Its layers and overrides."""
    zone = compile_zone(said.zone)
    overrides = [
        Override(parse_moment(one.begin, zone), parse_moment(one.until, zone), tuple(one.people))
        for one in said.overrides
    ]
    return OnCall(tuple(_layer(one, zone) for one in said.layers), tuple(overrides))


def _layer(said: language.Layer, zone: Zone) -> Layer:
    return Layer(
        zone=zone,
        people=tuple(said.people),
        start=parse_days(said.begin)[0],
        days=said.every,
        handover=said.handover,
        end=None if said.until is None else parse_moment(said.until, zone),
        hours=None if said.hours is None else hours_of(said.hours, zone),
    )


def _root(said: language.Routes) -> core.Branch:
    route = _routed(said, core.Route(name=MAIN))
    return core.Branch(route, (), False, tuple(_branch(one, route, index) for index, one in enumerate(said.routes)))


def _branch(said: language.Route, above: core.Route, index: int) -> core.Branch:
    route = _routed(said, above, f"{above.name}/{said.name or index}")
    below = tuple(_branch(one, route, number) for number, one in enumerate(said.routes))
    return core.Branch(route, parse_matchers(said.match), said.go_on, below)


def _routed(said: language.Routing, above: core.Route, name: str = MAIN) -> core.Route:
    escalation = above.escalation if said.escalation is None else said.escalation
    return core.Route(
        name=name,
        team=above.team if said.team is None else said.team,
        escalation="" if escalation == NOBODY else escalation,
        group_by=above.group_by if said.group_by is None else tuple(said.group_by),
        wait_ms=_or(said.wait, above.wait_ms),
        interval_ms=_or(said.interval, above.interval_ms),
        repeat_ms=_or(said.repeat, above.repeat_ms),
        hold_ms=_or(said.hold, above.hold_ms),
        severity=said.severity or above.severity,
        ack_ms=said.ack or above.ack_ms,  # 0 is refused, but may be stored
        event_ms=said.events_expire_after or above.event_ms,
        expire_ms=said.expire_after or above.expire_ms,
    )


def _or(said: int | None, above: int) -> int:
    return above if said is None else said


def _gathering(said: language.Incidents) -> core.Gathering:
    return core.Gathering(said.alerts, said.within, said.value)


def _targets(said: list[language.Target]) -> tuple[core.Target, ...]:
    return tuple(core.Target(*named, tuple(one.by)) for one in said if (named := target_of(one)))


def _contact(name: str, person: language.Person, channels: Mapping[str, Channel]) -> core.Contact:
    found = {channel: address_of(name, person, one) for channel, one in channels.items()}
    return core.Contact(tuple(person.by), {channel: at for channel, at in found.items() if at is not None})


def _channel(said: Channel) -> core.Channel:
    limit = core.Limit(said.limit.count, said.limit.per)
    is_room = isinstance(said, SlackChannel | TeamsChannel)
    return core.Channel(limit, room_of(said), isinstance(said, PagerdutyChannel), is_room)


def _bounds(said: language.Silence | language.Maintenance, zone: Zone | None) -> tuple[int, int]:
    """From when and up to when; never, where that is on nobody's wall clock: nothing is hidden by mistake."""
    try:
        begin = 0 if said.begin is None else parse_moment(said.begin, zone)
        return begin, NEVER if said.until is None else parse_moment(said.until, zone)
    except ValueError:
        return 0, 0
