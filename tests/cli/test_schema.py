"""The JSON Schemas take what Daymark takes, and refuse what an editor should underline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.schema import Language
from udfs.packs.yamlfile import read_documents

ROOT = Path(__file__).parents[2]
SHIPPED = {
    Language.workflow: [*ROOT.glob("rules/*/workflow.yaml"), *ROOT.glob("tests/packs/*/workflow.yaml")],
    Language.mapping: [*ROOT.glob("rules/*/mapping.yaml"), *ROOT.glob("tests/packs/*/mapping.yaml")],
    Language.scenario: [*ROOT.glob("rules/*/scenarios/*.yaml")],
    Language.alerting: [ROOT / "rules/alerting.yaml"],
    Language.alert_scenario: [*ROOT.glob("rules/scenarios/*.yaml")],
}
STEPS = {"a": {"on": "t", "start": True}, "b": {"on": "u"}}
DEADLINE = {"id": "d", "after": "a", "expect": "b", "within": "5m"}
WORKFLOW = {"workflow": "w", "key": "k", "steps": STEPS, "deadlines": [DEADLINE]}


def schema(language: Language) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CliRunner().invoke(app, ["schema", language]).output)
    return found


def fits(document: Any, language: Language = Language.workflow) -> bool:
    return jsonschema.Draft202012Validator(schema(language)).is_valid(document)


@pytest.mark.parametrize("language", Language)
def test_a_schema_is_one(language: Language) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(language))


@pytest.mark.parametrize("language", Language)
def test_what_is_shipped_fits(language: Language) -> None:
    assert SHIPPED[language]
    for file in SHIPPED[language]:
        for document in read_documents(file)[0]:
            jsonschema.validate(document.data, schema(language), jsonschema.Draft202012Validator)


def test_a_small_workflow_fits() -> None:
    assert fits(WORKFLOW)
    assert fits(WORKFLOW | {"flow": "a -> b", "remember": 0})
    assert fits(WORKFLOW | {"key": ["a", "b"], "correlate": {"hold": "1h"}})


@pytest.mark.parametrize(
    "fault",
    [
        {"stesp": {}},
        {"key": ["a"]},
        {"remember": 5},
        {"remember": "five minutes"},
        {"steps": {"a": {"no": "t"}}},
        {"deadlines": [DEADLINE | {"severity": "urgent"}]},
        {"deadlines": [DEADLINE | {"warn": "120x"}]},
        {"order": {"policy": "sometimes"}},
    ],
    ids=str,
)
def test_what_an_editor_should_underline_does_not(fault: dict[str, Any]) -> None:
    assert not fits(WORKFLOW | fault)


def test_no_default_is_in_milliseconds() -> None:
    assert "default" not in schema(Language.workflow)["properties"]["remember"]
