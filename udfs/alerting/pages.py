"""Pagers, which keep an incident of their own open until they are told that it is over.

There is one *page* for each key that a pager is told of: that of a group, or of its recipient's digests. It is open as
long as anything in it, or in the group, is to be told. Then it is closed: by `acknowledged` where somebody is at some
of it, by `resolved` where nobody needs to be. No limit holds that back: there are no more ends than beginnings.
"""

from __future__ import annotations

from itertools import chain

from udfs.alerting.alert import ACKNOWLEDGED, FORMAT, OPEN, RESOLVED, Alert
from udfs.alerting.book import Book
from udfs.alerting.messages import message
from udfs.alerting.policy import Recipient
from udfs.alerting.records import Page
from udfs.alerting.rows import by_severity
from udfs.core.ids import digest


def turn_to(book: Book, recipient: Recipient, key: str, alerts: list[Alert]) -> None:
    """A recipient is told of alerts under a key; where that is a pager, they are open there from now on."""
    if not book.policy.is_pager(recipient.channel):
        return
    id = digest("page", key, *recipient)
    page = book.pages[id] = Page(FORMAT, id, *recipient, key, OPEN)
    book.index.keys.add(key, id)
    book.keep_page(page)
    for alert in alerts:
        if id not in alert.pages:
            alert.pages = [*alert.pages, id]
            book.index.paged.add(id, alert.id)
            book.keep(alert)


def has(book: Book, alert: Alert, recipient: Recipient) -> bool:
    """Whether a recipient is told of the end of an alert by its page; also of one whose channel is gone."""
    found = (book.pages[id] for id in alert.pages)
    is_open = any((page.channel, page.person, page.address) == recipient for page in found)
    return is_open or book.policy.is_pager(recipient.channel)


def look(book: Book, alert: Alert) -> None:
    """Nobody is to be told of an alert any more: its pages may be over, as well as those of its groups."""
    book.stirred.update(alert.pages)
    for track in alert.tracks:
        book.stirred.update(book.index.keys.get(track.group))


def settle(book: Book, page: Page) -> None:
    """Closes a page if nothing of it is to be told any more."""
    ids = book.index.paged.get(page.id)
    if any(book.alerts[id].is_telling for id in chain(ids, book.index.groups.get(page.key))):
        return
    alerts = by_severity([book.alerts[id] for id in ids])
    reason = ACKNOWLEDGED if any(alert.state == ACKNOWLEDGED for alert in alerts) else RESOLVED
    if reason != page.said:
        _close(book, page, reason, alerts)


def leave(book: Book, alert: Alert) -> None:
    """An alert is forgotten. A page of which nothing else is known is closed."""
    for id in alert.pages:
        if book.index.paged.count(id) == 1:
            _close(book, book.pages[id], RESOLVED, [alert])
        else:
            book.index.paged.drop(id, alert.id)


def _close(book: Book, page: Page, reason: str, alerts: list[Alert]) -> None:
    recipient = Recipient(page.channel, page.person, page.address)
    book.out.append(message(book, recipient, reason, 0, alerts, page.key, 0))  # some alert has changed since the last
    page.said = reason
    book.keep_page(page)
    if reason == RESOLVED:
        for alert in alerts:
            alert.pages = [id for id in alert.pages if id != page.id]
            book.index.paged.drop(page.id, alert.id)
            book.keep(alert)
        book.index.keys.drop(page.key, page.id)
        del book.pages[page.id]
        book.forget("p/" + page.id)
