"""PUT and DELETE /rules: what can't be a rule is refused with every fault, the rest goes into the rules topic."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.settings import Settings
from api.stack.kafka import KafkaBroker
from tests.kafka_help import create_topic, records

DEFINITION: dict[str, Any] = {
    "workflow": "trade",
    "version": 3,
    "key": "trade_id",
    "steps": {"send": {"on": "sent", "start": True}, "reply": {"on": "replied"}},
    "deadlines": [{"id": "reply", "after": "send", "expect": "reply", "within": "5m"}],
}
URL = "/api/v1/rules/trade"
ANY = {"If-Match": "*"}


def test_a_definition_that_is_wrong_gets_every_fault_with_its_place(client: TestClient) -> None:
    wrong = DEFINITION | {"migrate": "always", "deadlines": [DEFINITION["deadlines"][0] | {"expect": "repyl"}]}
    answer = client.put(URL, json={"definition": wrong})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [
        "definition.migrate",
        "definition.deadlines[0].expect",
    ]


@pytest.mark.parametrize(
    "body", [{}, {"definition": []}, {"definition": DEFINITION, "effective_from": -1}, {"definition": {}, "more": 1}]
)
def test_what_is_no_rule_is_refused(client: TestClient, body: Any) -> None:
    assert client.put(URL, json=body).status_code == 422


def test_a_definition_of_another_workflow_is_refused(client: TestClient) -> None:
    answer = client.put("/api/v1/rules/other", json={"definition": DEFINITION})
    assert answer.status_code == 422
    assert "/api/v1/rules/trade" in answer.json()["detail"]


def test_what_is_no_json_object_is_refused(client: TestClient) -> None:
    for body in (b"", b"{", b"[]", b"\xff"):
        assert client.put(URL, content=body).status_code == 422


def test_a_body_without_end_is_cut_off(client: TestClient) -> None:
    assert client.put(URL, content=(b" " * 100_000 for _ in range(1_000))).status_code == 413


def test_while_kafka_is_away_a_change_is_kept_and_what_kafka_alone_may_know_is_a_503(client: TestClient) -> None:
    assert client.delete(URL).status_code == 503
    answer = client.put(URL, json={"definition": DEFINITION})
    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    assert client.delete(URL, headers=ANY).status_code == 202, "the store knows it"
    assert client.delete(URL).status_code == 404


@pytest.mark.real
def test_a_rule_is_put_from_now_on_and_withdrawn_with_an_empty_value(
    serve: Callable[[Settings], TestClient], settings: Settings, broker: KafkaBroker
) -> None:
    prefix = f"r{time.time_ns()}."
    create_topic(broker.bootstrap, f"{prefix}rules", 1)
    client = serve(settings.model_copy(update={"kafka": broker.bootstrap, "topic_prefix": prefix}))
    before = time.time_ns() // 1_000_000
    put = client.put(URL, json={"definition": DEFINITION}).json()
    assert (put["workflow"], put["version"]) == ("trade", 3)
    assert before <= put["effective_from"] <= time.time_ns() // 1_000_000
    assert (
        client.put(URL, json={"definition": DEFINITION, "version": 9, "effective_from": 0}, headers=ANY).status_code
        == 202
    )
    assert client.delete(URL, headers=ANY).status_code == 202
    assert client.delete(URL).status_code == 404
    assert client.delete("/api/v1/rules/other").status_code == 404
    [(first, second, third)] = records(broker.bootstrap, f"{prefix}rules").values()
    fields = ("workflow", "version", "effective_from")
    assert orjson.loads(first.value) == {name: put[name] for name in fields} | {"definition": DEFINITION}
    assert orjson.loads(second.value)["version"] == 9
    assert (first.key, third.key, third.value) == (b"trade", b"trade", None)
