"""Trends and anomalies: beside the same hour and weekday of the weeks before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.store import Store
from api.trends import DAY_MS, HOUR_MS, WEEK_MS, anomalies, days, usual
from tests.api.alertrows import alert
from tests.api.rows import finding, insert, item, progress, transition

A_WEEK = 168
NOW = time.time_ns() // 1_000_000 // HOUR_MS * HOUR_MS
"""The hour that has begun last: what was before it is over."""


def rows(counts: dict[int, int], p95: dict[int, float] | None = None) -> list[dict[str, Any]]:
    step = {"lane": "main", "workflow": "w", "step": "a"}
    return [step | {"place": at, "passed": passed, "p95": (p95 or {}).get(at)} for at, passed in counts.items()]


def four_weeks(of: float, now: float) -> dict[int, Any]:
    return {-week * A_WEEK: of for week in range(1, 5)} | {0: now}


# --- what is usual


def test_usual_is_the_mean_of_the_same_hour_and_weekday_of_four_weeks() -> None:
    series = {-A_WEEK: 10, -2 * A_WEEK: 20, -3 * A_WEEK: 30, -4 * A_WEEK: 40, -5 * A_WEEK: 1000, -1: 500}
    assert usual(series, 0, A_WEEK) == (25, 4)


def test_a_week_in_which_nothing_happened_counts_unless_nothing_was_known_yet() -> None:
    assert usual({-2 * A_WEEK: 30}, 0, A_WEEK) == (15, 2)
    assert usual({-2 * A_WEEK + 1: 30}, 0, A_WEEK) == (0, 1)
    assert usual({}, 0, A_WEEK) == (None, 0)


def test_days_are_those_asked_about_and_the_same_of_each_week_before() -> None:
    assert days(35 * DAY_MS, 35 * DAY_MS + 1) == [7, 14, 21, 28, 35]
    assert days(35 * DAY_MS - 1, 35 * DAY_MS) == [6, 13, 20, 27, 34]
    assert days(35 * DAY_MS, 36 * DAY_MS + 1)[-2:] == [35, 36]


# --- anomalies


@pytest.mark.parametrize(("now", "mark"), [(19, "low"), (20, ""), (40, ""), (80, ""), (81, "high")])
def test_half_or_twice_as_often_as_usual_is_told_and_less_is_not(now: int, mark: str) -> None:
    found = anomalies(rows(four_weeks(40, now)), 0, {"main": HOUR_MS})
    assert [row["mark"] for row in found] == [mark] * bool(mark)


def test_a_step_that_did_not_happen_at_all_is_told() -> None:
    before = {place: 40 for place in four_weeks(40, 0) if place}
    [found] = anomalies(rows(before), 0, {"main": HOUR_MS})
    assert (found["measure"], found["mark"], found["value"], found["usual"]) == ("rate", "low", 0, 40)


def test_few_are_left_to_chance() -> None:
    assert anomalies(rows(four_weeks(3, 0)), 0, {"main": HOUR_MS}) == []


@pytest.mark.parametrize(("known", "told"), [(HOUR_MS - 1, 0), (HOUR_MS, 1), (HOUR_MS + 1, 1)])
def test_an_hour_is_judged_when_it_is_over_by_its_lanes_clock(known: int, told: int) -> None:
    assert len(anomalies(rows(four_weeks(40, 1)), 0, {"main": known})) == told


def test_a_lane_without_a_clock_is_not_judged() -> None:
    assert anomalies(rows(four_weeks(40, 1)), 0, {}) == []


@pytest.mark.parametrize(("took", "told"), [(1999, 0), (2000, 1), (2001, 1)])
def test_twice_as_long_as_usual_is_told(took: int, told: int) -> None:
    found = anomalies(rows(four_weeks(40, 40), four_weeks(1000, took)), 0, {"main": HOUR_MS})
    assert [(row["measure"], row["mark"], row["value"]) for row in found] == [("duration_p95_ms", "high", took)] * told


def test_how_long_a_few_took_says_nothing() -> None:
    assert anomalies(rows(four_weeks(3, 3), four_weeks(1000, 9000)), 0, {"main": HOUR_MS}) == []
    assert anomalies(rows(four_weeks(40, 3), four_weeks(1000, 9000)), 0, {"main": HOUR_MS})[0]["measure"] == "rate"


# --- over the store


@pytest.fixture
def passed(store: Store) -> Callable[..., None]:
    """Lets a step happen so many times in the hour that begins at an instant."""

    def happen(at: int, times: int, *, took: int = 1000, **given: Any) -> None:
        keys = {f"{at}-{n}": at + n for n in range(times)}
        moves = [{"key": key, "event_id": key, "at_ms": moved, "duration_ms": took} for key, moved in keys.items()]
        insert(store, "transitions", *(transition(**move | given) for move in moves))

    return happen


def test_anomalies_are_told_page_by_page_the_latest_first(
    client: TestClient, store: Store, passed: Callable[..., None]
) -> None:
    insert(store, "progress", progress(watermark_ms=NOW, at_ms=NOW))
    for week in range(1, 5):
        for hour in (1, 2, 3):
            passed(NOW - hour * HOUR_MS - week * WEEK_MS, 12)
    passed(NOW - HOUR_MS, 12, took=5000)  # as many as usual, and slower
    passed(NOW - 2 * HOUR_MS, 40)
    ones, cursor = [], ""
    while cursor is not None:
        page = client.get("/api/v1/anomalies", params={"limit": 1, "cursor": cursor}).raise_for_status().json()
        ones += page["items"]
        cursor = page["next"]
    told = [((NOW - one["at_ms"]) // HOUR_MS, one["measure"], one["mark"], one["value"]) for one in ones]
    assert told == [(1, "duration_p95_ms", "high", 5000), (2, "rate", "high", 40), (3, "rate", "low", 0)]
    assert client.get("/api/v1/anomalies", params={"workflow": "other"}).json()["items"] == []
    assert client.get("/api/v1/anomalies", params={"group": "market:US"}).json()["items"] == []


def test_more_than_a_week_of_anomalies_is_refused(client: TestClient) -> None:
    refused = client.get("/api/v1/anomalies", params={"since": NOW - WEEK_MS - HOUR_MS})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "since")


def test_a_trend_has_a_point_for_each_hour_with_what_is_usual(client: TestClient, store: Store) -> None:
    insert(store, "progress", progress(watermark_ms=NOW, at_ms=NOW))
    at = NOW - 2 * HOUR_MS
    ended = {"updated_ms": at, "status": "completed", "ended_ms": at + HOUR_MS + 60_000}
    before = [item(key=f"B-{week}", run_ms=at - week * WEEK_MS, started_ms=at - week * WEEK_MS) for week in (1, 2)]
    insert(store, "items", item(run_ms=at, started_ms=at, **ended), item(key="K-2", started_ms=at), *before)
    insert(store, "findings", finding(deadline_ms=at + 5), finding(id="e" * 32, kind="late", deadline_ms=at + 5))
    insert(store, "findings", finding(id="d" * 32, deadline_ms=at + 6 - WEEK_MS))
    found = client.get("/api/v1/workflows/w/trends", params={"since": at, "until": NOW}).raise_for_status().json()
    first, second = found["points"]
    assert (first["at_ms"], first["started"], first["completed"], first["missing"], first["late"]) == (at, 2, 0, 1, 1)
    assert (first["usual_started"], first["usual_missing"], first["weeks"]) == (1, 0.5, 2)
    assert (second["started"], second["completed"], second["duration_ms"]["p50"]) == (0, 1, HOUR_MS + 60_000)
    assert found["next"] is None


def test_a_trend_says_how_many_alerts_were_answered_in_time(client: TestClient, store: Store) -> None:
    insert(store, "items", item())
    insert(store, "progress", progress(watermark_ms=NOW, at_ms=NOW))
    due = NOW - HOUR_MS
    told: list[dict[str, Any]] = [
        {"answered_ms": due - 1},
        {"answered_ms": due},
        {"answered_ms": due + 1},
        {"state": "resolved", "ended_ms": due},  # it needed no answer
        {"state": "resolved", "ended_ms": due + 1},
        {},  # nobody has answered yet
        {"excused": 1},
        {"respond_by_ms": NOW + DAY_MS},
        {"respond_by_ms": None, "answered_ms": due},
    ]
    insert(store, "alerts", *[alert(id=f"{n:032x}", **{"respond_by_ms": due} | one) for n, one in enumerate(told)])
    found = client.get("/api/v1/workflows/w/trends", params={"since": due, "until": NOW}).raise_for_status().json()
    assert [(one["answered_in_time"], one["answered_late"]) for one in found["points"]] == [(2, 3)]


def test_a_trend_comes_in_pages_of_points_without_a_gap(client: TestClient, store: Store) -> None:
    insert(store, "items", item())
    insert(store, "progress", progress(watermark_ms=NOW, at_ms=NOW))
    asked = {"span": "day", "since": NOW - 9 * DAY_MS, "until": NOW, "limit": 4}
    instants, cursor = [], ""
    while cursor is not None:
        page = client.get("/api/v1/workflows/w/trends", params=asked | {"cursor": cursor}).raise_for_status().json()
        instants += [point["at_ms"] for point in page["points"]]
        cursor = page["next"]
    assert instants == list(range(instants[0], instants[0] + len(instants) * DAY_MS, DAY_MS))
    assert instants[0] <= NOW - 9 * DAY_MS < instants[0] + DAY_MS
    assert instants[-1] < NOW <= instants[-1] + DAY_MS


def test_by_default_a_trend_is_of_the_last_day_and_of_an_unknown_workflow_a_404(
    client: TestClient, store: Store
) -> None:
    insert(store, "items", item())
    insert(store, "progress", progress(watermark_ms=NOW, at_ms=NOW))
    assert len(client.get("/api/v1/workflows/w/trends").json()["points"]) == 24
    assert len(client.get("/api/v1/workflows/w/trends", params={"span": "day"}).json()["points"]) == 28
    assert client.get("/api/v1/workflows/nobody/trends").status_code == 404


@pytest.mark.parametrize("since", [-(2**63) + 2, 0, 2**63 - 1])
@pytest.mark.parametrize("until", [-(2**63) + 1, 0, 2**63 - 1])
def test_no_instant_is_too_much(client: TestClient, store: Store, since: int, until: int) -> None:
    insert(store, "items", item())
    for path in ("/api/v1/workflows/w/trends", "/api/v1/anomalies"):
        assert client.get(path, params={"since": since, "until": until}).status_code in (200, 422), path
