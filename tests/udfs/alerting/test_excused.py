"""Whether a maintenance window held when something was due, asked for each finding of a storm."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, Play, finding, policy
from udfs.alerting.matchers import Matcher
from udfs.alerting.windows import Agenda, Window

TRADES = (Matcher("workflow", frozenset({"trades"})),)
RELEASE = Window("release", "maintenance", TRADES, NOW - HOUR, NOW + HOUR)
QUIET = Window("quiet", "silence", TRADES, NOW - 3 * HOUR, NOW + HOUR)


@pytest.mark.parametrize(
    ("at", "workflow", "excused"),
    [
        (NOW - HOUR - 1, "trades", False),
        (NOW - HOUR, "trades", True),
        (NOW - HOUR + 1, "trades", True),
        (NOW + HOUR - 1, "trades", True),
        (NOW + HOUR, "trades", False),
        (NOW, "other", False),
    ],
)
def test_what_was_due_in_a_maintenance_window_that_is_about_it_is_excused(
    at: int, workflow: str, excused: bool
) -> None:
    assert Agenda((QUIET, RELEASE)).excuses({"workflow": workflow}, at) is excused


def test_findings_that_were_due_at_other_times_do_not_have_all_windows_reckoned_anew() -> None:
    rules = policy(RELEASE)
    play = Play(rules)
    open_now = rules.agenda.open(NOW)
    for number in range(3):
        play.find(finding(f"T-{number}", deadline_ms=NOW - (number + 1) * 40 * MINUTE))
        assert rules.agenda.open(NOW) is open_now
    assert [play.alert(f"T-{number}")["excused"] for number in range(3)] == [1, 0, 0]
