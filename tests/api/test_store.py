"""The store's clients: who waits for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

import api.store
from api.store import CLIENTS, Store
from tests.api.rows import event, finding, lines


@contextmanager
def slow_queries(store: Store) -> Iterator[list[threading.Thread]]:
    """As many as there are clients for queries, each three seconds long."""
    threads = [threading.Thread(target=store.run, args=("SELECT sleep(3)",)) for _ in range(CLIENTS["query"])]
    for thread in threads:
        thread.start()
    while not store._free["query"].empty():
        pass
    yield threads
    for thread in threads:
        thread.join()


def test_slow_queries_keep_neither_inserts_nor_the_health_check_waiting(store: Store) -> None:
    assert store.alive()
    with slow_queries(store) as threads:
        assert store.alive()
        store.insert("findings", lines([finding()]))
        assert all(thread.is_alive() for thread in threads)
    assert store.run("SELECT count() AS n FROM findings") == [{"n": 1}]


def test_indexes_are_made_by_merges_and_not_by_inserts(store: Store) -> None:
    def indexed() -> list[int]:
        parts = "SELECT secondary_indices_compressed_bytes AS bytes FROM system.parts WHERE active AND table = 'events'"
        return [row["bytes"] for row in store.run(parts)]

    store.insert("events", lines([event(id="e1")]))
    assert indexed() == [0]
    store.insert("events", lines([event(id="e2")]))
    store.command("OPTIMIZE TABLE events FINAL")
    assert len(indexed()) == 1
    assert indexed()[0] > 0


@pytest.mark.parametrize(
    "record",
    [
        '{ "a": 1, "a": 2, "big": 98765432109876543210987, "small": 1.10000000000000000001 }',
        '{"x":"é\\u2028 \\ud800 \\u0000 \\\\ \\" }{ ]["}',
        '{"x":' + "[" * 1000 + "]" * 1000 + "}",
    ],
    ids=["numbers and doubles", "odd letters", "deep"],
)
def test_a_record_is_stored_letter_by_letter_as_it_stands_in_its_row(store: Store, record: str) -> None:
    row = lines([event(data=None)]).replace(b'"data":null', b'"data":' + record.encode())
    store.insert("events", row)
    store.insert("events", lines([event(id="cut off", data=record)]))  # as a text
    assert [row["data"] for row in store.run("SELECT data FROM events")] == [record, record]


def test_a_request_that_finds_no_free_client_is_a_503_before_the_queries_end(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.store, "WAIT_S", 0.05)
    with slow_queries(client.app.state.context.store) as threads:  # type: ignore[attr-defined]
        answer = client.get("/api/v1/lanes")
        assert all(thread.is_alive() for thread in threads)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert client.get("/api/v1/lanes").status_code == 200
