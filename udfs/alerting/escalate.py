"""Who is told when nobody answers: the steps of the escalation, on each route of an alert."""

from __future__ import annotations

from typing import Final

from udfs.alerting.alert import ESCALATED, Alert, Track
from udfs.alerting.book import Book
from udfs.alerting.groups import OPENED, want

ESCALATION: Final = "escalated"


def start(book: Book, alert: Alert, reason: str) -> None:
    """Counts the steps from now on. `reason` is why the first of them tells."""
    alert.level = 0
    for track in alert.tracks:
        track.since, track.step = book.now, 0
        track.due = book.policy.step_due(track.escalation, 0, track.since)
    advance(book, alert, reason)


def advance(book: Book, alert: Alert, reason: str = OPENED) -> None:
    """Takes the steps that are due."""
    for track in alert.tracks:
        while track.due is not None and track.due <= book.now:
            take(book, alert, track, reason)


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


def stop(book: Book, alert: Alert) -> None:
    """Nobody is to be told any more, neither by further steps nor by what waits for its group's next message."""
    for track in alert.tracks:
        track.due = None
        for lane in track.lanes:
            book.index.waiting.drop((track.group, lane), alert.id)
        track.lanes = []
