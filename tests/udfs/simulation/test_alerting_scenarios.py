"""Scenarios of alerting: those that are shipped go as they say, and one that goes otherwise says how."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.alerting.graph import NOTHING
from udfs.simulation.alertrehearse import rehearse_alerting
from udfs.simulation.rehearse import Rehearsal

ROOT = Path(__file__).parents[3]
SHIPPED = list(rehearse_alerting(ROOT / "rules/alerting.yaml", NOTHING))
FINDING = "{at: 0s, kind: missing, workflow: w, rule: r, key: K, severity: critical}"


@pytest.mark.parametrize("played", SHIPPED, ids=lambda played: played.scenario)
def test_a_shipped_scenario_goes_as_it_says(played: Rehearsal) -> None:
    assert played.problems == []


def test_there_are_scenarios_of_escalation_maintenance_and_both_changes_of_the_clock() -> None:
    assert len(SHIPPED) >= 9


def problems(tmp_path: Path, scenario: str) -> list[str]:
    """What is said of a scenario, beside the shipped alerting file."""
    (tmp_path / "alerting.yaml").write_text((ROOT / "rules/alerting.yaml").read_text())
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/one.yaml").write_text(scenario)
    (played,) = rehearse_alerting(tmp_path / "alerting.yaml", NOTHING)
    return [f"{problem.path}: {problem.message}" for problem in played.problems]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "expect: [{at: 0s, told: []}]",
            "expect[0]: `{person: anna, by: mail, reason: opened, count: 1}` at 0s was told,",
        ),
        ("expect: [{at: 0s, told: [{person: ben}]}]", "expect[0].told[0]: was not told; told was `{person: anna,"),
        ("expect: [{at: 0s, told: [{}, {}]}]", "expect[0].told[1]: was not told"),
        ("expect: [{at: 0s, told: [{keys: [L]}]}]", "expect[0].told[0]: was not told"),
        (
            "expect: [{at: 0s, told: [{}], alerts: [{key: K, state: resolved}]}]",
            "expect[0].alerts[0]: `state` of `K` is open, not resolved",
        ),
        (
            "expect: [{at: 0s, told: [{}], alerts: [{key: L, state: open}]}]",
            "expect[0].alerts[0]: there is no such alert",
        ),
        (
            "actions: [{at: 0s, kind: unack, who: anna, key: K}]\nexpect: [{at: 0s, told: [{}]}]",
            "actions[0]: was refused: ",
        ),
        (
            "actions: [{at: 0s, kind: ack, who: anna, key: L}]\nexpect: [{at: 0s, told: [{}]}]",
            "actions[0]: there is no such alert by then",
        ),
        (
            "actions: [{at: 0s, kind: ack, who: anna, key: K, refused: true}]\nexpect: [{at: 0s, told: [{}]}]",
            "actions[0]: was applied",
        ),
        ("expect: [{at: 1s, told: [{}]}, {at: 1s, told: []}]", "expect[1].at: is not behind the moment before"),
        (
            "actions: [{at: 2s, kind: ack, who: anna}]\nexpect: [{at: 1s, told: [{}]}]",
            "actions[0].at: is before `begin` or behind the last moment",
        ),
        ("expect: [{at: 0s, tolled: []}]", "expect[0].told: `told` is missing"),
    ],
)
def test_a_scenario_that_goes_otherwise_says_how(tmp_path: Path, said: str, expected: str) -> None:
    found = problems(tmp_path, f"scenario: s\nbegin: 2026-03-09T12:00:00Z\nfindings: [{FINDING}]\n{said}\n")
    assert found
    assert found[0].startswith(expected)


def test_an_action_that_is_refused_may_be_expected(tmp_path: Path) -> None:
    action = "actions: [{at: 0s, kind: unack, who: anna, refused: true}]"
    text = f"scenario: s\nfindings: [{FINDING}]\n{action}\nexpect: [{{at: 0s, told: [{{person: anna}}]}}]\n"
    assert problems(tmp_path, text) == []


def test_an_action_that_is_answered_when_time_goes_on_counts_at_its_moment(tmp_path: Path) -> None:
    actions = "{at: 0s, kind: resolve, who: anna}, {at: 1s, kind: ack, who: anna, refused: true}"
    expect = "{at: 1s, told: [{reason: opened}, {reason: resolved}], alerts: [{key: K, state: resolved}]}"
    text = f"scenario: s\nfindings: [{FINDING}]\nactions: [{actions}]\nexpect: [{expect}]\n"
    assert problems(tmp_path, text) == []


def test_an_empty_file_is_no_scenario(tmp_path: Path) -> None:
    assert problems(tmp_path, "") == [": is empty; it must hold a scenario"]
