"""Statistics out of the history: what is usual after a step, and how long it takes from one to another."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from api.publish import Record
from api.settings import Settings
from api.statistics import DAY_MS, Statistics, documents
from api.store import Store
from udfs.core.measures import read

NOW = 1_772_445_600_000


def move(key: str, step: str, at: int, previous: str = "", previous_at: int | None = None, **more: Any) -> bytes:
    row = {"lane": "main", "workflow": "w", "version": 1, "key": key, "event_id": step, "source": "s"}
    row |= {"event_type": step, "step": step, "previous": previous, "at_ms": at, "previous_at_ms": previous_at}
    return orjson.dumps(row | {"groups": {}} | more)


@pytest.fixture
def moved(store: Store) -> Store:
    """A hundred items: a to b takes 1 to 100 s, b to c 10 s more."""
    for n in range(1, 101):
        key, b = f"K{n}", NOW + n * 1000
        rows = [move(key, "a", NOW), move(key, "b", b, "a", NOW), move(key, "c", b + 10_000, "b", b)]
        store.insert("transitions", b"\n".join(rows))
    store.insert("transitions", move("R", "b", NOW + 9_000_000, "a", NOW, lane="replay-1"))
    return store


def test_the_document_of_a_workflow_is_one_that_the_engine_reads(moved: Store) -> None:
    made = documents(moved, NOW - DAY_MS, 30)
    assert list(made) == ["w"]
    measures = read(orjson.loads(made["w"]))
    assert measures.usual.keys() == {"a", "b"}
    assert 95_000 <= measures.usual["a"] <= 96_000
    assert measures.usual["b"] == 10_000
    assert measures.spans.keys() == {("a", "b"), ("a", "c"), ("b", "c")}
    assert [abs(q - want) <= 1000 for q, want in zip(measures.spans["a", "c"], (60_000, 85_000), strict=False)] == [
        True,
        True,
    ]
    assert measures.spans["b", "c"] == (10_000,) * 5


def test_what_was_seen_too_seldom_or_too_long_ago_is_not_usual(moved: Store) -> None:
    assert documents(moved, NOW - DAY_MS, 101) == {}
    assert documents(moved, NOW + DAY_MS, 2) == {}


class Sent:
    """In place of a Publisher: remembers what is sent."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def publish(self, records: list[Record]) -> None:
        self.records += records


def test_they_are_published_beside_the_rules_and_again_only_when_they_have_changed(moved: Store) -> None:
    sent = Sent()
    statistics = Statistics(moved, sent, Settings())  # type: ignore[arg-type]
    assert statistics.publish(NOW) == ["w"]
    assert statistics.publish(NOW) == []
    assert [(record.topic, record.key) for record in sent.records] == [("daymark.rules", b"@statistics/w")]
    for n in range(50):
        moved.insert("transitions", move(f"N{n}", "b", NOW + 500_000, "a", NOW))
    assert statistics.publish(NOW) == ["w"]
