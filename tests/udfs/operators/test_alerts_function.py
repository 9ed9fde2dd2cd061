"""The Flink function of the alert job on dicts in place of state: what comes by broadcast outlives a restart."""

from __future__ import annotations

import pickle
from collections import Counter
from typing import Any

import orjson

from tests.flink.alertpolicy import DOCUMENTS
from tests.udfs.operators.memory import Memory
from tests.udfs.operators.test_alerts import T0, found, record
from udfs.operators.alertbucket import AlertSettings
from udfs.operators.alertrules import AlertRules, Document, Reached, encode_document
from udfs.operators.alerts import Alerts
from udfs.operators.batch import RuleRecord, encode, split_element
from udfs.packs.alertcompile import compile_policy
from udfs.packs.compile import compile_workflow

BEN = {"steps": [{"notify": {"person": "ben"}}]}


class Flink:
    """A runtime context, its metrics and the context of a call in one; `alerts` and `documents` are the state."""

    def __init__(self) -> None:
        self.alerts = Memory()
        self.documents: dict[str, bytes] = {}
        self.counts: Counter[str] = Counter()

    def get_map_state(self, _: object) -> Memory:
        return self.alerts

    def get_broadcast_state(self, _: object) -> Any:
        state = self.documents

        class Broadcast:
            items = staticmethod(state.items)
            put = staticmethod(state.__setitem__)
            contains = staticmethod(state.__contains__)
            remove = staticmethod(state.pop)

        return Broadcast

    def get_metrics_group(self) -> Flink:
        return self

    def add_group(self, _: str) -> Flink:
        return self

    def counter(self, name: str) -> Any:
        class Counted:
            inc = staticmethod(lambda by=1: self.counts.update({name: by}))

        return Counted


def submitted(*changed: tuple[str, Any]) -> bytes:
    """The function, on its way to a worker. The topic held six documents, and `changed` behind them."""
    known = [record(key, body, offset) for offset, (key, body) in enumerate([*DOCUMENTS.items(), *changed])]
    reached = Reached("alerting", tuple(known), len(known))
    rules = AlertRules(reached, Reached("rules"), (), compile_policy, compile_workflow)
    return pickle.dumps((AlertSettings(("f", "a"), frozenset(), T0), rules))


class Worker:
    def __init__(self, flink: Flink, job: bytes) -> None:
        self.flink = flink
        self.function = Alerts(*pickle.loads(job))  # noqa: S301
        self.function.open(flink)

    def broadcast(self, key: str, body: Any, offset: int, topic: str = "alerting") -> list[bytes]:
        text = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        document = Document(topic, RuleRecord(0, offset, 0, key.encode(), text))
        return self.function.process_broadcast_element(encode_document(document), self.flink)

    def told(self, key: str) -> list[str]:
        outputs = self.function.process_element(encode([found(key, rule=key)]), self.flink)
        rows = [orjson.loads(value) for tag, _, value in map(split_element, outputs) if tag == "N"]
        return [row["person"] for row in rows if row["type"] == "notify"]


def test_a_document_outlives_a_failover() -> None:
    flink, job = Flink(), submitted()
    worker = Worker(flink, job)
    assert worker.told("P1") == ["anna"]
    assert worker.broadcast("escalation/desk", BEN, 6) == []
    assert worker.told("P2") == ["ben"]
    assert Worker(flink, job).told("P3") == ["ben"]
    assert flink.counts["notifications"] == 2 + 1


def test_what_a_new_submission_knows_goes_before_what_state_has_from_earlier() -> None:
    flink = Flink()
    Worker(flink, submitted()).broadcast("escalation/desk", BEN, 6)
    again = submitted(("escalation/desk", BEN), ("escalation/desk", DOCUMENTS["escalation/desk"]))
    worker = Worker(flink, again)
    assert worker.told("P1") == ["anna"]
    assert worker.broadcast("escalation/desk", BEN, 6) == []  # the source reads on from where its state says
    assert worker.told("P2") == ["anna"]


def test_a_deletion_that_kafka_has_compacted_away_holds_after_a_restart() -> None:
    flink = Flink()
    Worker(flink, submitted()).broadcast("person/carl", {"email": "carl@example.com"}, 6)
    worker = Worker(flink, submitted(("person/dora", {"email": "dora@example.com"})))
    worker.told("P1")
    assert "carl" not in worker.function._rules.policy.people


def test_of_documents_that_come_back_from_state_the_last_one_holds() -> None:
    flink, job = Flink(), submitted()
    worker = Worker(flink, job)
    for offset, body in enumerate((BEN, None, DOCUMENTS["escalation/desk"], BEN), 6):
        worker.broadcast("escalation/desk", body, offset)
    assert len(flink.documents) == 1
    assert Worker(flink, job).told("P1") == ["ben"]


def test_what_was_made_and_deleted_leaves_nothing_in_state() -> None:
    flink, job = Flink(), submitted()
    worker = Worker(flink, job)
    worker.broadcast("person/carl", {"email": "carl@example.com"}, 6)
    worker.broadcast("person/carl", None, 7)
    worker.broadcast("person/carl", None, 8)
    assert flink.documents == {}


def test_the_deletion_of_what_the_submission_knows_is_kept_until_one_knows_it_no_more() -> None:
    flink, job = Flink(), submitted()
    Worker(flink, job).broadcast("person/anna", None, 6)
    assert Worker(flink, job).told("P1") == []
    later = Worker(flink, submitted(("person/dora", {"email": "dora@example.com"})))
    later.broadcast("person/eve", {"email": "eve@example.com"}, 7)
    assert list(flink.documents) == ["alerting/person/eve"]


def test_an_alerting_document_that_cannot_be_read_is_a_dead_letter_and_a_rule_is_detects_to_tell_of() -> None:
    worker = Worker(Flink(), submitted())
    (letter,) = worker.broadcast("person/anna", b"{", 6)
    row = orjson.loads(split_element(letter)[2])
    assert (row["topic"], row["offset"], row["reason"]) == ("alerting", 6, "invalid_event")
    assert worker.broadcast("parcel", b"{", 6, topic="rules") == []
    assert worker.flink.documents == {}
    assert worker.told("P1") == ["anna"]
