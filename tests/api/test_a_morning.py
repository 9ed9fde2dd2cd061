"""What the screens show of a trading desk's morning, and the same as JSON."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet
import pytest
from starlette.testclient import TestClient

from api.main import create_app
from api.settings import Settings
from tests.api.rows import T0
from tests.browser.seed import LATE, Seed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The app over a trading desk's morning that ends at T0, with the rules of its pack."""
    home = tmp_path_factory.mktemp("morning")
    settings = Settings(
        home=home, loader=False, kafka="127.0.0.1:1", packs=[ROOT / "rules" / "trade_lifecycle"], sign_in="off"
    )
    app = create_app(settings)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        Seed(T0).morning().write(app.state.context.store)
        yield client


def test_the_overview_puts_the_worst_first_and_says_what_is_broken_and_what_comes_next(morning: TestClient) -> None:
    seen = morning.get("/api/v1/overview").json()
    trades = next(tile for tile in seen["tiles"] if tile["workflow"] == "trade_lifecycle")
    assert trades["overdue"] == len([row for row in seen["open"] if row["workflow"] == "trade_lifecycle"]) > 0
    assert [row["severity"] for row in seen["open"]] == sorted(row["severity"] for row in seen["open"])
    assert trades["next"]["due_ms"] > T0 - 2_000
    assert sum(trades["bars"]) >= trades["overdue"]


def test_the_map_is_the_graph_as_configured(morning: TestClient) -> None:
    seen = morning.get("/api/v1/workflows/trade_lifecycle/map").json()
    assert {(edge["from"], edge["to"]) for edge in seen["edges"]} == {
        ("ingest", "verify"), ("verify", "send"), ("send", "reply"), ("reply", "settle"), ("verify", "reject"),
    }  # fmt: skip
    steps = {row["step"]: row for row in seen["steps"]}
    overdue = morning.get("/api/v1/overview").json()["open"]
    assert steps["send"]["overdue"] == sum(row["step"] == "reply" for row in overdue)
    [edge] = [edge for edge in seen["edges"] if edge["from"] == "send"]
    assert edge["overdue"] == steps["send"]["overdue"]


def test_a_group_is_drilled_into(morning: TestClient) -> None:
    def passed(group: str) -> int:
        seen = morning.get("/api/v1/workflows/trade_lifecycle/map", params={"group": group}).json()
        return sum(edge["passed"] for edge in seen["edges"])

    assert passed("") == passed("market:EU") + passed("market:US") + passed("market:APAC")
    assert passed("market:nowhere") == 0


def test_a_step_has_its_ages_and_rates_beside_the_weeks_before(morning: TestClient) -> None:
    seen = morning.get("/api/v1/workflows/trade_lifecycle/steps/reply").json()
    assert sum(seen["ageing"]) == seen["waiting"] > 0
    assert seen["weeks"] == 4
    assert any(seen["usual"])
    assert [row["updated_ms"] for row in seen["oldest"]] == sorted(row["updated_ms"] for row in seen["oldest"])
    assert [row["next_due_ms"] for row in seen["due"]] == sorted(row["next_due_ms"] for row in seen["due"])


def test_events_have_a_histogram_patterns_and_files(morning: TestClient) -> None:
    about = {"key": LATE}
    histogram = morning.get("/api/v1/events/histogram", params=about).json()
    assert sum(histogram["events"]) == histogram["total"] == 3
    shapes = morning.get("/api/v1/events/patterns").json()
    assert len(shapes) < 20, "numbers and keys are left out"
    assert sum(row["share"] for row in shapes) == pytest.approx(100)
    lines = morning.get("/api/v1/events/export", params=about | {"format": "ndjson"}).text.splitlines()
    table = morning.get("/api/v1/events/export", params=about | {"format": "csv"}).text.splitlines()
    columnar = morning.get("/api/v1/events/export", params=about | {"format": "parquet"}).content
    assert len(lines) == len(table) - 1 == pyarrow.parquet.read_table(io.BytesIO(columnar)).num_rows == 3
    assert morning.get("/events", params=about).text.count('class="entry"') == 3
    assert morning.get("/api/v1/events/histogram", params={"since": 5, "until": 5}).status_code == 422
