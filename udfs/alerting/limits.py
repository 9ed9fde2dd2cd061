"""How much one recipient gets: a token bucket for each, in alert time, and one digest of what is beyond."""

from __future__ import annotations

from math import ceil
from typing import Final

from udfs.alerting import pages
from udfs.alerting.alert import FORMAT, Alert, Track
from udfs.alerting.book import Book
from udfs.alerting.messages import digest_key, message
from udfs.alerting.policy import Limit, Recipient
from udfs.alerting.records import Group, Purse
from udfs.alerting.rows import by_severity
from udfs.core.ids import digest

DIGEST: Final = "digest"


def offer(book: Book, recipient: Recipient, reason: str, step: int, alerts: list[Alert], group: Group) -> bool:
    """Tells a recipient (True), or keeps it for the digest.

    Once something waits for a digest all else waits with it, so that nothing is told out of order; but what asks for an
    answer to a critical alert goes ahead, and may take as many tokens again as the limit allows.
    """
    purse, limit = _purse(book, recipient), book.policy.limit(recipient.channel)
    _fill(purse, limit, book.now)
    urgent = any(alert.is_telling and alert.severity == "critical" for alert in alerts)
    has_token = purse.tokens >= 1 and not book.index.owed.count(purse.id)
    is_sent = has_token or (urgent and purse.tokens >= 1 - limit.count)
    if is_sent:
        purse.tokens -= 1
        group.count += 1
        book.out.append(message(book, recipient, reason, step, alerts, group.id, group.count))
        pages.turn_to(book, recipient, group.id, alerts)
    else:
        for alert in alerts:
            if purse.id not in alert.owed:
                alert.owed = [*alert.owed, purse.id]
                book.index.owed.add(purse.id, alert.id)
                book.keep(alert)
    book.keep_purse(purse)
    book.due_purses.put(purse.id, due(book, purse))
    return is_sent


def due(book: Book, purse: Purse) -> int:
    """When the digest goes out, or the purse can be forgotten (epoch ms)."""
    limit = book.policy.limit(purse.channel)
    if not book.index.owed.count(purse.id):
        return _at(purse, limit, limit.count)
    return _digest_due(purse, limit)


def heard_at(book: Book, recipient: Recipient, severity: str, at: int) -> int:
    """When a recipient hears of what is told at an instant, as things are: then, or by the digest."""
    purse, limit = book.purses.get(digest(*recipient)), book.policy.limit(recipient.channel)
    if purse is None or (severity == "critical" and purse.tokens >= 1 - limit.count):
        return at
    has_token = _at(purse, limit, 1) <= at and not book.index.owed.count(purse.id)
    return at if has_token else max(at, _digest_due(purse, limit))


def _digest_due(purse: Purse, limit: Limit) -> int:
    token = _at(purse, limit, 1)
    return token if purse.digested is None else max(token, purse.digested + limit.per_ms)


def settle(book: Book, purse: Purse) -> None:
    """Sends the digest if it is due, and forgets a purse that is full."""
    limit = book.policy.limit(purse.channel)
    if due(book, purse) <= book.now:
        _fill(purse, limit, book.now)
        if not book.index.owed.count(purse.id):
            del book.purses[purse.id]
            book.forget("l/" + purse.id)
            return
        _send_digest(book, purse)
    book.keep_purse(purse)
    book.due_purses.put(purse.id, due(book, purse))


def _send_digest(book: Book, purse: Purse) -> None:
    recipient = book.policy.today(Recipient(purse.channel, purse.person, purse.address))
    waiting = by_severity([book.alerts[id] for id in book.index.owed.get(purse.id)])
    worth: list[Alert] = []
    is_pager = book.policy.is_pager(purse.channel)
    for alert in waiting:
        alert.owed = [one for one in alert.owed if one != purse.id]
        book.index.owed.drop(purse.id, alert.id)
        book.keep(alert)
        if recipient is None:
            book.log(alert, "unreached", why=f"{purse.person or purse.address or 'all'} by {purse.channel} is no more")
        elif alert.is_telling:
            record_told(book, alert, alert.tracks[0], [recipient], DIGEST)
            worth.append(alert)
        elif not alert.is_live and not is_pager and _knows(book, recipient, alert):
            book.renew(alert)  # its own end has halted what was to be said of it before
            worth.append(alert)
    if worth and recipient is not None:
        purse.tokens -= 1
        purse.digested = book.now
        key = digest_key(recipient)
        book.out.append(message(book, recipient, DIGEST, 0, worth, key, 0))
        pages.turn_to(book, recipient, key, worth)


def _knows(book: Book, recipient: Recipient, alert: Alert) -> bool:
    """Whether a recipient was told of an alert in this episode, at whatever address."""
    return any(book.policy.today(one) == recipient for track in alert.tracks for one in track.told)


def record_told(book: Book, alert: Alert, track: Track, recipients: list[Recipient], reason: str) -> None:
    """Somebody has been told of an alert."""
    track.told = list(dict.fromkeys([*track.told, *recipients]))
    whom = ", ".join(f"{one.person or one.address or 'all'} by {one.channel}" for one in recipients)
    book.log(alert, "notified", why=f"{reason}: {whom}")


def _purse(book: Book, recipient: Recipient) -> Purse:
    id = digest(*recipient)
    found = book.purses.get(id)
    if found is None:
        count = book.policy.limit(recipient.channel).count
        found = book.purses[id] = Purse(FORMAT, id, *recipient, float(count), book.now)
    return found


def _fill(purse: Purse, limit: Limit, now: int) -> None:
    come = (now - purse.at) * limit.count / limit.per_ms if limit.per_ms else limit.count  # 0: documents of old
    purse.tokens = min(float(limit.count), purse.tokens + come)
    purse.at = now


def _at(purse: Purse, limit: Limit, tokens: int) -> int:
    """When there will be so many."""
    return purse.at + max(0, ceil((tokens - purse.tokens) * limit.per_ms / limit.count))
