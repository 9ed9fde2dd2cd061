"""What people do with alerts and incidents. An action is applied or refused, answered either way, and never done twice.

    {"id", "at_ms", "who", "kind", "alerts": [id…], "incident", "why", "until_ms", "assignee", "text", "public"}

Who answers a message means the alerts as they were then: `episodes` (by alert), or `told_ms`, the message's instant.

Of several alerts those are dealt with that can be; it is refused where none can. What is said of the others stands in
the answer's `detail`.
An action about what isn't known, or has ended, waits until time goes on: after a crash it may be read before the
finding of the same moment that it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from udfs.alerting import causes, escalate, incidents, lifecycle
from udfs.alerting.alert import ACKNOWLEDGED, BY_MUTE, FORMAT, RESOLVED, SUPPRESSED, Alert, labels
from udfs.alerting.answers import remember
from udfs.alerting.book import Book
from udfs.alerting.effects import Applied
from udfs.alerting.records import Incident, Waiting
from udfs.core.state import NEVER

MOST_ALERTS: Final = 10_000
"""Alerts in one action."""

MOST_ANSWERED: Final = 1_000
"""So many are named in an answer with their states; `halt` names all."""

LONGEST: Final = 4_000
"""Characters of a text that are kept."""

MOST_REASONS: Final = 3

MOST_WAITING: Final = 100
"""So many wait for what they are about; further ones are refused at once."""


class Action(msgspec.Struct, frozen=True):
    id: str
    kind: str
    who: str = ""
    alerts: list[str] = []
    episodes: dict[str, int] = {}
    told_ms: int | None = None
    incident: str = ""
    why: str | None = ""
    until_ms: int | None = None
    assignee: str | None = ""
    text: str | None = ""
    public: bool | int | None = 0

    @property
    def because(self) -> str:
        return (self.why or "")[:LONGEST]

    @property
    def said(self) -> str:
        return (self.text or self.why or "")[:LONGEST]


class Refused(Exception):
    """Why an action can't be applied, in words for people."""


class NotYet(Refused):
    """What it is about may come at the same moment."""


def act(book: Book, row: Mapping[str, Any]) -> None:
    """Raises ValueError for a row without an id: nobody waits for its answer."""
    id = row.get("id")
    if not isinstance(id, str) or not id:
        raise ValueError("is no action: it has no `id` to answer to; see docs/contracts.md")
    known = book.answers.get(id)
    if known is not None:
        book.out.append(Applied(known.row))
        return
    try:
        action = msgspec.convert(dict(row), Action)
    except msgspec.ValidationError as fault:
        _answer(book, id, "refused", str(fault), [])
        return
    if id not in book.waiting and not _try(book, action, len(book.waiting) >= MOST_WAITING):
        number = max((one.number for one in book.waiting.values()), default=0) + 1
        book.keep_waiting(Waiting(FORMAT, id, number, msgspec.to_builtins(action)))


def try_again(book: Book, is_last: bool) -> None:
    """Actions that wait may be about what has just come; the `is_last` time they are refused if they aren't."""
    for waiting in list(book.waiting.values()):
        if _try(book, msgspec.convert(waiting.row, Action), is_last):
            del book.waiting[waiting.id]
            book.forget("w/" + waiting.id)


def _try(book: Book, action: Action, is_last: bool) -> bool:
    """Whether the action has been dealt with: it was applied, or refused for good."""
    changed: list[Alert] = []
    try:
        _answer(book, action.id, "applied", _apply(book, action, changed), changed)
    except Refused as fault:
        if isinstance(fault, NotYet) and not is_last:
            return False
        _answer(book, action.id, "refused", str(fault), [])
    return True


def _answer(book: Book, id: str, outcome: str, detail: str, changed: list[Alert]) -> None:
    answer = {
        "type": "applied",
        "action": id,
        "outcome": outcome,
        "detail": detail,
        "alerts": [{"id": one.id, "state": one.state, "rev": one.rev} for one in changed[:MOST_ANSWERED]],
        "halt": book.take_halts() if outcome == "applied" else {},
        "at_ms": book.now,
    }
    book.out.append(Applied(answer))
    remember(book, answer)


def _apply(book: Book, action: Action, changed: list[Alert]) -> str:
    if action.kind in _ON_INCIDENTS:
        return _ON_INCIDENTS[action.kind](book, action, _incident(book, action.incident), changed)
    if action.kind not in _ON_ALERTS:
        raise Refused(f"`{action.kind}` is no action; there are {', '.join([*_ON_ALERTS, *_ON_INCIDENTS])}")
    ids = list(dict.fromkeys(action.alerts))
    if not ids:
        raise Refused("names no alert; put their ids into `alerts`")
    if len(ids) > MOST_ALERTS:
        raise Refused(f"names {len(ids)} alerts; send at most {MOST_ALERTS} in one action")
    refused: list[str] = []
    reason: type[Refused] = Refused
    for id in ids:
        alert = book.alerts.get(id)
        try:
            if alert is None:
                raise NotYet("is not known; it never was, or ended more than a week ago")
            if not alert.is_live and action.kind != "comment":  # who resolves means what there was, and nothing newer
                raise (Refused if action.kind == "resolve" else NotYet)(f"has ended: it is {alert.state}")
            _as_told(action, alert)
            _ON_ALERTS[action.kind](book, action, alert)
            changed.append(alert)
        except Refused as fault:
            refused.append(f"alert {id} {fault}")
            reason = type(fault) if reason is Refused else reason
    if not changed:
        raise reason(_reasons(refused))
    return f"{len(changed)} of {len(ids)}; {_reasons(refused)}" if refused else ""


def _as_told(action: Action, alert: Alert) -> None:
    """Raises Refused for an alert that isn't the one any more which a message told of, NotYet for one not yet."""
    told = action.episodes.get(alert.id, alert.episode)
    if told < alert.episode or (action.told_ms is not None and alert.opened > action.told_ms):
        raise Refused("has ended, and come back since; look at it again")
    if told > alert.episode:
        raise NotYet(f"is in episode {alert.episode}, not in {told}")


def _acknowledge(book: Book, action: Action, alert: Alert) -> None:
    until = _until(book, action)
    if until is None:
        until = book.now + book.policy.ack_ms(labels(alert))
    lifecycle.acknowledge(book, alert, action.who, action.because, until, action.id)


def _unacknowledge(book: Book, action: Action, alert: Alert) -> None:
    if alert.state != ACKNOWLEDGED:
        raise Refused(f"is not acknowledged: it is {alert.state}")
    lifecycle.unacknowledge(book, alert, action.who, action.because, action.id)


def _suppress(book: Book, action: Action, alert: Alert) -> None:
    lifecycle.suppress(book, alert, action.who, action.because, _until(book, action), action.id)


def _unsuppress(book: Book, action: Action, alert: Alert) -> None:
    if alert.state != SUPPRESSED:
        raise Refused(f"is not suppressed: it is {alert.state}")
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
    mute = book.policy.muted(labels(alert), book.now)
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


def _note(book: Book, action: Action, incident: Incident, changed: list[Alert]) -> str:
    book.touch_incident(incident)
    incident.note, incident.note_ms = action.said, book.now
    incident.public = bool(action.public)  # each note says it anew: what doesn't say so is for nobody outside
    incidents.note(book, incident, action.who, action.id)
    return ""


def _resolve_all(book: Book, action: Action, incident: Incident, changed: list[Alert]) -> str:
    if incident.resolved is not None:
        raise Refused(f"incident {incident.id} is resolved already")
    for id in sorted(book.index.members.get(incident.id)):
        alert = book.alerts[id]
        lifecycle.end(book, alert, RESOLVED, action.because or "incident resolved", who=action.who, action=action.id)
        changed.append(alert)
    return ""


def _merge(book: Book, action: Action, incident: Incident, changed: list[Alert]) -> str:
    """Takes in alerts, and all alerts of incidents, that `alerts` names."""
    if incident.resolved is not None:
        raise Refused(f"incident {incident.id} is resolved; merge into one that is open")
    refused: list[str] = []
    for id in dict.fromkeys(action.alerts):
        named = sorted(book.index.members.get(id)) if id in book.incidents else [id]
        for one in named:
            alert = book.alerts.get(one)
            if alert is None or not alert.is_live:
                refused.append(f"{one} is neither a live alert nor an incident")
                continue
            incidents.join(book, incident, alert)
            book.log(alert, "merged", who=action.who, why=action.because, action=action.id)
            changed.append(alert)
    if not changed:
        raise Refused(_reasons(refused) or "names no alert or incident to take in; put their ids into `alerts`")
    return _reasons(refused)


def _incident(book: Book, id: str) -> Incident:
    found = book.incidents.get(id)
    if found is None:
        raise NotYet(f"incident `{id}` is not known; it never was, or ended more than a week ago")
    return found


def _until(book: Book, action: Action) -> int | None:
    if action.until_ms is not None and action.until_ms <= book.now:
        raise Refused(f"gets an `until_ms` of {action.until_ms}, which is over")
    return None if action.until_ms is None or action.until_ms >= NEVER else action.until_ms


def _reasons(refused: list[str]) -> str:
    more = len(refused) - MOST_REASONS
    return "; ".join(refused[:MOST_REASONS]) + (f"; and {more} more" if more > 0 else "")


_ON_ALERTS: Final[dict[str, Callable[[Book, Action, Alert], None]]] = {
    "ack": _acknowledge,
    "unack": _unacknowledge,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
    "resolve": _resolve,
    "comment": _comment,
    "assign": _assign,
    "escalate": _escalate,
}

_ON_INCIDENTS: Final[dict[str, Callable[[Book, Action, Incident, list[Alert]], str]]] = {
    "incident_note": _note,
    "incident_resolve": _resolve_all,
    "incident_merge": _merge,
}
