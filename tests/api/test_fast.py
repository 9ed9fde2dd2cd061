"""Screens read what they show, not what there is: how much is counted in rows that ClickHouse read, not in seconds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api import live
from api.access.rows import filters, spanned
from api.routes import logs, overview
from api.screens.events import backwards
from api.store import Store, sql
from tests.api.rows import T0, event, insert, item, transition
from tests.bench import screendata

HOUR = 3_600_000
LANE = {"lane": "main", "workflow": "workflow_1"}
NOTHING = {"group_name": "", "group_value": ""}


def rows_read(store: Store, name: str, **parameters: Any) -> int:
    with store._client() as client:
        body = client.raw_query(sql(name), parameters=parameters, settings={}, fmt="JSON")
    return int(orjson.loads(body)["statistics"]["rows_read"])


def test_a_screen_reads_the_span_that_it_shows_and_an_item_its_own_granules(store: Store) -> None:
    items, now = 10_000, T0
    screendata.load(store, items, now)
    store.command("OPTIMIZE TABLE transitions FINAL")
    moves, granule, small = items * screendata.HOPS, 8192, 2048
    hour = {"since_ms": now - HOUR, "until_ms": now + 1}
    days = {"lane": "main", "workflow": "workflow_1", "step": "s4", **NOTHING}
    assert rows_read(store, "map/moves", **LANE, **NOTHING, **hour) <= 2 * granule < moves / 4
    assert rows_read(store, "map/heat", **LANE, **NOTHING, **hour, span_ms=300_000, spans=12) <= 2 * granule
    assert rows_read(store, "map/groups", **LANE, **hour) <= 2 * granule
    spans = {"since_ms": now - 2 * HOUR, "until_ms": now + 1, "span_ms": 300_000}
    assert rows_read(store, "steps/rates", **days, **spans) <= 4 * granule < moves / 2
    key, workflow = screendata.an_item(store, 5)
    story = {"lane": "main", "workflow": workflow, "key": key}
    parts = store.run("SELECT count() AS n FROM system.parts WHERE active AND table = 'items'")[0]["n"]
    every = [row["partition"] for row in store.query("items/parts")]
    whole = rows_read(store, "map/backlog", lane="main", workflow=workflow, partitions=every, **NOTHING)
    assert whole <= items * 1.3
    assert rows_read(store, "items/one", workflow=workflow, key=key, lane="", at_ms=2**62) <= 2 * small < parts * small
    assert rows_read(store, "items/timeline", **story, from_ms=-(2**62), until_ms=2**62) <= 3 * granule


@given(st.integers(-(10**13), 10**13), st.integers(0, 10**13), st.integers(-(10**13), 10**13))
def test_looking_backwards_leaves_nothing_out_and_looks_nowhere_twice(since: int, long: int, now: int) -> None:
    spans = list(backwards(since, since + long, now))
    assert [begin for begin, _ in spans[:-1]] == [end for _, end in spans[1:]]
    assert all(begin < end for begin, end in spans)
    assert not spans or (spans[-1][0], spans[0][1]) == (since, since + long)
    assert bool(spans) == (long > 0)
    assert len(spans) < 10


def test_what_is_rare_is_found_behind_much_that_is_not(client: TestClient, store: Store) -> None:
    hit = event(id="rare", time_ms=T0 - 90 * 24 * HOUR, data='{"data": {"note": "Needle 42"}}')
    insert(store, "events", hit, hit, *(event(id=f"e{n}", time_ms=T0 + n * HOUR) for n in range(40)))
    found = client.get("/api/v1/events?text=needle%204").json()
    assert [row["id"] for row in found["items"]] == ["rare"]
    ids, cursor = [], ""
    while cursor is not None:
        answer = client.get("/api/v1/events", params={"limit": 7, "cursor": cursor}).json()
        ids += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
    assert ids == [*(f"e{n}" for n in reversed(range(40))), "rare"]


@pytest.mark.parametrize("page", [1, 3, 1000])
def test_a_file_comes_page_by_page_and_has_each_event_once_in_order(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(logs, "EXPORT_PAGE", page)
    rows = [event(id=f"e{n}", time_ms=T0 + n // 3, data='{"data": {"note": "a,b\\nc"}}') for n in range(10)]
    insert(store, "events", *rows)
    insert(store, "events", *rows[2:7])  # come twice
    about = {"since": T0, "until": T0 + HOUR}
    lines = client.get("/api/v1/events/export", params=about | {"format": "ndjson"}).text.splitlines()
    assert [orjson.loads(line)["id"] for line in lines] == [f"e{n}" for n in range(10)]
    table = client.get("/api/v1/events/export", params=about | {"format": "csv"}).text.splitlines()
    assert (len(table), table[0].count("time_ms"), "".join(table[1:]).count("time_ms")) == (11, 1, 0)
    some = client.get("/api/v1/events/export", params=about | {"format": "ndjson", "limit": 4}).text.splitlines()
    assert len(some) == 4
    none = client.get("/api/v1/events/export", params={"since": T0 + HOUR, "until": T0 + 2 * HOUR}).text.splitlines()
    assert none == table[:1]


def test_the_filter_of_limits_is_as_wide_as_what_is_asked(store: Store) -> None:
    from api.access.roles import Limits

    text = filters(Limits(frozenset({"w"})))
    assert "{since}" in text
    assert "at_ms >= 5 AND at_ms < 9" in spanned(text, {"since_ms": 5, "until_ms": 9})
    assert "{" not in spanned(text, {}).replace("{'", "", 1)
    with pytest.raises(ValueError, match="invalid literal"):
        spanned(text, {"since_ms": "0) OR (1=1"})


def test_fifty_walls_ask_the_store_what_one_asks(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LEAST_S", 0.02)
    insert(store, "items", item())
    insert(store, "transitions", transition())
    ctx = client.app.state.context  # type: ignore[attr-defined]
    asked: Counter[str] = Counter()
    run = Store.run

    def counted(self: Store, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        asked[statement] += 1
        return run(self, statement, **parameters)

    overview._fragment(ctx, "wall", "")
    monkeypatch.setattr(Store, "run", counted)
    overview._fragment(ctx, "wall", "")
    once = asked.copy()

    async def watched() -> int:
        def open_wall() -> AsyncIterator[bytes]:
            return ctx.live.watch(("wall", ""), lambda: overview._fragment(ctx, "wall", ""))  # type: ignore[no-any-return]

        walls = [open_wall() for _ in range(50)]
        first = [[await anext(wall), await anext(wall)] for wall in walls]
        assert all("event: fault" not in (text := parts[1].decode()) and "board" in text for parts in first)
        for wall in walls:
            await wall.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.1)
        return int(ctx.live.rendered)

    asked.clear()
    rendered = asyncio.run(watched())
    assert 1 <= rendered < 10
    assert all(asked[statement] <= many * (rendered + 1) for statement, many in once.items())
