"""What one recipient is told, as a row of `daymark.notifications`."""

from __future__ import annotations

from typing import Final

from udfs.alerting.alert import Alert
from udfs.alerting.book import Book
from udfs.alerting.effects import Notify
from udfs.alerting.policy import Recipient
from udfs.alerting.wording import title
from udfs.core.ids import digest

MOST_SHOWN: Final = 20
"""Alerts that a message shows; it counts the others."""


def digest_key(recipient: Recipient) -> str:
    """What a recipient's digests have in place of a group."""
    return digest("digest", *recipient)


def message(
    book: Book, recipient: Recipient, reason: str, step: int, alerts: list[Alert], key: str, number: int
) -> Notify:
    """`alerts` are those told, the most severe first; `key` is that of their group, or of the recipient's digests.

    The id is that of the facts: which message under the key this is (`number`), of which revisions, and whom it is for.
    """
    revs = {alert.id: alert.rev for alert in alerts}
    facts = [f"{id} {rev}" for id, rev in revs.items()]
    hidden = sum(book.hidden(alert) for alert in alerts)
    incidents = {alert.incident for alert in alerts}
    is_group = key in book.groups
    open_now = [book.alerts[id] for id in book.index.groups.get(key)] if is_group else alerts
    return Notify(
        {
            "type": "notify",
            "id": digest(key, str(book.now), str(number), str(step), reason, *recipient, *facts),
            "at_ms": book.now,
            "reason": reason,
            "lane": alerts[0].lane,
            "title": title(reason, alerts, len(alerts), hidden),
            "alerts": [book.row(alert) for alert in alerts[:MOST_SHOWN]],
            "count": len(alerts),
            "hidden": hidden,
            "open": sum(1 for alert in open_now if alert.is_telling),
            "group": key if is_group else "",
            "incident": incidents.pop() if len(incidents) == 1 else "",
            "step": step,
            "channel": recipient.channel,
            "person": recipient.person,
            "address": recipient.address,
            "dedup_key": key,
            "revs": revs,
            "begun_ms": book.received,
        }
    )
