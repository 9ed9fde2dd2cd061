"""The schema comes in numbered files, each applied once; retention is a setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.migrations import SCHEMA, MigrationError, migrate, set_retention
from api.settings import Settings
from api.store import TABLES, Store
from tests.api.rows import T0, event, insert, item, transition


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "schema"
    made.mkdir()
    return made


@pytest.fixture
def bare(settings: Settings):  # type: ignore[no-untyped-def]
    opened = Store(settings.store_dsn)
    yield opened
    opened.close()


def test_each_file_is_applied_once_in_order_and_recorded(bare: Store, folder: Path) -> None:
    (folder / "0002_b.sql").write_text(
        "ALTER TABLE a ADD COLUMN IF NOT EXISTS m Int64;\nINSERT INTO a VALUES (1, 2);\n"
    )
    (folder / "0001_a.sql").write_text("CREATE TABLE IF NOT EXISTS a (n Int64) ENGINE = MergeTree ORDER BY n;\n")
    assert migrate(bare, folder) == ["0001_a", "0002_b"]
    assert migrate(bare, folder) == []
    assert bare.run("SELECT n, m FROM a") == [{"n": 1, "m": 2}]
    (folder / "0003_c.sql").write_text("INSERT INTO a VALUES (3, 4);")
    assert migrate(bare, folder) == ["0003_c"]


def test_an_applied_file_that_has_changed_is_refused_by_name(bare: Store, folder: Path) -> None:
    file = folder / "0001_a.sql"
    file.write_text("CREATE TABLE IF NOT EXISTS a (n Int64) ENGINE = MergeTree ORDER BY n;")
    migrate(bare, folder)
    file.write_text("CREATE TABLE IF NOT EXISTS a (n Int32) ENGINE = MergeTree ORDER BY n;")
    with pytest.raises(MigrationError, match=r"0001_a\.sql has changed since.*higher-numbered file"):
        migrate(bare, folder)


def test_a_store_of_a_newer_version_is_refused(bare: Store, folder: Path) -> None:
    file = folder / "0009_later.sql"
    file.write_text("CREATE TABLE IF NOT EXISTS a (n Int64) ENGINE = MergeTree ORDER BY n;")
    migrate(bare, folder)
    file.unlink()
    with pytest.raises(MigrationError, match="0009_later, which this version of Daymark does not know"):
        migrate(bare, folder)


def test_a_file_that_fails_is_named_and_runs_again_later(bare: Store, folder: Path) -> None:
    file = folder / "0001_a.sql"
    file.write_text(
        "CREATE TABLE IF NOT EXISTS a (n Int64) ENGINE = MergeTree ORDER BY n;\nALTER TABLE nosuch DROP COLUMN x;"
    )
    with pytest.raises(MigrationError, match=r"0001_a\.sql could not be applied"):
        migrate(bare, folder)
    file.write_text("CREATE TABLE IF NOT EXISTS a (n Int64) ENGINE = MergeTree ORDER BY n;")
    assert migrate(bare, folder) == ["0001_a"]


def test_retention_is_altered_only_where_it_differs_and_survives_a_restart(bare: Store, settings: Settings) -> None:
    store = bare
    migrate(store)
    assert sorted(set_retention(store, settings.retention)) == sorted(set(TABLES) - {"progress", "erasures"})
    store.close()
    again = Store(settings.store_dsn)
    try:
        assert set_retention(again, settings.retention) == []
        assert set_retention(again, {"events": 7, "findings": 0}) == ["events", "findings"]
        assert set_retention(again, {"events": 7, "findings": 0}) == []
    finally:
        again.close()


def test_retention_counts_from_the_insertion_so_that_an_old_log_stays(store: Store) -> None:
    set_retention(store, {"events": 1})
    insert(store, "events", event(time_ms=T0 - 10 * 365 * 86_400_000))
    store.command("OPTIMIZE TABLE events FINAL")
    assert store.run("SELECT count() AS n FROM events") == [{"n": 1}]


def test_rows_past_their_retention_go(store: Store) -> None:
    set_retention(store, {"events": 1})
    insert(store, "events", event(id="new"))
    store.command(
        "INSERT INTO events (lane, source, id, inserted_at) SELECT 'main', '/s', 'old', now() - toIntervalDay(2)"
    )
    store.command("OPTIMIZE TABLE events FINAL")
    assert store.run("SELECT id FROM events") == [{"id": "new"}]


def test_every_table_has_a_retention_setting(settings: Settings) -> None:
    assert set(settings.retention) == set(TABLES) - {"erasures"}  # what was erased stays so for ever


def test_items_and_transitions_are_carried_over_into_their_new_layout(bare: Store, folder: Path) -> None:
    def copied(before: str) -> None:
        for file in SCHEMA.glob("*.sql"):
            if file.stem < before:
                (folder / file.name).write_text(file.read_text())

    copied("0030")
    migrate(bare, folder)
    insert(bare, "items", item(rev=1), item(key="K-2", run_ms=T0 + 40 * 86_400_000), item(key="K-3", run_ms=-1))
    insert(bare, "items", item(rev=2, step="b"))
    insert(bare, "transitions", transition(step="a"))
    insert(bare, "transitions", transition(step="b"), transition(event_id="e2", at_ms=T0 + 1))
    copied("0031")
    migrate(bare, folder)
    bare.command("DELETE FROM schema_migrations WHERE name = '0030_items_by_day'")  # killed before it was recorded
    insert(bare, "items", item(key="K-4"))  # by a loader of its own, which knows nothing of this
    insert(bare, "transitions", transition(key="K-4"))
    migrate(bare)
    standing = bare.run("SELECT key, step FROM items FINAL ORDER BY key")
    assert [tuple(row.values()) for row in standing] == [("K-1", "b"), ("K-2", "a"), ("K-3", "a"), ("K-4", "a")]
    moved = bare.run("SELECT key, event_id, step, day FROM transitions FINAL ORDER BY at_ms, key")
    day = T0 // 86_400_000
    assert [tuple(row.values()) for row in moved] == [
        ("K-1", "e1", "b", day),
        ("K-4", "e1", "a", day),
        ("K-1", "e2", "a", day),
    ]
    [left] = bare.run("SELECT count() AS tables FROM system.tables WHERE name LIKE '%_by_%' AND database = 'default'")
    assert left == {"tables": 0}


class Killed(Exception):
    """The process ends."""


class Mortal(Store):
    """A store whose process is killed once behind each statement that changes something."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.survived: set[tuple[str, str]] = set()

    def command(self, statement: str, **parameters: str) -> None:
        super().command(statement, **parameters)
        if (done := (statement, str(parameters))) not in self.survived:
            self.survived.add(done)
            raise Killed


def test_whatever_statement_of_a_migration_the_process_is_killed_behind_the_next_start_goes_on(
    bare: Store, settings: Settings, folder: Path
) -> None:
    for file in SCHEMA.glob("*.sql"):
        if file.stem < "0030":
            (folder / file.name).write_text(file.read_text())
    migrate(bare, folder)
    insert(bare, "items", item(), item(key="K-2", step="b"))
    insert(bare, "transitions", transition(), transition(event_id="e2", at_ms=T0 + 1))
    bare.close()
    mortal, starts = Mortal(settings.store_dsn), 0
    try:
        while True:
            starts += 1
            try:
                migrate(mortal)
                break
            except Killed:
                continue
        assert starts > 15
        tables = "SELECT name, partition_key, sorting_key FROM system.tables WHERE database = 'default' ORDER BY name"
        laid = {row["name"]: row for row in mortal.run(tables)}
        assert "bitAnd" in laid["items"]["partition_key"]
        assert laid["transitions"]["sorting_key"].startswith("lane, workflow, at_ms")
        assert not {"items_by_day", "transitions_by_time"} & laid.keys()
        standing = mortal.run("SELECT key, step FROM items FINAL ORDER BY key")
        assert [tuple(row.values()) for row in standing] == [("K-1", "a"), ("K-2", "b")]
        assert mortal.run("SELECT count() AS n FROM transitions FINAL") == [{"n": 2}]
    finally:
        mortal.close()


def test_whatever_day_an_event_claims_there_are_few_partitions(store: Store) -> None:
    insert(store, "items", *(item(key=f"K-{n}", run_ms=(n - 500) * 86_400_000) for n in range(1000)))
    assert store.run("SELECT count() AS n FROM items FINAL") == [{"n": 1000}]
    parts = "SELECT uniqExact(partition) AS n FROM system.parts WHERE active AND table = 'items'"
    assert store.run(parts) == [{"n": 32}]
