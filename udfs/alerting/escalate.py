"""Who is told when nobody answers: the steps of the escalation, on each route of an alert."""

from __future__ import annotations

from typing import Final

from udfs.alerting import pages
from udfs.alerting.alert import ESCALATED, Alert, Track
from udfs.alerting.book import Book
from udfs.alerting.groups import OPENED, want
from udfs.alerting.wording import instant

ESCALATION: Final = "escalated"


def start(book: Book, alert: Alert, reason: str) -> None:
    """Counts the steps from now on. `reason` is why the first of them tells."""
    alert.level = 0
    for track in alert.tracks:
        track.since, track.step = book.now, 0
        track.due = book.policy.step_due(track.escalation, 0, track.since)
    advance(book, alert, reason)


def advance(book: Book, alert: Alert, reason: str = OPENED) -> None:
    """Takes the steps that are due. Of several that have become due in one leap of time (the job or the clock was away)
    only the last one tells, with those of the same instant: that is who is to be told now."""
    for track in alert.tracks:
        steps = _due(book, track)
        tells = _telling(book, track, steps)
        for at in steps:
            if at < tells:
                _pass(book, alert, track, at)
            else:
                take(book, alert, track, reason)


def _due(book: Book, track: Track) -> list[int]:
    """When the steps that are due were so, in their order."""
    found: list[int] = []
    at = track.due
    while at is not None and at <= book.now:
        found.append(at)
        at = book.policy.step_due(track.escalation, track.step + len(found), track.since)
    return found


def _telling(book: Book, track: Track, steps: list[int]) -> int:
    """From when on those steps that are due tell: from the last one that reaches somebody; if none does, all of them,
    so that each is known to have reached nobody."""
    for place in reversed(range(len(steps))):
        if place == 0 or book.policy.recipients(track.escalation, track.step + place, book.now):
            return steps[place]
    return 0


def take(book: Book, alert: Alert, track: Track, reason: str = OPENED, who: str = "", action: str = "") -> None:
    """Takes the next step of a track, due or not."""
    book.touch(alert)
    step = track.step
    want(book, alert, track, f"{ESCALATION if step else reason}/{step}")
    track.step = step + 1
    track.due = book.policy.step_due(track.escalation, track.step, track.since)
    if step > alert.level or (step and alert.state != ESCALATED):
        was, alert.state, alert.level = alert.state, ESCALATED, max(step, alert.level)
        why = f"step {step} of {track.escalation}"
        book.log(alert, ESCALATION, who=who, was=was, why=why, action=action)


def _pass(book: Book, alert: Alert, track: Track, at: int) -> None:
    """Leaves the next step of a track behind, untold; it was due at an instant that has gone by."""
    book.touch(alert)
    why = f"step {track.step} of {track.escalation}, due {instant(at)}, was left out: a later one is due"
    book.log(alert, "passed", why=why)
    track.step += 1
    track.due = book.policy.step_due(track.escalation, track.step, track.since)


def stop(book: Book, alert: Alert) -> None:
    """Nobody is to be told any more, neither by further steps nor by what waits for its group's next message."""
    for track in alert.tracks:
        track.due = None
        for lane in track.lanes:
            book.index.waiting.drop((track.group, lane), alert.id)
        track.lanes = []
    pages.look(book, alert)
