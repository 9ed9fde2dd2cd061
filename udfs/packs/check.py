"""What one section of a workflow says about another: names that must exist, words that make no sense together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from udfs.packs.durations import parse_part, show_duration
from udfs.packs.flow import ARROW, edges, reach, split_chain
from udfs.packs.model import Deadline, Workflow
from udfs.packs.problems import WARNING, Loc, Problem, suggest
from udfs.packs.yamlfile import Document

RESERVED_RULES = ("order", "duplicates")


def check_workflow(document: Document, model: Workflow) -> list[Problem]:
    """Everything that is wrong between the sections. The flow's order is judged only where its names are right."""
    problems = [*_steps(document, model), *_names_in_flow(document, model), *_deadlines(document, model)]
    if not problems or all(problem.level == WARNING for problem in problems):
        problems += [*_reachable(document, model), *_contradictions(document, model)]
    return problems


def check_names(document: Document, model: Workflow, keys: list[str], groups: list[str]) -> Iterator[Problem]:
    """The key and the groups must be names that the source mapping defines."""
    if model.key not in keys:
        text = f"the mapping has no key `{model.key}`{suggest(model.key, keys)}"
        yield document.problem(("key",), text)
    for index, name in enumerate(model.groups):
        if name not in groups:
            yield document.problem(("groups", index), f"the mapping has no group `{name}`{suggest(name, groups)}")


def check_runbooks(document: Document, model: Workflow, folder: Path) -> Iterator[Problem]:
    """A runbook is an address, or a file of the pack."""
    for index, deadline in enumerate(model.deadlines):
        name = deadline.runbook
        if not name or name.startswith(("https://", "http://")):
            continue
        loc: Loc = ("deadlines", index, "runbook")
        if name.startswith("/") or ".." in PurePosixPath(name).parts:
            yield document.problem(loc, f"`{name}` leaves the pack's folder; put the runbook beside the workflow")
        elif not (folder / name).is_file():
            yield document.problem(loc, f"there is no file `{folder / name}`; write it, or correct the name", WARNING)


def _steps(document: Document, model: Workflow) -> Iterator[Problem]:
    if not any(step.start for step in model.steps.values()):
        yield document.problem(("steps",), "no step has `start: true`; mark those at which an item begins", WARNING)
    seen: dict[str, str] = {}
    for name, step in model.steps.items():
        if ARROW in name or name != name.strip():
            text = f"`{name}` can't be named in `flow`; leave out `{ARROW}` and blanks at its ends"
            yield document.problem(("steps", name), text)
        meaning = repr((step.on, sorted(step.where.items())))
        if meaning in seen:
            text = (
                f"is for the same events as step `{seen[meaning]}`, which takes them all; tell them apart with `where`"
            )
            yield document.problem(("steps", name), text, WARNING)
        seen.setdefault(meaning, name)
    for index, name in enumerate(model.groups):
        if name in model.groups[:index]:
            yield document.problem(("groups", index), f"`{name}` is named twice; remove one")


def _names_in_flow(document: Document, model: Workflow) -> Iterator[Problem]:
    for index, chain in enumerate(model.flow):
        # A flow written as one text has a line of its own, not one for each chain.
        loc: Loc = ("flow", index)
        try:
            names = split_chain(chain)
        except ValueError as fault:
            yield document.problem(loc, str(fault))
            continue
        for name in names:
            if name not in model.steps:
                yield document.problem(loc, f"step `{name}` is not defined{suggest(name, model.steps)}")


def _deadlines(document: Document, model: Workflow) -> Iterator[Problem]:
    for index, deadline in enumerate(model.deadlines):
        yield from _deadline(document, model, index, deadline)


def _deadline(document: Document, model: Workflow, index: int, deadline: Deadline) -> Iterator[Problem]:
    loc: Loc = ("deadlines", index)
    for word, name in (("after", deadline.after), ("expect", deadline.expect)):
        if name not in model.steps:
            yield document.problem((*loc, word), f"step `{name}` is not defined{suggest(name, model.steps)}")
    if deadline.after == deadline.expect:
        text = f"waits for `{deadline.expect}`, the step that starts it; name a later step"
        yield document.problem((*loc, "expect"), text)
    for earlier in range(index):
        if model.deadlines[earlier].id == deadline.id:
            text = f"`{deadline.id}` is the id of `deadlines[{earlier}]` too; give each deadline an id of its own"
            yield document.problem((*loc, "id"), text)
            break
    if deadline.id in RESERVED_RULES:
        text = f"`{deadline.id}` names the findings of the section `{deadline.id}`; choose another id"
        yield document.problem((*loc, "id"), text)
    if not deadline.within:
        yield document.problem((*loc, "within"), "is 0, so every item would break it; write a span like `5m`")
    yield from _warning_span(document, loc, deadline)


def _warning_span(document: Document, loc: Loc, deadline: Deadline) -> Iterator[Problem]:
    if deadline.warn is None:
        return
    try:
        warn = parse_part(deadline.warn, deadline.within)
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
        after, expect = names.index(deadline.after), names.index(deadline.expect)
        if reached[expect] >> after & 1 and not reached[after] >> expect & 1:
            text = f"the flow puts `{deadline.expect}` before `{deadline.after}`; swap them, or correct the flow"
            yield document.problem(("deadlines", index, "expect"), text, WARNING)
        if model.steps[deadline.after].end and not deadline.keep_after_end:
            text = f"`{deadline.after}` ends the item, which calls this deadline off; add `keep_after_end: true`"
            yield document.problem(("deadlines", index, "after"), text, WARNING)
    if "order" in document.data and model.order.policy != "ignore" and not model.flow:
        text = "there is no `flow`, so no step is out of order; write the flow, or remove `order`"
        yield document.problem(("order",), text, WARNING)


def _reached(model: Workflow) -> tuple[list[str], list[int]]:
    names = list(model.steps)
    place = {name: index for index, name in enumerate(names)}
    return names, reach(len(names), [(place[first], place[second]) for first, second in edges(model.flow)])
