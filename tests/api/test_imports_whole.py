"""A pack is put in force as a whole or not at all, whatever is wrong with a part of it and whenever Kafka goes away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import rulechanges
from api.publish import PublishError, Record
from api.settings import Settings
from tests.api.access.conftest import signed_in
from tests.api.job import Job
from tests.api.test_imports import zipped

ONE = """\
workflow: {name}
key: id
steps:
  send:  {{on: sent, start: true}}
  reply: {{on: replied}}
deadlines:
  - {{id: reply, after: send, expect: reply, within: 5m}}
"""


def archive(*names: str) -> bytes:
    """A pack of several workflows in one file."""
    return zipped({"workflow.yaml": "---\n".join(ONE.format(name=name) for name in names).encode()})


def put(client: TestClient, data: bytes) -> Any:
    return client.post("/api/v1/packs", content=data)


def rules(client: TestClient) -> list[str]:
    return [one["workflow"] for one in client.get("/api/v1/rules").json()]


def sent(job: Job) -> list[str]:
    return [record.key.decode() for record in job.sent if record.topic.endswith(".rules")]


def test_all_workflows_of_a_pack_are_put_and_the_answer_says_what_became_of_each(client: TestClient, job: Job) -> None:
    answer = put(client, archive("one", "two", "three"))
    assert answer.status_code == 200, answer.text
    assert [(row["workflow"], row["outcome"]) for row in answer.json()["workflows"]] == [
        ("one", "sent"),
        ("two", "sent"),
        ("three", "sent"),
    ]
    assert sent(job) == ["one", "two", "three"]


@pytest.mark.parametrize(
    "data",
    [
        archive("one", "w" * 201),  # which only the server minds
        zipped({"a/workflow.yaml": ONE.format(name="one").encode(), "b/workflow.yaml": b"workflow: two\n"}),
        zipped({f"{folder}/workflow.yaml": ONE.format(name="one").encode() for folder in "ab"}),
    ],
    ids=["a name too long", "a pack that is invalid", "a workflow twice"],
)
def test_what_is_wrong_with_one_keeps_all_from_being_put(client: TestClient, job: Job, data: bytes) -> None:
    assert put(client, data).status_code == 422
    assert rules(client) == []
    assert sent(job) == []


def test_a_failure_inside_the_transaction_leaves_nothing(
    client: TestClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails at the second of three."""
    add, calls = rulechanges.rules.add, []

    def failing(connection: Any, revision: Any) -> None:
        calls.append(revision.workflow)
        if len(calls) == 2:
            raise OSError("disk full")
        add(connection, revision)

    monkeypatch.setattr(rulechanges.rules, "add", failing)
    assert put(client, archive("one", "two", "three")).status_code == 500
    assert rules(client) == []
    assert sent(job) == []


def test_what_kafka_did_not_take_comes_out_of_the_outbox_later(
    client: TestClient, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Record] = []

    def half(records: Sequence[Record]) -> None:
        taken.extend(records[:1])
        raise PublishError("the broker went away", 1)

    monkeypatch.setattr(job.context.publisher, "publish", half)
    monkeypatch.setattr(job.context.relay, "wake", lambda: None)
    answer = put(client, archive("one", "two"))
    assert [row["outcome"] for row in answer.json()["workflows"]] == ["pending", "pending"]
    with pytest.raises(PublishError):
        job.context.relay.send()
    assert [record.key for record in taken] == [b"one"]
    monkeypatch.setattr(job.context.publisher, "publish", taken.extend)
    job.context.relay.send()
    assert [record.key for record in taken] == [b"one", b"one", b"two"], "at least once, and in order"
    assert rules(client) == ["one", "two"]
    assert job.context.relay.waiting() == 0


def test_with_four_eyes_all_wait_or_none(serve: Callable[[Settings], TestClient], settings: Settings) -> None:
    client = serve(settings.model_copy(update={"sign_in": "required", "rate_limit": 0, "four_eyes": True}))
    client.headers.update({"Origin": "http://127.0.0.1"})
    signed_in(client, "anna", "editor")
    assert [row["outcome"] for row in put(client, archive("two")).json()["workflows"]] == ["waits"]
    signed_in(client, "ben", "editor")
    refused = put(client, archive("one", "two"))
    assert refused.status_code == 409
    assert "two by anna" in refused.json()["detail"]
    assert client.get("/api/v1/rules/one/draft").status_code == 404
