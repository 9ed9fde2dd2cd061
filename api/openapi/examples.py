"""An example of each schema, put together from those of its fields, so that all examples tell one story.

What a field looks like is said once for all schemas that have it, by its name in examples.yaml; one schema's own by
`Schema.field`. What the field itself says (`examples`, an enumeration, a default) needs no entry. A test fails for
what has no example, and for one that doesn't fit its schema.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
FILE = Path(__file__).with_name("examples.yaml")
REF = "#/components/schemas/"


@cache
def known() -> dict[str, Any]:
    """The examples by name of field, by `Schema.field`, and by operation id for what has no fields."""
    return dict(yaml.safe_load(FILE.read_text()))


class Examples:
    """Makes examples; `lacking` names the fields that have none."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self._known = known()
        self.lacking: set[str] = set()

    def of_schema(self, name: str) -> Any:
        """The example of a named schema."""
        schema = self._schemas[name]
        if name in self._known:
            return self._known[name]
        if "properties" not in schema:
            return self.of(schema, name, "")
        return {field: self.of(one, name, field) for field, one in schema["properties"].items()}

    def of(self, schema: Schema, owner: str, field: str) -> Any:
        """The example of a field of a schema, or of a whole body (then `field` is empty). A list has one row."""
        own = f"{owner}.{field}" if field else owner
        if own in self._known:
            return self._known[own]
        if "$ref" in schema:
            return self.of_schema(schema["$ref"].removeprefix(REF))
        if "examples" in schema:
            return schema["examples"][0]
        if field in self._known and _fits(schema, self._known[field]):
            return self._known[field]
        fixed = [schema[word] for word in ("const", "default") if word in schema]
        if given := schema.get("enum") or fixed:
            return given[0]
        for one in schema.get("anyOf", ()):
            return self.of(one, owner, field)
        if schema.get("type") == "array":
            return [self.of(schema["items"], owner, field)]
        if schema.get("type") == "object" and "properties" in schema:
            return {name: self.of(one, owner or field, name) for name, one in schema["properties"].items()}
        self.lacking.add(own)
        return None


KINDS = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}


def _fits(schema: Schema, value: Any) -> bool:
    """Whether a value is of the schema's kind: fields of one name may be of several."""
    if "anyOf" in schema:
        return any(_fits(one, value) for one in schema["anyOf"])
    if "enum" in schema:
        return value in schema["enum"]
    if "$ref" in schema:
        return False  # that schema has an example of its own
    kind = schema.get("type")
    if kind == "null":
        return value is None
    if isinstance(value, bool):
        return kind in (None, "boolean")
    if kind == "array" and isinstance(value, list):
        return all(_fits(schema.get("items", {}), one) for one in value)
    return kind is None or isinstance(value, KINDS[kind])  # type: ignore[arg-type]
