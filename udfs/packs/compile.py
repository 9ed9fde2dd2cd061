"""From a workflow's definition to the immutable `Spec` that the core reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from udfs.core.calendar import Calendar
from udfs.core.clock import BusinessTime, ByTime
from udfs.core.plan import Schedule
from udfs.core.spec import BEGINNING, DROP, FIRST, IGNORE, LAST, Deadline, Pair, Predict, Spec, Step
from udfs.core.zone import Zone
from udfs.packs import model as language
from udfs.packs.allowed import flow_of, policy_of
from udfs.packs.calendars import EVERY_DAY, compile_calendar, zone_name
from udfs.packs.calendars import meaning as calendar_meaning
from udfs.packs.check import check_workflow, overridden
from udfs.packs.children import children_of, parts, tells_of
from udfs.packs.durations import parse_part
from udfs.packs.explain import validate
from udfs.packs.flow import ONE_OF, before_and_after, edges, groups, joins, judged, reach
from udfs.packs.outline import ALL, check_names
from udfs.packs.paths import parse_path
from udfs.packs.problems import PackError, raise_errors
from udfs.packs.schedules import compile_schedules, schedule_meaning
from udfs.packs.stalled import stalled_meaning, stalled_of
from udfs.packs.values import group_text
from udfs.packs.yamlfile import Document
from udfs.packs.zones import compile_zone

NEWER = ("not_before", "by", "days", "cut_off", "zone", "calendar", "anchor")
"""Words that older Daymarks didn't know: a deadline that doesn't use them means what it meant, and keeps its hash."""


def compile_workflow(definition: dict[str, Any], *, version: int, lane: str) -> Spec:
    """The compiled workflow. `definition` is the YAML as plain data. Raises PackError with all that is wrong.

    `version` is the rule document's, and overrides the definition's own.
    """
    document = Document("rule document", definition)
    workflow, problems = validate(language.Workflow, document)
    problems += check_names(document)
    if workflow is None or problems:
        raise PackError(problems)
    raise_errors(check_workflow(document, workflow))
    return _spec(workflow, version, lane)


def content_hash(content: Any) -> str:
    """16 hex digits over the canonical JSON of plain data."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()[:16]


def _spec(workflow: language.Workflow, version: int, lane: str) -> Spec:
    pairs = _pairs(workflow)
    steps = _steps(workflow, pairs)
    visible = len(steps)
    steps += parts(steps)
    deadlines = _deadlines(workflow)
    copies = workflow.duplicates
    drops = DROP in {workflow.order.policy, *(pair.policy for pair in pairs)}
    by_type: dict[str, tuple[Step, ...]] = {}
    for step in steps[:visible]:
        by_type[step.on] = (*by_type.get(step.on, ()), step)
    return Spec(
        lane=lane,
        workflow=workflow.workflow,
        version=version,
        hash=content_hash(_meaning(workflow)),
        key=workflow.key,
        groups=tuple(workflow.groups),
        steps=steps,
        deadlines=deadlines,
        by_type=by_type,
        starts=tuple(tuple(one for one in deadlines if one.after == step.index) for step in steps),
        expects=tuple(tuple(one for one in deadlines if one.expect == step.index) for step in steps),
        order_policy=next((pair.policy for pair in pairs if pair.policy != IGNORE), IGNORE)
        if workflow.order.policy == IGNORE
        else workflow.order.policy,
        order_tolerance=workflow.order.tolerance,
        order_severity=workflow.order.severity,
        duplicate_policy=copies.policy,
        duplicate_severity=copies.severity,
        varies=any(one.variants for one in deadlines),
        pauses=_mask(workflow, workflow.pause.while_ if workflow.pause else []),
        resumes=_mask(workflow, workflow.pause.resume if workflow.pause else []),
        begins=tuple(one for one in deadlines if one.after == BEGINNING),
        plain=workflow.pause is None and workflow.predict is None and all(map(_is_plain, deadlines)),
        remember=workflow.remember,
        expire_after=workflow.expire_after,
        flow=flow_of(workflow),
        schedules=_schedules(workflow),
        order_pairs=pairs,
        drops=drops,
        repeats=_repeats(workflow) if copies.by == "step" else 0,
        contents=tuple(tuple(map(str, parse_path(path))) for path in copies.content) if copies.by == "content" else (),
        window=copies.window,
        tells=tells_of(workflow),
        waits=drops or len(steps) > visible or (copies.policy != IGNORE and (copies.by != "id" or copies.window > 0)),
        enabled=workflow.enabled,
        migrates=workflow.migrate == "in_flight",
        **stalled_of(workflow, steps),
        predict=Predict(workflow.predict.chance, workflow.predict.severity) if workflow.predict else None,
    )


def _is_plain(deadline: Deadline) -> bool:
    """Whether it is a span of real time from a first step, for all groups."""
    forms = (deadline, *(variant for _, variant in deadline.variants))
    real = all(form.by is None and form.business is None for form in forms)
    return real and deadline.after != BEGINNING and deadline.anchor == FIRST


def _mask(workflow: language.Workflow, names: list[str]) -> int:
    place = list(workflow.steps)
    return sum(1 << place.index(name) for name in {*names})


def _schedules(workflow: language.Workflow) -> tuple[Schedule, ...]:
    steps = {one.expect: _step_meaning(workflow, one.expect) for one in workflow.schedules}

    def hashed(meaning: dict[str, Any]) -> str:
        return content_hash({**meaning, "expect": steps[meaning["expect"]]})

    return compile_schedules(workflow.schedules, [*workflow.steps], workflow.calendars, workflow.zone, hashed)


def _pairs(workflow: language.Workflow) -> tuple[Pair, ...]:
    """The pairs of steps with a policy of their own; where order is ignored but for these, the others are left out."""
    place = {name: index for index, name in enumerate(workflow.steps)}
    order = workflow.order
    return tuple(
        Pair(
            place[edge.first],
            place[edge.second],
            edge.policy or order.policy,
            order.tolerance if edge.tolerance is None else edge.tolerance,
            edge.severity or order.severity,
        )
        for edge in order.edges
    )


def _repeats(workflow: language.Workflow) -> int:
    """The steps that can't rightly happen twice: those on no loop, without children or a maximum above 1."""
    place = {name: index for index, name in enumerate(workflow.steps)}
    reached = reach(len(place), [(place[first], place[second]) for first, second in edges(workflow.flow)])
    steps = [place[name] for name, step in workflow.steps.items() if (step.max or 1) == 1 and not step.children]
    return sum(1 << step for step in steps if not reached[step] >> step & 1)


def _steps(workflow: language.Workflow, special: tuple[Pair, ...]) -> tuple[Step, ...]:
    place = {name: index for index, name in enumerate(workflow.steps)}
    pairs = [(place[first], place[second]) for first, second in edges(workflow.flow)]
    masks = judged(before_and_after(len(place), pairs), special, workflow.order.policy)
    revising = {rule.after for rule in workflow.deadlines if rule.anchor == LAST}
    if workflow.pause is not None:
        revising |= {*workflow.pause.while_, *workflow.pause.resume}
    return tuple(
        Step(
            index=place[name],
            name=name,
            on=step.on,
            where=tuple((tuple(map(str, parse_path(path))), tuple(values)) for path, values in step.where.items()),
            start=step.start,
            end=step.end or "",
            revises=bool(step.end or step.cancels or name in revising),
            before=masks[place[name]][0],
            after=masks[place[name]][1],
            children=children_of(workflow, name),
        )
        for name, step in workflow.steps.items()
    )


def _deadlines(workflow: language.Workflow) -> tuple[Deadline, ...]:
    """Those of the workflow, then their further tiers."""
    limits = [(rule, 0) for rule in workflow.deadlines]
    limits += [(rule, tier) for rule in workflow.deadlines for tier in range(1, len(rule.tiers) + 1)]
    return tuple(
        replace(
            _limit(workflow, rule, tier, None, index),
            variants=tuple(
                (_conditions(one), replace(_limit(workflow, rule, tier, one, index), form=form))
                for form, one in enumerate(rule.overrides, 1)
            ),
        )
        for index, (rule, tier) in enumerate(limits)
    )


def _limit(
    workflow: language.Workflow, rule: language.Deadline, tier: int, override: language.Override | None, index: int
) -> Deadline:
    """One limit of a deadline, as it holds for the groups of an override, or for all others."""
    place = {name: index for index, name in enumerate(workflow.steps)}
    form = overridden(rule, override)
    further = rule.tiers[tier - 1] if tier else None
    meaning = _deadline_meaning(workflow, rule)
    special = [_said(one) for one in (further, override) if one is not None]
    return Deadline(
        index=index,
        id=rule.id,
        after=BEGINNING if rule.after is None else place[rule.after],
        expect=place[rule.expect],
        within=_within(form, further),
        warn=_warn(form) if further is None else None,
        severity=form.severity if further is None else further.severity,
        runbook=rule.runbook if further is None else further.runbook or rule.runbook,
        called_off_by=sum(1 << place[name] for name in _called_off_by(workflow, rule)),
        hash=content_hash([meaning, *special] if special else meaning),
        not_before=form.not_before if further is None else 0,
        tier=tier,
        anchor=rule.anchor,
        by=_by(workflow, form, further),
        business=_business(workflow, form),
    )


def _called_off_by(workflow: language.Workflow, rule: language.Deadline) -> set[str]:
    """The steps that call a deadline off: those that cancel it, and ends, unless it outlives them."""
    ends = {name for name, step in workflow.steps.items() if step.end and not rule.keep_after_end}
    return ends.union(_cancelled_by(workflow, rule))


def _cancelled_by(workflow: language.Workflow, rule: language.Deadline) -> list[str]:
    wanted = {rule.id, ALL}
    return [name for name, step in workflow.steps.items() if wanted & {*step.cancels}]


def _conditions(override: language.Override) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((name, tuple(map(group_text, values))) for name, values in override.when.items())


def _warn(rule: language.Deadline) -> int | None:
    return None if rule.warn is None else parse_part(rule.warn, rule.within or 0)


def _within(form: language.Deadline, tier: language.Tier | None) -> int:
    span = form.within or 0
    return span if tier is None or tier.within is None else parse_part(tier.within, span)


def _by(workflow: language.Workflow, form: language.Deadline, tier: language.Tier | None) -> ByTime | None:
    if form.by is None:
        return None
    at = form.by if tier is None or tier.by is None else tier.by
    cut_off = form.cut_off if form.cut_off is not None else form.by
    zone, calendar = _zone_and_calendar(workflow, form)
    return ByTime(zone, calendar, at, form.days, cut_off)


def _business(workflow: language.Workflow, form: language.Deadline) -> BusinessTime | None:
    """A span counts business time where a calendar is named."""
    if form.by is not None or form.calendar is None:
        return None
    return BusinessTime(*_zone_and_calendar(workflow, form))


def _zone_and_calendar(workflow: language.Workflow, form: language.Deadline) -> tuple[Zone, Calendar]:
    calendar = compile_calendar(workflow.calendars, form.calendar or EVERY_DAY)
    return compile_zone(_zone_of(workflow, form)), calendar


def _zone_of(workflow: language.Workflow, form: language.Deadline) -> str:
    """The deadline's own zone, or that of its calendar, or the workflow's."""
    named = zone_name(workflow.calendars, form.calendar) if form.calendar else None
    return form.zone or named or workflow.zone


def _meaning(workflow: language.Workflow) -> dict[str, Any]:
    """What the workflow does, without what only people read: two workflows with the same meaning have the same hash.

    Steps and deadlines are lists, since an item's state names them by index. `enabled` and `migrate` say how a version
    is put in force, not what it means: what is disabled and enabled again is the same.
    """
    return (
        {
            "workflow": workflow.workflow,
            "key": workflow.key,
            "groups": workflow.groups,
            "steps": [
                [*_step_meaning(workflow, name), step.start, step.end, *_limits(step)]
                for name, step in workflow.steps.items()
            ],
            "flow": edges(workflow.flow),
            "deadlines": [_deadline_meaning(workflow, rule) | _forms(rule) for rule in workflow.deadlines],
            "order": workflow.order.model_dump(exclude=set() if workflow.order.edges else {"edges"}),
            "duplicates": workflow.duplicates.model_dump(exclude=_unsaid(workflow.duplicates)),
            "remember": workflow.remember,
            "expire_after": workflow.expire_after,
            **({"pause": workflow.pause.model_dump()} if workflow.pause else {}),
        }
        | _allowed(workflow)
        | _schedules_meaning(workflow)
        | stalled_meaning(workflow)
    )


def _allowed(workflow: language.Workflow) -> dict[str, Any]:
    """What the flow says beyond plain chains; nothing where it is not judged, as before."""
    if policy_of(workflow) == "ignore":
        return {}
    judged = {"policy": policy_of(workflow), "severity": workflow.unexpected.severity}
    return {"unexpected": judged, "alternatives": groups(workflow.flow, ONE_OF), "joins": joins(workflow.flow)}


def _unsaid(copies: language.Duplicates) -> set[str]:
    """The words on copies that older Daymarks didn't know, where they say nothing."""
    return {name for name, says in (("window", copies.window), ("content", copies.by == "content")) if not says}


def _limits(step: language.Step) -> list[Any]:
    """What a step says of how often it happens; nothing where it says nothing, as before."""
    said = {"optional": step.optional, "max": step.max} if step.optional or step.max else {}
    waits_for = {"children": step.children.model_dump()} if step.children else {}
    return [said | waits_for] if said or waits_for else []


def _schedules_meaning(workflow: language.Workflow) -> dict[str, Any]:
    """Nothing where there are none: then the workflow keeps its hash."""
    said = [schedule_meaning(one, workflow.calendars, workflow.zone) | {"key": one.key} for one in workflow.schedules]
    return {"schedules": said} if said else {}


def _step_meaning(workflow: language.Workflow, name: str) -> list[Any]:
    step = workflow.steps[name]
    return [name, step.on, sorted([[*parse_path(path)], values] for path, values in step.where.items())]


def _deadline_meaning(workflow: language.Workflow, rule: language.Deadline) -> dict[str, Any]:
    """The deadline, resolved to what its steps are: it stays the same rule when other parts of the workflow change."""
    unsaid = {name for name in NEWER if getattr(rule, name) == language.Deadline.model_fields[name].default}
    meaning = {
        **rule.model_dump(exclude={"runbook", "tiers", "overrides", *unsaid}),
        **_time_meaning(workflow, rule),
        "warn": _warn(rule),
        "after": None if rule.after is None else _step_meaning(workflow, rule.after),
        "expect": _step_meaning(workflow, rule.expect),
    }
    cancelled_by = [_step_meaning(workflow, name) for name in _cancelled_by(workflow, rule)]
    return meaning | ({"cancelled_by": cancelled_by} if cancelled_by else {})


def _time_meaning(workflow: language.Workflow, rule: language.Deadline) -> dict[str, Any]:
    """The zone and the calendar of a deadline that goes by them, in words: the days that a calendar comes to may be
    corrected without the rule's becoming another."""
    named = {name for name in (rule.calendar, *(one.calendar for one in rule.overrides)) if name is not None}
    if rule.by is None and not named:
        return {}
    calendars = {name: calendar_meaning(workflow.calendars, name) for name in sorted(named)}
    return {"zone": _zone_of(workflow, rule), **({"calendars": calendars} if calendars else {})}


def _forms(rule: language.Deadline) -> dict[str, Any]:
    """What a deadline says of further limits and of groups; nothing where it says nothing, as before."""
    forms: dict[str, Sequence[language.Tier | language.Override]] = {"tiers": rule.tiers, "overrides": rule.overrides}
    return {name: [_said(one) for one in said] for name, said in forms.items() if said}


def _said(form: language.Tier | language.Override) -> dict[str, Any]:
    unsaid = {name for name in NEWER if getattr(form, name, None) is None}
    return form.model_dump(exclude={"runbook", *unsaid})
