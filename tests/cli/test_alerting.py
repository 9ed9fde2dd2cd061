"""`daymark alerting`, and what other commands know of alerting files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "rules/alerting.yaml"


def daymark(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize("command", [("validate",), ("alerting", "validate")])
def test_the_example_is_valid(command: tuple[str, ...]) -> None:
    result = daymark(*command, EXAMPLE, ROOT / "rules/trade_lifecycle", "--json")
    said = json.loads(result.output)
    assert result.exit_code == 0
    assert (said["valid"], said["workflows"], said["problems"]) == (True, ["trade_lifecycle"], [])
    assert "routes/main" in said["documents"]


def test_a_folder_of_packs_is_checked_with_the_alerting_file_in_it() -> None:
    said = json.loads(daymark("validate", ROOT / "rules", "--json").output)
    assert "trade_lifecycle" in said["workflows"]
    assert "routes/main" in said["documents"]


def test_a_bad_file_is_told_with_all_its_faults_and_exit_code_one(tmp_path: Path) -> None:
    bad = ROOT / "tests/fixtures/alerting/bad/several_faults_at_once.yaml"
    result = daymark("validate", bad)
    assert result.exit_code == 1
    assert result.output.count(": error: ") == 6


def test_on_call_for_scripts_is_json() -> None:
    words = ("on-call", EXAMPLE, "desk", "--at", "2026-03-25T12:00Z", "--count", 1, "--json")
    (shift,) = json.loads(daymark("alerting", *words).output)
    assert shift["people"] == ["ben"]
    assert shift["from_ms"] < shift["until_ms"]


def test_an_unknown_schedule_is_one_sentence() -> None:
    result = daymark("alerting", "on-call", EXAMPLE, "dsk")
    assert result.exit_code == 1
    assert "There is no on-call schedule dsk" in result.output
    assert "did you mean `desk`?" in result.output


def test_explain_says_what_keeps_it_quiet_and_that_nobody_is_told() -> None:
    words = ("workflow=financial_planning", "severity=medium", "--at", "2026-03-07T23:00")
    assert (
        "nobody is told: maintenance planning_release, until Sun 2026-03-08 02:00"
        in daymark("alerting", "explain", EXAMPLE, *words).output
    )
    assert (
        "route main/shown_only, team operations: nobody is told"
        in daymark("alerting", "explain", EXAMPLE, "severity=low").output
    )


def test_explain_for_scripts_is_json() -> None:
    said = json.loads(daymark("alerting", "explain", EXAMPLE, "severity=critical", "--json").output)
    assert said["routes"][0]["route"]["name"] == "main/critical"


@pytest.mark.parametrize(
    "words",
    [
        ("explain", EXAMPLE, "severity"),
        ("explain", EXAMPLE, "severity=low", "--at", "tomorrow"),
        ("explain", EXAMPLE, "severity=low", "--zone", "Europe/Amsterdm"),
        ("on-call", EXAMPLE, "desk", "--count", 0),
    ],
)
def test_wrong_usage_is_exit_code_two(words: tuple[object, ...]) -> None:
    assert daymark("alerting", *words).exit_code == 2


def test_the_scenarios_beside_an_alerting_file_are_played() -> None:
    result = daymark("test", EXAMPLE)
    assert result.exit_code == 0
    assert "scenarios, all as expected" in result.output


def test_an_alerting_file_without_scenarios_is_not_proved(tmp_path: Path) -> None:
    (tmp_path / "alerting.yaml").write_text("routes: {escalation: none}\n")
    result = daymark("test", tmp_path / "alerting.yaml")
    assert result.exit_code == 1
    assert "no scenarios" in result.output
