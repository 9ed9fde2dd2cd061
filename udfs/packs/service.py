"""Whether the names under `service` are there."""

from __future__ import annotations

from collections.abc import Iterator

from udfs.packs.model import Workflow
from udfs.packs.problems import Problem, suggest
from udfs.packs.yamlfile import Document


def check_service(document: Document, model: Workflow) -> Iterator[Problem]:
    """Objectives of what isn't there, steps that aren't there, or that are said to be both."""
    if model.service is None:
        return
    rules = [one.id for one in model.deadlines] + [one.id for one in model.schedules]
    for name in model.service.objectives:
        if name not in rules:
            text = f"there is no deadline or schedule `{name}`{suggest(name, rules)}"
            yield document.problem(("service", "objectives", name), text)
    for word, names in (("confirmed", model.service.confirmed), ("corrected", model.service.corrected)):
        for index, name in enumerate(names):
            if name not in model.steps:
                yield document.problem(
                    ("service", word, index), f"there is no step `{name}`{suggest(name, list(model.steps))}"
                )
    for index, name in enumerate(model.service.corrected):
        if name in model.service.confirmed:
            text = f"`{name}` is under `confirmed`, too; an item is found right there, or put right: remove one"
            yield document.problem(("service", "corrected", index), text)
