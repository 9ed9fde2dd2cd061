"""What one section of a workflow says about another: names that must exist, words that make no sense together."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from udfs.packs.calendarcheck import check_calendars
from udfs.packs.calendars import known_calendars
from udfs.packs.checkflow import check_flow
from udfs.packs.deadlinemodel import Deadline, Override
from udfs.packs.durations import parse_duration, parse_part, show_duration
from udfs.packs.flow import edges, reach
from udfs.packs.model import Workflow
from udfs.packs.outline import ALL
from udfs.packs.problems import WARNING, Loc, Problem, suggest
from udfs.packs.schedules import check_schedules
from udfs.packs.service import check_service
from udfs.packs.stalled import check_stalled
from udfs.packs.yamlfile import Document

CHANGED = ("within", "by", "zone", "calendar", "not_before", "warn", "severity")
"""What an override may say."""


def check_workflow(document: Document, model: Workflow, shared: Collection[str] = ()) -> list[Problem]:
    """What is wrong between the sections of a workflow whose names are right (see `outline`). `shared` are the
    calendars that were checked in a file of their own."""
    faults = [*check_calendars(document, model.calendars, shared)]
    checks = (_keys, _steps, _calendars, _deadlines, _reachable, _contradictions, check_flow, _pause, check_stalled)
    faults += [problem for check in (*checks, check_service) for problem in check(document, model)]
    return [*faults, *check_schedules(document, model.schedules, model.calendars)]


def check_mapped(document: Document, model: Workflow, keys: list[str], groups: list[str]) -> Iterator[Problem]:
    """The keys and the groups must be names that the source mapping defines."""
    for index, name in enumerate(model.keys):
        if name not in keys:
            loc: Loc = ("key",) if name == model.key else ("key", index)
            yield document.problem(loc, f"the mapping has no key `{name}`{suggest(name, keys)}")
    for index, name in enumerate(model.groups):
        if name not in groups:
            yield document.problem(("groups", index), f"the mapping has no group `{name}`{suggest(name, groups)}")


def check_hashed(document: Document, model: Workflow, hashed: tuple[str, ...]) -> Iterator[Problem]:
    """An item lies where the text of its key does; what follows links, or expects a key, knows the hash only."""
    for index, name in enumerate(model.keys if len(model.keys) > 1 else ()):
        if name in hashed:
            text = f"the mapping hashes `{name}`, and links can't be followed by it; leave it out of `pii`"
            yield document.problem(("key", index), text)
    if model.schedules and model.keys[0] in hashed:
        text = f"the mapping hashes `{model.keys[0]}`, so nobody can tell whose turn it is; leave it out of `pii`"
        yield document.problem(("schedules",), text)


def check_runbooks(document: Document, model: Workflow, folder: Path) -> Iterator[Problem]:
    """A runbook is an address, or a file of the pack."""
    named: list[tuple[Loc, str]] = []
    for index, deadline in enumerate(model.deadlines):
        named.append((("deadlines", index, "runbook"), deadline.runbook))
        named += [(("deadlines", index, "tiers", n, "runbook"), tier.runbook) for n, tier in enumerate(deadline.tiers)]
    named += [(("schedules", index, "runbook"), one.runbook) for index, one in enumerate(model.schedules)]
    for loc, name in named:
        if not name or name.startswith(("https://", "http://")):
            continue
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            yield document.problem(loc, f"`{name}` leaves the pack's folder; put the runbook beside the workflow")
        elif not (folder / name).is_file():
            yield document.problem(loc, f"there is no file `{folder / name}`; write it, or correct the name", WARNING)


def _keys(document: Document, model: Workflow) -> Iterator[Problem]:
    for index, name in enumerate(model.keys):
        if name in model.keys[:index]:
            yield document.problem(("key", index), f"`{name}` is named twice; remove one")
    said = model.correlate
    if said is None:
        return
    if len(model.keys) == 1:
        text = (
            "says how several keys find one item, but there is one key; name them, like `key: [order_id, execution_id]`"
        )
        yield document.problem(("correlate",), text)
    if not said.hold:
        text = "is 0, so an event that comes before its link has no place; write a span like `1h`"
        yield document.problem(("correlate", "hold"), text)
    if said.remember is not None and said.remember < said.hold:
        text = f"{show_duration(said.remember)} is shorter than `hold`, {show_duration(said.hold)}"
        yield document.problem(("correlate", "remember"), f"{text}; a link must be known while events wait for it")


MOST_STEPS = 64
"""An item's state keeps the steps that it has seen as one integer of 64 bits."""


def _steps(document: Document, model: Workflow) -> Iterator[Problem]:
    count = len(model.steps) + sum(step.children is not None for step in model.steps.values())
    if count > MOST_STEPS:
        text = f"{count} steps; a workflow has at most {MOST_STEPS}: split it into several that share a key"
        yield document.problem(("steps",), text)
    if not any(step.start for step in model.steps.values()):
        text = "no step has `start: true`; mark those at which an item begins"
        yield document.problem(("steps",), text, WARNING)
    seen: dict[str, str] = {}
    for name, step in model.steps.items():
        meanings = [repr((step.on, [])), repr((step.on, sorted(step.where.items())))]
        taker = next((seen[meaning] for meaning in meanings if meaning in seen), None)
        if taker:
            text = f"never happens: step `{taker}` above takes the same events; tell them apart with `where`"
            yield document.problem(("steps", name), text, WARNING)
        seen.setdefault(meanings[1], name)


def overridden(rule: Deadline, override: Override | None) -> Deadline:
    """The deadline as it is for the groups of an override."""
    if override is None:
        return rule
    said = {name: value for name in CHANGED if (value := getattr(override, name)) is not None}
    return rule.model_copy(update=said)


def _deadlines(document: Document, model: Workflow) -> Iterator[Problem]:
    for index, rule in enumerate(model.deadlines):
        yield from _spans(document, ("deadlines", index), rule)
        for number, override in enumerate(rule.overrides):
            loc: Loc = ("deadlines", index, "overrides", number)
            yield from _override(document, loc, model, override)
            said = [problem.message for problem in _spans(document, loc, rule)]
            found = _spans(document, loc, overridden(rule, override))
            yield from (problem for problem in found if problem.message not in said)


def _override(document: Document, loc: Loc, model: Workflow, override: Override) -> Iterator[Problem]:
    for name in override.when:
        if name not in model.groups:
            text = f"the workflow has no group `{name}`{suggest(name, model.groups)}"
            yield document.problem((*loc, "when", name), text)
    if all(getattr(override, name) is None for name in CHANGED):
        yield document.problem(loc, f"changes nothing; give it one of {', '.join(f'`{name}`' for name in CHANGED)}")


def _spans(document: Document, loc: Loc, rule: Deadline) -> Iterator[Problem]:
    """The spans of a deadline in one of its forms."""
    if rule.by is not None:
        yield from _local_time(document, loc, rule)
        return
    if not rule.within:
        yield document.problem((*loc, "within"), "is 0, so every item would break it; write a span like `5m`")
    elif rule.not_before >= rule.within:
        text = f"{show_duration(rule.not_before)} is not shorter than `within`, {show_duration(rule.within)}"
        yield document.problem((*loc, "not_before"), f"{text}; no step could ever be right")
    yield from _warning_span(document, loc, rule)
    for word in ("days", "cut_off"):
        if getattr(rule, word):
            yield document.problem(
                (*loc, word), f"`{word}` is for deadlines `by` a local time; remove it, or write `by`"
            )
    longest = rule.within or 0
    for number, tier in enumerate(rule.tiers):
        where: Loc = (*loc, "tiers", number, "within")
        if tier.within is None or tier.by is not None:
            yield document.problem(where[:-1], "this deadline is a span, so its tiers are too; write `within: 300%`")
            continue
        try:
            span = parse_part(tier.within, rule.within or 0)
        except ValueError as fault:
            yield document.problem(where, str(fault))
            continue
        if span <= longest:
            text = f"{show_duration(span)} is not longer than the limit before it, {show_duration(longest)}"
            yield document.problem(where, f"{text}; write the tiers in their order, or a share like `300%`")
        longest = max(longest, span)


def _local_time(document: Document, loc: Loc, rule: Deadline) -> Iterator[Problem]:
    """A deadline `by` a local time, in one of its forms."""
    if rule.within is not None:
        yield document.problem(
            (*loc, "within"), "there is `by` as well; a deadline is a span or a local time, so remove one"
        )
    if isinstance(rule.warn, str) and "%" in rule.warn:
        text = f"`{rule.warn}` is a share of a span, which `by` is not; write how long before, like `30m`"
        yield document.problem((*loc, "warn"), text)
    elif rule.warn is not None:
        yield from _duration(document, (*loc, "warn"), rule.warn)
    latest = rule.by or 0
    for number, tier in enumerate(rule.tiers):
        where: Loc = (*loc, "tiers", number)
        if tier.by is None or tier.within is not None:
            yield document.problem(where, 'this deadline is a local time, so its tiers are too; write `by: "20:00"`')
        elif tier.by <= latest:
            yield document.problem(
                (*where, "by"), "is not later than the limit before it; write the tiers in their order"
            )
        latest = max(latest, tier.by or 0)


def _duration(document: Document, loc: Loc, value: object) -> Iterator[Problem]:
    try:
        span = parse_duration(value)
    except ValueError as fault:
        yield document.problem(loc, str(fault))
    else:
        if not span:
            yield document.problem(
                loc, "is 0, so it would say nothing before the deadline itself; write a span like `30m`"
            )


def _warning_span(document: Document, loc: Loc, deadline: Deadline) -> Iterator[Problem]:
    if deadline.warn is None:
        return
    try:
        warn = parse_part(deadline.warn, deadline.within or 0)
    except ValueError as fault:
        yield document.problem((*loc, "warn"), str(fault))
        return
    if deadline.within and warn >= deadline.within:
        text = f"{show_duration(warn)} is not shorter than `within`, {show_duration(deadline.within)}"
        yield document.problem((*loc, "warn"), f"{text}; write less than 100%, like `80%`")
    elif not warn:
        yield document.problem((*loc, "warn"), "is 0, so every item would be at risk at once; write a share like `80%`")


def _reachable(document: Document, model: Workflow) -> Iterator[Problem]:
    """Steps that no path of the flow leads to, from a start."""
    names, reached = _reached(model)
    starts = [index for index, name in enumerate(names) if model.steps[name].start]
    if not model.flow or not starts:
        return
    known = 0
    for start in starts:
        known |= reached[start] | 1 << start
    in_flow = {name for pair in edges(model.flow) for name in pair}
    for index, name in enumerate(names):
        if known >> index & 1:
            continue
        cure = "begin a path to it" if name in in_flow else "add it to a chain of `flow`"
        text = f"no path of the flow leads from a start step to `{name}`; {cure}, or give it `start: true`"
        yield document.problem(("steps", name), text, WARNING)


def _contradictions(document: Document, model: Workflow) -> Iterator[Problem]:
    """Deadlines and policies that can't do what they seem to say."""
    names, reached = _reached(model)
    for index, deadline in enumerate(model.deadlines):
        if deadline.after is None:
            if deadline.anchor != "first":
                text = f"`{deadline.anchor}` needs a step that comes again; write `after`, or leave `anchor` out"
                yield document.problem(("deadlines", index, "anchor"), text)
            continue
        after, expect = names.index(deadline.after), names.index(deadline.expect)
        if reached[expect] >> after & 1 and not reached[after] >> expect & 1:
            text = f"the flow puts `{deadline.expect}` before `{deadline.after}`; swap them, or correct the flow"
            yield document.problem(("deadlines", index, "expect"), text, WARNING)
        if {deadline.id, ALL} & {*model.steps[deadline.after].cancels}:
            text = f"`{deadline.after}` starts this deadline and cancels it at once; remove one of the two"
            yield document.problem(("deadlines", index, "after"), text, WARNING)
        if model.steps[deadline.after].end and not deadline.keep_after_end:
            text = f"`{deadline.after}` ends the item, which calls this deadline off; add `keep_after_end: true`"
            yield document.problem(("deadlines", index, "after"), text, WARNING)
    if "order" in document.data and model.order.policy != "ignore" and not model.flow:
        text = "there is no `flow`, so no step is out of order; write the flow, or remove `order`"
        yield document.problem(("order",), text, WARNING)


def _calendars(document: Document, model: Workflow) -> Iterator[Problem]:
    """Calendars that deadlines name must be known."""
    known = [*known_calendars(model.calendars)]
    for index, rule in enumerate(model.deadlines):
        named: list[tuple[Loc, str | None]] = [(("deadlines", index), rule.calendar)]
        named += [(("deadlines", index, "overrides", n), one.calendar) for n, one in enumerate(rule.overrides)]
        for loc, name in named:
            if name is not None and name not in known:
                yield document.problem((*loc, "calendar"), f"there is no calendar `{name}`{suggest(name, known)}")


def _pause(document: Document, model: Workflow) -> Iterator[Problem]:
    if model.pause is None:
        return
    for index, name in enumerate(model.pause.resume):
        if name in model.pause.while_:
            text = f"`{name}` stops the clocks and lets them go on; name it in one of the two"
            yield document.problem(("pause", "resume", index), text)
    if all(rule.by is not None for rule in model.deadlines):
        text = "no deadline has a clock that could stand still: one `by` a local time has none; remove `pause`"
        yield document.problem(("pause",), text, WARNING)


def _reached(model: Workflow) -> tuple[list[str], list[int]]:
    names = list(model.steps)
    place = {name: index for index, name in enumerate(names)}
    return names, reach(len(names), [(place[first], place[second]) for first, second in edges(model.flow)])
