"""The one door to the relational store: its engine, its migrations, and `transaction()`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, insert, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from api.records.tables import outbox

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 5_000
MOST_BYTES = 900_000
FORM = "give postgresql://user:password@host/database, with daymark[postgres] installed, or nothing"
WRITERS = 7_305_114  # an advisory lock of PostgreSQL: writers come one at a time there, as they do in SQLite


class RecordsError(Exception):
    """The relational store can't be opened or used; the text says where it is, without a password."""


@dataclass(frozen=True)
class Change:
    """What a transaction changes, for those who keep account of it: `before` and `after` are JSON values or None.

    `action` is a word such as put or delete, `subject` what it was done to, such as alerting/person/anna, `origin` from
    where it came. `at_ms` is epoch ms.
    """

    at_ms: int
    who: str
    action: str
    subject: str
    before: Any = None
    after: Any = None
    origin: str = ""


Watcher = Callable[[Connection, Change], None]


@dataclass(frozen=True)
class Transaction:
    """What is done through it is done together, or not at all."""

    connection: Connection
    watchers: tuple[Watcher, ...]

    def changed(self, change: Change) -> None:
        """Say what this transaction changes: each watcher writes what it keeps of it on the same connection."""
        for watcher in self.watchers:
            watcher(self.connection, change)

    def publish(self, topic: str, key: bytes, value: bytes | None, at_ms: int) -> None:
        """Have a record sent to Kafka once this is committed (api/records/outbox.py), in the order of commits.

        Raises ValueError for one that Kafka would never take: it would hold up all that come after it.
        """
        if len(value or b"") > MOST_BYTES:
            raise ValueError(f"{topic}: a record has at most {MOST_BYTES:,} bytes, not {len(value or b''):,}")
        row = {"topic": topic, "key": key, "value": value, "created_ms": at_ms}
        self.connection.execute(insert(outbox).values(row))


class Records:
    """One database; safe to call from any thread. Raises RecordsError for a URL that can't be used.

    `watchers` is the place for what must be written with every change, such as the audit: append to it before the
    first transaction. A watcher that raises undoes the transaction.
    """

    def __init__(self, url: str) -> None:
        self.watchers: list[Watcher] = []
        try:
            self.engine = _engine(url)
        except (ArgumentError, ValueError):  # their text may quote the password
            raise RecordsError(f"DAYMARK_RECORDS_URL is no URL of a database; {FORM}") from None
        except (NoSuchModuleError, ImportError) as error:
            raise RecordsError(f"DAYMARK_RECORDS_URL can't be used: {error}; {FORM}") from None

    def migrate(self) -> None:
        """Bring the tables to this version's. Raises RecordsError, also for a database that a newer version wrote."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        try:
            with self._begun("write") as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "heads")
        except (CommandError, SQLAlchemyError) as error:
            what = str(error).split("\n", 1)[0]
            raise RecordsError(f"{self.place} could not be brought to this version's tables: {what}") from error

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Write: one at a time, committed at the end, undone by any exception."""
        with self._begun("write") as connection:
            yield Transaction(connection, tuple(self.watchers))

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read, from one state of the database; never waits for a writer."""
        with self._begun("read") as connection:
            yield connection

    @property
    def place(self) -> str:
        """Where the database is, without its password."""
        return self.engine.url.render_as_string(hide_password=True)

    @property
    def embedded(self) -> bool:
        """Whether it is a file of this process's own."""
        return self.engine.dialect.name == "sqlite"

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    @contextmanager
    def _begun(self, purpose: str) -> Iterator[Connection]:
        options: dict[str, Any] = {"purpose": purpose}
        if purpose == "read" and not self.embedded:
            options["isolation_level"] = "REPEATABLE READ"  # SQLite's readers see one state by themselves
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            if purpose == "write" and not self.embedded:
                connection.execute(text("SELECT pg_advisory_xact_lock(:writers)"), {"writers": WRITERS})
            yield connection


def url_of(setting: str, home: Path) -> str:
    """The database's URL: the setting's, through psycopg if it is PostgreSQL's; else a file in the home."""
    if not setting:
        return f"sqlite:///{(home / 'records.db').absolute()}"
    scheme, colon, rest = setting.partition("://")
    return f"postgresql+psycopg{colon}{rest}" if scheme in ("postgres", "postgresql") else setting


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        waits = {"connect_timeout": BUSY_MS // 1000}
        return create_engine(
            url, json_serializer=_dumps, json_deserializer=orjson.loads, pool_pre_ping=True, connect_args=waits
        )
    _, _, path = url.partition(":///")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch(0o600)  # what people may see is for the API to say; SQLite's further files get the same mode
    # isolation_level None: pysqlite begins no transaction by itself; ours say which sort they are
    arguments = {"isolation_level": None, "check_same_thread": False, "timeout": BUSY_MS / 1000}
    engine = create_engine(url, json_serializer=_dumps, json_deserializer=orjson.loads, connect_args=arguments)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """A writer takes its place at once: one that found out later that it must wait could only give up."""
    writes = connection.get_execution_options().get("purpose") == "write"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
