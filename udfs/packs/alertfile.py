"""`alerting.yaml`: all alerting documents in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from udfs.packs.alertcheck import check_all
from udfs.packs.alertkinds import SECTIONS, split
from udfs.packs.problems import PackError, Problem, raise_errors
from udfs.packs.yamlfile import Document, read_documents


def load_alerting(path: str | Path) -> tuple[dict[str, Any], list[Problem]]:
    """The documents of a file by `<kind>/<name>`, and warnings. Raises PackError with every problem, if one is an
    error."""
    read, problems = read_documents(Path(path))
    raise_errors(problems)
    if len(read) != 1:
        text = f"holds {len(read)} documents; it must hold one, with sections like `people:` and `routes:`"
        raise PackError([Problem(str(path), 0, "", text)])
    documents, problems = split(read[0])
    problems += check_all(documents)
    raise_errors(problems)
    return {key: document.data for key, document in documents.items()}, problems


def is_alerting(document: Document) -> bool:
    """Whether a YAML document is an alerting file rather than a workflow: it has sections of one, and no steps."""
    found = document.data if isinstance(document.data, dict) else {}
    return not found.keys() & {"workflow", "steps", "source"} and bool(
        found.keys() & {*SECTIONS.values()} - {"calendars"}
    )
