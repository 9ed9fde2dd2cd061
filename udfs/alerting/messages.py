"""What one recipient is told, as a row of `daymark.notifications`."""

from __future__ import annotations

from typing import Final

from udfs.alerting.alert import Alert
from udfs.alerting.book import Book
from udfs.alerting.effects import Notify
from udfs.alerting.policy import Recipient
from udfs.alerting.records import Group
from udfs.alerting.wording import title
from udfs.core.ids import digest

MOST_SHOWN: Final = 20
"""Alerts that a message shows; it counts the others."""


def message(
    book: Book, recipient: Recipient, reason: str, step: int, alerts: list[Alert], group: Group | None
) -> Notify:
    """`alerts` are those told, the most severe first; without a group it is a digest.

    The id is that of the facts: which message of the group this is, and whom it is for. A digest's group is that of its
    recipient.
    """
    about = group.id if group else digest("digest", *recipient)
    number = group.count if group else 0
    hidden = sum(book.hidden(alert) for alert in alerts)
    incidents = {alert.incident for alert in alerts}
    open_now = [book.alerts[id] for id in book.index.groups.get(group.id)] if group else alerts
    return Notify(
        {
            "type": "notify",
            "id": digest(about, str(book.now), str(number), str(step), reason, *recipient),
            "at_ms": book.now,
            "reason": reason,
            "lane": alerts[0].lane,
            "title": title(reason, alerts, len(alerts), hidden),
            "alerts": [book.row(alert) for alert in alerts[:MOST_SHOWN]],
            "count": len(alerts),
            "hidden": hidden,
            "open": sum(1 for alert in open_now if alert.is_telling),
            "group": group.id if group else "",
            "incident": incidents.pop() if len(incidents) == 1 else "",
            "step": step,
            "channel": recipient.channel,
            "person": recipient.person,
            "address": recipient.address,
            "dedup_key": about,
            "revs": {alert.id: alert.rev for alert in alerts},
            "begun_ms": book.received,
        }
    )
