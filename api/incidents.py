"""An incident with all that belongs to it, and the document that is written about it afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.alertlog import log_of
from api.paging import MAX_LIMIT
from api.store import Store
from api.words import clock, span

Row = dict[str, Any]
TEMPLATES = Path(__file__).parent / "templates"


def whole(store: Store, id: str) -> Row | None:
    """The incident with its alerts, what became of them, and how people were told; None if there is none. Of each the
    first or last 1,000."""
    found = store.query("incidents/one", id=id)
    if not found:
        return None
    incident = found[0]
    members = store.query("incidents/alerts", id=id, cause=incident["cause"], limit=MAX_LIMIT)
    ids = [row["id"] for row in members]
    return {
        **incident,
        "members": members,
        "timeline": log_of(store, ids, MAX_LIMIT) if ids else [],
        "deliveries": store.query("deliveries/of_alerts", ids=ids, limit=MAX_LIMIT) if ids else [],
    }


def post_mortem(incident: Row) -> str:
    """The document about an incident of `whole`, in Markdown: what is known is filled in, the rest is asked."""
    names = {row["id"]: row["summary"] for row in incident["members"]}
    told = sum(row["outcome"] == "sent" for row in incident["deliveries"])
    return _markdown.get_template("postmortem.md").render(incident=incident, names=names, told=told)


def cell(value: Any) -> str:
    """A text that stays within its cell of a Markdown table, or its line, and is no markup there."""
    text = " ".join(str(value).split())
    for special in "\\`*_{}[]<>#|!":
        text = text.replace(special, f"\\{special}")
    return text


_markdown = Environment(  # noqa: S701 (Markdown, not HTML: `cell` escapes)
    loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_markdown.filters |= {"cell": cell, "span": span, "clock": clock}
