"""`daymark schema`: what editors complete and check the YAML with."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from api.commands.output import guarded
from udfs.packs.alertmodel import AlertingFile
from udfs.packs.model import Workflow
from udfs.packs.sections import Section
from udfs.packs.sourcemodel import Source
from udfs.simulation.alertscenario import AlertScenario
from udfs.simulation.scenario import Scenario


class Language(StrEnum):
    workflow = "workflow"
    mapping = "mapping"
    scenario = "scenario"
    alerting = "alerting"
    alert_scenario = "alert_scenario"


MODELS: dict[Language, type[Section]] = {
    Language.workflow: Workflow,
    Language.mapping: Source,
    Language.scenario: Scenario,
    Language.alerting: AlertingFile,
    Language.alert_scenario: AlertScenario,
}


@guarded
def schema(
    language: Annotated[
        Language,
        typer.Argument(help="Which file: workflow.yaml, mapping.yaml, a scenario's, alerting.yaml or its scenario's."),
    ],
) -> None:
    """Print the JSON Schema of a pack's files, made from the language itself. Names that refer to each other, and
    spans that make no sense together, are left to `daymark validate`."""
    typer.echo(json.dumps(schema_of(language), indent=2))


def schema_of(language: Language) -> dict[str, Any]:
    made = MODELS[language].model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **without_spans(made)}


def without_spans(part: Any) -> Any:
    """Without defaults in milliseconds, which nobody may write."""
    if isinstance(part, list):
        return [without_spans(one) for one in part]
    if not isinstance(part, dict):
        return part
    left = {name: without_spans(value) for name, value in part.items()}
    if left.get("type") != "integer" and type(left.get("default")) is int:
        del left["default"]
    return left
