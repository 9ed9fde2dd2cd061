"""A deadline that waits shows the chance that it will be missed, as seen from the lane's time."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.store import Store
from api.views import _deadlines
from tests.api.rows import T0, insert, item

SEEN = [50_000, 75_000, 90_000, 95_000, 99_000]


def waiting(**more: Any) -> dict[str, Any]:
    return item(pending=[{"id": "reply", "due_ms": T0 + 90_000}], next_due_ms=T0 + 90_000, **more)


@pytest.mark.parametrize(("elapsed", "chance"), [(0, 0.1), (50_000, 0.2), (80_000, 0.5), (90_000, 1.0), (99_000, 1.0)])
def test_the_chance_grows_with_the_lanes_time(elapsed: int, chance: float) -> None:
    forecast = [{"id": "reply", "due_ms": T0 + 90_000, "since_ms": T0, "quantiles": SEEN}]
    (row,) = _deadlines(waiting(forecast=forecast), [], T0 + elapsed)
    assert (row["state"], row["chance"]) == ("pending", pytest.approx(chance))


def test_the_items_page_and_the_api_show_it_and_say_nothing_where_it_is_not_known(
    client: TestClient, store: Store
) -> None:
    forecast = [{"id": "reply", "due_ms": T0 + 90_000, "since_ms": T0, "quantiles": SEEN}]
    insert(store, "items", waiting(key="K-1", forecast=forecast), waiting(key="K-2"))
    (known,) = client.get("/api/v1/items/w/K-1").json()["deadlines"]
    (unknown,) = client.get("/api/v1/items/w/K-2").json()["deadlines"]
    assert 0.0 <= known["chance"] <= 1.0
    assert unknown["chance"] is None
    assert "likely to be missed" in client.get("/items/w/K-1").text
    assert "likely to be missed" not in client.get("/items/w/K-2").text
