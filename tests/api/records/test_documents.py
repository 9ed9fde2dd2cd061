"""Documents in the relational store: no update is lost, no change is half done, and all of it goes out in order."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select

from api.records import documents
from api.records.database import Change, Records, RecordsError, url_of
from api.records.documents import Conflict, Document
from api.records.tables import metadata, outbox

TOPIC = "t.alerting"


def put(records: Records, name: str, body: dict[str, Any], expected: int | None = None, at_ms: int = 1) -> int:
    with records.transaction() as tx:
        return documents.put(tx, TOPIC, Document("person", name, 0, body, "eve", at_ms), expected=expected)[0].version


def sent(records: Records) -> list[tuple[bytes, Any]]:
    with records.reading() as connection:
        rows = connection.execute(select(outbox).order_by(outbox.c.id)).all()
    return [(row.key, row.value and orjson.loads(row.value)) for row in rows]


def test_a_document_counts_its_versions_and_keeps_them(records: Records) -> None:
    assert [put(records, "anna", {"n": 1}), put(records, "anna", {"n": 2})] == [1, 2]
    with records.reading() as connection:
        found = documents.read(connection, "person", "anna")
        kept = [(one.version, one.body) for one in documents.versions(connection, "person", "anna")]
    assert found == Document("person", "anna", 2, {"n": 2}, "eve", 1)
    assert kept == [(2, {"n": 2}), (1, {"n": 1})]


def test_the_same_words_again_are_no_new_version_and_go_out_once(records: Records) -> None:
    assert [put(records, "anna", {"n": 1}), put(records, "anna", {"n": 1})] == [1, 1]
    assert sent(records) == [(b"person/anna", {"n": 1})]


def test_an_update_of_an_older_version_is_refused(records: Records) -> None:
    put(records, "anna", {"n": 1}, expected=0)
    put(records, "anna", {"n": 2}, expected=1)
    for known in (0, 1, 3):
        with pytest.raises(Conflict) as refused:
            put(records, "anna", {"n": 3}, expected=known)
        assert refused.value.version == 2


def test_a_deleted_document_is_gone_sends_an_empty_value_and_counts_on_when_it_comes_back(records: Records) -> None:
    put(records, "anna", {"n": 1})
    with records.transaction() as tx, pytest.raises(Conflict):
        documents.delete(tx, TOPIC, "person", "anna", who="eve", at_ms=2, expected=7)
    with records.transaction() as tx:
        gone = documents.delete(tx, TOPIC, "person", "anna", who="eve", at_ms=2, expected=1)
        assert documents.delete(tx, TOPIC, "person", "anna", who="eve", at_ms=3) is None
    assert gone
    assert gone.version == 2
    with records.reading() as connection:
        assert documents.read(connection, "person", "anna") is None
        assert documents.listed(connection) == []
    assert put(records, "anna", {"n": 1}, expected=0) == 3
    assert sent(records) == [(b"person/anna", {"n": 1}), (b"person/anna", None), (b"person/anna", {"n": 1})]


def test_what_fails_leaves_neither_document_nor_record(records: Records) -> None:
    with suppress(ZeroDivisionError), records.transaction() as tx:
        documents.put(tx, TOPIC, Document("person", "anna", 0, {}, "eve", 1))
        raise ZeroDivisionError
    with records.reading() as connection:
        assert documents.listed(connection) == []
    assert sent(records) == []


def test_a_watcher_sees_each_change_before_it_is_done_and_can_undo_it(records: Records) -> None:
    seen: list[Change] = []

    def watch(connection: Connection, change: Change) -> None:
        seen.append(change)
        if change.after == {"n": 3}:
            raise ZeroDivisionError

    records.watchers.append(watch)
    put(records, "anna", {"n": 1}, at_ms=5)
    put(records, "anna", {"n": 2}, at_ms=6)
    with pytest.raises(ZeroDivisionError):
        put(records, "anna", {"n": 3}, at_ms=7)
    assert seen[0] == Change(5, "eve", "put", "alerting/person/anna", None, {"n": 1})
    assert (seen[1].before, seen[1].after) == ({"n": 1}, {"n": 2})
    with records.reading() as connection:
        assert documents.read(connection, "person", "anna").version == 2  # type: ignore[union-attr]


def test_of_writers_at_the_same_time_each_finds_what_the_one_before_has_left(records: Records) -> None:
    put(records, "anna", {"n": 0})

    def count() -> None:
        for _ in range(5):
            with records.transaction() as tx:
                body = documents.read(tx.connection, "person", "anna").body  # type: ignore[union-attr]
                documents.put(tx, TOPIC, Document("person", "anna", 0, {"n": body["n"] + 1}, "eve", 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [body["n"] for _, body in sent(records)] == list(range(21))


def test_the_migrations_make_the_tables_that_the_code_knows(records: Records) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with records.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrating_again_changes_nothing_and_keeps_what_is_there(records: Records) -> None:
    put(records, "anna", {"n": 1})
    records.migrate()
    with records.reading() as connection:
        assert len(documents.listed(connection)) == 1


def test_a_database_of_a_newer_version_is_refused(records: Records) -> None:
    with records.transaction() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RecordsError, match="9999"):
        records.migrate()


def test_a_record_that_kafka_would_not_take_is_refused_before_it_is_kept(records: Records) -> None:
    with pytest.raises(ValueError, match="900,000"):
        put(records, "anna", {"n": "x" * 900_000})
    assert sent(records) == []


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("", "sqlite:////home/x/records.db"),
        ("postgresql://u:p@host/db", "postgresql+psycopg://u:p@host/db"),
        ("postgres://u@host/db", "postgresql+psycopg://u@host/db"),
        ("sqlite:////other.db", "sqlite:////other.db"),
    ],
)
def test_the_url_says_which_database(setting: str, url: str) -> None:
    assert url_of(setting, Path("/home/x")) == url


def test_a_url_that_is_none_is_refused_and_a_password_is_never_told() -> None:
    with pytest.raises(RecordsError, match="DAYMARK_RECORDS_URL"):
        Records("nonsense")
    assert "secret" not in Records("postgresql+psycopg://u:secret@127.0.0.1:1/db").place
    with pytest.raises(RecordsError) as refused:
        Records("postgresql+psycopg://u:secret@host:port/db")
    assert "secret" not in str(refused.value)


def test_nobody_else_on_the_machine_may_read_the_file(tmp_path: Path) -> None:
    opened = Records(url_of("", tmp_path))
    opened.migrate()
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    opened.close()
