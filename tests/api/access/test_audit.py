"""The account of changes is a chain: whatever is changed in it, taken out or moved, is found."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import delete, insert, select, update
from starlette.testclient import TestClient

from api.access import audit
from api.access.tables import audit as table
from api.publish import PublishError
from api.records.database import Change, Records
from tests.api.access.conftest import put_user, records_of, signed_in


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


@pytest.mark.parametrize("text", ["x", "1", "{}", "[]"])
def test_an_entry_that_cannot_be_read_is_found_and_keeps_nobody_from_the_rest(guarded: TestClient, text: str) -> None:
    signed_in(guarded, "root", "admin")
    with records_of(guarded).transaction() as tx:
        forged = {"entry": text, "hash": audit.digest(text)}
        tx.connection.execute(update(table).where(table.c.id == 2).values(forged))
    told = guarded.get("/api/v1/audit/verification").json()
    assert (told["intact"], told["at"]) == (False, 2)
    rows = guarded.get("/api/v1/audit").json()["items"]
    assert [row["id"] for row in rows if "can't be read" in str(row["after"])] == [2]
    assert guarded.get("/audit").status_code == 200


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
    def broken() -> None:
        with records.transaction() as tx:
            tx.changed(Change(1, "anna", "put", "user/x"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        broken()
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
    one, two = {"id": "x", "within": "5m"}, {"id": "y", "within": "1h"}
    assert audit.changes({"a": [one, two]}, {"a": [two, one | {"within": "4m"}]}) == [
        {"path": "a.[x].within", "before": "5m", "after": "4m"}
    ]
    assert [row["path"] for row in audit.changes({"a": [one]}, {"a": [two]})] == ["a.[x]", "a.[y]"]
    for other in ([one, one], [one, {}], [one, 1], []):
        assert audit.changes({"a": [one]}, {"a": other}) == [{"path": "a", "before": [one], "after": other}]
    assert audit.changes(None, {"a": 1}) == [{"path": "", "before": None, "after": {"a": 1}}]


def test_a_rule_that_was_put_is_in_the_audit_whether_kafka_has_it_yet_or_not(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    context = guarded.app.state.context  # type: ignore[attr-defined]
    definition = {"workflow": "w", "key": "id", "steps": {"a": {"on": "a", "start": True}}}
    with patch.object(context.publisher, "publish"):
        assert guarded.put("/api/v1/rules/w", json={"definition": definition}).status_code == 202
        changed = definition | {"description": "other"}
        guarded.put("/api/v1/rules/w", json={"definition": changed}, headers={"If-Match": '"1"'})
    with patch.object(context.publisher, "publish", side_effect=PublishError("away")):
        last = guarded.put("/api/v1/rules/w", json={"definition": definition}, headers={"If-Match": '"2"'})
        assert last.json()["outcome"] == "pending"
    rows = guarded.get("/api/v1/audit", params={"subject": "rule/"}).json()["items"]
    assert [row["action"] for row in rows] == ["put", "put", "put"]
    assert {"path": "definition.description", "before": None, "after": "other"} in rows[1]["changes"]
    assert rows[0]["before"] == rows[1]["after"]
    assert {row["who"] for row in rows} == {"root"}
    assert guarded.get("/api/v1/audit/verification").json()["intact"]


def test_the_audit_comes_in_pages_and_as_a_page(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    for number in range(5):
        put_user(records_of(guarded), f"u{number}", "viewer")
    ids, cursor = [], ""
    while cursor is not None:
        page = guarded.get("/api/v1/audit", params={"limit": 2, "cursor": cursor}).json()
        ids += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert ids == list(range(len(ids), 0, -1))
    evil = "<script>alert(1)</script>"
    put_user(records_of(guarded), evil, "viewer")
    for path in ("/audit", "/users", "/account"):
        text = guarded.get(path).text
        assert evil not in text
        assert "style=" not in text
