"""Alerts that are told together: the first at once, further ones at most once an interval, reminders now and then.

What is to be told waits in a *lane* of the group, named `<reason>/<step>`. Each lane has an interval of its own, so
that an escalation, or that all is well again, never waits behind an update. What is worse than all that the last
message of its lane was about doesn't wait either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from udfs.alerting import pages
from udfs.alerting.alert import ACKNOWLEDGED, EXPIRED, RESOLVED, Alert, Track
from udfs.alerting.book import Book
from udfs.alerting.external import down
from udfs.alerting.limits import offer, record_told
from udfs.alerting.policy import Recipient
from udfs.alerting.records import Group
from udfs.alerting.reported import OF_A_DEADLINE, SEVERITIES
from udfs.alerting.rows import by_severity

MOST_TOLD: Final = 5_000
"""Alerts in one message; those beyond wait for the next."""

OPENED: Final = "opened"
UPDATE: Final = "update"
REMINDER: Final = "reminder"
NOTICES: Final = (RESOLVED, EXPIRED, ACKNOWLEDGED)
"""What is said of an answer or an end is called like the state that follows."""


def want(book: Book, alert: Alert, track: Track, lane: str) -> None:
    """The group's next message is to tell of the alert."""
    if lane not in track.lanes:
        track.lanes = [*track.lanes, lane]
        book.keep(alert)
    book.index.waiting.add((track.group, lane), alert.id)
    group = book.groups[track.group]
    if lane not in group.wanted:
        group.wanted[lane] = book.now
        book.keep_group(group)
    if lane in group.worst and badness(alert) > group.worst[lane]:
        group.sent[lane] = min(group.sent[lane], book.now - group.interval)
        book.keep_group(group)
    book.due_groups.put(group.id, due(book, group))


def notice(book: Book, alert: Alert, reason: str) -> None:
    """Those who were told of the alert in this episode are to hear that it is answered or over; but for pagers, which
    are told when nothing else is open there."""
    for track in alert.tracks:
        if not all(pages.has(book, alert, one) for one in track.told):
            want(book, alert, track, f"{reason}/0")


def due(book: Book, group: Group) -> int | None:
    """When the group is to be looked at next (epoch ms)."""
    instants = [_lane_due(group, lane) for lane in group.wanted]
    if group.told and group.repeat:
        instants.append(group.told + group.repeat)
    if not instants and not book.index.groups.count(group.id):
        instants.append(max(group.sent.values(), default=book.now) + group.interval)
    return min(instants, default=None)


def retime(book: Book, id: str) -> None:
    """Sets when a group is to be looked at, since an alert has left it."""
    if id in book.groups:
        book.due_groups.put(id, due(book, book.groups[id]))


def _lane_due(group: Group, lane: str) -> int:
    return _from(group, lane, group.wanted[lane])


def _from(group: Group, lane: str, since: int) -> int:
    """From when on what has waited in a lane since an instant may be told."""
    last = group.sent.get(lane)
    if last is not None:
        return max(last + group.interval, since)
    return since + (group.wait if lane == f"{OPENED}/0" and not group.sent else 0)


def told_from(book: Book, track: Track, lane: str, bad: int) -> int:
    """From when on the group of a track tells what waits in a lane, or would wait there if it came now and was so bad
    (see `badness`)."""
    group = book.groups[track.group]
    if bad > group.worst.get(lane, bad):
        return book.now
    return _from(group, lane, group.wanted.get(lane, book.now))


def flush(book: Book, group: Group) -> None:
    """Tells what is due in a group, and forgets the group when nothing is left of it."""
    for lane in sorted(group.wanted, key=_order):
        if _lane_due(group, lane) <= book.now:
            _tell(book, group, lane)
    if group.told and group.repeat and group.told + group.repeat <= book.now:
        _remind(book, group)
    if not group.wanted and not book.index.groups.count(group.id):
        if max(group.sent.values(), default=0) + group.interval <= book.now:
            del book.groups[group.id]
            book.forget("g/" + group.id)
            book.due_groups.put(group.id, None)
            return
        group.told = 0
    book.keep_group(group)
    book.due_groups.put(group.id, due(book, group))


def _order(lane: str) -> tuple[int, str]:
    """Earlier steps first."""
    reason, _, step = lane.partition("/")
    return int(step), reason


def _tell(book: Book, group: Group, lane: str) -> None:
    reason, _, step = lane.partition("/")
    waiting = by_severity([book.alerts[id] for id in book.index.waiting.get((group.id, lane))])
    told = waiting[:MOST_TOLD]
    for alert in told:
        _track(alert, group).lanes.remove(lane)
        book.index.waiting.drop((group.id, lane), alert.id)
        book.keep(alert)
    if len(waiting) > MOST_TOLD:
        group.wanted[lane] = book.now
    else:
        del group.wanted[lane]
    if not told:
        return
    if reason in NOTICES:
        group.sent[lane] = book.now
        _send_notices(book, group, reason, told)
    else:
        if reason == OPENED and _has_told(book, group):
            reason = UPDATE
        if _send(book, group, reason, int(step), told):
            group.sent[lane], group.worst[lane] = book.now, max(badness(alert) for alert in told)
        if not _leaves_out(book, group, told):
            group.told = book.now


def _send(book: Book, group: Group, reason: str, step: int, told: list[Alert]) -> bool:
    """Tells whom the step of the escalation names; the tracks of a group may differ where the rules have changed.

    Whether somebody was told now: if not, nobody need be spared the next alerts of the group for an interval, and those
    wait for the same digest.
    """
    has_reached = False
    for escalation in sorted({_track(alert, group).escalation for alert in told}):
        some = [alert for alert in told if _track(alert, group).escalation == escalation]
        recipients = _elsewhere(book.policy.recipients(escalation, step, book.now), some)
        reached = [one for one in recipients if offer(book, one, reason, step, some, group)]
        for alert in some:
            if reached:
                record_told(book, alert, _track(alert, group), reached, reason)
            elif not recipients:
                book.log(alert, "unreached", why=f"step {step} of {escalation} reaches nobody now")
        has_reached = has_reached or bool(reached)
    return has_reached


def _elsewhere(recipients: Sequence[Recipient], told: list[Alert]) -> Sequence[Recipient]:
    """That a channel is down is told through others, where there are any."""
    silent = {down(alert) for alert in told}
    others = [one for one in recipients if silent != {one.channel}]
    return others or recipients


def _send_notices(book: Book, group: Group, reason: str, told: list[Alert]) -> None:
    for recipient, some in _by_recipient(book, group, told).items():
        heard = [alert for alert in some if reason != ACKNOWLEDGED or recipient.person != alert.acked_by]
        heard = [alert for alert in heard if not pages.has(book, alert, recipient)]
        if heard:
            offer(book, recipient, reason, 0, heard, group)


def _remind(book: Book, group: Group) -> None:
    """Tells those who were told again of all that is still open and unanswered."""
    live = [book.alerts[id] for id in book.index.groups.get(group.id)]
    told = by_severity([alert for alert in live if alert.is_telling and _track(alert, group).told])
    group.told = book.now if told else 0
    for alert in told:
        book.log(alert, "reminded")
    for recipient, some in _by_recipient(book, group, told).items():
        offer(book, recipient, REMINDER, 0, some, group)


def _leaves_out(book: Book, group: Group, told: list[Alert]) -> bool:
    """Whether something else waits for its reminder: what is told again and again must not put that off."""
    spoken = {alert.id for alert in told}
    live = (book.alerts[id] for id in book.index.groups.get(group.id) if id not in spoken)
    return bool(group.told) and any(alert.is_telling and _track(alert, group).told for alert in live)


def _by_recipient(book: Book, group: Group, told: list[Alert]) -> dict[Recipient, list[Alert]]:
    """Who of those who were told was told of what, as they are reached now."""
    found: dict[Recipient, list[Alert]] = {}
    for alert in told:
        for recipient in dict.fromkeys(book.policy.today(one) for one in _track(alert, group).told):
            if recipient is not None:
                found.setdefault(recipient, []).append(alert)
    return found


def _has_told(book: Book, group: Group) -> bool:
    """Whether people know of the group already: of some alert in it that hasn't ended."""
    return any(_track(book.alerts[id], group).told for id in book.index.groups.get(group.id))


def badness(alert: Alert, severity: str = "") -> int:
    """A number that is higher the worse an alert is: by its severity (or that which it would have), and then by how far
    its deadline's story is."""
    story = OF_A_DEADLINE.index(alert.kind) if alert.kind in OF_A_DEADLINE else 0
    return SEVERITIES.index(severity or alert.severity) * len(OF_A_DEADLINE) + story


def _track(alert: Alert, group: Group) -> Track:
    return next(track for track in alert.tracks if track.group == group.id)
