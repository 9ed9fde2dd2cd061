"""The account of changes is a chain: whatever is changed in it, taken out or moved, is found."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from api.access import audit
from api.access.tables import audit as table
from api.records.database import Change, Records
from tests.api.access.conftest import put_user


def changed(records: Records, many: int) -> None:
    for number in range(many):
        with records.transaction() as tx:
            tx.changed(Change(number, "anna", "put", f"user/{number}", None, {"n": number}, "10.0.0.1"))


def verdict(records: Records, head: str = "") -> audit.Verdict:
    with records.reading() as connection:
        return audit.verify(connection, head)


def test_an_untouched_chain_holds_to_its_end(records: Records) -> None:
    assert verdict(records) == audit.Verdict(0, audit.FIRST)
    changed(records, 5)
    found = verdict(records)
    assert (found.entries, found.fault, len(found.head)) == (5, "", 64)
    changed(records, 1)
    assert verdict(records, found.head).fault == ""


@pytest.mark.parametrize("column", [c.name for c in table.columns if c.name != "id"])
def test_a_changed_entry_is_found_whichever_column_it_is(records: Records, column: str) -> None:
    changed(records, 5)
    with records.transaction() as tx:
        row = tx.connection.execute(select(table).where(table.c.id == 3)).one()._mapping
        other: Any = row[column] + 1 if column == "at_ms" else row[column].replace("3", "4") + " "
        tx.connection.execute(update(table).where(table.c.id == 3).values({column: other}))
    found = verdict(records)
    assert found.fault
    assert found.at in (3, 4)


def test_a_changed_entry_with_a_hash_to_fit_is_found_at_the_next(records: Records) -> None:
    changed(records, 5)
    with records.transaction() as tx:
        text = tx.connection.execute(select(table.c.entry).where(table.c.id == 3)).scalar_one().replace("anna", "eve")
        forged = {"entry": text, "hash": audit.digest(text), "who": "eve"}
        tx.connection.execute(update(table).where(table.c.id == 3).values(forged))
    assert "entry 4 does not follow entry 3" in verdict(records).fault


def test_a_removed_entry_is_found(records: Records) -> None:
    changed(records, 5)
    with records.transaction() as tx:
        tx.connection.execute(delete(table).where(table.c.id == 2))
    assert "entry 2 is missing" in verdict(records).fault


def test_two_entries_in_each_others_place_are_found(records: Records) -> None:
    changed(records, 5)
    with records.transaction() as tx:
        rows = [dict(r._mapping) for r in tx.connection.execute(select(table).where(table.c.id.in_([2, 3])))]
        tx.connection.execute(delete(table).where(table.c.id.in_([2, 3])))
        tx.connection.execute(insert(table), [rows[0] | {"id": 3}, rows[1] | {"id": 2}])
    assert verdict(records).at == 2


def test_a_cut_off_end_is_found_by_the_head_that_was_kept(records: Records) -> None:
    changed(records, 5)
    head = verdict(records).head
    with records.transaction() as tx:
        tx.connection.execute(delete(table).where(table.c.id == 5))
    assert verdict(records).fault == ""
    assert "cut off" in verdict(records, head).fault


def test_what_is_undone_leaves_no_entry(records: Records) -> None:
    with pytest.raises(RuntimeError), records.transaction() as tx:
        tx.changed(Change(1, "anna", "put", "user/x"))
        raise RuntimeError
    assert verdict(records).entries == 0


def test_a_user_is_in_the_audit_with_what_changed_and_without_the_password(records: Records) -> None:
    put_user(records, "ben", "viewer")
    put_user(records, "ben", "editor")
    with records.reading() as connection:
        newest = audit.entries(connection)[0]
    assert {"path": "role", "before": "viewer", "after": "editor"} in newest["changes"]
    assert "argon2" not in str(newest)
    assert "horse" not in str(newest)


def test_differences_are_told_place_by_place() -> None:
    before, after = {"a": 1, "b": {"c": [1], "d": 2}}, {"a": 1, "b": {"c": [1, 2]}, "e": None, "f": 0}
    assert audit.changes(before, after) == [
        {"path": "b.c", "before": [1], "after": [1, 2]},
        {"path": "b.d", "before": 2, "after": None},
        {"path": "f", "before": None, "after": 0},
    ]
    assert audit.changes(None, {"a": 1}) == [{"path": "", "before": None, "after": {"a": 1}}]
