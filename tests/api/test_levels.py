"""Service levels: what was met, missed and excused, and what is left of an objective."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.levels import DAY_MS, Tally, budget_left
from api.main import create_app
from api.migrations import migrate
from api.settings import Settings
from api.store import Store
from tests.api.alertrows import alert
from tests.api.rows import T0, finding, insert, progress, transition

PACK = """
workflow: w
key: id
groups: [market]
steps:
  a: {on: a, start: true}
  b: {on: b}
  c: {on: c, end: completed}
deadlines:
  - {id: reply, after: a, expect: b, within: 5m}
  - {id: settle, after: b, expect: c, within: 1h}
service: {objectives: {reply: 75%}, minutes_per_item: 2.5, confirmed: [c], corrected: [b]}
"""


MAPPING = "source: s\ntopic: t\nid: id\ntype: type\ntime: time\nkeys: {id: data.id}\ngroups: {market: data.market}\n"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """One app for all: each test has a lane of its own."""
    home = tmp_path_factory.mktemp("levels")
    (home / "workflow.yaml").write_text(PACK)
    (home / "mapping.yaml").write_text(MAPPING)
    app = create_app(Settings(home=home, packs=[home], loader=False, kafka="127.0.0.1:1", sign_in="off"))
    migrate(app.state.context.store)
    client = TestClient(app, base_url="http://127.0.0.1")
    yield client
    app.state.context.records.close()
    app.state.context.store.close()


@pytest.fixture
def store(client: TestClient) -> Store:
    found: Store = client.app.state.context.store  # type: ignore[attr-defined]
    return found


@pytest.fixture
def lane(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


def trade(store: Store, key: str, at: int, came: int | None, **more: Any) -> None:
    """An item whose reply was due 5 minutes after `at`, and came after `came` ms, or never."""
    insert(store, "transitions", transition(key=key, step="a", event_id=f"{key}a", at_ms=at, **more))
    due = at + 300_000
    told = {"key": key, "deadline_ms": due, "since_ms": at, **more}
    if came is None or came > 300_000:
        insert(store, "findings", finding(id=f"{key}m".ljust(32, "0"), **told))
    if came is not None:
        insert(
            store,
            "transitions",
            transition(key=key, step="b", previous="a", event_id=f"{key}b", at_ms=at + came, **more),
        )
    if came is not None and came > 300_000:
        late = {"kind": "late", "at_ms": at + came, "delta_ms": came - 300_000}
        insert(store, "findings", finding(id=f"{key}l".ljust(32, "0"), **told | late))


def level(client: TestClient, **asked: Any) -> dict[str, Any]:
    """The row of the deadline `reply`."""
    answer = client.get("/api/v1/slo", params=asked)
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = next(row for row in answer.json()["levels"] if row["deadline"] == "reply")
    return row


def test_in_time_late_and_missing_ones_are_counted_once_each(client: TestClient, store: Store, lane: str) -> None:
    trade(store, "in-time", T0, 300_000, lane=lane)
    trade(store, "late", T0, 300_001, lane=lane)
    trade(store, "missing", T0, None, lane=lane)
    insert(store, "transitions", transition(lane=lane, key="waits", step="a", event_id="wa", at_ms=T0 + 3_500_000))
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    row = level(client, lane=lane)
    assert (row["met"], row["missed"], row["excused"]) == (1, 2, 0)
    assert row["share"] == pytest.approx(1 / 3)
    assert row["objective"] == 0.75
    assert row["budget_left"] == pytest.approx(1 - 2 / 0.75)


def test_what_was_due_during_maintenance_is_left_out(client: TestClient, store: Store, lane: str) -> None:
    trade(store, "in-time", T0, 1000, lane=lane)
    trade(store, "excused", T0, None, lane=lane)
    trade(store, "excused-late", T0, 400_000, lane=lane)
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    for key in ("excused", "excused-late"):
        insert(store, "alerts", alert(lane=lane, id=f"{lane}{key}", key=key, excused=1, breach_ms=T0 + 300_000))
    row = level(client, lane=lane)
    assert (row["met"], row["missed"], row["excused"], row["share"]) == (1, 0, 2, 1.0)
    insert(store, "alerts", alert(lane=lane, id=f"{lane}excused", key="excused", excused=0, rev=T0 << 21))
    assert level(client, lane=lane)["missed"] == 1, "it was open after the maintenance"


def test_what_happened_in_time_and_was_reported_late_is_met(client: TestClient, store: Store, lane: str) -> None:
    trade(store, "K", T0, None, lane=lane)
    insert(store, "transitions", transition(lane=lane, key="K", step="b", event_id="Kb", at_ms=T0 + 200_000))
    told = {"key": "K", "deadline_ms": T0 + 300_000, "since_ms": T0, "at_ms": T0 + 200_000}
    insert(store, "findings", finding(lane=lane, id="r" * 32, kind="reported_late", **told))
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    row = level(client, lane=lane)
    assert (row["met"], row["missed"]) == (1, 0)


def test_a_tier_of_a_deadline_is_no_second_miss(client: TestClient, store: Store, lane: str) -> None:
    trade(store, "K", T0, None, lane=lane)
    insert(store, "findings", finding(lane=lane, id="2" * 32, key="K", since_ms=T0, deadline_ms=T0 + 900_000))
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    assert level(client, lane=lane)["missed"] == 1


def test_where_nothing_was_due_there_is_no_share(client: TestClient, store: Store, lane: str) -> None:
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    row = level(client, lane=lane)
    assert (row["share"], row["budget_left"]) == (None, None)
    assert client.get("/api/v1/slo", params={"lane": lane}).json()["lane_state"] == "blind"


def test_windows_end_now_and_reach_back_a_day_a_week_or_a_month(client: TestClient, store: Store, lane: str) -> None:
    for days in (0, 3, 20, 40):
        trade(store, f"K{days}", T0 - days * DAY_MS, 1000, lane=lane)
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    assert [level(client, lane=lane, window=name)["met"] for name in ("day", "week", "month")] == [1, 2, 3]


def test_a_groups_service_level_is_that_of_its_items(client: TestClient, store: Store, lane: str) -> None:
    trade(store, "eu", T0, 1000, lane=lane)
    trade(store, "us", T0, None, groups={"market": "US"}, lane=lane)
    insert(store, "progress", progress(lane=lane, watermark_ms=T0 + 3_600_000))
    assert level(client, lane=lane, group="market:EU")["share"] == 1.0
    assert level(client, lane=lane, group="market:US")["share"] == 0.0


@pytest.mark.parametrize(
    ("missed", "objective", "left"),
    [(0, 0.9, 1.0), (5, 0.9, 0.5), (10, 0.9, 0.0), (20, 0.9, -1.0), (0, 1.0, 1.0), (1, 1.0, 0.0)],
)
def test_an_error_budget_is_what_the_objective_allows_less_what_was_missed(
    missed: int, objective: float, left: float
) -> None:
    assert budget_left(Tally(100 - missed, missed), objective) == pytest.approx(left)
