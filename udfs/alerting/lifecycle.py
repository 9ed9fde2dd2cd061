"""The life of one alert: which state follows which, and what that sets off.

    (a finding) ──► pending ──► open ──► escalated ──► resolved, expired ──► (a new finding) ──► …
                       │         ▲ │       │                    ▲
                       └─────────┼─┴───────┴──► acknowledged ───┤
                                 └───────────── suppressed ─────┘

`judge` decides anew whether people are told: by silences and windows first, then by causes, then by how long the route
holds it back. All that ends a suppression or an acknowledgement comes back to it.
"""

from __future__ import annotations

from typing import Final

from udfs.alerting import causes, escalate, groups, incidents, pages, response
from udfs.alerting.alert import (
    ACKNOWLEDGED,
    BY_CAUSE,
    BY_MUTE,
    BY_PERSON,
    ENDED,
    EXPIRED,
    OPEN,
    PENDING,
    SUPPRESSED,
    Alert,
    shown_labels,
)
from udfs.alerting.book import KEPT, Book
from udfs.alerting.policy import Mute
from udfs.alerting.reported import worse
from udfs.alerting.routing import holds, route
from udfs.core.state import NEVER

SUPPRESSED_BACK: Final = "unsuppressed"


def judge(
    book: Book, alert: Alert, what: str, reason: str = groups.OPENED, *, who: str = "", why: str = "", action: str = ""
) -> None:
    """Decides whether people are told of an alert. `what` is what its log calls it if they are, `reason` the
    message."""
    book.touch(alert)
    mute = _muted(book, alert)
    cause = None if mute else causes.cause_of(book, alert)
    if mute:
        _mute(book, alert, mute)
    elif cause:
        _hide(book, alert, cause)
    elif alert.hold_until is not None and alert.hold_until > book.now:
        was, alert.state, alert.held = alert.state, PENDING, ""
        book.log(alert, PENDING, was=was, who=who, why=why, action=action)
        return
    else:
        _show(book, alert, what, reason, who, why, action)
    if alert.held != BY_CAUSE:
        explain(book, alert)


def explain(book: Book, alert: Alert) -> None:
    """Hides what an alert explains; what it still hides from before, it is as severe as."""
    if alert.lasts:
        for effect in causes.hidden_by(book, alert):
            _lift(book, alert, effect)
    for effect in causes.effects_of(book, alert):
        if effect.is_telling or effect.state == PENDING:
            _hide(book, effect, alert)


def worsen(book: Book, alert: Alert) -> None:
    """It is worse than it was: people hear of it again, as far as they had come."""
    incidents.weigh(book, alert)
    rule_changed(book, alert)  # silences and windows may be about its kind or severity
    if alert.is_telling:
        for track in alert.tracks:
            for step in range(track.step):
                groups.want(book, alert, track, f"{escalate.ESCALATION if step else groups.OPENED}/{step}")
        escalate.advance(book, alert)
        return
    cause = book.alerts.get(alert.explained_by) if alert.held == BY_CAUSE else None
    if cause is not None and cause.is_live:
        if causes.may_hide(book, cause, alert):
            _lift(book, cause, alert)
        else:
            causes.let_go(book, alert)
            alert.held = ""
            judge(book, alert, SUPPRESSED_BACK, why="it is worse than what explained it")


def suppress(book: Book, alert: Alert, who: str, why: str, until: int | None, action: str) -> None:
    """Somebody doesn't want to hear of it, until an instant (epoch ms; None: as long as it lives)."""
    _hold(book, alert, BY_PERSON, who, until)
    if action:  # else it goes on from the episode before
        response.answer(book, alert)
    _log_suppressed(book, alert, who, why, action)


def acknowledge(book: Book, alert: Alert, who: str, why: str, until: int, action: str) -> None:
    """Somebody is at it: nobody is told until an instant (epoch ms)."""
    _silence(book, alert)
    was, alert.state, alert.held = alert.state, ACKNOWLEDGED, ""
    alert.acked_by, alert.acked, alert.ack_until = who, book.now, until
    response.answer(book, alert)
    alert.suppressed_by, alert.suppressed_until, alert.hold_until = "", None, None
    alert.shown = alert.shown or book.now
    book.index.show(alert)
    book.log(alert, "acknowledged", was=was, who=who, why=why, action=action)
    if alert.has_cure:  # while somebody is at it, it is no news that nothing is heard of it
        alert.expires = max(alert.expires, until + holds(book, alert)[1] - book.now)
    groups.notice(book, alert, ACKNOWLEDGED)


def unacknowledge(book: Book, alert: Alert, who: str, why: str, action: str = "") -> None:
    """It is nobody's any more: the escalation begins anew."""
    book.touch(alert)
    book.index.hide(alert)
    alert.acked_by, alert.acked, alert.ack_until = "", None, None
    causes.let_go(book, alert)
    alert.state = OPEN
    book.log(alert, "unacknowledged", was=ACKNOWLEDGED, who=who, why=why, action=action)
    judge(book, alert, groups.REMINDER, groups.REMINDER, who=who, why=why, action=action)


def reopen(book: Book, alert: Alert) -> None:
    """Somebody wants the next ones to be told of an alert that is acknowledged or pending."""
    book.touch(alert)
    causes.let_go(book, alert)
    alert.free = True
    alert.state = OPEN
    alert.acked_by, alert.acked, alert.ack_until, alert.hold_until = "", None, None, None
    alert.shown = alert.shown or book.now
    for track in alert.tracks:
        track.since = track.since or book.now
    book.index.show(alert)


def end(book: Book, alert: Alert, state: str, why: str, *, who: str = "", finding: str = "", action: str = "") -> None:
    """It is over: RESOLVED or EXPIRED. Those who were told hear of it."""
    _silence(book, alert)
    if who:
        response.answer(book, alert)
    was, alert.state, alert.ended = alert.state, state, book.now
    alert.quiet = alert.suppressed_until if alert.held == BY_PERSON else None
    alert.ack_until = alert.suppressed_until = alert.hold_until = None
    alert.held = ""
    book.index.leave(alert)
    if alert.explained_by:
        book.index.hides.drop(alert.explained_by, alert.id)
        if alert.explained_by in book.alerts:
            book.refresh(book.alerts[alert.explained_by])
    if book.hidden(alert):
        alert.release = book.now + causes.GRACE
    incidents.leave(book, alert)
    book.log(alert, state, was=was, who=who, why=why, finding=finding, action=action)
    groups.notice(book, alert, state)
    for track in alert.tracks:
        groups.retime(book, track.group)


def on_time(book: Book, alert: Alert) -> None:
    """Does what is due."""
    now = book.now
    if alert.refresh is not None and alert.refresh <= now:
        book.touch(alert)
    if alert.release is not None and alert.release <= now:
        _release(book, alert)
    if alert.is_live and alert.expires <= now:
        end(book, alert, EXPIRED, "nothing more was heard of it")
    elif alert.state == ACKNOWLEDGED and alert.ack_until is not None and alert.ack_until <= now:
        unacknowledge(book, alert, "", f"the acknowledgement by {alert.acked_by} has run out")
    elif alert.suppressed_until is not None and alert.suppressed_until <= now:
        judge(book, alert, SUPPRESSED_BACK, why=f"{alert.suppressed_by} has ended")
    elif alert.state == PENDING and alert.hold_until is not None and alert.hold_until <= now:
        judge(book, alert, groups.OPENED)
    elif alert.is_telling:
        escalate.advance(book, alert)
    elif alert.state in ENDED and alert.ended is not None and alert.ended + KEPT <= now:
        forget(book, alert)


def rule_changed(book: Book, alert: Alert) -> None:
    """The policy has changed, or a silence or window has begun or ended: what holds for a live alert now?"""
    mute = _muted(book, alert)
    if alert.held == BY_MUTE:
        if mute is None:
            judge(book, alert, SUPPRESSED_BACK, why=f"{alert.suppressed_by} has ended")
        elif (_name(mute), _until(book, mute)) != (alert.suppressed_by, alert.suppressed_until):
            _mute(book, alert, mute)
    elif mute is not None and (alert.is_telling or alert.state == PENDING):
        _mute(book, alert, mute)


def forget(book: Book, alert: Alert) -> None:
    """It has ended long ago."""
    for purse in alert.owed:
        book.index.owed.drop(purse, alert.id)
    for track in alert.tracks:
        for lane in track.lanes:
            book.index.waiting.drop((track.group, lane), alert.id)
    pages.leave(book, alert)
    book.index.forget(alert)
    del book.alerts[alert.id]
    book.due_alerts.put(alert.id, None)
    book.forget("a/" + alert.id)


def _show(book: Book, alert: Alert, what: str, reason: str, who: str, why: str, action: str) -> None:
    was, alert.state, alert.held = alert.state, OPEN, ""
    alert.suppressed_by, alert.suppressed_until, alert.hold_until = "", None, None
    alert.shown = book.now
    book.index.show(alert)
    book.log(alert, what, was=was, who=who, why=why, finding=alert.finding, action=action)
    escalate.start(book, alert, reason)
    for leader, other in incidents.gather(book, alert):
        if causes.may_hide(book, leader, other):
            _hide(book, other, leader)


def _muted(book: Book, alert: Alert) -> Mute | None:
    """What keeps an alert quiet now. By the way it is settled whether it is excused: it is while a maintenance window
    lasts in which it broke, whatever people do meanwhile."""
    found = shown_labels(alert)
    mute = book.policy.muted(found, book.now)
    is_excused = mute is not None and mute.kind == "maintenance" and book.policy.agenda.excuses(found, alert.breach)
    if is_excused != alert.excused:
        book.touch(alert)
        alert.excused = is_excused
    return mute


def _hide(book: Book, alert: Alert, cause: Alert) -> None:
    _lift(book, cause, alert)
    if alert.explained_by != cause.id:  # unless that made the cause look for what it explains
        causes.hide(book, alert, cause)


def _lift(book: Book, cause: Alert, alert: Alert) -> None:
    """A cause is as severe as what it hides: it goes where that would have gone."""
    severity = worse(cause.said, alert.severity)
    if severity != cause.said and cause.state != ACKNOWLEDGED:
        book.touch(cause)
        cause.said = severity
        route(book, cause)
        book.log(cause, "raised", why=f"explains what is {severity}")
        worsen(book, cause)


def _mute(book: Book, alert: Alert, mute: Mute) -> None:
    _hold(book, alert, BY_MUTE, _name(mute), _until(book, mute))
    _log_suppressed(book, alert, mute.by, f"{_name(mute)}: {mute.why}" if mute.why else _name(mute), "")


def _hold(book: Book, alert: Alert, held: str, by: str, until: int | None) -> None:
    _silence(book, alert)
    causes.let_go(book, alert)
    alert.held, alert.suppressed_by, alert.suppressed_until = held, by, until
    alert.acked_by, alert.acked, alert.ack_until = "", None, None


def _log_suppressed(book: Book, alert: Alert, who: str, why: str, action: str) -> None:
    was, alert.state = alert.state, SUPPRESSED
    book.log(alert, SUPPRESSED, was=was, who=who, why=why, action=action)


def _silence(book: Book, alert: Alert) -> None:
    """Nobody is told of it any more."""
    book.touch(alert)
    if alert.is_told:
        book.halt(alert)
    escalate.stop(book, alert)
    book.index.hide(alert)


def _release(book: Book, cause: Alert) -> None:
    """A cause has ended some time ago: what it explained and wasn't put right is judged by itself. Where it has come
    back meanwhile, it goes on explaining only if it can, and if people hear of it."""
    cause.release = None
    book.keep(cause)
    effects = causes.hidden_by(book, cause)
    if cause.is_live and cause.lasts and cause.state != PENDING:
        effects = [alert for alert in effects if not causes.may_hide(book, cause, alert)]
    for alert in effects:
        causes.let_go(book, alert)
    for alert in effects:
        if alert.held == BY_CAUSE:
            alert.held = ""
            judge(book, alert, SUPPRESSED_BACK, why="what explained it has ended")


def _name(mute: Mute) -> str:
    return f"{mute.kind} {mute.id}"


def _until(book: Book, mute: Mute) -> int | None:
    return mute.until if book.now < mute.until < NEVER else None
