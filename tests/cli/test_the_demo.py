"""`daymark demo`: what was seeded is what is found, people are told, Ctrl-C leaves nothing, a second run adds to the
history."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import psutil
import pytest

from tests.cli.stack import Stack, stack
from tests.kafka_help import eventually

pytestmark = pytest.mark.real

LANE = "demo"
LATENESS_MS = 3000


def clock(running: Stack, lane: str = LANE) -> int:
    return max((one["watermark_ms"] for one in running.api("/api/v1/lanes") if one["lane"] == lane), default=0)


def playing_is_over(running: Stack) -> bool:
    return "caught up with the present" in running.home.log("traffic").read_text()


def test_a_day_is_played_its_faults_are_found_and_a_second_run_adds_to_it(tmp_path: Path) -> None:
    with stack(tmp_path / "home") as running:
        running.start("demo", "--speed", "4000x")
        eventually(lambda: playing_is_over(running), 120)
        last = max(truth["at"] for truth in running.truth() if truth["certain"])
        eventually(lambda: clock(running) > last + LATENESS_MS, 60)
        expected = Counter((t["kind"], t["rule"], t["key"]) for t in running.truth() if t["kind"] != "dead_letter")
        certain = Counter(
            (t["kind"], t["rule"], t["key"])
            for t in running.truth()
            if t["kind"] != "dead_letter" and t["certain"] and t["at"] <= last
        )

        def found() -> Counter[tuple[str, str, str]]:
            return Counter((f["kind"], f["rule"], f["key"]) for f in running.findings(LANE))

        eventually(lambda: not certain - found(), 30)
        beyond = found() - expected - Counter((t["kind"], t["rule"], t["key"]) for t in running.truth())
        assert not beyond, "found, and never seeded"
        letters = Counter(letter["reason"] for letter in running.api("/api/v1/dead-letters", limit=1000)["items"])
        assert letters == Counter(t["rule"] for t in running.truth() if t["kind"] == "dead_letter")
        eventually(lambda: "TOLD" in running.output.read_text(), 30)
        assert list((running.home.path / "mailbox").glob("*-Opened-*.html"))
        shown = running.output.read_text()
        assert f"http://127.0.0.1:{running.http_port}" in shown
        assert "is missing: T-" in shown

        children = running.processes()
        assert running.interrupt() == 0
        assert not psutil.wait_procs(children, timeout=5)[1]
        assert "nothing is left running" in running.output.read_text()

        before = clock_at_stop = max(truth["at"] for truth in running.truth())
        running.start("demo")
        eventually(lambda: playing_is_over(running), 60)
        assert "resumed from savepoint-" in running.output.read_text()
        eventually(lambda: clock(running) > clock_at_stop, 30)
        assert not certain - found(), "the history is still there"
        assert all(count == 1 for count in found().values()), f"nothing twice since {before}"
        assert running.interrupt() == 0


def test_a_pack_of_several_workflows_is_played_in_a_lane_of_its_own(tmp_path: Path) -> None:
    """Each record of a match goes to an entry and to a position; both find in it what was seeded for them."""
    lane = "demo-bank-statement-reconciliation"
    with stack(tmp_path / "home") as running:
        running.start("demo", "--pack", "bank_statement_reconciliation", "--speed", "16000x")
        eventually(lambda: playing_is_over(running), 120)
        truth = [one for one in running.truth(lane) if one["kind"] != "dead_letter"]
        last = max(one["at"] for one in truth)
        eventually(lambda: clock(running, lane) > last + LATENESS_MS, 60)
        certain = Counter((t["kind"], t["rule"], t["key"]) for t in truth if t["certain"])

        def found() -> Counter[tuple[str, str, str]]:
            return Counter((f["kind"], f["rule"], f["key"]) for f in running.findings(lane))

        eventually(lambda: not certain - found(), 30)
        seeded = Counter((t["kind"], t["rule"], t["key"]) for t in running.truth(lane))
        assert not found() - seeded, "found, and never seeded"
        assert {f["workflow"] for f in running.findings(lane) if f["severity"] == "critical"} >= {"open_positions"}
        assert running.interrupt() == 0
