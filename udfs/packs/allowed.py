"""What a flow allows, as the tables that `udfs.core.flow` plays an item's steps on. Steps are indices, sets of them bit
masks."""

from __future__ import annotations

from dataclasses import replace

from udfs.core.flow import reached
from udfs.core.spec import Flow
from udfs.packs.flow import ALL_OF, ONE_OF, before_and_after, edges, groups, joins, reach
from udfs.packs.model import Workflow


def policy_of(workflow: Workflow) -> str:
    """The policy on unexpected steps: what is written, else `flag` where the flow says more than plain chains do."""
    if workflow.unexpected.policy is not None:
        return workflow.unexpected.policy
    says_more = any(step.optional or step.max for step in workflow.steps.values())
    says_more = says_more or any(groups(workflow.flow, kind) for kind in (ONE_OF, ALL_OF))
    return "flag" if says_more else "ignore"


def flow_of(workflow: Workflow) -> Flow | None:
    """The tables; None where it is not judged what the flow allows."""
    if policy_of(workflow) == "ignore":
        return None
    place = {name: index for index, name in enumerate(workflow.steps)}
    count = len(place) + sum(step.children is not None for step in workflow.steps.values())  # and their parts
    pairs = [(place[first], place[second]) for first, second in edges(workflow.flow)]
    taken = (*_edges(workflow, place), *[()] * (count - len(place)))
    if all(taken[: len(place)]):
        taken = ((),) * count  # rounds without a beginning: items may come in anywhere
    joined = tuple(one if any(edge & (edge - 1) for edge in one) else () for one in taken)
    ends = _mask([place[name] for name, step in workflow.steps.items() if step.end])
    steps = _mask([step for pair in pairs for step in pair])
    loops = _loops(count, pairs)
    plain = Flow(
        steps=steps,
        optional=_mask([place[name] for name, step in workflow.steps.items() if step.optional]),
        begins=_mask([step for step in range(len(place)) if not taken[step]]),
        wants=_mask([step for step in range(count) if joined[step] or (ends >> step & 1 and taken[step])]),
        edges=taken,
        joins=joined,
        most=(*(step.max or 0 for step in workflow.steps.values()), *[0] * (count - len(place))),
        bars=(0,) * count,
        frees=(0,) * count,
        renews=tuple(_renews(step, loops[step], pairs, workflow) for step in range(count)),
        closes=tuple(_closes(count, pairs, steps, step) if ends >> step & 1 else 0 for step in range(count)),
        severity=workflow.unexpected.severity,
    )
    return _with_alternatives(
        plain, [_mask([place[name] for name in one]) for one in groups(workflow.flow, ONE_OF)], loops
    )


def _mask(steps: list[int]) -> int:
    mask = 0
    for step in steps:
        mask |= 1 << step
    return mask


def _edges(workflow: Workflow, place: dict[str, int]) -> tuple[tuple[int, ...], ...]:
    """For each step the masks of which one must have happened before it; none for a step that a path begins with."""
    joined = joins(workflow.flow)
    parallel = {(name, target) for names, target in joined for name in names}
    masks: dict[str, set[int]] = {name: set() for name in workflow.steps}
    for first, second in edges(workflow.flow):
        if (first, second) not in parallel:
            masks[second].add(1 << place[first])
    for names, target in joined:
        masks[target].add(_mask([place[name] for name in names]))
    return tuple(() if workflow.steps[name].start else tuple(sorted(found)) for name, found in masks.items())


def _loops(count: int, pairs: list[tuple[int, int]]) -> list[int]:
    """For each step the steps that share a loop with it, itself among them; 0 for a step on no loop."""
    reaches = reach(count, pairs)
    return [
        _mask([other for other in range(count) if reaches[step] >> other & 1 and reaches[other] >> step & 1])
        for step in range(count)
    ]


def _renews(step: int, loop: int, pairs: list[tuple[int, int]], workflow: Workflow) -> int:
    """The loop that begins anew at this step: the one that can only be entered here."""
    starts = [index for index, one in enumerate(workflow.steps.values()) if one.start]
    entries = {second for first, second in pairs if loop >> second & 1 and not loop >> first & 1}
    entries |= {start for start in starts if loop >> start & 1}
    return loop if entries == {step} else 0


def _closes(count: int, pairs: list[tuple[int, int]], steps: int, end: int) -> int:
    """What may not come behind an end step: what it doesn't lead to, and what isn't put before it either."""
    before = before_and_after(count, pairs)[end][0]
    return steps & ~before & ~reach(count, pairs)[end] & ~(1 << end) if steps >> end & 1 else 0


def _with_alternatives(flow: Flow, alternatives: list[int], loops: list[int]) -> Flow:
    """The flow with what each alternative rules out: what no path leads to that avoids the others."""
    count = len(flow.edges)
    bars, frees = [0] * count, [0] * count
    for step in range(count):
        others = 0
        for group in alternatives:
            others |= group if group >> step & 1 else 0
        others &= ~(1 << step)
        if others:
            bars[step] = flow.steps & ~reached(replace(flow, optional=0), flow.steps & ~others, 0)
        taken = _mask([one for one in range(count) if any(group >> one & 1 for group in alternatives)])
        frees[step] = others | (loops[step] & taken & ~(1 << step))
    return replace(flow, bars=tuple(bars), frees=tuple(frees))
