"""The desk that all alerts go over: findings, actions and time in; rows out. Pure: no clock, no I/O.

    desk = Desk(policy, graph, saved)
    effects = desk.on_finding(row, now) | desk.on_action(row, now) | desk.on_time(now)
    changed = desk.changes()                # to be stored, and given to the next desk as `saved`

Instants are epoch ms, UTC. `now` is the watermark of the job; it never goes back, and what is called before the first
tick has `now` 0 or less: don't do that, since all that is counted from then is over at the first tick. What is due at
an instant is done by `on_time` only; so an action at that very instant comes first if it was read first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from udfs.alerting import incidents, lifecycle, limits, pages, response
from udfs.alerting.actions import act, try_again
from udfs.alerting.book import Book
from udfs.alerting.effects import Effect
from udfs.alerting.fingerprint import fingerprint
from udfs.alerting.graph import Graph
from udfs.alerting.groups import due, flush
from udfs.alerting.policy import Policy
from udfs.alerting.reported import read
from udfs.alerting.routing import route
from udfs.alerting.story import tell


class Desk:
    """All alerts there are. `saved` are the entries that `changes` gave out, in any order."""

    def __init__(self, policy: Policy, graph: Graph, saved: Iterable[tuple[str, bytes]] = ()) -> None:
        """Raises UnknownFormat for what a newer Daymark has stored."""
        self._book = book = Book(policy, graph)
        for name, stored in saved:
            book.restore(name, stored)
        book.answers = {one.id: one for one in sorted(book.answers.values(), key=lambda one: one.number)}
        book.waiting = {one.id: one for one in sorted(book.waiting.values(), key=lambda one: one.number)}
        book.index.restore(book.alerts)
        for alert in book.alerts.values():
            book.time(alert)
        for group in book.groups.values():
            book.due_groups.put(group.id, due(book, group))
        for purse in book.purses.values():
            book.due_purses.put(purse.id, limits.due(book, purse))
        self._is_changed = bool(book.alerts)
        self._mutes_change = policy.next_change(book.now)

    def on_finding(self, finding: Mapping[str, Any], now: int) -> list[Effect]:
        """Takes a finding row. Raises ValueError for what is none."""
        self._begin(now)
        reported = read(finding)
        self._book.received = reported.received_ms or None
        tell(self._book, fingerprint(reported), reported)
        effects = self._end()
        if self._book.waiting:  # as if they had been read now, behind it
            try_again(self._book, is_last=False)
            effects += self._end()
        return effects

    def on_action(self, action: Mapping[str, Any], now: int) -> list[Effect]:
        """Takes an action row; answers `refused` to what can't be done, at the next `on_time` if it is about what isn't
        known or has ended. Raises ValueError for what has no id to answer to."""
        self._begin(now)
        act(self._book, action)
        return self._end()

    def on_time(self, now: int) -> list[Effect]:
        """Does all that is due by now."""
        self._begin(now)
        book = self._book
        try_again(book, is_last=True)
        if self._is_changed or (self._mutes_change is not None and self._mutes_change <= book.now):
            self._judge_all()
        for id in book.due_alerts.due(book.now):
            lifecycle.on_time(book, book.alerts[id])
            if id in book.alerts:
                book.time(book.alerts[id])
        for id in book.due_incidents.due(book.now):
            incidents.on_time(book, book.incidents[id])
        return self._end()

    def configure(self, policy: Policy) -> None:
        """Another policy is in force; what follows from that is told by the next `on_time`."""
        self._book.policy = policy
        self._is_changed = True

    def know(self, graph: Graph) -> None:
        """Other workflows are in force. It holds for what is judged from now on."""
        self._book.graph = graph

    def next_time(self) -> int | None:
        """When `on_time` has something to do, or earlier; None: never, as things are."""
        book = self._book
        timers = (book.due_alerts, book.due_incidents, book.due_groups, book.due_purses)
        instants = [one.next() for one in timers]
        if book.alerts:
            instants += [self._mutes_change, book.now if self._is_changed else None]
        if book.waiting:
            instants.append(book.now)
        return min((one for one in instants if one is not None), default=None)

    def changes(self) -> dict[str, bytes | None]:
        """The entries that have changed since the last call; None: the entry is to be removed."""
        return self._book.changes()

    def _judge_all(self) -> None:
        """Looks at all alerts, when the policy, a silence or a window has changed."""
        book = self._book
        self._is_changed = False
        self._mutes_change = book.policy.next_change(book.now)
        for alert in sorted(book.alerts.values(), key=lambda one: one.age):
            if alert.is_live:
                is_moved = route(book, alert)
                if response.look(book, alert) or is_moved:
                    book.touch(alert)
                lifecycle.rule_changed(book, alert)
        for purse in book.purses.values():
            book.due_purses.put(purse.id, limits.due(book, purse))

    def _begin(self, now: int) -> None:
        self._book.now = max(now, self._book.now)
        self._book.received = None

    def _end(self) -> list[Effect]:
        """Sends what is due to be told, when all that has led to it is known."""
        book = self._book
        for alert in book.touched_alerts:
            response.look(book, alert)
        for id in book.due_groups.due(book.now):
            flush(book, book.groups[id])
        for id in book.due_purses.due(book.now):
            limits.settle(book, book.purses[id])
        for id in sorted(book.stirred & book.pages.keys()):
            pages.settle(book, book.pages[id])
        book.stirred.clear()
        much = book.policy.incidents.value
        return book.close({one.id: incidents.priority(one, much) for one in book.touched_incidents})
