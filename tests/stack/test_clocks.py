"""Which clocks a stack runs: the live lane's, and the alert job's."""

from __future__ import annotations

from pathlib import Path

from api.stack.home import Home
from api.stack.parts import Options
from api.stack.supervisor import Supervisor

PACK = Path(__file__).parents[2] / "rules" / "trade_lifecycle"
ALERTS = ["daymark.findings", "daymark.actions"]


def clocks(home: Path, **more: object) -> dict[str, list[str]]:
    """What each clock is started with: the topics behind --topic."""
    options = Options(home=home, packs=(PACK,), **more)  # type: ignore[arg-type]
    made = Supervisor(Home(home), options, print)._make_clocks()
    return {one.name: [str(word) for word in one.command if str(word).startswith("daymark.")] for one in made}  # type: ignore[attr-defined]


def test_one_ticker_ticks_for_the_lane_and_for_alerts(tmp_path: Path) -> None:
    assert clocks(tmp_path, lane="main") == {"ticker": ["daymark.events.main", *ALERTS]}


def test_traffic_has_its_own_time_and_alerts_go_by_the_wall_clock(tmp_path: Path) -> None:
    made = clocks(tmp_path, lane="demo", traffic=("jobs.traffic.play", "trade_lifecycle"))
    assert made == {"traffic": [], "ticker": ALERTS}
