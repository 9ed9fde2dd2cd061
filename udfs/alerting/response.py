"""By when somebody should answer an alert, and when somebody did. Instants are epoch ms.

The time that the policy gives a severity runs from the first step of the escalation, so from when people can hear of
it: not while something keeps it quiet, and not at all where nobody is told. Whoever acknowledges, suppresses or
resolves it has answered. What has been answered, or left for too long, stands so for the rest of the episode; before
that another severity, route or policy counts.
"""

from __future__ import annotations

from udfs.alerting.alert import Alert
from udfs.alerting.book import Book


def answer(book: Book, alert: Alert) -> None:
    """Somebody does something about it; only the first time counts."""
    if alert.answered is None:
        alert.answered = book.now


def look(book: Book, alert: Alert) -> bool:
    """Sets by when an alert is to be answered, as things stand. Returns whether that changes."""
    is_missed = alert.respond_by is not None and alert.respond_by < book.now
    if is_missed or alert.answered is not None or not alert.is_live:
        return False
    before, alert.respond_by = alert.respond_by, _due(book, alert)
    return alert.respond_by != before


def _due(book: Book, alert: Alert) -> int | None:
    if not alert.is_telling:
        return None
    steps = [book.policy.step_due(track.escalation, 0, track.since) for track in alert.tracks]
    first = min((at for at in steps if at is not None), default=None)
    return None if first is None else first + book.policy.respond_ms(alert.severity)
