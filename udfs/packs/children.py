"""Steps that wait for child items: what the core needs to count them."""

from __future__ import annotations

from udfs.core.spec import Children, Step
from udfs.packs.model import Workflow
from udfs.packs.paths import parse_path

Tells = tuple[tuple[int, tuple[str, ...]], ...]


def children_of(workflow: Workflow, name: str) -> Children | None:
    """What the step waits for. Its part is a step behind all others, in the order of the steps with children."""
    waiting = [one for one, step in workflow.steps.items() if step.children]
    rule = workflow.steps[name].children
    if rule is None:
        return None
    count = rule.count if isinstance(rule.count, int) else 0
    told = workflow.unexpected.policy != "ignore"
    return Children(len(workflow.steps) + waiting.index(name), count, workflow.unexpected.severity if told else "")


def parts(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps that stand for children while their step is not complete."""
    return tuple(Step(index=one.children.part, name=one.name, on=one.on) for one in steps if one.children)


def tells_of(workflow: Workflow) -> tuple[Tells, ...]:
    """For each step, parts too, what its events say of which step with children; empty if there is none."""
    waiting = {name: step.children for name, step in workflow.steps.items() if step.children}
    if not waiting:
        return ()
    place = {name: index for index, name in enumerate(workflow.steps)}
    tells: dict[str, list[tuple[int, tuple[str, ...]]]] = {name: [] for name in workflow.steps}
    for name, rule in waiting.items():
        tells[name].append((place[name], tuple(map(str, parse_path(rule.key)))))
        if rule.source is not None and isinstance(rule.count, str):
            tells[rule.source].append((place[name], tuple(map(str, parse_path(rule.count)))))
    return (*(tuple(one) for one in tells.values()), *(() for _ in waiting))
