"""What is wrong with people, teams, on-call schedules and escalations: who can't be reached, and when nobody is."""

from __future__ import annotations

from collections.abc import Iterator

from udfs.core.zone import DAY
from udfs.packs import alertmodel as language
from udfs.packs.alertchannels import Channel
from udfs.packs.alertcompile import Compiler, on_call
from udfs.packs.alertkinds import Models
from udfs.packs.alertreach import WANTED, address_of, room_of, type_of
from udfs.packs.alertrefs import target_of
from udfs.packs.alerttimes import parse_moment, show_local
from udfs.packs.durations import show_duration
from udfs.packs.problems import WARNING, Loc, Problem
from udfs.packs.yamlfile import Document
from udfs.packs.zones import compile_zone

LOOKED_AT = 28
"""Days, from when all layers have begun, that are searched for gaps."""


def check_people(
    document: Document, name: str, said: language.Person | language.Team, models: Models
) -> Iterator[Problem]:
    """Channels that can't reach a person or a team."""
    if isinstance(said, language.Person):
        for index, channel in enumerate(said.by):
            yield from _reaches(document, ("by", index), name, said, channel, models)
        return
    if not said.members and not said.channels:
        yield document.problem((), "has neither `members` nor `channels`, so it names nobody; add one of them")
    for index, channel in enumerate(said.channels):
        yield from _is_room(document, ("channels", index), channel, models)


def check_on_call(document: Document, said: language.OnCall) -> Iterator[Problem]:
    """Times that make no sense, and gaps."""
    zone = compile_zone(said.zone)
    wrong = False
    for index, one in enumerate(said.overrides):
        if parse_moment(one.begin, zone) >= parse_moment(one.until, zone):
            wrong = True
            yield document.problem(("overrides", index, "until"), "is not later than `from`; write a later moment")
    schedule = on_call(said)
    for index, layer in enumerate(schedule.layers):
        if layer.end is not None and layer.end <= zone.first(layer.start * DAY + layer.handover):
            wrong = True
            yield document.problem(("layers", index, "until"), "is not later than the first handover; write it later")
    if wrong:
        return
    begin = max(zone.first(layer.start * DAY + layer.handover) for layer in schedule.layers)
    end = min([begin + LOOKED_AT * DAY, *[layer.end for layer in schedule.layers if layer.end is not None]])
    gap = next((shift for shift in schedule.shifts(begin, end) if not shift.people), None)
    if gap is not None and gap.end is not None:
        text = f"nobody is on call from {show_local(zone, gap.begin)} to {show_local(zone, gap.end)}, for instance"
        yield document.problem(("layers",), f"{text}; add a layer without `hours` for the rest", WARNING)
    if all(layer.end is not None for layer in schedule.layers):
        yield document.problem(
            ("layers",), "nobody is on call when all layers have ended; leave one `until` out", WARNING
        )


def check_escalation(
    document: Document, said: language.Escalation, models: Models, compiler: Compiler
) -> Iterator[Problem]:
    """Steps that reach nobody, or whose times make no sense."""
    for index, step in enumerate(said.steps):
        loc: Loc = ("steps", index)
        before = said.steps[index - 1].after if index else 0
        if step.after < before:
            text = f"is sooner than the step before it ({show_duration(before)}); put the steps in order of time"
            yield document.problem((*loc, "after"), text)
        if step.during is None and step.otherwise is not None:
            yield document.problem((*loc, "otherwise"), "is for outside of hours; say with `during` which calendar's")
        if step.during is not None and compiler.zone(said.zone, step.during) is None:
            text = f"the calendar `{step.during}` names no zone; add `zone` to it or to the escalation"
            yield document.problem((*loc, "during"), text)
        for word, targets in (("notify", step.notify), ("otherwise", step.otherwise or [])):
            for place, target in enumerate(targets):
                yield from _target(document, (*loc, word, place), target, models)
    last = said.steps[-1].after
    if said.repeat is not None and said.repeat.every <= last:
        text = f"is not longer than the steps take ({show_duration(last)}); write a longer span"
        yield document.problem(("repeat", "every"), text)


def _target(document: Document, loc: Loc, target: language.Target, models: Models) -> Iterator[Problem]:
    named = target_of(target)
    if named is None:
        text = "names nobody, or several at once; name one of `person`, `team`, `on_call` and `channel`"
        yield document.problem(loc, text)
        return
    kind, name = named
    if kind == "channel":
        yield from _is_room(document, (*loc, "channel"), name, models)
        if target.by:
            yield document.problem((*loc, "by"), "is for people; a channel is its own way, so leave it out")
        return
    said = models.get(f"{kind}/{name}")
    if isinstance(said, language.Team) and said.channels and not target.by:
        return
    for who in _people(name, said):
        person = models.get(f"person/{who}")
        if isinstance(person, language.Person):
            if not target.by and not person.by:
                text = f"`{who}` would not be told: say here by which channel (`by`), or in the person's document"
                yield document.problem((*loc, kind), text)
            for index, channel in enumerate(target.by):
                yield from _reaches(document, (*loc, "by", index), who, person, channel, models)


def _people(name: str, said: object) -> list[str]:
    """Who may be meant by a target, each once."""
    match said:
        case language.Person():
            return [name]
        case language.Team():
            return list(dict.fromkeys(said.members))
        case language.OnCall():
            layers = [who for layer in said.layers for who in layer.people]
            return list(dict.fromkeys([*layers, *[who for override in said.overrides for who in override.people]]))
    return []


def _reaches(
    document: Document, loc: Loc, who: str, person: language.Person, name: str, models: Models
) -> Iterator[Problem]:
    channel = models.get(f"channel/{name}")
    if isinstance(channel, Channel) and address_of(who, person, channel) is None:
        text = f"`{name}` can't reach `{who}`, who has no {WANTED[type_of(channel)]}; add it to the person"
        yield document.problem(loc, text)


def _is_room(document: Document, loc: Loc, name: str, models: Models) -> Iterator[Problem]:
    channel = models.get(f"channel/{name}")
    if isinstance(channel, Channel) and room_of(channel) is None:
        remedy = "give it `to`, or name" if type_of(channel) == "email" else "name"
        yield document.problem(loc, f"`{name}` only reaches people; {remedy} a person or a team instead")
