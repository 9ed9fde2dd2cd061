"""The one door to ClickHouse: a pool of clients for one DSN, the queries of sql/queries, raw inserts."""

from __future__ import annotations

import copy
import functools
import queue
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import clickhouse_connect
import orjson
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from api.partitions import Kept

Row = dict[str, Any]

SQL = Path(__file__).resolve().parents[1] / "sql"
CLIENTS = {"query": 4, "insert": 2, "ping": 1}
"""Clients by purpose: slow queries keep neither the loader nor /readyz waiting."""

WAIT_S = 5.0  # for a free client
TABLES = (
    "events",
    "transitions",
    "items",
    "findings",
    "dead_letters",
    "progress",
    "alerts",
    "alertlog",
    "incidents",
    "deliveries",
    "erasures",
)
SETTINGS = {
    "max_threads": "2",
    "max_execution_time": "30",
    "max_memory_usage": "2000000000",
    "do_not_merge_across_partitions_select_final": "1",  # what is in two partitions is never the same row (0030)
    "output_format_json_quote_64bit_integers": "0",
    "output_format_json_validate_utf8": "1",
    "input_format_skip_unknown_fields": "1",
    "input_format_null_as_default": "1",
}
# Indexes are made when parts are merged, which makes them anew anyway: new parts are small enough to be read without,
# and an event costs half as much to insert.
INSERT_SETTINGS = {"materialize_skip_indexes_on_insert": "0"}
# What ClickHouse calls a row that it can't take. Any other refusal is about the server, so the row is tried again.
BAD_ROW_PREFIXES = ("CANNOT_PARSE", "CANNOT_READ", "CANNOT_CONVERT", "ARGUMENT_OUT_OF_BOUND", "TOO_LARGE_STRING")
BAD_ROW = {"INCORRECT_DATA", "TYPE_MISMATCH", "VIOLATED_CONSTRAINT", "ILLEGAL_COLUMN", "TOO_DEEP_RECURSION"}

_NAME = re.compile(r"\(([A-Z][A-Z_]+)\)")


class StoreError(Exception):
    """ClickHouse did not do what it was asked; `bad_row` tells whether the data are at fault."""

    def __init__(self, message: str, *, bad_row: bool = False) -> None:
        super().__init__(message)
        self.bad_row = bad_row


@functools.cache
def sql(name: str) -> str:
    """The text of sql/queries/<name>.sql. Raises FileNotFoundError for a name that isn't there."""
    return (SQL / "queries" / f"{name}.sql").read_text()


class Store:
    """Queries and inserts for one DSN, safe to call from any thread.

    A call takes a client of its own out of the pool: an embedded client serialises what goes through it, and separate
    ones were measured 1.7 times as fast (four readers beside one writer). One that finds none free for five seconds
    raises StoreError.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._filters: Callable[[Mapping[str, Any]], str] | None = None
        self._told: Callable[[Row], Row] | None = None
        self.inserts = 0  # made through this store: a screen that is watched looks whether anything came
        self.kept = Kept()
        self.wider: Store | None = None  # as seen without the limit to workflows: to find out when something was
        self.loading = threading.Lock()  # held while a batch is loaded (api/access/erasure.py)
        self._free: dict[str, queue.LifoQueue[Client | None]] = {name: queue.LifoQueue() for name in CLIENTS}
        self._opened: list[Client] = []
        for name, many in CLIENTS.items():
            for _ in range(many):
                self._free[name].put(None)  # opened when first needed

    @property
    def embedded(self) -> bool:
        """Whether the engine runs inside this process."""
        return self.dsn.startswith("chdb:")

    @property
    def limited(self) -> bool:
        """Whether it is seen by somebody with limits."""
        return self._filters is not None

    def query(self, name: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of sql/queries/<name>.sql with its typed parameters bound. Raises StoreError."""
        return self.run(sql(name), **parameters)

    def run(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """The rows of a statement that was read from sql/; parameters are bound by ClickHouse, never formatted in."""
        with self._client() as client:
            body = client.raw_query(
                statement, parameters=parameters, settings=self._settings(parameters), fmt="JSONEachRow"
            )
        rows: Iterator[Row] = (orjson.loads(line) for line in body.splitlines() if line)
        return list(map(self._told, rows) if self._told else rows)

    def filtered(self, filters: Callable[[Mapping[str, Any]], str], told: Callable[[Row], Row]) -> Store:
        """The same store, where each query sees only the rows that filters by table leave (api/access/rows.py); they
        are made for the query's parameters. Of a row that has parts for others, `told` leaves one's own."""
        narrow = copy.copy(self)
        narrow._filters, narrow._told = filters, told
        return narrow

    def scope(self, parameters: Mapping[str, Any]) -> str:
        """Which rows a query with these parameters sees: the filters by table; "" for all of them."""
        return self._filters(parameters) if self._filters else ""

    def _settings(self, parameters: Mapping[str, Any]) -> dict[str, str]:
        return {"additional_table_filters": scope} if (scope := self.scope(parameters)) else {}

    def file(self, name: str, kind: str, **parameters: Any) -> bytes:
        """The rows of sql/queries/<name>.sql in one of ClickHouse's formats, as a whole. Raises StoreError."""
        with self._client() as client:
            body: bytes = client.raw_query(
                sql(name), parameters=parameters, settings=self._settings(parameters), fmt=kind
            )
        return body

    def command(self, statement: str, **parameters: Any) -> None:
        """Run a statement that returns no rows. Raises StoreError."""
        with self._client() as client:
            client.command(statement, parameters=parameters)
        self.kept.clear()

    def insert(self, table: str, rows: bytes) -> None:
        """Insert JSON rows, one a line, as they are. Raises StoreError, with `bad_row` when a row is at fault."""
        if table not in TABLES:
            raise ValueError(f"no table {table}")
        with self._client("insert") as client:
            client.raw_insert(table, insert_block=rows, fmt="JSONEachRow", settings=dict(INSERT_SETTINGS))
        self.inserts += 1
        self.kept.changed()

    def alive(self) -> bool:
        """Whether ClickHouse answers."""
        try:
            with self._client("ping") as client:
                return bool(client.ping())
        except StoreError:
            return False

    def close(self) -> None:
        """Close every client, waiting for what runs: the embedded engine lets go of its directory."""
        opened, self._opened = self._opened, []
        for client in opened:
            client.close()

    @contextmanager
    def _client(self, purpose: str = "query") -> Iterator[Client]:
        free = self._free[purpose]
        try:
            client = free.get(timeout=WAIT_S)
        except queue.Empty:
            busy = f"all {CLIENTS[purpose]} clients for a {purpose} were busy for {WAIT_S:g} s"
            raise StoreError(f"ClickHouse at {self._place()}: {busy}") from None
        try:
            if client not in self._opened:  # not yet there, or closed
                client = self._opened_client()
                self._opened.append(client)
            yield client
        except ClickHouseError as error:
            raise _translated(error) from error
        except OSError as error:
            raise StoreError(f"ClickHouse at {self._place()} can't be reached: {error}") from error
        finally:
            free.put(client)

    def _opened_client(self) -> Client:
        """A new client. The engine and its driver fail in many ways; here each is one sentence."""
        try:
            return self._open()
        except Exception as error:
            what = (str(error).strip() or type(error).__name__).split("\n", 1)[0]
            raise StoreError(f"ClickHouse at {self._place()} can't be opened: {what[:500]}") from error

    def _open(self) -> Client:
        if self.embedded:
            directory = Path(urlsplit(self.dsn).path)
            directory.parent.mkdir(parents=True, exist_ok=True)
            return clickhouse_connect.get_client(dsn=self.dsn, settings=dict(SETTINGS))
        return clickhouse_connect.get_client(
            dsn=self.dsn, settings=dict(SETTINGS), autogenerate_session_id=False, send_receive_timeout=60
        )

    def _place(self) -> str:
        parts = urlsplit(self.dsn)
        return parts.path if self.embedded else f"{parts.hostname}:{parts.port or 8123}"


def _translated(error: ClickHouseError) -> StoreError:
    text, name = str(error), getattr(error, "name", None) or ""
    garbled = error.__cause__
    while garbled is not None and not isinstance(garbled, UnicodeDecodeError):
        garbled = garbled.__cause__ or garbled.__context__
    if garbled is not None:  # the embedded engine quotes a row that isn't UTF-8, and its client stumbles over that
        text = garbled.object.decode(errors="replace")
        name = (_NAME.findall(text) or [""])[-1]
    bad = name in BAD_ROW or name.startswith(BAD_ROW_PREFIXES)
    return StoreError(text.split("\n", 1)[0][:2000], bad_row=bad)
