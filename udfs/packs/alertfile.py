"""`alerting.yaml`: all alerting documents in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from udfs.packs.alertcheck import check_all
from udfs.packs.alertkinds import SECTIONS, split
from udfs.packs.problems import PackError, Problem, raise_errors
from udfs.packs.yamlfile import read_documents

ALERTING_FILE = "alerting.yaml"

_SECTIONS = {*SECTIONS.values()} - {"calendars"}  # packs have those too


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


def is_alerting(path: Path) -> bool:
    """Whether a file looks like an alerting file rather than a pack: it has sections of one, and no workflow."""
    read = read_documents(path)[0] if path.is_file() else []
    found = read[0].data.keys() if read and isinstance(read[0].data, dict) else set()
    return "workflow" not in found and bool(found & _SECTIONS)
