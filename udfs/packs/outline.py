"""The names in a workflow and who refers to whom, read from plain data that may be faulty elsewhere.

So that a misspelt step is reported together with a misspelt severity, not after it has been put right.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from udfs.packs.flow import ARROW, split_chain
from udfs.packs.problems import Loc, Problem, suggest
from udfs.packs.sections import chains_of
from udfs.packs.yamlfile import Document

RESERVED_RULES = ("order", "duplicates", "unexpected", "stalled")
ALL = "all"


def check_names(document: Document) -> Iterator[Problem]:
    """Names that aren't defined, are defined twice, or can't be referred to. Faults of form are left to the model."""
    data = document.data if isinstance(document.data, dict) else {}
    steps = data.get("steps")
    names = list(steps) if isinstance(steps, dict) else []
    for name in names:
        if ARROW in name or name != name.strip() or name.startswith("("):
            text = f"`{name}` can't be named in `flow`; leave out `{ARROW}`, blanks at its ends and a leading `(`"
            yield document.problem(("steps", name), text)
    yield from _flow(document, names, data.get("flow"))
    yield from _pause(document, names, data.get("pause"))
    yield from _edges(document, names, data.get("order"))
    yield from _usual(document, names, data.get("stalled"))
    yield from _children(document, names, steps)
    deadlines = [one if isinstance(one, dict) else {} for one in _listed(data.get("deadlines"))]
    yield from _cancels(document, steps, [one.get("id") for one in deadlines])
    for index, deadline in enumerate(deadlines):
        yield from _measure(document, index, deadline)
        yield from _steps_of(document, names, index, deadline)
        yield from _id(document, index, [one.get("id") for one in deadlines[: index + 1]])
    yield from _schedules(document, names, data, [one.get("id") for one in deadlines])
    groups = _listed(data.get("groups"))
    for index, name in enumerate(groups):
        if isinstance(name, str) and name in groups[:index]:
            yield document.problem(("groups", index), f"`{name}` is named twice; remove one")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _flow(document: Document, names: list[str], flow: Any) -> Iterator[Problem]:
    for index, chain in enumerate(_listed(chains_of(flow))):
        loc: Loc = ("flow", index)
        try:
            passed = split_chain(chain) if isinstance(chain, str) else []
        except ValueError as fault:
            yield document.problem(loc, str(fault))
            continue
        for name in passed:
            yield from _known(document, loc, names, name)


def _usual(document: Document, names: list[str], stalled: Any) -> Iterator[Problem]:
    usual = stalled.get("usual") if isinstance(stalled, dict) else None
    for name in usual if isinstance(usual, dict) else ():
        yield from _known(document, ("stalled", "usual", name), names, name)


def _edges(document: Document, names: list[str], order: Any) -> Iterator[Problem]:
    for index, edge in enumerate(_listed(order.get("edges")) if isinstance(order, dict) else []):
        for end in ("from", "to") if isinstance(edge, dict) else ():
            yield from _known(document, ("order", "edges", index, end), names, edge.get(end))


def _children(document: Document, names: list[str], steps: Any) -> Iterator[Problem]:
    for step, said in steps.items() if isinstance(steps, dict) else ():
        children = said.get("children") if isinstance(said, dict) else None
        if isinstance(children, dict):
            loc: Loc = ("steps", step, "children", "from")
            yield from _known(document, loc, names, children.get("from"))
            if children.get("from") == step:
                yield document.problem(loc, "can't announce its own children; name the step that says how many")


def _cancels(document: Document, steps: Any, ids: list[Any]) -> Iterator[Problem]:
    known = [name for name in ids if isinstance(name, str)]
    for step, said in steps.items() if isinstance(steps, dict) else ():
        cancels = said.get("cancels") if isinstance(said, dict) else None
        for index, name in enumerate([ALL] if cancels == ALL else _listed(cancels)):
            if isinstance(name, str) and name not in (*known, ALL):
                text = f"there is no deadline `{name}`{suggest(name, known)}"
                yield document.problem(("steps", step, "cancels", index), text)
            elif name == ALL and ALL in known:
                text = f"`{ALL}` means all deadlines, and one is called so; give that another id"
                yield document.problem(("steps", step, "cancels", index), text)


def _steps_of(document: Document, names: list[str], index: int, deadline: dict[str, Any]) -> Iterator[Problem]:
    after, expect = deadline.get("after"), deadline.get("expect")
    yield from _known(document, ("deadlines", index, "after"), names, after)
    yield from _known(document, ("deadlines", index, "expect"), names, expect)
    if isinstance(expect, str) and after == expect:
        text = f"waits for `{expect}`, the step that starts it; name a later step"
        yield document.problem(("deadlines", index, "expect"), text)


def _measure(document: Document, index: int, deadline: dict[str, Any]) -> Iterator[Problem]:
    """What a deadline is reckoned by: a span since a step, or a local time."""
    if not deadline or "by" in deadline:
        return
    for word, example in (("after", "after: send"), ("within", "within: 5m")):
        if word not in deadline:
            text = f'`{word}` is missing; for example `{example}`, or `by: "18:00"` for a time of the day'
            yield document.problem(("deadlines", index, word), text)


def _pause(document: Document, names: list[str], pause: Any) -> Iterator[Problem]:
    for word in ("while", "resume"):
        for index, name in enumerate(_listed(pause.get(word)) if isinstance(pause, dict) else ()):
            yield from _known(document, ("pause", word, index), names, name)


def _schedules(document: Document, names: list[str], data: dict[str, Any], ids: list[Any]) -> Iterator[Problem]:
    for index, one in enumerate(_listed(data.get("schedules"))):
        said = one if isinstance(one, dict) else {}
        yield from _known(document, ("schedules", index, "expect"), names, said.get("expect"))
        ids = [*ids, said.get("id")]
        yield from _id(document, index, ids, "schedules")


def _id(document: Document, index: int, ids: list[Any], section: str = "deadlines") -> Iterator[Problem]:
    """The last of the ids, which is that of the rule at `index` of its section."""
    loc: Loc = (section, index, "id")
    name = ids[-1]
    if not isinstance(name, str):
        return
    if name in ids[:-1]:
        first = ids.index(name)
        deadlines = len(ids) - 1 - index if section == "schedules" else len(ids)
        other = f"deadlines[{first}]" if first < deadlines else f"schedules[{first - deadlines}]"
        text = f"`{name}` is the id of `{other}` too; give each {section[:-1]} an id of its own"
        yield document.problem(loc, text)
    if name in RESERVED_RULES:
        yield document.problem(loc, f"`{name}` names the findings of the section `{name}`; choose another id")


def _known(document: Document, loc: Loc, names: list[str], name: Any) -> Iterator[Problem]:
    if names and isinstance(name, str) and name and name not in names:
        yield document.problem(loc, f"step `{name}` is not defined{suggest(name, names)}")
