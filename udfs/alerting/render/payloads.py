"""The JSON that chats and pagers take, within the lengths that they allow."""

from __future__ import annotations

from typing import Any

Names = dict[str, Any]
Payload = dict[str, Any]

PAGER_SEVERITY = {"critical": "critical", "high": "error", "medium": "warning", "low": "info"}
PAGER_ACTION = {"resolved": "resolve", "expired": "resolve", "acknowledged": "acknowledge"}
COLOURS = {"critical": "attention", "high": "warning", "medium": "accent", "low": "default"}
SHOWN = 10


def slack(title: str, text: str, names: Names) -> Payload:
    """A message of Block Kit for an incoming webhook."""
    buttons = [
        {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url} for label, url in _buttons(names)
    ]
    blocks: list[Payload] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(title, 150)}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _cut(_slack_safe(text), 3000)}},
    ]
    return {
        "text": _cut(_slack_safe(title), 3000),
        "blocks": blocks + ([{"type": "actions", "elements": buttons}] if buttons else []),
    }


def teams(title: str, text: str, names: Names) -> Payload:
    """An Adaptive Card in the envelope that incoming webhooks and workflows take."""
    colour = COLOURS[names["severity"]]
    title, text = _teams_safe(_cut(title, 500)), _teams_safe(_cut(text, 10_000)).replace("\n", "\n\n")
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {"type": "TextBlock", "text": title, "weight": "bolder", "wrap": True, "color": colour},
            {"type": "TextBlock", "text": text, "wrap": True},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": label, "url": url} for label, url in _buttons(names)],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def pagerduty(title: str, names: Names, dedup_key: str) -> Payload:
    """An event of the Events API, version 2, but for the routing key, which is a secret."""
    action = PAGER_ACTION.get(names["reason"], "trigger")
    event: Payload = {"event_action": action, "dedup_key": _cut(dedup_key, 255)}
    if action != "trigger":
        return event
    first = names["alerts"][0] if names["alerts"] else {}
    payload = {
        "summary": _cut(title, 1024),
        "source": first.get("key") or first.get("workflow") or "daymark",
        "severity": PAGER_SEVERITY[names["severity"]],
        "component": first.get("step", ""),
        "group": first.get("workflow", ""),
        "class": first.get("kind", ""),
        "custom_details": {
            "alerts": [alert["summary"] for alert in names["alerts"][:SHOWN]],
            "count": names["count"],
            "hidden": names["hidden"],
            "since": first.get("breach", ""),
            "runbook": first.get("runbook", ""),
        },
    }
    links = [{"href": url, "text": label} for label, url in _buttons(names)]
    return event | {"payload": payload, "client": "Daymark", "client_url": names["url"], "links": links}


def _buttons(names: Names) -> list[tuple[str, str]]:
    offered = (("Acknowledge", names["acknowledge_url"]), ("Open", names["url"]))
    return [(label, url) for label, url in offered if url]


def _slack_safe(text: str) -> str:
    """Text in which nothing is taken for a mention or a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams_safe(text: str) -> str:
    """Text of which nothing is taken for a link of Markdown; addresses stay as they are."""
    return text.replace("[", r"\[").replace("]", r"\]")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
