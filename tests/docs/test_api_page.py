"""docs/api.md is what the OpenAPI document says."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.openapi import reference
from tests.docs.write_api_page import PAGE, current


def test_the_reference_of_routes_is_current(tmp_path: Path) -> None:
    """Where it isn't: `make api-docs`."""
    assert PAGE.read_text() == current(tmp_path), "docs/api.md is not current: make api-docs"


def test_a_page_without_the_mark_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="put one where the reference shall begin"):
        reference.page({"paths": {}}, "all by hand")


def test_a_route_is_a_row_with_what_it_takes_answers_and_needs() -> None:
    operation = {
        "operationId": "list_items",
        "tags": ["items"],
        "description": "Items, | the newest\nfirst.\n\nMore.",
        "parameters": [
            {"name": "workflow", "in": "path", "required": True},
            {"name": "lane", "in": "query", "required": True},
            {"name": "limit", "in": "query"},
        ],
        "responses": {
            "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Page_Item_"}}}},
            "404": {},
        },
    }
    made = reference.reference({"paths": {"/api/v1/items": {"get": operation}}})
    assert made.splitlines()[-1] == (
        "| `GET /api/v1/items`<br>list_items | Items, \\| the newest first. | **`lane`** `limit` "
        "| 200 page of Item<br>404 | `read` |"
    )
