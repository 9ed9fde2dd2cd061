"""A rule as people edit it: one workflow in a YAML text, read with every fault, and changed without losing comments."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from udfs.packs.check import check_mapped, check_workflow
from udfs.packs.explain import validate
from udfs.packs.load import WORKFLOW_FILE, Definition
from udfs.packs.model import Workflow
from udfs.packs.outline import check_names
from udfs.packs.problems import ERROR, Problem
from udfs.packs.yamlfile import documents_in

_BETWEEN = re.compile(r"(?m)^---(?:[ \t].*)?$\n?")
_ENABLED = re.compile(r"(?m)^enabled[ \t]*:[^\n]*$")
_NAMED = re.compile(r"(?m)^workflow[ \t]*:[^\n]*\n?")


def read_rule(
    text: str, keys: Collection[str] = (), groups: Collection[str] = ()
) -> tuple[Definition | None, list[Problem]]:
    """The workflow that a text describes, None if it can't be used, and all that is wrong or doubtful, by line.

    `keys` and `groups` are those that source mappings define; with none, these names are not looked at.
    """
    documents, problems = documents_in(text, WORKFLOW_FILE)
    if not documents and not problems:
        problems = [
            Problem(WORKFLOW_FILE, 0, "", "is empty; it must hold a workflow, beginning with `workflow: a_name`")
        ]
    if len(documents) > 1:
        line = documents[1].line(())
        problems.append(Problem(WORKFLOW_FILE, line, "", "a second workflow begins here; a rule is one workflow"))
    if len(documents) != 1:
        return None, problems
    document = documents[0]
    model, faults = validate(Workflow, document)
    said = {(problem.line, problem.path) for problem in problems}  # what the YAML reader said isn't said again
    names = list(check_names(document))
    problems += [problem for problem in (*faults, *names) if (problem.line, problem.path) not in said]
    if model is not None and not names:
        problems += check_workflow(document, model)
        if keys:
            problems += check_mapped(document, model, list(keys), list(groups))
    problems.sort(key=lambda problem: problem.line)
    if model is None or any(problem.level == ERROR for problem in problems):
        return None, problems
    return Definition(model.workflow, model.version, document.data, WORKFLOW_FILE, document.line(())), problems


def written(definition: dict[str, Any]) -> str:
    """A definition as YAML, where no text of it is known."""
    return yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=120)


def text_of(file: Path, definition: Definition) -> str:
    """The text of one workflow in a pack's file, with its comments. Where the file alone does not say all of it, since
    it takes calendars from a file beside it, the definition written out."""
    for part in _BETWEEN.split(file.read_text(encoding="utf-8-sig")):
        documents, problems = documents_in(part, WORKFLOW_FILE)
        if not problems and len(documents) == 1 and documents[0].data == definition.data:
            return part
    return written(definition.data)


def with_enabled(text: str, enabled: bool) -> str:
    """A rule's text that says whether the workflow is enabled, all else as it was."""
    line = f"enabled: {str(enabled).lower()}"
    [before], _ = documents_in(text, WORKFLOW_FILE)
    wanted = {**before.data, "enabled": enabled}
    pattern, put = (_ENABLED, line) if _ENABLED.search(text) else (_NAMED, f"\\g<0>{line}\n")
    changed = pattern.sub(put, text, count=1)
    after, problems = documents_in(changed, WORKFLOW_FILE)
    sound = not problems and len(after) == 1 and after[0].data == wanted
    return changed if sound else written(wanted)  # written in one line, say
