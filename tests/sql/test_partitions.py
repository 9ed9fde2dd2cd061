"""What is counted partition by partition is what there is, whatever came, was merged or erased since it was counted."""

from __future__ import annotations

import random
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import standing
from api.access.roles import Limits
from api.access.rows import seen_by
from api.partitions import ROW, Kept, by_partition, pack, settled
from api.store import Store
from tests.api.rows import T0, insert, item

DAY = 86_400_000
ALL = {"lane": "", "workflow": "", "group": "", "limit": 1000}
STEP = {"lane": "main", "workflow": "w", "step": "a", "group_name": "", "group_value": ""}
BRIEF = {"lane": "", "workflow": "", "limit": 9}


def of_day(day: int, **more: Any) -> dict[str, Any]:
    run = T0 + day * DAY
    return item(run_ms=run, started_ms=run, updated_ms=run, **({"key": f"K-{day}"} | more))


def whole(store: Store) -> list[dict[str, Any]]:
    """The same in one query over the whole table, as a check."""
    return store.run(
        """SELECT lane, workflow, '' AS value, count() AS items, countIf(status = 'in_flight') AS in_flight,
            countIf(status = 'completed') AS completed, countIf(status = 'failed') AS failed,
            countIf(status = 'expired') AS expired, countIf(status = 'closed') AS closed,
            sum(i.missing) AS missing, sum(i.late) AS late, sum(i.other) AS other,
            countIf(i.overdue > 0 AND status = 'in_flight') AS overdue,
            max(updated_ms) AS last_event_ms, sumIf(amount, status = 'in_flight') AS amount_in_flight,
            minIf(i.next_due_ms, status = 'in_flight') AS due_ms,
            argMinIf(run_ms, i.next_due_ms, status = 'in_flight' AND i.next_due_ms IS NOT NULL) AS due_run,
            if(completed = 0, [],
               quantilesExactIf(0.5, 0.95, 0.99)(ended_ms - started_ms, status = 'completed')) AS duration_ms
        FROM items AS i FINAL GROUP BY lane, workflow ORDER BY workflow, lane"""
    )


def test_counts_of_all_items_are_those_of_one_query_whatever_comes_and_goes(store: Store) -> None:
    drawn = random.Random(7)
    for turn in range(12):
        rows = []
        for _ in range(40):
            day, ended = drawn.randrange(6), drawn.random() < 0.5
            begun = T0 + day * DAY
            rows.append(
                of_day(
                    day,
                    key=f"K-{drawn.randrange(60)}",
                    workflow=drawn.choice(["w", "v"]),
                    status=drawn.choice(["completed", "failed", "expired", "closed"]) if ended else "in_flight",
                    ended_ms=begun + drawn.randrange(10**6) if ended else None,
                    overdue=drawn.randrange(2),
                    missing=drawn.randrange(3),
                    amount=drawn.choice([None, 5, 70]),
                    next_due_ms=None if ended else drawn.choice([None, begun + drawn.randrange(10**6)]),
                    rev=turn * 100 + drawn.randrange(100),
                )
            )
        insert(store, "items", *rows)
        if turn % 5 == 3:
            store.command("OPTIMIZE TABLE items FINAL")
        if turn % 5 == 4:
            store.command("ALTER TABLE items DELETE WHERE key = {key:String} SETTINGS mutations_sync = 2", key="K-7")
        assert standing.workflows(store, **ALL) == whole(store)
    assert len(settled(store)["changing"]) == 6


def test_only_the_partitions_that_something_came_for_are_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(store, "items", *(of_day(day) for day in range(5)))
    asked: list[list[str]] = []
    query = Store.query

    def noted(self: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
        if "partitions" in parameters:
            asked.append(parameters["partitions"])
        return query(self, name, **parameters)

    monkeypatch.setattr(Store, "query", noted)
    first = standing.brief(store, **BRIEF)
    assert standing.brief(store, **BRIEF) == first
    insert(store, "items", of_day(3, rev=2, overdue=1))
    [row] = standing.brief(store, **BRIEF)
    assert row["overdue"] == 1
    assert [len(partitions) for partitions in asked] == [5, 1]


def test_what_comes_while_a_partition_is_read_is_in_the_next_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(store, "items", of_day(0))
    query = Store.query

    def overtaken(self: Store, name: str, **parameters: Any) -> list[dict[str, Any]]:
        rows = query(self, name, **parameters)
        if name == "workflows/brief":
            insert(store, "items", of_day(0, rev=2, overdue=1))
        return rows

    monkeypatch.setattr(Store, "query", overtaken)
    assert standing.brief(store, **BRIEF)[0]["overdue"] == 0
    monkeypatch.setattr(Store, "query", query)
    assert standing.brief(store, **BRIEF)[0]["overdue"] == 1


def test_who_is_limited_is_not_answered_out_of_what_others_see(store: Store) -> None:
    insert(store, "items", of_day(0, groups={"market": "EU"}), of_day(1, groups={"market": "US"}))
    narrow = seen_by(store, Limits(None, {"market": frozenset({"EU"})}))
    for _ in range(2):
        assert standing.workflows(store, **ALL)[0]["items"] == 2
        assert standing.workflows(narrow, **ALL)[0]["items"] == 1


def test_what_waits_at_a_step_is_told_by_age_and_the_oldest_of_all_days_come_first(store: Store) -> None:
    now = T0 + 3 * DAY
    ages = [0, 59_999, 60_000, 60_001, 300_000, 3_600_000, 14_399_999, 86_399_999, 86_400_000, 2 * DAY]
    rows = [
        item(key=f"K-{n}", step="a", updated_ms=now - age, run_ms=T0 + n % 3 * DAY, next_due_ms=now + age or None)
        for n, age in enumerate(ages)
    ]
    insert(store, "items", *rows, item(key="gone", status="completed", step="a"))
    found = standing.waiting(store, now, **STEP)
    assert (found["waiting"], found["ageing"]) == (10, [2, 2, 1, 0, 2, 1, 2])
    assert [row["key"] for row in standing.oldest(store, 3, by_due=False, **STEP)] == ["K-9", "K-8", "K-7"]
    assert [row["key"] for row in standing.oldest(store, 2, by_due=True, **STEP)] == ["K-0", "K-1"]
    nothing = standing.waiting(store, now, **STEP | {"step": "none"})
    assert nothing == {"waiting": 0, "overdue": 0, "amount": None, "ageing": [0] * 7}


def test_of_many_values_of_a_group_the_first_are_those_of_all_days(store: Store) -> None:
    insert(store, "items", *(of_day(n, groups={"book": f"B{n % 3}"}) for n in range(6)))
    found = standing.workflows(store, **ALL | {"group": "book", "limit": 2})
    assert [(row["value"], row["items"]) for row in found] == [("B0", 2), ("B1", 2)]


@given(st.lists(st.lists(st.integers(-(10**13), 10**13), max_size=9), max_size=6))
def test_quantiles_of_ordered_runs_are_the_numbers_at_their_places(lists: list[list[int]]) -> None:
    every = sorted(number for one in lists for number in one)
    expected = [every[int(level * len(every))] for level in standing.LEVELS] if every else []
    assert standing.quantiles([pack(sorted(one)) for one in lists]) == expected


def test_of_what_is_kept_that_goes_which_was_not_asked_for_longest() -> None:
    kept = Kept(most=3 * ROW)
    for name in "abc":
        kept.put(name, "p1", [])
    assert kept.get("a", "p1") == []
    kept.put("d", "p1", [])
    assert [kept.get(name, "p1") for name in "abcd"] == [[], None, [], []]
    assert kept.get("a", "p1 p2") is None
    kept.put("e", "p1", [{"numbers": array("q", range(3 * ROW))}])
    assert [kept.get(name, "p1") for name in "acde"] == [None] * 4


def test_what_is_erased_is_not_kept_either(store: Store) -> None:
    insert(store, "items", item(key="Jane Doe", step="a"))
    assert [row["key"] for row in standing.oldest(store, 3, by_due=False, **STEP)] == ["Jane Doe"]
    assert len(store.kept) == 1
    store.command("ALTER TABLE items DELETE WHERE key = 'Jane Doe' SETTINGS mutations_sync = 2")
    assert len(store.kept) == 0
    assert standing.oldest(store, 3, by_due=False, **STEP) == []


def test_a_question_that_finds_nothing_in_a_partition_is_not_asked_there_again(store: Store) -> None:
    insert(store, "items", of_day(0), of_day(1, workflow="v"))
    where = {"lane": "main", "workflow": "w", "group_name": "", "group_value": ""}
    for _ in range(2):
        [row] = by_partition(store, "map/backlog", **where)
        assert row["waiting"] == 1
