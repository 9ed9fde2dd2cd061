"""The answers to the last actions, so that an action that comes again is answered alike and done once."""

from __future__ import annotations

from typing import Any, Final

from udfs.alerting.alert import FORMAT
from udfs.alerting.book import Book
from udfs.alerting.records import Answer

MOST_ANSWERS: Final = 1_000
"""So many of the last actions are recognised when they come again."""

MOST_NAMED: Final = 100_000
"""So many alerts are named by all answers that are remembered; of bulk actions fewer are."""


def remember(book: Book, row: dict[str, Any]) -> None:
    """Keeps an answer without its halt, which stands in the log already, and lets go of the oldest beyond the most."""
    last = next(reversed(book.answers.values()), None)  # dicts keep the order, and `Desk` puts it back
    answer = Answer(FORMAT, row["action"], last.number + 1 if last else 1, row | {"halt": {}})
    book.answers[answer.id] = answer
    book.keep_answer(answer)
    named = sum(len(one.row.get("alerts", ())) for one in book.answers.values())
    while len(book.answers) > MOST_ANSWERS or named > MOST_NAMED:
        oldest = next(iter(book.answers))
        named -= len(book.answers.pop(oldest).row.get("alerts", ()))
        book.forget("x/" + oldest)
