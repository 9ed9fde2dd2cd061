"""docs/api.md's reference of routes, made from the OpenAPI document: `make api-docs`."""

from __future__ import annotations

from typing import Any

from api.access import matrix
from api.openapi.document import MEANT, Operation, operations
from api.openapi.examples import REF

MARK = "<!-- What follows is made by `make api-docs`. -->\n"
TITLES = {
    "screens": "What the screens show",
    "workflows": "Workflows, lanes, steps",
    "items": "Items",
    "findings": "Findings",
    "events": "Events and dead letters",
    "rules": "Rules",
    "alerts": "Alerts",
    "incidents": "Incidents",
    "alerting": "Who is told what",
    "alertmanager": "As Alertmanager's API",
    "service levels": "Service levels",
    "customers": "Customers",
    "public": "For everybody",
    "access": "Who may do what",
    "health": "For machines that watch",
}
"""The sections, by tag, in order; a tag that isn't here comes last under its own name."""


def reference(document: dict[str, Any]) -> str:
    """A section for each tag with a table of its routes, as Markdown."""
    tags: dict[str, list[str]] = {tag: [] for tag in TITLES}
    for method, path, operation in operations(document):
        tags.setdefault(operation["tags"][0], []).append(_row(method, path, operation))
    head = "| route | does | takes | answers | needs |\n|---|---|---|---|---|\n"
    return "\n".join(f"## {TITLES.get(tag, tag)}\n\n{head}{''.join(rows)}" for tag, rows in tags.items() if rows)


def statuses() -> str:
    """What the statuses of errors mean, as a Markdown table."""
    return "| status | means |\n|---|---|\n" + "".join(f"| {status} | {MEANT[status]} |\n" for status in MEANT)


def _row(method: str, path: str, operation: Operation) -> str:
    sentence = " ".join(operation["description"].split("\n\n")[0].split())
    needs = matrix.needed(method, path.replace("{key}", "{key:key}"))
    cells = [
        f"`{method} {path}`<br>{operation['operationId']}",
        sentence.replace("|", "\\|"),
        _takes(operation),
        _answers(operation),
        f"`{needs}`" if needs else "nothing",
    ]
    return f"| {' | '.join(cells)} |\n"


def _takes(operation: Operation) -> str:
    """The parameters but those in the path, and the body."""
    given = [one for one in operation.get("parameters", []) if one["in"] != "path"]
    names = [f"**`{one['name']}`**" if one.get("required") else f"`{one['name']}`" for one in given]
    bodies = operation.get("requestBody", {}).get("content", {})
    kinds = dict.fromkeys(_named(kind, body) for kind, body in bodies.items())
    return "<br>".join(part for part in (" ".join(names), " or ".join(kinds)) if part)


def _answers(operation: Operation) -> str:
    """The statuses of success with what comes, then those of errors."""
    fine, errors = [], []
    for status, answer in operation["responses"].items():
        kinds = [_named(kind, body) for kind, body in answer.get("content", {}).items()]
        if status[0] in "23":
            fine.append(f"{status} {' or '.join(kinds)}".strip())
        else:
            errors.append(status)
    return "<br>".join(part for part in (", ".join(fine), " ".join(errors)) if part)


def _named(kind: str, body: dict[str, Any]) -> str:
    """A body's schema by its name; without one, its media type."""
    schema = body.get("schema") or {}
    several = schema.get("type") == "array"
    options = [schema, *schema.get("anyOf", [])]
    refs = [(one.get("items", {}) if several else one).get("$ref", "") for one in options]
    name = next((ref.removeprefix(REF) for ref in refs if ref), "")
    name = name.replace("Page_", "page of ").rstrip("_")
    if not name:
        return "JSON" if kind == "application/json" else kind
    return f"list of {name}" if several else name


def page(document: dict[str, Any], now: str) -> str:
    """The page: what is written by hand as it stands, then the reference. Raises ValueError without the mark."""
    by_hand, mark, _ = now.partition(MARK)
    if not mark:
        raise ValueError(f"the page has no line {MARK.strip()!r}; put one where the reference shall begin")
    return f"{by_hand}{MARK}\n{statuses()}\n{reference(document)}"
