"""A client generated from the OpenAPI description does what a program wants to do."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.main import create_app
from api.migrations import migrate
from api.settings import Settings
from tests.api.rows import insert, item, progress
from tests.client.generate import PACKAGE, generate


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """Imports a part of the package, generated for this run."""
    folder = tmp_path_factory.mktemp("client")
    said = generate(folder, tmp_path_factory.mktemp("home"))
    left_out = [line for line in said.splitlines() if "will not be generated" in line]
    assert left_out == ["WARNING parsing POST /api/v1/packs within rules. Endpoint will not be generated."]
    sys.path.insert(0, str(folder))
    return lambda name: importlib.import_module(f"{PACKAGE}.{name}")


def test_a_program_reads_pages_of_items_and_is_told_what_is_wrong(part: Callable[[str], Any], tmp_path: Path) -> None:
    app = create_app(Settings(home=tmp_path, loader=False, kafka="127.0.0.1:1", sign_in="off"))
    context = app.state.context
    migrate(context.store)
    context.records.migrate()
    insert(context.store, "items", *(item(key=f"K-{n}", run_ms=n) for n in range(3)))
    insert(context.store, "progress", progress())
    client = part("client").Client(base_url="http://127.0.0.1")
    client.set_httpx_client(TestClient(app, base_url="http://127.0.0.1"))
    try:
        items = part("api.items.list_items")
        first = items.sync(client=client, limit=2)
        rest = items.sync(client=client, limit=2, cursor=first.next_)
        assert sorted(one.key for one in first.items + rest.items) == ["K-0", "K-1", "K-2"]
        refused = items.sync_detailed(client=client, cursor="foreign")
        assert (refused.status_code, json.loads(refused.content)["title"]) == (400, "Invalid cursor")
        assert part("api.public.get_public_status").sync(client=client).state == "unknown"
        day = part("models").GetServiceLevelsWindow.DAY
        assert part("api.service_levels.get_service_levels").sync(client=client, window=day).levels == []
    finally:
        context.records.close()
        context.store.close()
