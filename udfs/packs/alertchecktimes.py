"""What is wrong with silences, maintenance windows and matchers."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import get_args

from udfs.alerting.matchers import LABELS
from udfs.packs import alertmodel as language
from udfs.packs.alertcompile import Compiler
from udfs.packs.alertmatch import parse_matcher
from udfs.packs.alerttimes import parse_moment
from udfs.packs.problems import WARNING, Loc, Problem, suggest
from udfs.packs.sections import Severity
from udfs.packs.yamlfile import Document
from udfs.packs.zones import compile_zone

SEVERITIES = get_args(Severity)


def check_silence(document: Document, said: language.Silence) -> Iterator[Problem]:
    """Moments that make no sense."""
    yield from _moments(document, said)


def check_maintenance(document: Document, said: language.Maintenance, compiler: Compiler) -> Iterator[Problem]:
    """Windows that are said in two ways, or in none, and moments that make no sense."""
    recurring = [word for word, value in (("cron", said.cron), ("weekly", said.weekly)) if value is not None]
    if len(recurring) == 2:
        yield document.problem(("weekly",), "there is `cron` as well; make two windows of it")
    elif not recurring and (said.begin is None or said.until is None):
        yield document.problem((), "doesn't say when: `from` and `until`, or `cron` and `for`, or `weekly`")
    if said.cron is not None and not said.span:
        yield document.problem(("cron",), "doesn't say for how long; for example `for: 2h`")
    if said.cron is None and said.span is not None:
        yield document.problem(("for",), "goes with `cron`; say with `until`, or with hours, when the window ends")
    if recurring and compiler.zone(said.zone, said.calendar) is None:
        yield document.problem((recurring[0],), "is on nobody's wall clock; add `zone`, like `zone: Europe/Amsterdam`")
    if not recurring and said.calendar is not None:
        yield document.problem(("calendar",), "goes with `cron` or `weekly`; leave it out")
    yield from _moments(document, said)


def check_matchers(document: Document, loc: Loc, groups: list[str], match: list[str]) -> Iterator[Problem]:
    """Labels and severities that look like slips. Groups are labels too, and nobody knows all of their names."""
    for index, name in enumerate(groups):
        yield from _label(document, (*loc, "group_by", index), name)
    for index, text in enumerate(match):
        matcher = parse_matcher(text)
        yield from _label(document, (*loc, "match", index), matcher.label)
        if matcher.label == "severity":
            for value in sorted(matcher.values - {*SEVERITIES}):
                text = f"`{value}` is no severity, so it never is{suggest(value, SEVERITIES)}"
                yield document.problem((*loc, "match", index), text)


def _label(document: Document, loc: Loc, name: str) -> Iterator[Problem]:
    if name not in LABELS and (near := difflib.get_close_matches(name, LABELS, n=1, cutoff=0.8)):
        text = f"`{name}` is no label that every alert has; did you mean `{near[0]}`?"
        yield document.problem(loc, text, WARNING)


def _moments(document: Document, said: language.Silence | language.Maintenance) -> Iterator[Problem]:
    zone = compile_zone(said.zone) if said.zone else None
    found: dict[str, int] = {}
    for word, text in (("from", said.begin), ("until", said.until)):
        try:
            if text is not None:
                found[word] = parse_moment(text, zone)
        except ValueError as fault:
            yield document.problem((word,), str(fault))
    if len(found) == 2 and found["from"] >= found["until"]:
        yield document.problem(("until",), "is not later than `from`; write a later moment")
