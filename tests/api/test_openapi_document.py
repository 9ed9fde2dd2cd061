"""The OpenAPI document says everything: an example of each body, each error as it is, each operation by its name."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from api.access.matrix import needed
from api.main import create_app
from api.openapi import document, examples
from api.settings import Settings


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    return create_app(Settings(home=tmp_path_factory.mktemp("home"), loader=False, kafka="127.0.0.1:1"))


@pytest.fixture(scope="module")
def described(app: FastAPI) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # FastAPI warns of an operation id that comes twice
        return app.openapi()


def bodies(operation: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Each body of an operation: of which answer (or "request"), its media type, what is said of it."""
    places = {**operation["responses"], "request": operation.get("requestBody", {})}
    return [(name, kind, body) for name, one in places.items() for kind, body in one.get("content", {}).items()]


def test_each_operation_has_a_name_of_its_own_and_a_sentence(described: dict[str, Any]) -> None:
    found = [operation for _, _, operation in document.operations(described)]
    assert [name for name, count in Counter(one["operationId"] for one in found).items() if count > 1] == []
    assert [one["operationId"] for one in found if not one.get("description") or not one.get("tags")] == []


def test_each_schema_has_a_plain_name_and_a_sentence(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert [name for name in schemas if "__" in name] == [], "two models of one name: rename one"
    assert [name for name, one in schemas.items() if not one.get("description") and not name.startswith("Page_")] == []


def test_every_field_has_an_example(app: FastAPI) -> None:
    """For a new field: name it in api/openapi/examples.yaml, or give the field itself `examples`."""
    bodiless = {"metrics", "post_alerts", "delete_silence"}
    assert document.complete(FastAPI.openapi(app)).lacking <= bodiless


def test_every_example_fits_its_schema(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        whole = {"components": described["components"], "$ref": f"{examples.REF}{name}"}
        assert schema["examples"], name
        for example in schema["examples"]:
            assert [fault.message for fault in Draft202012Validator(whole).iter_errors(example)] == [], name


def test_every_body_that_is_json_has_an_example_that_fits(described: dict[str, Any]) -> None:
    for method, path, operation in document.operations(described):
        for place, kind, body in bodies(operation):
            if "json" not in kind or not body.get("schema"):
                continue
            several = [one["value"] for one in body.get("examples", {}).values()]
            shown = [body["example"]] if "example" in body else several
            assert shown or body["schema"].get("examples"), f"{method} {path} {place}"
            whole = {"components": described["components"], **body["schema"]}
            for example in shown:
                faults = [fault.message for fault in Draft202012Validator(whole).iter_errors(example)]
                assert faults == [], f"{method} {path} {place}"


def test_no_example_is_of_a_field_that_is_gone(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    fields = {f"{name}.{field}" for name, one in schemas.items() for field in one.get("properties", ())}
    ids = {operation["operationId"] for _, _, operation in document.operations(described)}
    inline = {"put_rule.request"}
    known = fields | {field.rpartition(".")[2] for field in fields} | ids | inline | set(schemas)
    assert set(examples.known()) - known == set()


def test_every_error_is_a_problem(described: dict[str, Any]) -> None:
    """But of Alertmanager's routes, whose errors are texts, and of /readyz, which says of each part how it is."""
    for method, path, operation in document.operations(described):
        for place, kind, body in bodies(operation):
            if place[0] not in "45" or path == "/readyz" or (path.startswith("/api/v2/") and place == "400"):
                continue
            assert kind == document.PROBLEM, f"{method} {path} {place}"
            assert body["schema"] == {"$ref": f"{examples.REF}Problem"}
            assert body["example"]["status"] == int(place)


def test_what_needs_a_permission_says_how_it_is_refused(described: dict[str, Any]) -> None:
    for method, path, operation in document.operations(described):
        closed = needed(method, path.replace("{key}", "{key:key}")) is not None
        assert ({"401", "403", "429"} <= set(operation["responses"])) == closed, f"{method} {path}"


def test_a_field_without_an_example_is_named_and_breaks_nothing() -> None:
    schema = {"type": "object", "properties": {"never_heard_of": {"type": "string"}}}
    made = examples.Examples({"New": schema})
    assert made.of_schema("New") == {"never_heard_of": None}
    assert made.lacking == {"New.never_heard_of"}
