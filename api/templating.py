"""The templates, and what all of them may use. A part that adds a screen appends to NAVIGATION."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.templating import Jinja2Templates
from markupsafe import Markup

from api import answering, words
from api.access import matrix
from api.clock import now_ms

NAVIGATION = [
    ("/", "Overview", "overview"),
    ("/map", "Workflow map", "map"),
    ("/steps", "Steps", "step"),
    ("/items", "Items", "items"),
    ("/alerts", "Alerts", "alerts"),
    ("/incidents", "Incidents", "amber"),
    ("/events", "Events", "events"),
    ("/rules", "Rules", "rules"),
    ("/dead-letters", "Dead letters", "dead"),
    ("/wall", "Wall", "wall"),
    ("/audit", "Audit", "audit"),
    ("/users", "Users", "users"),
    ("/account", "Account", "account"),
    ("/docs", "API", "api"),
]
"""Address, text, and the name of its mark in static/icons.svg."""

_INSTANT = re.compile(r"\0(-?\d{1,19})\0")

LANE_STATES = {
    "blind": "blind: its clock stands still",
    "behind": "catching up",
    "ended": "history",
    "live": "live",
}
STATUS = {
    "green": "on time",
    "amber": "behind",
    "red": "overdue",
    "blind": "blind",
    "ended": "history",
}
"""What a colour says, in a word: colour is never alone."""


def standing(row: Mapping[str, Any]) -> str:
    """What the colour of something says, in a word: amber is what is at risk, or else only behind."""
    return "at risk" if row["status"] == "amber" and row["at_risk"] else STATUS[row["status"]]


def open_to(request: Request) -> list[tuple[str, str, str]]:
    """The entries of NAVIGATION that whoever asks may follow; none for somebody who isn't signed in."""
    who = getattr(request.state, "who", None)
    return [one for one in NAVIGATION if who is not None and matrix.allowed(who.permissions, "GET", one[0])]


def may(request: Request, action: str, *, everywhere: bool = False) -> bool:
    """Whether whoever asks may do something, at least to what they see; `everywhere`: without any limits."""
    who = getattr(request.state, "who", None)
    return who is not None and action in who.permissions.actions and not (everywhere and who.permissions.limits)


def item_path(row: dict[str, Any]) -> str:
    """Where the page of a finding's item is, on the run that it is about."""
    if not row["workflow"] or (row["kind"], row["occurrence"]) == ("stalled", "step"):  # about a source, a whole step
        return f"/?{urlencode({'lane': row['lane']})}"
    names = ("since_ms", "at_ms", "deadline_ms") if row["kind"] != "invalid" else ("deadline_ms",)
    at = next(row[name] for name in names if row[name] is not None)
    return f"{item_place(row)}?{urlencode({'lane': row['lane'], 'run': at})}"


def item_place(row: dict[str, Any]) -> str:
    """The path of an item's page, without lane and run."""
    return f"/items/{quote(row['workflow'], safe='')}/{quote(row['key'], safe='/')}"


def pretty(text: str) -> str:
    """JSON laid out for reading; as it is where it isn't JSON (an excerpt may be cut)."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def when(ms: int | None, now_ms: int | None = None) -> Markup:
    """An instant: UTC as it comes, turned into the viewer's zone by static/times.js, which keeps UTC as its title."""
    if ms is None or not 0 <= ms < 253_402_300_800_000:
        return Markup("<span>-</span>")
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return Markup('<time datetime="{}" data-ms="{}" title="{}">{}</time>').format(
        moment.isoformat(timespec="milliseconds"), ms, f"{moment:%Y-%m-%d %H:%M:%S} UTC", words.clock(ms, now_ms)
    )


def sentence(finding: Mapping[str, Any], now_ms: int | None = None) -> Markup:
    """What a finding says, with its instants as `when` writes them."""
    text = words.sentence(finding, now_ms, lambda ms, _: "-" if ms is None else f"\0{ms}\0")
    parts = _INSTANT.split(text)
    return Markup("").join(when(int(part), now_ms) if place % 2 else part for place, part in enumerate(parts))


def brief(ms: float | None) -> str:
    """A length of time for where there is little room: '5 m', '1m 35s'; '-' for None."""
    parts = words.span(ms).split()
    return f"{parts[0]}{parts[1]} {parts[2]}{parts[3]}" if len(parts) == 4 else " ".join(parts)


def compact(number: float | None) -> str:
    """A number in at most five characters: 950, 12.3k, 4.5M; '-' for None."""
    if number is None:
        return "-"
    for size, unit in ((1_000_000_000, "bn"), (1_000_000, "M"), (10_000, "k")):
        if abs(number) >= size:
            return f"{number / (1000 if unit == 'k' else size):.3g}{unit}"
    return f"{number:,.0f}"


def ticked(text: str) -> Markup:
    """A text in which `such words` are code."""
    code = Markup("<code>{}</code>")
    parts = enumerate(text.split("`"))
    return Markup("").join(code.format(part) if place % 2 else part for place, part in parts)


def address(path: str, **parameters: Any) -> str:
    """A path with its query, without what is empty."""
    kept = {name: value for name, value in parameters.items() if value not in ("", None)}
    return f"{path}?{urlencode(kept)}" if kept else path


templates = Jinja2Templates(Path(__file__).parent / "templates")
templates.env.trim_blocks = templates.env.lstrip_blocks = False
templates.env.filters |= {
    "span": words.span,
    "clock": words.clock,
    "pretty": pretty,
    "when": when,
    "compact": compact,
    "ticked": ticked,
    "brief": brief,
}
templates.env.globals |= {
    "sentence": sentence,
    "item_path": item_path,
    "item_place": item_place,
    "address": address,
    "notes": LANE_STATES,
    "said": STATUS,
    "standing": standing,
    "open_to": open_to,
    "may": may,
    "response": lambda alert: answering.response(alert, now_ms()),
    "measured": lambda alert: answering.measured(alert, now_ms()),
}
