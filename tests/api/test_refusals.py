"""A rule that the running job can't take is shown as refused, with the job's reason, until it follows it after all."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable

import orjson
import pytest
from starlette.testclient import TestClient

from api.publish import Record
from api.settings import Settings
from api.store import Store
from tests.api.job import Job
from tests.api.rows import insert, item
from udfs.operators.batch import RuleRecord
from udfs.operators.engine import Engine
from udfs.operators.fits import Fits
from udfs.packs.compile import compile_workflow
from udfs.packs.rulefile import read_rule

TEXT = """\
workflow: trade
key: trade_id
remember: 1h
steps:
  send:  {on: sent, start: true}
  reply: {on: replied}
"""
FORGETFUL = TEXT.replace("1h", "1s")
URL = "/api/v1/rules/trade"


def judged(store: Store, records: list[Record], lane: str = "main") -> None:
    """What a job whose events may be two seconds late does with the records of the rules topic, in its own code."""
    engine = Engine(lane, (), (), compile_workflow, rules_topic="daymark.rules", fits=Fits(lane, 2000, 60_000))
    for offset, one in enumerate(records):
        record = RuleRecord(0, offset, 1_700_000_000_000 + offset, one.key, one.value or b"")
        try:
            engine.take(record)
        except ValueError as fault:
            element = engine.refuse_rule(record, fault)
            insert(store, "dead_letters", orjson.loads(element[3 + int.from_bytes(element[1:3], "big") :]))


def put(client: TestClient, text: str, known: int | None = None) -> None:
    headers = {} if known is None else {"If-Match": f'"{known}"'}
    assert client.put(URL, json={"text": text}, headers=headers).status_code == 202


def test_a_refused_revision_says_so_everywhere_and_the_others_do_not(
    client: TestClient, job: Job, store: Store
) -> None:
    put(client, TEXT)
    put(client, FORGETFUL, 1)
    assert client.get(URL).json()["refused"] == "", "the job has said nothing yet"
    judged(store, job.sent)
    said = client.get(URL).json()["refused"]
    assert said.startswith("workflow trade: `remember` is 1000 ms")
    assert [one["refused"] for one in client.get(f"{URL}/versions").json()] == [said, ""]
    assert [one["refused"] for one in client.get("/api/v1/rules").json()] == [said]
    assert client.get(f"{URL}/versions/1").json()["refused"] == ""
    assert client.get(f"{URL}/versions/2").json()["refused"] == said
    assert "refused by the job" in client.get("/rules").text
    page = client.get("/rules/trade").text
    assert "The job refused revision 2" in page
    assert "goes on with what it followed before" in page
    put(client, TEXT, 2)
    assert client.get(URL).json()["refused"] == "", "the next one is another document"
    assert "The job refused" not in client.get("/rules/trade").text


def test_what_the_job_of_another_lane_refuses_is_in_force_here(client: TestClient, job: Job, store: Store) -> None:
    put(client, FORGETFUL)
    judged(store, job.sent, lane="replay-x")
    assert client.get(URL).json()["refused"] == ""


def test_a_job_that_was_started_anew_and_follows_the_rule_has_the_last_word(
    client: TestClient, job: Job, store: Store
) -> None:
    put(client, FORGETFUL)
    definition = orjson.loads(job.sent[0].value or b"")["definition"]
    content = compile_workflow(definition, version=1, lane="main").hash
    followed = item(workflow="trade", rule_hash=content)
    insert(store, "items", followed | {"key": "before", "inserted_at": 1})
    judged(store, job.sent)
    assert client.get(URL).json()["refused"], "items of an earlier time tell nothing"
    insert(store, "items", followed | {"inserted_at": time.time_ns() // 10**9 + 5})
    assert client.get(URL).json()["refused"] == ""


def test_rules_can_be_read_while_clickhouse_is_away(
    client: TestClient, job: Job, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client, TEXT)
    context = client.app.state.context  # type: ignore[attr-defined]
    monkeypatch.setattr(context.store, "_free", {name: _Never() for name in ("query", "insert", "ping")})
    assert client.get(URL).json()["refused"] == ""
    assert client.get("/rules").status_code == 200


class _Never:
    def get(self, timeout: float) -> object:
        raise queue.Empty

    def put(self, one: object) -> None: ...


def test_a_rule_that_came_through_kafka_alone_may_be_refused_too(
    serve: Callable[[Settings], TestClient], settings: Settings, store: Store
) -> None:
    client = serve(settings)
    found, _ = read_rule(FORGETFUL)
    assert found is not None
    document = {"workflow": "trade", "version": 4, "effective_from": 0, "definition": found.data}
    value = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    client.app.state.context.rulebook.engine.put_rule(value, 7)  # type: ignore[attr-defined]
    assert client.get(URL).json()["refused"] == ""
    judged(store, [Record("daymark.rules", b"trade", value)])
    assert client.get(URL).json()["refused"].startswith("workflow trade")
