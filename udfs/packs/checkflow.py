"""What the flow says that can't be meant, or that the steps contradict."""

from __future__ import annotations

from collections.abc import Iterator

from udfs.packs.allowed import policy_of
from udfs.packs.flow import ONE_OF, edges, groups
from udfs.packs.model import Workflow
from udfs.packs.problems import WARNING, Problem
from udfs.packs.yamlfile import Document


def check_flow(document: Document, model: Workflow) -> Iterator[Problem]:
    """Loops without a maximum, alternatives that lead to each other, words that have no effect."""
    pairs = edges(model.flow)
    yield from _loops(document, model, pairs)
    for names in groups(model.flow, ONE_OF):
        for first, second in pairs:
            if first in names and second in names:
                text = f"`{first}` and `{second}` are alternatives, yet a chain leads from one to the other; drop one"
                yield document.problem(("flow",), text)
    in_flow = {name for pair in pairs for name in pair}
    for name, step in model.steps.items():
        if step.optional and name not in in_flow:
            text = "is in no chain of `flow`, which could leave it out; add it to one, or drop `optional`"
            yield document.problem(("steps", name, "optional"), text, WARNING)
    limited = any(step.max for step in model.steps.values())
    if "unexpected" in document.data and policy_of(model) != "ignore" and not pairs and not limited:
        text = "there is no `flow`, so every step is expected; write the flow, or remove `unexpected`"
        yield document.problem(("unexpected",), text, WARNING)


def _loops(document: Document, model: Workflow, pairs: list[tuple[str, str]]) -> Iterator[Problem]:
    """A loop that can go round for ever, unless it says that nobody wants to know."""
    if model.unexpected.policy == "ignore":
        return
    followers: dict[str, list[str]] = {}
    for first, second in pairs:
        if not model.steps[first].max and not model.steps[second].max:
            followers.setdefault(first, []).append(second)
    told: set[str] = set()
    for name in model.steps:
        loop = _loop_from(name, followers)
        if loop and not told & {*loop}:
            told.update(loop)
            text = f"`{' -> '.join(loop)}` goes round without end; give one of these steps a `max`"
            yield document.problem(("flow",), text, WARNING)


def _loop_from(start: str, followers: dict[str, list[str]]) -> list[str]:
    """A shortest way from a step back to itself, [] if there is none."""
    ways = [[start]]
    known: set[str] = set()
    for way in ways:
        for name in followers.get(way[-1], ()):
            if name == start:
                return [*way, name]
            if name not in known:
                known.add(name)
                ways.append([*way, name])
    return []
