"""Alerts with one cause, gathered: what it was probably, what speaks for that, and how much it touches.

An incident opens when an alert explains another, or when some alerts of one workflow and rule that share a value of a
group come within a while: how many and how long is the policy's (`Gathering`). It ends when the last of its alerts has.
"""

from __future__ import annotations

from typing import Final

from udfs.alerting.alert import FORMAT, Alert
from udfs.alerting.book import KEPT, Book
from udfs.alerting.index import item_of, shares
from udfs.alerting.records import Incident
from udfs.alerting.reported import worse
from udfs.alerting.wording import instant, span, summary
from udfs.core.effects import BLIND
from udfs.core.ids import SEPARATOR, digest

MOST_EVIDENCE: Final = 10
MOST_VALUES: Final = 20
"""So many texts, and values of a group, are listed."""

MANY_ITEMS: Final = (10, 100)
"""What raises an incident's priority by one each, as much value does."""

_PRIORITY: Final = {"critical": 2, "high": 3, "medium": 4, "low": 4}


def priority(incident: Incident, much: float) -> str:
    """P1 to P4, by how severe the worst alert is, how many items are touched and whether they are worth `much`."""
    raised = sum(incident.items >= many for many in MANY_ITEMS) + ((incident.value or 0) >= much)
    return f"P{max(1, _PRIORITY[incident.severity] - raised)}"


def caused(book: Book, cause: Alert, effect: Alert) -> None:
    """One alert explains another: they are in one incident."""
    incident = open_incident(book, cause)
    if incident is None:
        incident = _new(book, cause, "", summary(cause))
        join(book, incident, cause)
    if not incident.shared:
        _add_evidence(book, incident, _evidence(cause, effect))
    join(book, incident, effect)


def shared_leader(book: Book, alert: Alert) -> Alert | None:
    """The alert that people are told of already, if this one is more of the same.

    One that somebody has acknowledged stands for no more than it stood for then: that they share something is no known
    cause, whose end would be the end of all. What comes later is told, and leads from then on (see `gather`).
    """
    for name in shares(alert):
        incident = book.incidents.get(book.shared.get(name, ""))
        if incident is None or not _takes(book, incident, alert):
            continue
        leader = book.alerts.get(incident.leader)
        if leader is not None and leader.is_telling and leader.id != alert.id:
            return leader
    return None


def gather(book: Book, alert: Alert) -> list[tuple[Alert, Alert]]:
    """An alert is shown. If it shares something with enough others to be one incident, returns the one to be told of
    with each of the others."""
    for name in shares(alert):
        incident = book.incidents.get(book.shared.get(name, ""))
        leader = book.alerts.get(incident.leader) if incident is not None else None
        is_led = leader is not None and leader.is_telling
        if incident is not None and (alert.incident == incident.id or (not is_led and _takes(book, incident, alert))):
            join(book, incident, alert)
            if not is_led:
                incident.leader = alert.id
                book.keep_incident(incident)
            return []
        recent = _recent(book, name)
        if len(recent) >= book.policy.incidents.alerts:
            leader, *others = sorted(recent, key=_leads)
            _lead(book, name, leader, len(recent))
            return [(leader, other) for other in others]
    return []


def _takes(book: Book, incident: Incident, alert: Alert) -> bool:
    """Whether an alert that shares something with those of an incident is one of them: it is already, or it has come
    soon enough after the last and belongs to no other."""
    if alert.incident == incident.id:
        return True
    is_soon = book.now <= incident.joined + book.policy.incidents.within_ms
    return is_soon and open_incident(book, alert) is None


def _leads(alert: Alert) -> tuple[bool, bool, tuple[int, str]]:
    """Sorts alerts that share something: one that people have been told of comes before those that wait for their
    group's next message. Were it hidden, what is said of it would be called off, and nobody hear of any for a while."""
    is_known = any(track.told for track in alert.tracks)
    return not is_known, not alert.is_told, alert.age


def join(book: Book, incident: Incident, alert: Alert) -> None:
    """An alert belongs to an incident, and to no other."""
    if alert.incident == incident.id:
        return
    book.touch(alert)
    before = book.incidents.get(alert.incident)
    leave(book, alert)
    if before is not None:
        _count(book, before, alert, -1)
    alert.incident = incident.id
    incident.joined = book.now
    incident.severity = worse(incident.severity, alert.severity)
    _count(book, incident, alert, 1)
    for name, value in alert.groups.items():
        values = incident.groups.get(name, [])
        if value not in values and len(values) < MOST_VALUES:
            incident.groups[name] = [*values, value]
    book.index.members.add(incident.id, alert.id)
    book.log(alert, "joined", why=summary(alert))  # as it was then: it may come back, and be of another one


def revalue(book: Book, alert: Alert, amount: float | None) -> None:
    """It becomes known what an alert's item is worth."""
    incident = open_incident(book, alert)
    before = _worth(book, incident, alert) if incident is not None else None
    alert.amount = amount
    if incident is not None:
        _add_value(book, incident, before, _worth(book, incident, alert))


def note(book: Book, incident: Incident, who: str, action: str) -> None:
    """What people are told of an incident stands in the log of the alert that leads it: later notes take its place."""
    leader = book.alerts.get(incident.leader)
    if leader is not None and leader.incident == incident.id:
        book.touch(leader)
        book.log(leader, "noted", who=who, why=incident.note, action=action)


def weigh(book: Book, alert: Alert) -> None:
    """An alert has become more severe, and with it its incident."""
    incident = open_incident(book, alert)
    if incident is not None and incident.severity != worse(incident.severity, alert.severity):
        book.touch_incident(incident)
        incident.severity = alert.severity


def leave(book: Book, alert: Alert) -> None:
    """An alert has ended, or goes to another incident; an incident without any that lives is resolved."""
    incident = book.incidents.get(alert.incident)
    book.index.members.drop(alert.incident, alert.id)
    if incident is not None and incident.resolved is None and not book.index.members.count(incident.id):
        book.touch_incident(incident)
        incident.state, incident.resolved = "resolved", book.now
        if book.shared.get(incident.shared) == incident.id:
            del book.shared[incident.shared]


def on_time(book: Book, incident: Incident) -> None:
    """Writes its row anew, or forgets it when it has been resolved long ago."""
    if incident.resolved is not None and incident.resolved + KEPT <= book.now:
        del book.incidents[incident.id]
        book.forget("i/" + incident.id)
    else:
        book.touch_incident(incident)


def open_incident(book: Book, alert: Alert) -> Incident | None:
    """The incident of an alert, if that has not been resolved."""
    found = book.incidents.get(alert.incident)
    return found if found is not None and found.resolved is None else None


def _count(book: Book, incident: Incident, alert: Alert, sign: int) -> None:
    """An alert comes to an incident (1), or goes to another one (-1), and with it its item, unless that has others."""
    part = incident.id, item_of(alert)
    before = _worth(book, incident, alert)
    (book.index.parts.add if sign > 0 else book.index.parts.drop)(part, alert.id)
    incident.alerts += sign
    if book.index.parts.count(part) == (sign > 0) and alert.kind != BLIND and not alert.is_of_a_step:
        incident.items += sign
    _add_value(book, incident, before, _worth(book, incident, alert))
    book.keep_incident(incident)
    book.refresh_incident(incident)


def _worth(book: Book, incident: Incident, alert: Alert) -> float | None:
    """What an incident counts an alert's item with: the largest amount of its alerts."""
    parts = book.index.parts.get((incident.id, item_of(alert)))
    known = [amount for id in parts if (amount := book.alerts[id].amount) is not None]
    return max(known, default=None)


def _add_value(book: Book, incident: Incident, before: float | None, after: float | None) -> None:
    if before != after:
        incident.value = (incident.value or 0) - (before or 0) + (after or 0)
        book.keep_incident(incident)
        book.refresh_incident(incident)


def _recent(book: Book, name: str) -> list[Alert]:
    """Those shown lately that share something, if they are enough; of those in an incident nobody needs to be told."""
    found: list[Alert] = []
    for id, shown in reversed(book.index.shared.get(name, {}).items()):
        if shown < book.now - book.policy.incidents.within_ms:
            break
        alert = book.alerts[id]
        if alert.is_telling and open_incident(book, alert) is None:
            found.append(alert)
    return found


def _lead(book: Book, name: str, leader: Alert, count: int) -> None:
    _, workflow, rule, share = name.split(SEPARATOR)
    incident = _new(book, leader, name, f"{workflow} {rule}: several alerts" + (f" of {share}" if share else ""))
    text = f"{count} alerts of {workflow} {rule} came within {span(book.policy.incidents.within_ms)}"
    _add_evidence(book, incident, f"{text} and share {share}" if share else text)
    book.shared[name] = incident.id
    join(book, incident, leader)


def _new(book: Book, leader: Alert, shared: str, title: str) -> Incident:
    # Which of those that share something came first, at one moment, is no part of its identity.
    id = digest("incident", "" if shared else leader.id, shared, str(book.now))
    while id in book.incidents:
        id = digest("incident", id)
    cause = "" if shared else leader.id
    incident = Incident(
        FORMAT, id, leader.lane, cause, shared, leader.id, book.now, book.now, leader.severity, title, []
    )
    book.incidents[id] = incident
    book.touch_incident(incident)
    return incident


def _add_evidence(book: Book, incident: Incident, text: str) -> None:
    if text not in incident.evidence and len(incident.evidence) < MOST_EVIDENCE:
        incident.evidence = [*incident.evidence, text]
        book.keep_incident(incident)


def _evidence(cause: Alert, effect: Alert) -> str:
    if cause.kind == BLIND:
        return f"source {cause.key}, silent since {instant(cause.since)}, feeds {effect.workflow}"
    if cause.is_of_a_step:
        return f"{cause.because} at {cause.step} since {instant(cause.since)}; {effect.step} is at or behind it"
    if cause.workflow != effect.workflow:
        return f"items of {effect.workflow} are parts of {cause.workflow} {cause.key}, whose {cause.step} is missing"
    return (
        f"{cause.step} of {cause.key} is missing since {instant(cause.breach)}; the flow puts it before {effect.step}"
    )
