"""From a workflow's definition to the immutable `Spec` that the core reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from udfs.core.spec import Correlation, Deadline, Spec, Step
from udfs.packs import model as language
from udfs.packs.check import check_workflow, overridden
from udfs.packs.durations import parse_part
from udfs.packs.explain import validate
from udfs.packs.flow import before_and_after, edges
from udfs.packs.outline import ALL, check_names
from udfs.packs.paths import parse_path
from udfs.packs.problems import PackError, raise_errors
from udfs.packs.values import group_text
from udfs.packs.yamlfile import Document

NEWER = ("not_before",)
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
    steps = _steps(workflow)
    deadlines = _deadlines(workflow)
    by_type: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        by_type[step.on] = (*by_type.get(step.on, ()), step)
    return Spec(
        lane=lane,
        workflow=workflow.workflow,
        version=version,
        hash=content_hash(_meaning(workflow)),
        key=workflow.keys[0],
        groups=tuple(workflow.groups),
        steps=steps,
        deadlines=deadlines,
        by_type=by_type,
        starts=tuple(tuple(one for one in deadlines if one.after == step.index) for step in steps),
        expects=tuple(tuple(one for one in deadlines if one.expect == step.index) for step in steps),
        order_policy=workflow.order.policy,
        order_tolerance=workflow.order.tolerance,
        order_severity=workflow.order.severity,
        duplicate_policy=workflow.duplicates.policy,
        duplicate_severity=workflow.duplicates.severity,
        varies=any(one.variants for one in deadlines),
        remember=workflow.remember,
        expire_after=workflow.expire_after,
        correlation=_correlation(workflow),
    )


def _correlation(workflow: language.Workflow) -> Correlation | None:
    """Links are known for as long as an item may be, unless the workflow says otherwise."""
    if len(workflow.keys) == 1:
        return None
    said = workflow.correlate or language.Correlate()
    remember = max(workflow.remember, workflow.expire_after) if said.remember is None else said.remember
    return Correlation(tuple(workflow.keys), said.hold, remember)


def _steps(workflow: language.Workflow) -> tuple[Step, ...]:
    place = {name: index for index, name in enumerate(workflow.steps)}
    pairs = [(place[first], place[second]) for first, second in edges(workflow.flow)]
    masks = before_and_after(len(place), pairs)
    return tuple(
        Step(
            index=place[name],
            name=name,
            on=step.on,
            where=tuple((tuple(map(str, parse_path(path))), tuple(values)) for path, values in step.where.items()),
            start=step.start,
            end=step.end or "",
            calls_off=bool(step.end or step.cancels),
            before=masks[place[name]][0],
            after=masks[place[name]][1],
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
    special = [one.model_dump(exclude={"runbook"}) for one in (further, override) if one is not None]
    return Deadline(
        index=index,
        id=rule.id,
        after=place[rule.after],
        expect=place[rule.expect],
        within=form.within if further is None else parse_part(further.within, form.within),
        warn=_warn(form) if further is None else None,
        severity=form.severity if further is None else further.severity,
        runbook=rule.runbook if further is None else further.runbook or rule.runbook,
        called_off_by=sum(1 << place[name] for name in _called_off_by(workflow, rule)),
        hash=content_hash([meaning, *special] if special else meaning),
        not_before=form.not_before if further is None else 0,
        tier=tier,
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
    return None if rule.warn is None else parse_part(rule.warn, rule.within)


def _meaning(workflow: language.Workflow) -> dict[str, Any]:
    """What the workflow does, without what only people read: two workflows with the same meaning have the same hash.

    Steps and deadlines are lists, since an item's state names them by index.
    """
    correlation = _correlation(workflow)
    correlate = [correlation.hold, correlation.remember] if correlation else []
    return ({"correlate": correlate} if correlate else {}) | {
        "workflow": workflow.workflow,
        "key": workflow.key,
        "groups": workflow.groups,
        "steps": [[*_step_meaning(workflow, name), step.start, step.end] for name, step in workflow.steps.items()],
        "flow": edges(workflow.flow),
        "deadlines": [_deadline_meaning(workflow, rule) | _forms(rule) for rule in workflow.deadlines],
        "order": workflow.order.model_dump(),
        "duplicates": workflow.duplicates.model_dump(),
        "remember": workflow.remember,
        "expire_after": workflow.expire_after,
    }


def _step_meaning(workflow: language.Workflow, name: str) -> list[Any]:
    step = workflow.steps[name]
    return [name, step.on, sorted([[*parse_path(path)], values] for path, values in step.where.items())]


def _deadline_meaning(workflow: language.Workflow, rule: language.Deadline) -> dict[str, Any]:
    """The deadline, resolved to what its steps are: it stays the same rule when other parts of the workflow change."""
    unsaid = {name for name in NEWER if not getattr(rule, name)}
    meaning = {
        **rule.model_dump(exclude={"runbook", "tiers", "overrides", *unsaid}),
        "warn": _warn(rule),
        "after": _step_meaning(workflow, rule.after),
        "expect": _step_meaning(workflow, rule.expect),
    }
    cancelled_by = [_step_meaning(workflow, name) for name in _cancelled_by(workflow, rule)]
    return meaning | ({"cancelled_by": cancelled_by} if cancelled_by else {})


def _forms(rule: language.Deadline) -> dict[str, Any]:
    """What a deadline says of further limits and of groups; nothing where it says nothing, as before."""
    forms: dict[str, Sequence[language.Tier | language.Override]] = {"tiers": rule.tiers, "overrides": rule.overrides}
    return {name: [one.model_dump(exclude={"runbook"}) for one in said] for name, said in forms.items() if said}
