"""Which actions there are, and what was answered: known for a week, whatever restarts."""

from __future__ import annotations

import pytest

from api.records import actions
from api.records.actions import KEPT_MS
from api.records.database import Records

APPLIED = {"type": "applied", "action": "a", "outcome": "applied", "detail": "", "alerts": [], "at_ms": 7}
NOW = 1_700_000_000_000


def sent(records: Records, *ids: str, at_ms: int = NOW) -> None:
    with records.transaction() as tx:
        for id in ids:
            actions.begin(tx, id, at_ms)


def found(records: Records, id: str) -> actions.Known | None:
    with records.reading() as connection:
        return actions.find(connection, id)


def pending_since(records: Records) -> int | None:
    with records.reading() as connection:
        return actions.oldest_pending(connection)


def test_an_action_is_pending_until_it_is_answered_and_the_first_answer_holds(records: Records) -> None:
    assert found(records, "a") is None
    sent(records, "a")
    assert found(records, "a") == actions.Known(None)
    actions.settle(records, APPLIED)
    actions.settle(records, APPLIED | {"outcome": "refused"})
    kept = {"outcome": "applied", "detail": "", "alerts": [], "at_ms": 7}
    assert found(records, "a") == actions.Known(kept)
    sent(records, "a")
    assert found(records, "a") == actions.Known(kept), "sent again, it stays answered"


def test_answers_to_what_others_sent_are_not_kept(records: Records) -> None:
    actions.settle(records, APPLIED | {"action": "of somebody else"})
    actions.settle(records, {"type": "applied"})
    assert found(records, "of somebody else") is None


def test_the_oldest_pending_one_says_from_where_to_listen(records: Records) -> None:
    assert pending_since(records) is None
    sent(records, "a", at_ms=NOW)
    sent(records, "b", at_ms=NOW + 5)
    assert pending_since(records) == NOW
    actions.settle(records, APPLIED)
    assert pending_since(records) == NOW + 5


@pytest.mark.parametrize(("age_ms", "known"), [(KEPT_MS - 1, True), (KEPT_MS, True), (KEPT_MS + 1, False)])
def test_they_go_after_a_week(records: Records, age_ms: int, known: bool) -> None:
    sent(records, "old", at_ms=NOW - age_ms)
    sent(records, "new", at_ms=NOW)
    assert (found(records, "old") is not None) is known
