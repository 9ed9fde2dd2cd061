"""Actions that were sent to the alert job: that they are pending, and then what it answered. They go after a week."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from api.records.database import Records, Transaction
from api.records.tables import actions

KEPT_MS = 7 * 86_400_000
KEPT_FIELDS = ("outcome", "detail", "alerts", "at_ms")
Row = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """An action that was sent: `answer` is the job's, None while it is pending."""

    answer: Row | None


def begin(tx: Transaction, id: str, at_ms: int) -> None:
    """An action is being sent, perhaps not for the first time. Forgets those of a week before."""
    tx.connection.execute(delete(actions).where(actions.c.at_ms < at_ms - KEPT_MS))
    if find(tx.connection, id) is None:
        tx.connection.execute(insert(actions).values(id=id, at_ms=at_ms, answer=None))


def settle(records: Records, answer: Row) -> None:
    """The job has answered: the first answer holds. Answers to what was sent elsewhere are not kept."""
    id = str(answer.get("action", ""))
    with records.reading() as connection:
        known = find(connection, id)
    if known is None or known.answer is not None:
        return
    kept = {name: answer[name] for name in KEPT_FIELDS if name in answer}
    with records.transaction() as tx:
        pending = (actions.c.id == id) & actions.c.answer.is_(None)
        tx.connection.execute(update(actions).where(pending).values(answer=kept))


def find(connection: Connection, id: str) -> Known | None:
    """An action of the last week; None for one that nobody sent."""
    row = connection.execute(select(actions.c.answer).where(actions.c.id == id)).first()
    return Known(row.answer) if row else None


def oldest_pending(connection: Connection) -> int | None:
    """When the oldest action was sent that has no answer (epoch ms)."""
    return connection.execute(select(func.min(actions.c.at_ms)).where(actions.c.answer.is_(None))).scalar()
