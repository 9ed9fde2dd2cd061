"""An incident with all that belongs to it, and the document that is written about it afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.alertlog import in_words
from api.paging import FAR, MAX_LIMIT
from api.store import Store
from api.words import clock, span

Row = dict[str, Any]
LAST_WORDS_MS = 3_600_000
"""Ms after the end of an incident in which people hear of that, and what was awaited comes."""

BEFORE_MS = 86_400_000
"""Ms before the first breach in which an incident's items did what is shown of them."""

TEMPLATES = Path(__file__).parent / "templates"


def whole(store: Store, id: str) -> Row | None:
    """The incident with its alerts, what became of it and of them, how people were told, and the events of its items;
    None if there is none. Of each the first or last 1,000, of events 200.

    Alerts come back, and are of other incidents then: what is shown is how they were in the episode that was of this
    one.
    """
    found = store.query("incidents/one", id=id)
    if not found:
        return None
    incident = found[0]
    members = _members(store, incident)
    ids = [row["id"] for row in members]
    since = min((row["opened_ms"] for row in members), default=incident["opened_ms"])
    until = FAR if incident["resolved_ms"] is None else incident["resolved_ms"] + LAST_WORDS_MS
    span = {"since_ms": since, "until_ms": until, "limit": MAX_LIMIT}
    log = in_words(store, store.query("incidents/log", id=id, ids=ids, **span)) if ids else []
    return {
        **incident,
        "members": members,
        "timeline": _with_its_own(incident, log),
        "deliveries": store.query("incidents/deliveries", ids=ids, **span) if ids else [],
        "events": _events(store, incident, members),
    }


def _members(store: Store, incident: Row) -> list[Row]:
    """The alerts of an incident, its cause first, each as it was when it was of it."""
    id, cause = incident["id"], incident["cause"]
    then = {row["alert"]: row for row in store.query("incidents/episodes", id=id, limit=MAX_LIMIT)}
    rows = {row["id"]: row for row in store.query("incidents/alerts", id=id, cause=cause, limit=MAX_LIMIT)}
    left = [alert for alert in then if alert not in rows]
    rows |= {row["id"]: row for row in store.query("alerts/some", ids=left)} if left else {}
    members = [_as_then(row, then[row["id"]], id) if row["id"] in then else row for row in rows.values()]
    members.sort(key=lambda row: (row["id"] != cause, row["opened_ms"], row["id"]))
    return members[:MAX_LIMIT]


def _as_then(row: Row, then: Row, id: str) -> Row:
    """An alert in an episode that may be over: of a former one is known what its log says."""
    if row["opened_ms"] == then["opened_ms"]:
        return row
    known = {name: then[name] for name in ("state", "opened_ms", "changed_ms", "ended_ms")}
    unknown = dict.fromkeys(("delta_ms", "acked_ms", "ack_until_ms", "respond_by_ms", "answered_ms", "next_ms"))
    return {
        **row,
        **known,
        **unknown,
        "summary": then["summary"] or row["summary"],
        "breach_ms": then["opened_ms"],
        "count": 1,
        "hidden": 0,
        "acked_by": "",
        "assignee": "",
        "incident": id,
    }


def _with_its_own(incident: Row, log: list[Row]) -> list[Row]:
    """The log of the alerts with when the incident itself opened and was resolved; those entries name no alert."""
    usual = {"alert": "", "lane": incident["lane"], "rev": 0, "n": 0, "who": "", "finding": "", "action": ""}
    opened = {"what": "opened", "from": "", "to": "open", "why": incident["title"], "at_ms": incident["opened_ms"]}
    before = [row for row in log if row["at_ms"] < incident["opened_ms"]]
    rows = [*before, usual | opened, *log[len(before) :]]
    if incident["resolved_ms"] is not None:
        ended = {"what": "resolved", "from": "open", "to": "resolved", "why": "", "at_ms": incident["resolved_ms"]}
        behind = [row for row in log if row["at_ms"] > incident["resolved_ms"]]
        rows.insert(len(rows) - len(behind), usual | ended)
    return rows


def _events(store: Store, incident: Row, members: list[Row]) -> list[Row]:
    """The events that moved its items, from a day before the first breach to an hour after the end: of each item the
    twenty nearest to that breach."""
    items = [row for row in members if row["workflow"]]
    if not items:
        return []
    first = min(row["breach_ms"] for row in items)
    ended = incident["resolved_ms"] or max(row["changed_ms"] for row in items)
    return store.query(
        "incidents/events",
        lane=incident["lane"],
        workflows=sorted({row["workflow"] for row in items}),
        keys=sorted({row["key"] for row in items}),
        since_ms=first - BEFORE_MS,
        until_ms=max(ended, first) + LAST_WORDS_MS,
        about_ms=first,
        each=20,
        limit=200,
    )


def post_mortem(incident: Row) -> str:
    """The document about an incident of `whole`, in Markdown: what is known is filled in, the rest is asked."""
    names = {"": "the incident"} | {row["id"]: row["summary"] for row in incident["members"]}
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
