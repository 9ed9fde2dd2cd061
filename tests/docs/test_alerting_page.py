"""The page on the alerting language: its file is valid, its commands print what it shows, its tables come out."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from tests.docs.test_snippets import DOCS, blocks
from tests.udfs.alerting.moments import at
from udfs.alerting.graph import NOTHING
from udfs.alerting.policy import Policy
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertfile import load_alerting
from udfs.packs.alertkinds import KINDS
from udfs.packs.alertquestions import openings
from udfs.simulation.alertrehearse import rehearse_alerting

PAGE = "alerting-language.md"
ZONE = "Europe/Amsterdam"
MOMENT = r"\w\w\w (\d{4}-\d\d-\d\d \d\d:\d\d)"
TEXT = (DOCS / PAGE).read_text()
TOLD = re.findall(rf"^\| {MOMENT} \| {MOMENT} \|", TEXT, re.MULTILINE)
ON_CALL = re.findall(rf"^\| {MOMENT} \| (\w+) \|", TEXT, re.MULTILINE)
WINDOWS = re.findall(rf"^\| (\w+)[^|]*\| {MOMENT} \| {MOMENT} \|$", TEXT, re.MULTILINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (block,) = blocks(PAGE, "yaml")
    (tmp_path / "alerting.yaml").write_text(block)
    return tmp_path / "alerting.yaml"


@pytest.fixture
def policy(file: Path) -> Policy:
    documents, problems = load_alerting(file)
    assert problems == []
    assert {key.partition("/")[0] for key in documents} == {*KINDS}
    return compile_policy(documents)


@pytest.mark.parametrize("block", blocks(PAGE, "console"), ids=["explain", "on-call"])
def test_the_commands_of_the_page_print_what_it_shows(block: str, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    command, _, shown = block.partition("\n")
    result = CliRunner().invoke(app, command.removeprefix("$ daymark ").split())
    assert [line.rstrip() for line in result.output.rstrip().splitlines()] == shown.rstrip().splitlines()


@pytest.mark.parametrize(("opened", "told"), TOLD)
def test_an_alert_is_told_when_the_page_says(opened: str, told: str, policy: Policy) -> None:
    assert policy.step_due("next_morning", 0, at(opened, ZONE)) == at(told, ZONE)


@pytest.mark.parametrize(("instant", "who"), ON_CALL)
def test_whoever_the_page_says_is_on_call(instant: str, who: str, policy: Policy) -> None:
    assert policy.on_call("desk", at(instant, ZONE)) == (who,)


@pytest.mark.parametrize(("name", "begins", "ends"), WINDOWS)
def test_a_window_holds_when_the_page_says(name: str, begins: str, ends: str, policy: Policy) -> None:
    window = next(one for one in policy.agenda.windows if one.id == name)
    opening = openings(window, at(begins, ZONE) - 1, 1)[0]
    assert (opening.begin, opening.end) == (at(begins, ZONE), at(ends, ZONE))


def test_the_scenario_of_the_page_on_scenarios_goes_as_it_says(tmp_path: Path) -> None:
    _, block = blocks("scenarios.md", "yaml")
    shutil.copy(DOCS.parent / "rules/alerting.yaml", tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/page.yaml").write_text(block)
    assert [one.problems for one in rehearse_alerting(tmp_path / "alerting.yaml", NOTHING)] == [[]]


def test_the_page_has_rows_of_all_kinds() -> None:
    assert (len(TOLD), len(ON_CALL), len(WINDOWS)) == (4, 7, 3)
