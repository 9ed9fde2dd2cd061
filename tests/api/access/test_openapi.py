"""Whatever fits the OpenAPI description, or nearly, is answered and never breaks the server."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from starlette.testclient import TestClient

from api.access.roles import EVERYTHING
from api.access.who import Doorkeeper, Who
from api.publish import PublishError
from api.store import Store
from tests.api.rows import T0, event, finding, insert, item, progress, transition

FEW = settings(
    max_examples=3,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
LEFT_OUT = ("/metrics", "/readyz", "/api/v1/alerts/live", "/api/v1/packs")
"""Two take nothing, one never ends, and of archives tests/api/test_imports.py makes more."""


def test_no_request_breaks_the_server(guarded: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(records: Any) -> None:
        raise PublishError("away")

    monkeypatch.setattr(guarded.app.state.context.publisher, "publish", away)  # type: ignore[attr-defined]
    monkeypatch.setattr("api.rulebook.Rulebook.refresh", lambda self: None)
    monkeypatch.setattr(Doorkeeper, "who", lambda self, request: Who("fuzz", EVERYTHING, "127.0.0.1"))
    for table, row in (("items", item()), ("events", event()), ("findings", finding()), ("transitions", transition())):
        insert(store, table, row)
    insert(store, "progress", progress(watermark_ms=T0))
    broken: list[str] = []
    schema = schemathesis.openapi.from_dict(guarded.get("/api/v1/openapi.json").json())
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue
        for mode in GenerationMode:

            @FEW
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case) -> None:
                answer = _asked(guarded, case)
                expected = answer.status_code == 501 or "Kafka not available" in answer.text
                if answer.status_code >= 500 and not expected:
                    broken.append(f"{case.method} {answer.request.url}: {answer.status_code} {answer.text}")

            # nothing can be wrong about a route that takes nothing, and some addresses are too long to be sent
            with suppress(Unsatisfiable, httpx.InvalidURL):
                ask()
    assert broken == []


def _asked(client: TestClient, case: Case) -> Any:
    given_ = case.as_transport_kwargs(base_url="http://127.0.0.1")
    body: dict[str, Any] = {}
    if "json" in given_:
        body = {"json": given_["json"]}
    elif isinstance(given_.get("data"), str | bytes):
        body = {"content": given_["data"]}
    headers = {name: value for name, value in (given_.get("headers") or {}).items() if str(value).isascii()}
    return client.request(given_["method"], given_["url"], params=given_.get("params"), headers=headers, **body)
