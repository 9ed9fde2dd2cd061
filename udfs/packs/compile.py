"""From a workflow's definition to the immutable `Spec` that the core reads."""

from __future__ import annotations

from typing import Any

from udfs.core.plan import Schedule
from udfs.core.spec import BEGINNING, DROP, FIRST, IGNORE, LAST, Correlation, Deadline, Pair, Predict, Spec, Step
from udfs.packs import model as language
from udfs.packs.allowed import flow_of
from udfs.packs.check import check_workflow
from udfs.packs.children import children_of, parts, tells_of
from udfs.packs.deadlines import compile_deadlines
from udfs.packs.explain import validate
from udfs.packs.flow import before_and_after, edges, judged, reach
from udfs.packs.meaning import content_hash, link_memory, step_meaning, workflow_meaning
from udfs.packs.outline import check_names
from udfs.packs.paths import parse_path
from udfs.packs.problems import PackError, raise_errors
from udfs.packs.schedules import compile_schedules
from udfs.packs.stalled import stalled_of
from udfs.packs.yamlfile import Document


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


def _spec(workflow: language.Workflow, version: int, lane: str) -> Spec:
    pairs = _pairs(workflow)
    steps = _steps(workflow, pairs)
    visible = len(steps)
    steps += parts(steps)
    deadlines = compile_deadlines(workflow)
    copies = workflow.duplicates
    drops = DROP in {workflow.order.policy, *(pair.policy for pair in pairs)}
    by_type: dict[str, tuple[Step, ...]] = {}
    for step in steps[:visible]:
        by_type[step.on] = (*by_type.get(step.on, ()), step)
    return Spec(
        lane=lane,
        workflow=workflow.workflow,
        version=version,
        hash=content_hash(workflow_meaning(workflow)),
        key=workflow.keys[0],
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
        correlation=_correlation(workflow),
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
    steps = {one.expect: step_meaning(workflow, one.expect) for one in workflow.schedules}

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


def _correlation(workflow: language.Workflow) -> Correlation | None:
    if len(workflow.keys) == 1:
        return None
    said = workflow.correlate or language.Correlate()
    return Correlation(tuple(workflow.keys), said.hold, link_memory(workflow))
