"""What the documentation shows is what happens: its files are written, its commands run, its output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from udfs.packs.load import load_mapping, load_pack
from udfs.simulation.rehearse import rehearse

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((DOCS / page).read_text()) if kind == language]


@pytest.fixture
def tutorial(tmp_path: Path) -> Path:
    """The tutorial's files, and the broken pack that its text speaks of."""
    for text in blocks("tutorial.md", "yaml") + blocks("tutorial.md", "json"):
        name, _, content = text.partition("\n")
        file = tmp_path / name.removeprefix("# ")
        file.parent.mkdir(exist_ok=True)
        keeps_its_first_line = file.suffix == ".yaml"  # line numbers in messages are those of the page
        file.write_text(text if keeps_its_first_line else content)
    (tmp_path / "broken").mkdir()
    for file in (tmp_path / "orders").iterdir():
        (tmp_path / "broken" / file.name).write_text(file.read_text().replace("expect: pack,", "expect: pakc,"))
    return tmp_path


@pytest.mark.parametrize("block", blocks("tutorial.md", "console"))
def test_the_tutorials_commands_print_what_it_shows(block: str, tutorial: Path) -> None:
    command, _, shown = block.partition("\n")
    words = command.removeprefix("$ ").split()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "400"}
    done = subprocess.run(words, cwd=tutorial, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.stdout + done.stderr).strip() == shown.strip()


def test_the_workflow_of_the_language_reference_is_valid(tmp_path: Path) -> None:
    (block,) = blocks("workflow-language.md", "yaml")
    (tmp_path / "workflow.yaml").write_text(block)
    pack = load_pack(tmp_path)
    assert [w.name for w in pack.workflows] == ["invoice_approval"]
    assert pack.problems == []


def test_the_mapping_of_the_mapping_reference_is_valid(tmp_path: Path) -> None:
    (block,) = blocks("source-mappings.md", "yaml")
    (tmp_path / "mapping.yaml").write_text(block)
    assert load_mapping(tmp_path / "mapping.yaml").key_names == ("order",)


def test_the_workflow_on_the_readmes_first_screen_is_valid(tmp_path: Path) -> None:
    (block,) = [text for kind, text in BLOCK.findall((DOCS.parent / "README.md").read_text()) if kind == "yaml"]
    (tmp_path / "workflow.yaml").write_text(block)
    assert load_pack(tmp_path).problems == []


@pytest.mark.parametrize("block", blocks("workflow-language.md", "scenario"), ids=lambda block: block.split()[1])
def test_an_example_of_the_language_reference_goes_as_it_says(block: str, tmp_path: Path) -> None:
    workflow, _, scenarios = block.partition("---\n")
    (tmp_path / "workflow.yaml").write_text(workflow)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "page.yaml").write_text(scenarios)
    rehearsals = list(rehearse(load_pack(tmp_path)))
    assert len(rehearsals) == block.count("\nscenario: ") > 0
    assert [problem for one in rehearsals for problem in one.problems] == []


def test_the_scenario_of_the_page_on_scenarios_goes_as_it_says(tmp_path: Path) -> None:
    block, _ = blocks("scenarios.md", "yaml")
    shutil.copy(DOCS.parent / "rules/trade_lifecycle/workflow.yaml", tmp_path)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "page.yaml").write_text(block)
    assert [one.problems for one in rehearse(load_pack(tmp_path))] == [[]]
