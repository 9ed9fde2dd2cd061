"""Suppression from the graph: which alert explains which.

An alert is explained, the first that holds, by a source that is blind and feeds its workflow; by a whole step, its own
or one upstream, that stands still; by the item that its item is a part of; by a step upstream that is missing from the
same item; or by one that people know of already and that shares enough with it (see `incidents`). Of a source or step
it is asked that it stood still when the alert's deadline was broken; of a whole, that it was late by then, and doesn't
wait for its parts itself. A step that the item has evidently passed explains nothing of it.

Nothing is hidden behind what nobody hears of, and a cause is as severe as the worst that it hides (see `may_hide`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from udfs.alerting import escalate
from udfs.alerting.alert import ACKNOWLEDGED, BY_CAUSE, BY_MUTE, BY_PERSON, PENDING, SUPPRESSED, Alert
from udfs.alerting.book import Book
from udfs.alerting.groups import OPENED, badness, told_from, want
from udfs.alerting.incidents import caused, shared_leader
from udfs.alerting.index import item_of
from udfs.alerting.limits import heard_at
from udfs.alerting.reported import worse
from udfs.alerting.wording import EXPLAINED
from udfs.core.effects import BLIND, STALLED
from udfs.core.state import NEVER

GRACE = 2 * 60_000
"""Ms after the end of a cause in which its effects may be put right before people hear of them."""


def cause_of(book: Book, alert: Alert) -> Alert | None:
    """The alert that explains one, if any; if that is explained itself, what explains it."""
    if alert.free:
        return None
    if alert.may_be_explained:
        for ids in _possible_causes(book, alert):
            found = sorted((book.alerts[id] for id in ids), key=lambda one: one.age)
            for cause in found:
                if _explains(book, cause, alert):
                    root = _root(book, cause)
                    if root.id != alert.id and may_hide(book, root, alert):
                        return root
    leader = shared_leader(book, alert)
    return leader if leader is not None and may_hide(book, leader, alert) else None


def effects_of(book: Book, cause: Alert) -> list[Alert]:
    """What people are told of, or about to be, and an alert explains."""
    if not cause.lasts:
        return []
    ids = {id for some in _possible_effects(book, cause) for id in some}
    found = [book.alerts[id] for id in ids]
    told = [one for one in found if (one.is_telling or one.state == PENDING) and not one.free]
    hidden = [one for one in told if _explains(book, cause, one) and may_hide(book, cause, one)]
    return sorted(hidden, key=lambda one: one.age)


def may_hide(book: Book, cause: Alert, alert: Alert) -> bool:
    """Whether people hear of a cause in place of an alert, as far as they are to.

    They do if they hear of it no later than they would of the alert, or again of one that they know of. It takes the
    severity of what it hides; but whoever is at it agreed to what it was then, and has to be told of what is worse.
    What a person, a silence or a window keeps quiet is meant to be so, with what it explains.
    """
    if cause.state == ACKNOWLEDGED:
        return worse(cause.severity, alert.severity) == cause.severity
    if cause.held in (BY_PERSON, BY_MUTE) or _is_known(cause):
        return True
    known = _first_told(book, cause, worse(cause.severity, alert.severity))
    if _is_known(alert):
        return known is not None and known <= _told_again(book, alert)
    would_be = _first_told(book, alert, alert.severity)
    return would_be is None or (known is not None and known <= would_be)


def _is_known(alert: Alert) -> bool:
    return any(track.told for track in alert.tracks)


def _told_again(book: Book, alert: Alert) -> int:
    """When people hear next of an alert that they know of, if nobody answers: by a further step, or a reminder."""
    groups = [book.groups[track.group] for track in alert.tracks]
    reminders = [group.told + group.repeat for group in groups if group.repeat]
    return min([*reminders, *(track.due for track in alert.tracks if track.due is not None)], default=NEVER)


def _first_told(book: Book, alert: Alert, severity: str) -> int | None:
    """When somebody hears of an alert first (epoch ms), now at the earliest, if it is of that severity; None: nobody
    does. It waits for its steps, for the message of its group, and for a digest where too much is said. A cause that
    has come back is one story with what it was: the group has spoken of it."""
    is_back = alert.episode > 1 and book.hidden(alert) > 0
    found: list[int] = []
    for track in alert.tracks:
        since = track.since if alert.is_telling else book.now
        for step in range(len(book.policy.steps(track.escalation))):
            at = max(book.policy.step_due(track.escalation, step, since) or NEVER, book.now)
            if at >= min(found, default=NEVER):
                break
            lane = f"{escalate.ESCALATION if step else OPENED}/{step}"
            told = at if is_back else max(at, told_from(book, track, lane, badness(alert, severity)))
            recipients = book.policy.recipients(track.escalation, step, at)
            found += [heard_at(book, recipient, severity, told) for recipient in recipients]
    return min(found, default=None)


def hide(book: Book, alert: Alert, cause: Alert) -> None:
    """Nobody is told of an alert, since the other explains it, and with it all that it explained itself."""
    book.touch(alert)
    if alert.is_told:
        book.halt(alert)
    escalate.stop(book, alert)
    was_alone = not book.hidden(cause)
    was, alert.state, alert.held = alert.state, SUPPRESSED, BY_CAUSE
    alert.suppressed_by, alert.suppressed_until = "", None
    book.index.hide(alert)
    _point(book, alert, cause)
    book.log(alert, "suppressed", was=was, why=f"{EXPLAINED}{cause.id}")
    for id in sorted(book.index.hides.get(alert.id)):
        other = book.alerts[id]
        book.touch(other)
        book.index.hides.drop(alert.id, id)
        _point(book, other, cause)
        caused(book, cause, other)
    caused(book, cause, alert)
    if was_alone and cause.is_telling:
        _say_so(book, cause)


def let_go(book: Book, alert: Alert) -> None:
    """Nothing explains it any more."""
    if alert.explained_by:
        book.touch(alert)
        book.index.hides.drop(alert.explained_by, alert.id)
        cause = book.alerts.get(alert.explained_by)
        if cause is not None and cause.is_live:
            book.refresh(cause)
        alert.explained_by = ""


def hidden_by(book: Book, cause: Alert) -> list[Alert]:
    """What an alert explains, the oldest first."""
    return sorted((book.alerts[id] for id in book.index.hides.get(cause.id)), key=lambda one: one.age)


def _point(book: Book, alert: Alert, cause: Alert) -> None:
    alert.explained_by = cause.id
    book.index.hides.add(cause.id, alert.id)
    book.refresh(cause)


def _say_so(book: Book, cause: Alert) -> None:
    """Those who were told of a cause hear that it explains others, with the group's next message."""
    for track in cause.tracks:
        if track.step:
            want(book, cause, track, f"{OPENED}/0")


def _root(book: Book, cause: Alert) -> Alert:
    """What explains the one that explains, if anything does. Chains are one long: `hide` takes along what is behind."""
    root = book.alerts.get(cause.explained_by) if cause.held == BY_CAUSE else None
    return root if root is not None and root.is_live else cause


def _explains(book: Book, cause: Alert, alert: Alert) -> bool:
    if cause.id == alert.id or not cause.lasts or not cause.is_live or cause.state == PENDING:
        return False
    if cause.kind == BLIND:
        return alert.breach >= cause.since
    graph, came = book.graph, _came_to(alert)
    if cause.is_of_a_step:
        behind = graph.is_upstream(alert.workflow, cause.step, alert.step) or cause.step == alert.step
        return alert.breach >= cause.since and behind and not graph.is_upstream(alert.workflow, cause.step, came)
    if item_of(cause) == item_of(alert):
        is_passed = cause.step == came or graph.is_upstream(alert.workflow, cause.step, came)
        return graph.is_upstream(alert.workflow, cause.step, alert.step) and not is_passed
    return alert.breach >= cause.breach and not graph.awaits_parts(cause.workflow, cause.step)


def _came_to(alert: Alert) -> str:
    """The step that an alert's item has come to: where it stands still, or where the clock of its deadline began. What
    the flow puts before that has been passed, whether anything was heard of it or not."""
    return alert.step if alert.kind == STALLED else alert.because


def _possible_causes(book: Book, alert: Alert) -> Iterator[Iterable[str]]:
    index, place = book.index, (alert.lane, alert.workflow)
    yield index.blind.get(place)
    yield index.steps.get(place)
    for group, workflow in book.graph.parents.get(alert.workflow, ()):
        if group in alert.groups:
            yield index.items.get((alert.lane, workflow, alert.groups[group]))
    yield index.items.get(item_of(alert))


def _possible_effects(book: Book, cause: Alert) -> Iterator[Iterable[str]]:
    index = book.index
    if cause.kind == BLIND:
        for workflow in cause.occurrence.split(","):
            yield index.workflows.get((cause.lane, workflow))
    elif cause.is_of_a_step:
        yield index.workflows.get((cause.lane, cause.workflow))
    else:
        yield index.items.get(item_of(cause))
        for workflow, parents in book.graph.parents.items():
            for group, parent in parents:
                if parent == cause.workflow:
                    found = index.values.get((cause.lane, group, cause.key))
                    yield [id for id in found if book.alerts[id].workflow == workflow]
