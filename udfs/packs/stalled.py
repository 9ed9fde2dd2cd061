"""From what a workflow says of items that stand still to what the core reads, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from udfs.core.spec import Stalled, Step
from udfs.core.stalled import limits
from udfs.packs.durations import show_duration
from udfs.packs.model import Workflow
from udfs.packs.problems import WARNING, Loc, Problem
from udfs.packs.yamlfile import Document


def stalled_of(workflow: Workflow, steps: tuple[Step, ...]) -> dict[str, Any]:
    """The fields of the spec; none where it is not asked. Children of a step are held to what is said of the step."""
    said = workflow.stalled
    if said is None:
        return {}
    usual = tuple(said.usual.get(step.name, 0) for step in steps)
    rule = Stalled(said.times, said.at_least, usual, said.severity)
    return {"stalled": rule, "stalls": limits(rule, (0,) * len(steps))}


def stalled_meaning(workflow: Workflow) -> dict[str, Any]:
    """Nothing where it is not asked: then the workflow keeps its hash. What was seen is no part of the meaning."""
    stalled = {} if workflow.stalled is None else {"stalled": workflow.stalled.model_dump()}
    return stalled | ({} if workflow.predict is None else {"predict": workflow.predict.model_dump()})


def check_stalled(document: Document, model: Workflow) -> Iterator[Problem]:
    """Spans after which nobody can be told that an item stands still, and predictions that can't be made."""
    if model.predict is not None and model.pause is not None:
        text = "a `pause` moves deadlines, so that they can't be foreseen; remove one of the two"
        yield document.problem(("predict",), text)
    if model.predict is not None and not any(one.after for one in model.deadlines):
        text = "no deadline has an `after`, so there is nothing to foresee; remove `predict`"
        yield document.problem(("predict",), text, WARNING)
    rule = model.stalled
    if rule is None:
        return
    if rule.at_least >= model.expire_after:
        yield document.problem(("stalled", "at_least"), _too_long(rule.at_least, model.expire_after))
    for name, span in rule.usual.items():
        loc: Loc = ("stalled", "usual", name)
        if not span:
            yield document.problem(loc, "is 0, so every item would stand still at once; write a span like `5m`")
        elif span * rule.times >= model.expire_after:
            yield document.problem(loc, _too_long(span * rule.times, model.expire_after))
        if model.steps[name].end:
            text = f"`{name}` ends the item, which then can't stand still; remove it"
            yield document.problem(loc, text, WARNING)


def _too_long(span: int, known: int) -> str:
    text = f"an item is forgotten after {show_duration(known)} (`expire_after`), so it is never told after"
    return f"{text} {show_duration(span)}; write a shorter span"
