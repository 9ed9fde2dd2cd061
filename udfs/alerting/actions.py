"""Takes the actions of people: each is applied or refused, answered either way, and never done twice.

    {"id", "at_ms", "who", "kind", "alerts": [id…], "incident", "why", "until_ms", "assignee", "text", "public"}

Who answers a message means the alerts as they were then: `episodes` (by alert), or `told_ms`, the message's instant.

Of several alerts those are dealt with that can be; it is refused where none can. What is said of the others stands in
the answer's `detail`.

Findings and actions of one moment may be read in another order after a crash, and all ends up alike. So what an action
lacks is waited for until time goes on: an alert that isn't known, or has ended, a cause to be taken out of. What closes
something is done only then, since it means all that is known by the end of its moment. And actions about one alert stay
in their order, whatever waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from udfs.alerting.action import Action, NotYet, Refused, SoFar
from udfs.alerting.alert import FORMAT
from udfs.alerting.alertactions import ON_ALERTS, on_alerts
from udfs.alerting.answers import remember
from udfs.alerting.book import Book
from udfs.alerting.effects import Applied
from udfs.alerting.incidentactions import ON_INCIDENTS, on_incident
from udfs.alerting.records import Waiting

AT_THE_END: Final = ("resolve", "incident_resolve")
"""Kinds that are done when all else of their moment is known."""

MOST_ANSWERED: Final = 1_000
"""So many alerts are named in an answer with their states; `halt` names all."""

MOST_WAITING: Final = 100
"""So many actions wait; further ones are dealt with at once, or refused."""


def act(book: Book, row: Mapping[str, Any]) -> None:
    """Raises ValueError for a row without an id: nobody waits for its answer."""
    id = row.get("id")
    if not isinstance(id, str) or not id:
        raise ValueError("is no action: it has no `id` to answer to; see docs/contracts.md")
    known = book.answers.get(id)
    if known is not None:
        book.out.append(Applied(known.row))
        return
    if id in book.waiting:
        return
    try:
        action = msgspec.convert(dict(row), Action)
    except msgspec.ValidationError as fault:
        _answer(book, id, "refused", str(fault), {})
        return
    number = max((one.number for one in book.waiting.values()), default=0) + 1
    waiting = Waiting(FORMAT, id, number, msgspec.to_builtins(action))
    is_full = len(book.waiting) >= MOST_WAITING
    queues = not is_full and any(action.about & _action(one).about for one in book.waiting.values())
    if queues or not _try(book, action, waiting.so_far, is_full):
        book.keep_waiting(waiting)


def try_again(book: Book, is_last: bool) -> None:
    """Actions that wait may be about what has just come; the `is_last` time they are refused if they aren't."""
    ahead: set[str] = set()  # what those are about that go on waiting
    for waiting in list(book.waiting.values()):
        action, before = _action(waiting), len(waiting.so_far)
        if not action.about & ahead and _try(book, action, waiting.so_far, is_last):
            del book.waiting[waiting.id]
            book.forget("w/" + waiting.id)
            continue
        ahead |= action.about
        if len(waiting.so_far) > before:
            book.keep_waiting(waiting)


def _action(waiting: Waiting) -> Action:
    return msgspec.convert(waiting.row, Action)


def _try(book: Book, action: Action, so_far: SoFar, is_last: bool) -> bool:
    """Whether the action has been dealt with: it was applied, or refused for good."""
    if action.kind in AT_THE_END and not is_last:
        return False
    try:
        _answer(book, action.id, "applied", _apply(book, action, so_far, is_last), so_far)
    except Refused as fault:
        if isinstance(fault, NotYet) and not is_last:
            return False
        _answer(book, action.id, "refused", str(fault), {})
    return True


def _apply(book: Book, action: Action, so_far: SoFar, is_last: bool) -> str:
    if action.kind in ON_INCIDENTS:
        return on_incident(book, action, so_far, is_last)
    if action.kind in ON_ALERTS:
        return on_alerts(book, action, so_far, is_last)
    raise Refused(f"`{action.kind}` is no action; there are {', '.join([*ON_ALERTS, *ON_INCIDENTS])}")


def _answer(book: Book, id: str, outcome: str, detail: str, so_far: SoFar) -> None:
    done = [book.alerts[one] for one, why in so_far.items() if not why]
    answer = {
        "type": "applied",
        "action": id,
        "outcome": outcome,
        "detail": detail,
        "alerts": [{"id": one.id, "state": one.state, "rev": one.rev} for one in done[:MOST_ANSWERED]],
        "halt": book.take_halts() if outcome == "applied" else {},
        "at_ms": book.now,
    }
    book.out.append(Applied(answer))
    remember(book, answer)
