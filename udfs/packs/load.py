"""Packs from disk: a folder with `workflow.yaml` (and `mapping.yaml` beside it), or a YAML file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from udfs.packs.calendarfile import CALENDAR_FILE, read_calendars, with_shared
from udfs.packs.check import check_hashed, check_mapped, check_runbooks, check_workflow
from udfs.packs.explain import validate
from udfs.packs.mapping import SourceMapping, compile_mapping
from udfs.packs.model import Workflow
from udfs.packs.outline import check_names
from udfs.packs.problems import PackError, Problem, raise_errors
from udfs.packs.sourcemodel import Source, check_source
from udfs.packs.yamlfile import Document, read_documents

WORKFLOW_FILE = "workflow.yaml"
MAPPING_FILE = "mapping.yaml"


@dataclass(frozen=True, slots=True)
class Definition:
    """A workflow as written: `data` is its YAML as plain data, which goes into a rule document as it is."""

    name: str
    version: int
    data: dict[str, Any]
    file: str
    line: int

    @property
    def key(self) -> str:
        """The name of its items' own key."""
        key = self.data["key"]
        return str(key if isinstance(key, str) else key[0])

    @property
    def document(self) -> bytes:
        """The rule document of the workflow, in force from the beginning of time."""
        rule = {"workflow": self.name, "version": self.version, "effective_from": 0, "definition": self.data}
        return json.dumps(rule, default=str).encode()


@dataclass(frozen=True, slots=True)
class Pack:
    """The workflows of a pack and the source mapping beside them. `problems` are warnings only."""

    folder: Path
    workflows: list[Definition]
    mapping: SourceMapping | None = None
    problems: list[Problem] = field(default_factory=list)


def load_pack(path: str | Path, *, pii_key: bytes | None = None) -> Pack:
    """The pack at `path`. Raises PackError with every problem, if one of them is an error.

    The mapping is `mapping.yaml` in the folder of the workflows. `pii_key`: see `compile_mapping`.
    """
    file = Path(path) / WORKFLOW_FILE if Path(path).is_dir() else Path(path)
    if not file.is_file():
        wanted = f"a folder with a {WORKFLOW_FILE}, or a YAML file"
        raise PackError([Problem(str(file), 0, "", f"there is no such file; a pack is {wanted}")])
    mapping_file = file.parent / MAPPING_FILE
    mapping, problems = _read_mapping(mapping_file, pii_key) if mapping_file.is_file() else (None, [])
    documents, faults = read_documents(file)
    shared, more = _shared_calendars(file.parent / CALENDAR_FILE)
    problems += faults + more
    if not documents and not faults:
        problems.append(Problem(str(file), 0, "", "is empty; it must hold a workflow"))
    workflows = [
        found for document in documents if (found := _workflow(document, shared, mapping, file.parent, problems))
    ]
    _check_unique(workflows, problems)
    raise_errors(problems)
    return Pack(file.parent, workflows, mapping, problems)


def load_mapping(path: str | Path, *, pii_key: bytes | None = None) -> SourceMapping:
    """The source mapping in a YAML file, or in a pack's folder. Raises PackError with every problem."""
    file = Path(path) / MAPPING_FILE if Path(path).is_dir() else Path(path)
    mapping, problems = _read_mapping(file, pii_key)
    if mapping is None:
        raise PackError(problems)
    return mapping


def find_packs(root: str | Path) -> list[Path]:
    """The folders under `root` (itself included) that are packs, in a fixed order."""
    return sorted(file.parent for file in Path(root).rglob(WORKFLOW_FILE))


def _shared_calendars(file: Path) -> tuple[dict[str, Any], list[Problem]]:
    return read_calendars(file) if file.is_file() else ({}, [])


def _workflow(
    document: Document, shared: dict[str, Any], mapping: SourceMapping | None, folder: Path, found: list[Problem]
) -> Definition | None:
    document, taken = with_shared(document, shared)
    found += taken
    model, problems = validate(Workflow, document)
    known = {(problem.line, problem.path) for problem in found}  # what the YAML reader said isn't said again
    names = list(check_names(document))
    found += [problem for problem in (*problems, *names) if (problem.line, problem.path) not in known]
    if model is None or names:
        return None
    found += check_workflow(document, model, shared)
    found += check_runbooks(document, model, folder)
    if mapping is not None:
        found += check_mapped(document, model, list(mapping.key_names), list(mapping.group_names))
        found += check_hashed(document, model, mapping.hashed_keys)
    return Definition(model.workflow, model.version, document.data, document.file, document.line(()))


def _check_unique(workflows: list[Definition], problems: list[Problem]) -> None:
    first: dict[str, Definition] = {}
    for one in workflows:
        if one.name in first:
            text = f"a workflow `{one.name}` begins on line {first[one.name].line} already; rename one of them"
            problems.append(Problem(one.file, one.line, "workflow", text))
        first.setdefault(one.name, one)


def _read_mapping(file: Path, pii_key: bytes | None) -> tuple[SourceMapping | None, list[Problem]]:
    documents, problems = read_documents(file)
    if problems:
        return None, problems
    if len(documents) != 1:
        text = "is empty; it must hold" if not documents else f"holds {len(documents)} documents, but it must hold"
        return None, [Problem(str(file), 0, "", f"{text} one source mapping")]
    source, problems = validate(Source, documents[0])
    problems += check_source(documents[0], source) if source else []
    return (None, problems) if problems else (compile_mapping(documents[0].data, pii_key=pii_key), [])
