"""Which routes an alert takes, by the policy in force, and with whom it is told."""

from __future__ import annotations

from udfs.alerting.alert import ESCALATED, OPEN, Alert, Track, labels
from udfs.alerting.book import Book
from udfs.alerting.groups import due, retime, want
from udfs.alerting.policy import Recipient, Route
from udfs.alerting.records import Group, new_group
from udfs.core.ids import digest


def route(book: Book, alert: Alert) -> bool:
    """Puts an alert on its routes. Returns whether anything about it changes by that.

    Where it is on a route already, it stays as far as it has come there. On a new route with the same escalation it
    goes on where it was on the one before; another escalation begins now. Who was told stays known.
    """
    found = labels(alert)
    routes = book.policy.route(found)
    groups = {_group(book, one, found).id: one for one in routes}
    severity = next((one.severity for one in routes if one.severity), alert.said)
    tracks = [_track(book, alert, group, one) for group, one in groups.items()]
    same = [_place(track) for track in tracks] == [_place(track) for track in alert.tracks]
    if same and severity == alert.severity:
        return False
    alert.severity = severity
    if not same:
        _move(book, alert, tracks)
    return True


def holds(book: Book, alert: Alert) -> tuple[int, int]:
    """For how long (ms) an alert is pending, and when it expires (epoch ms), if nothing happens to it."""
    routes = book.policy.route(labels(alert))
    span = max(one.expire_ms if alert.has_cure else one.event_ms for one in routes)
    return max(one.hold_ms for one in routes), book.now + span


def _place(track: Track) -> tuple[object, ...]:
    return track.route, track.team, track.escalation, track.group, track.due


def _group(book: Book, one: Route, found: dict[str, str]) -> Group:
    shared = {name: found.get(name, "") for name in one.group_by}
    id = digest(one.name, *[f"{name}={value}" for name, value in shared.items()])
    group = book.groups.get(id)
    is_new = group is None
    if group is None:
        group = book.groups[id] = new_group(id, one.name, shared)
    spans = (one.wait_ms, one.interval_ms, one.repeat_ms)
    if is_new or spans != (group.wait, group.interval, group.repeat):
        group.wait, group.interval, group.repeat = spans
        book.keep_group(group)
        book.due_groups.put(id, due(book, group))
    return group


def _track(book: Book, alert: Alert, group: str, one: Route) -> Track:
    before = next((track for track in alert.tracks if track.group == group), None)
    if before is None:
        before = next((track for track in alert.tracks if track.escalation == one.escalation), None)
    track = Track(one.name, one.team, one.escalation, group, since=book.now if alert.shown else 0)
    if before is not None and before.escalation == one.escalation:
        track.since, track.step = before.since, before.step
    if alert.is_telling:
        track.due = book.policy.step_due(track.escalation, track.step, track.since)
    return track


def _move(book: Book, alert: Alert, tracks: list[Track]) -> None:
    """What a track has of messages that wait, and of people who were told, goes to the one that takes its place."""
    book.keep(alert)
    for before in alert.tracks:
        book.index.groups.drop(before.group, alert.id)
        book.stirred.update(book.index.keys.get(before.group))
        after = next((track for track in tracks if track.group == before.group), tracks[0])
        after.told = _both(after.told, before.told)
        for lane in before.lanes:
            book.index.waiting.drop((before.group, lane), alert.id)
        retime(book, before.group)
    waiting = [(before.group, lane) for before in alert.tracks for lane in before.lanes]
    alert.tracks = tracks
    for track in tracks:
        if alert.is_live:
            book.index.groups.add(track.group, alert.id)
    for group, lane in waiting:
        after = next((track for track in tracks if track.group == group), tracks[0])
        if int(lane.partition("/")[2]) < max(after.step, 1):  # not what a later step of the one before was to tell
            want(book, alert, after, lane)
    if alert.state == ESCALATED and not any(track.step for track in tracks):
        book.touch(alert)
        alert.state, alert.level = OPEN, 0
        book.log(alert, "rerouted", was=ESCALATED, why=f"{tracks[0].escalation or 'no escalation'} begins")


def _both(some: list[Recipient], others: list[Recipient]) -> list[Recipient]:
    return list(dict.fromkeys([*some, *others]))
