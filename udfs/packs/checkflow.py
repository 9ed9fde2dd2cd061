"""What the flow says that can't be meant, or that the steps contradict."""

from __future__ import annotations

from collections.abc import Iterator

from udfs.packs.allowed import policy_of
from udfs.packs.flow import ONE_OF, before_and_after, edges, groups
from udfs.packs.model import Workflow
from udfs.packs.problems import WARNING, Loc, Problem
from udfs.packs.yamlfile import Document


def check_flow(document: Document, model: Workflow) -> Iterator[Problem]:
    """Loops without a maximum, alternatives that lead to each other, words that have no effect."""
    pairs = edges(model.flow)
    yield from _loops(document, model, pairs)
    yield from _order(document, model, pairs)
    yield from _children(document, model)
    if "content" in document.data.get("duplicates", {}) and model.duplicates.by != "content":
        text = "is not looked at; write `by: content`, or remove it"
        yield document.problem(("duplicates", "content"), text, WARNING)
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


def _children(document: Document, model: Workflow) -> Iterator[Problem]:
    """A number of children that is read from somewhere needs a step to read it from, and only that."""
    for name, step in model.steps.items():
        loc: Loc = ("steps", name, "children")
        if step.children and isinstance(step.children.count, str) and step.children.source is None:
            text = f"`{step.children.count}` is a field; name the step whose event has it, like `from: announced`"
            yield document.problem((*loc, "count"), text)
        if step.children and isinstance(step.children.count, int) and step.children.source is not None:
            yield document.problem((*loc, "from"), "the count is a number, which no step says; remove one of the two")


def _order(document: Document, model: Workflow, pairs: list[tuple[str, str]]) -> Iterator[Problem]:
    """Edges with a policy of their own: the flow must put one step before the other."""
    place = {name: index for index, name in enumerate(model.steps)}
    masks = before_and_after(len(place), [(place[first], place[second]) for first, second in pairs])
    said: list[tuple[str, str]] = []
    for index, edge in enumerate(model.order.edges):
        loc: Loc = ("order", "edges", index)
        if (edge.first, edge.second) in said:
            text = f"is said twice (first in `order.edges[{said.index((edge.first, edge.second))}]`); remove one"
            yield document.problem(loc, text)
        said.append((edge.first, edge.second))
        if not masks[place[edge.first]][1] >> place[edge.second] & 1:
            text = f"the flow does not put `{edge.first}` before `{edge.second}`; correct the flow, or remove the edge"
            yield document.problem(loc, text)
        if edge.policy is None and edge.tolerance is None and edge.severity is None:
            text = "changes nothing; give it one of `policy`, `tolerance`, `severity`"
            yield document.problem(loc, text)


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
