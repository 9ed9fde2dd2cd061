"""What people do with alerts, one or many at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from udfs.alerting import causes, escalate, lifecycle
from udfs.alerting.action import LONGEST, Action, NotYet, Refused, SoFar, do_each, until
from udfs.alerting.alert import ACKNOWLEDGED, BY_MUTE, RESOLVED, SUPPRESSED, Alert, labels, shown_labels
from udfs.alerting.book import Book

MOST_ALERTS: Final = 10_000
"""Alerts in one action."""


def on_alerts(book: Book, action: Action, so_far: SoFar, is_last: bool) -> str:
    """What `do_each` does."""
    if not action.alerts:
        raise Refused("names no alert; put their ids into `alerts`")
    if len(action.about) > MOST_ALERTS:
        raise Refused(f"names {len(action.about)} alerts; send at most {MOST_ALERTS} in one action")
    do = ON_ALERTS[action.kind]
    return do_each(action.alerts, so_far, is_last, lambda id: do(book, action, _meant(book, action, id)))


def _meant(book: Book, action: Action, id: str) -> Alert:
    """Raises Refused for an alert that isn't the one any more which a message told of, NotYet for one not yet."""
    alert = book.alerts.get(id)
    if alert is None:
        raise NotYet("is not known; it never was, or ended more than a week ago")
    if not alert.is_live and action.kind != "comment":
        raise NotYet(f"has ended: it is {alert.state}")
    told = action.episodes.get(alert.id, alert.episode)
    if told < alert.episode or (action.told_ms is not None and alert.opened > action.told_ms):
        raise Refused("has ended, and come back since; look at it again")
    if told > alert.episode:
        raise NotYet(f"is in episode {alert.episode}, not in {told}")
    return alert


def _acknowledge(book: Book, action: Action, alert: Alert) -> None:
    end = until(book, action)
    if end is None:
        end = book.now + book.policy.ack_ms(labels(alert))
    lifecycle.acknowledge(book, alert, action.who, action.because, end, action.id)


def _unacknowledge(book: Book, action: Action, alert: Alert) -> None:
    if alert.state != ACKNOWLEDGED:
        raise Refused(f"is not acknowledged: it is {alert.state}")
    lifecycle.unacknowledge(book, alert, action.who, action.because, action.id)


def _suppress(book: Book, action: Action, alert: Alert) -> None:
    lifecycle.suppress(book, alert, action.who, action.because, until(book, action), action.id)


def _unsuppress(book: Book, action: Action, alert: Alert) -> None:
    if alert.state != SUPPRESSED:
        raise NotYet(f"is not suppressed: it is {alert.state}")  # its cause may come at the same moment
    if alert.held == BY_MUTE:
        raise Refused(f"is held by {alert.suppressed_by}; end that instead")
    alert.free = True
    book.touch(alert)
    causes.let_go(book, alert)
    alert.held = ""
    lifecycle.judge(book, alert, "unsuppressed", who=action.who, why=action.because, action=action.id)


def _resolve(book: Book, action: Action, alert: Alert) -> None:
    lifecycle.end(book, alert, RESOLVED, action.because, who=action.who, action=action.id)


def _comment(book: Book, action: Action, alert: Alert) -> None:
    if not action.said:
        raise Refused("gets no comment without a `text`")
    book.touch(alert)
    book.log(alert, "commented", who=action.who, why=action.said, action=action.id)


def _assign(book: Book, action: Action, alert: Alert) -> None:
    book.touch(alert)
    alert.assignee = (action.assignee or "")[:LONGEST]
    book.log(alert, "assigned", who=action.who, why=alert.assignee or "nobody", action=action.id)


def _escalate(book: Book, action: Action, alert: Alert) -> None:
    if alert.state == SUPPRESSED:
        raise Refused("is suppressed; unsuppress it first")
    mute = book.policy.muted(shown_labels(alert), book.now)
    if mute is not None:
        raise Refused(f"would be kept quiet by {mute.kind} {mute.id}; end that first")
    found = [
        track
        for track in alert.tracks
        if book.policy.step_due(track.escalation, max(track.step, 1), track.since) is not None
    ]
    if not found:
        raise Refused(f"can't escalate further: `{alert.tracks[0].escalation}` has no step behind the last one taken")
    if not alert.is_telling:
        lifecycle.reopen(book, alert)
    for track in found:
        while track.step < 1:
            escalate.take(book, alert, track, who=action.who, action=action.id)
        escalate.take(book, alert, track, who=action.who, action=action.id)


ON_ALERTS: Final[dict[str, Callable[[Book, Action, Alert], None]]] = {
    "ack": _acknowledge,
    "unack": _unacknowledge,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
    "resolve": _resolve,
    "comment": _comment,
    "assign": _assign,
    "escalate": _escalate,
}
