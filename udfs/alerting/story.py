"""What a finding means for its alert: it begins, gets worse, is counted, or is put right."""

from __future__ import annotations

from typing import Final

from udfs.alerting import escalate, lifecycle
from udfs.alerting.alert import BY_CAUSE, EXPIRED, FORMAT, PENDING, RESOLVED, Alert
from udfs.alerting.book import Book
from udfs.alerting.fingerprint import business_date
from udfs.alerting.incidents import open_incident, revalue
from udfs.alerting.reported import EXTERNAL, FEARED, OF_A_DEADLINE, Reported, worse
from udfs.alerting.routing import holds, route
from udfs.alerting.wording import in_time, instant, span
from udfs.core.effects import BLIND, MISSING

MOST_SEEN: Final = 16
"""So many findings of an alert are recognised when they come again."""


def tell(book: Book, id: str, finding: Reported) -> None:
    """`id` is the fingerprint. What has been seen already changes nothing."""
    alert = book.alerts.get(id)
    if alert is None:
        alert = book.alerts[id] = _new(id, finding)
    elif finding.said in alert.seen and not _is_back(alert, finding):
        _prolong(book, alert, finding)
        return
    alert.seen = [*alert.seen[-MOST_SEEN + 1 :], finding.said]
    book.touch(alert)
    alert.count += 1
    if finding.puts_right:
        _put_right(book, alert, finding)
    elif alert.settled is not None and finding.deadline_ms <= alert.settled and _can_be_stale(finding):
        book.log(alert, "counted", why="it was known already that this is put right", finding=finding.id)
    elif alert.episode and alert.is_live:
        _go_on(book, alert, finding)
    else:
        _begin(book, alert, finding)


def _is_back(alert: Alert, finding: Reported) -> bool:
    """Whether an external one that was silent for too long is said again."""
    return finding.kind == EXTERNAL and not finding.puts_right and alert.state == EXPIRED


def _prolong(book: Book, alert: Alert, finding: Reported) -> None:
    """An external one is said again, as it is every minute: that is no news, but it goes on for longer."""
    if alert.is_live and finding.until_ms is not None and finding.until_ms > alert.expires:
        alert.expires = finding.until_ms
        book.keep(alert)
        book.time(alert)


def _new(id: str, finding: Reported) -> Alert:
    return Alert(
        format=FORMAT,
        id=id,
        lane=finding.lane,
        workflow=finding.workflow,
        rule=finding.rule,
        kind=finding.kind,
        severity=finding.severity,
        said=finding.severity,
        key=finding.key,
        groups=finding.groups,
        step=finding.step,
        because=finding.because,
        occurrence=finding.occurrence,
        date=business_date(finding),
        finding=finding.id,
        runbook=finding.runbook,
        breach=finding.deadline_ms,
        since=finding.deadline_ms if finding.since_ms is None else finding.since_ms,
        amount=finding.amount,
    )


def _take_in(book: Book, alert: Alert, finding: Reported) -> None:
    """The facts are those of the last finding; kind, severity and groups are dealt with by those who call."""
    alert.finding, alert.because, alert.occurrence = finding.id, finding.because, finding.occurrence
    alert.step, alert.breach, alert.date = finding.step, finding.deadline_ms, business_date(finding)
    alert.since = finding.deadline_ms if finding.since_ms is None else finding.since_ms
    alert.runbook = finding.runbook or alert.runbook
    if finding.amount is not None and finding.amount != alert.amount:
        revalue(book, alert, finding.amount)


def _begin(book: Book, alert: Alert, finding: Reported) -> None:
    """A new episode."""
    _take_in(book, alert, finding)
    alert.kind, alert.said, alert.groups = finding.kind, finding.severity, finding.groups
    what = "reopened" if alert.episode else "opened"
    who = alert.suppressed_by
    alert.episode += 1
    alert.count = 1
    alert.opened = book.now
    alert.state, alert.held, alert.shown, alert.level = PENDING, "", 0, 0
    alert.ended = alert.delta = None
    alert.acked_by, alert.acked, alert.explained_by, alert.free = "", None, "", False
    alert.suppressed_by, alert.excused, alert.assignee = "", False, ""
    alert.respond_by = alert.answered = None
    escalate.stop(book, alert)  # of what was to be told of the last episode nothing is new any more
    for track in alert.tracks:
        track.told = []
    if open_incident(book, alert) is None:
        book.index.forget(alert)
        alert.incident = ""
    route(book, alert)
    hold, alert.expires = holds(book, alert)
    alert.expires = finding.until_ms or alert.expires
    alert.hold_until = book.now + hold if hold else None
    book.index.enter(alert)
    book.index.join(alert)
    if alert.quiet is not None and alert.quiet > book.now:
        why = f"until {instant(alert.quiet)}, as in the episode before"
        lifecycle.suppress(book, alert, who, why, alert.quiet, "")
        lifecycle.rule_changed(book, alert)  # a window may excuse it
        lifecycle.explain(book, alert)
    else:
        lifecycle.judge(book, alert, what)


def _go_on(book: Book, alert: Alert, finding: Reported) -> None:
    """One more of a live alert: it may be worse than what was known."""
    is_worse = _rank(finding.kind) > _rank(alert.kind)
    severity = finding.severity if is_worse else worse(alert.said, finding.severity)
    book.index.leave(alert)
    if _rank(finding.kind) >= _rank(alert.kind):
        _take_in(book, alert, finding)
        alert.kind = finding.kind
    is_raised = is_worse or severity != alert.said
    alert.said = severity
    book.index.enter(alert)
    route(book, alert)
    alert.expires = max(alert.expires, finding.until_ms or holds(book, alert)[1])
    book.log(alert, "raised" if is_raised else "counted", why=finding.kind, finding=finding.id)
    if is_raised:
        lifecycle.worsen(book, alert)
    else:
        lifecycle.rule_changed(book, alert)  # another deadline may lie in another window
    if alert.state != PENDING and alert.held != BY_CAUSE:
        lifecycle.explain(book, alert)


def _put_right(book: Book, alert: Alert, finding: Reported) -> None:
    if not alert.episode:
        _begin_ended(book, alert, finding)
        return
    if finding.kind not in OF_A_DEADLINE and finding.deadline_ms < alert.breach:
        book.log(alert, "counted", why="an earlier one is over", finding=finding.id)
        return
    if finding.kind in FEARED and alert.kind == MISSING and alert.is_live:
        book.log(alert, "counted", why="what was feared before is over, but this is missing", finding=finding.id)
        return
    alert.settled = max(finding.deadline_ms, alert.settled or finding.deadline_ms)
    alert.delta = finding.delta_ms
    why = _how(finding)
    if alert.is_live:
        lifecycle.end(book, alert, RESOLVED, why, finding=finding.id)
    else:
        book.log(alert, "counted", why=why, finding=finding.id)


def _begin_ended(book: Book, alert: Alert, finding: Reported) -> None:
    """It was put right before it was known to be wrong: nobody needs to hear of it."""
    alert.episode = alert.count = 1
    alert.opened = book.now
    alert.settled, alert.delta = finding.deadline_ms, finding.delta_ms
    alert.state, alert.ended = RESOLVED, book.now
    route(book, alert)
    book.log(alert, RESOLVED, why=_how(finding), finding=finding.id)


def _how(finding: Reported) -> str:
    if finding.kind in FEARED:
        return "called off" if finding.delta_ms is None else in_time(finding.delta_ms)
    if finding.delta_ms is None:
        return f"{finding.kind.replace('_', ' ')} is over"
    after = "late" if finding.delta_ms > 0 else "after the deadline, told late" if not finding.delta_ms else ""
    return f"{finding.kind.replace('_', ' ')}: {span(finding.delta_ms)} {after or 'before the deadline'}"


def _rank(kind: str) -> int:
    return OF_A_DEADLINE.index(kind) if kind in OF_A_DEADLINE else 0


def _can_be_stale(finding: Reported) -> bool:
    return finding.kind in OF_A_DEADLINE or finding.kind in (BLIND, EXTERNAL) or finding.is_of_a_step
