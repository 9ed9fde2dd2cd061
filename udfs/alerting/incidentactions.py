"""What people do with incidents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from udfs.alerting import incidents, lifecycle
from udfs.alerting.action import Action, NotYet, Refused, SoFar, do_each
from udfs.alerting.alert import RESOLVED
from udfs.alerting.book import Book
from udfs.alerting.records import Incident


def on_incident(book: Book, action: Action, so_far: SoFar, is_last: bool) -> str:
    """Returns what is said of it. Raises Refused, and NotYet while what it names may come."""
    incident = book.incidents.get(action.incident)
    if incident is None:
        raise NotYet(f"incident `{action.incident}` is not known; it never was, or ended more than a week ago")
    return ON_INCIDENTS[action.kind](book, action, incident, so_far, is_last)


def _note(book: Book, action: Action, incident: Incident, so_far: SoFar, is_last: bool) -> str:
    book.touch_incident(incident)
    incident.note, incident.note_ms = action.said, book.now
    incident.public = bool(action.public)  # each note says it anew: what doesn't say so is for nobody outside
    incidents.note(book, incident, action.who, action.id)
    return ""


def _resolve(book: Book, action: Action, incident: Incident, so_far: SoFar, is_last: bool) -> str:
    if incident.resolved is not None:
        raise Refused(f"incident {incident.id} is resolved already")
    for id in sorted(book.index.members.get(incident.id)):
        alert, why = book.alerts[id], action.because or "incident resolved"
        lifecycle.end(book, alert, RESOLVED, why, who=action.who, action=action.id)
        so_far[id] = ""
    return ""


def _merge(book: Book, action: Action, incident: Incident, so_far: SoFar, is_last: bool) -> str:
    """Takes in alerts, and all alerts of incidents, that `alerts` names."""
    if incident.resolved is not None:
        raise Refused(f"incident {incident.id} is resolved; merge into one that is open")

    def take_in(id: str) -> None:
        alert = book.alerts.get(id)
        if alert is None or not alert.is_live:
            raise NotYet("is neither a live alert nor an incident")
        incidents.join(book, incident, alert)
        book.log(alert, "merged", who=action.who, why=action.because, action=action.id)

    named = [sorted(book.index.members.get(id)) if id in book.incidents else [id] for id in action.alerts]
    ids = [id for some in named for id in some]
    if not ids:
        raise Refused("names no alert or incident to take in; put their ids into `alerts`")
    return do_each(ids, so_far, is_last, take_in)


ON_INCIDENTS: Final[dict[str, Callable[[Book, Action, Incident, SoFar, bool], str]]] = {
    "incident_note": _note,
    "incident_resolve": _resolve,
    "incident_merge": _merge,
}
