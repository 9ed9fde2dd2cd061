"""A notification for a channel: what goes out, but for the secrets, which only the dispatcher knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from udfs.alerting.render import payloads
from udfs.alerting.render.context import Addresses, context
from udfs.alerting.render.texts import RenderError, render_text

EXAMPLE = Addresses("https://daymark.example/alerts", "", "https://daymark.example/ack/EXAMPLE")


@dataclass(frozen=True, slots=True)
class Message:
    """`title`, `text` and `html` are for people, `payload` is the JSON of chats, pagers and browsers, `body` what a
    webhook is sent."""

    title: str
    text: str
    html: str = ""
    payload: Mapping[str, Any] | None = None
    body: str = ""


def render(
    channel: Mapping[str, Any], notification: Mapping[str, Any], addresses: Addresses, zone: str = ""
) -> Message:
    """The message for a channel document and a row of type `notify` (docs/contracts.md). Raises RenderError."""
    names = context(notification, addresses, zone)
    own = channel.get("templates") or {}
    title = " ".join(render_text("title.txt", names, own.get("title")).split())
    shipped = "sms.txt" if channel.get("type") == "sms" else "text.txt"
    text = render_text(shipped, names, own.get("text")).strip()
    dedup_key = str(notification.get("dedup_key") or notification.get("id") or "")
    match channel.get("type"):
        case "email":
            return Message(title, text, html=render_text("mail.html", names, own.get("html")))
        case "sms":
            return Message(title, text)
        case "slack":
            return Message(title, text, payload=payloads.slack(title, text, names))
        case "teams":
            return Message(title, text, payload=payloads.teams(title, text, names))
        case "pagerduty":
            return Message(title, text, payload=payloads.pagerduty(title, names, dedup_key))
        case "webhook":
            return Message(title, text, body=_body(channel.get("body"), notification, names))
        case "browser":
            return Message(title, text, payload={**notification, "title": title, "text": text})
        case other:
            raise RenderError(f"{other!r} is no type of channel that this version of Daymark can send to")


def preview(channel: Mapping[str, Any], notification: Mapping[str, Any], addresses: Addresses = EXAMPLE) -> Any:
    """What `render` gives, as JSON for people. Raises RenderError."""
    return {name: value for name, value in asdict(render(channel, notification, addresses)).items() if value}


def _body(template: str | None, notification: Mapping[str, Any], names: Mapping[str, Any]) -> str:
    """By default the notification as it is in the log, with the links beside it."""
    if template is None:
        links = {name: names[name] for name in ("acknowledge_url", "url")}
        return json.dumps({**notification, **links}, ensure_ascii=False)
    return render_text("body", {**names, "notification": notification}, template)
