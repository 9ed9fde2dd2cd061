"""What the alert job goes by: documents of two topics, known at submission and changed while it runs."""

from __future__ import annotations

import pickle

import orjson
import pytest

from tests.flink.alertpolicy import DOCUMENTS
from udfs.alerting.policy import EMPTY
from udfs.operators.alertrules import AlertRules, Document, Reached, decode_document, encode_document
from udfs.operators.batch import RuleRecord
from udfs.packs.alertcompile import compile_policy
from udfs.packs.compile import compile_workflow

WORKFLOW = {"workflow": "parcel", "key": "parcel", "steps": {"a": {"on": "a", "start": True}, "b": {"on": "b"}}}
FLOW = ["a -> b"]


def record(key: str, body: object, offset: int = 0) -> RuleRecord:
    return RuleRecord(0, offset, 0, key.encode(), b"" if body is None else orjson.dumps(body))


def rule(offset: int = 0, **changes: object) -> RuleRecord:
    definition = WORKFLOW | changes
    return record("parcel", {"workflow": "parcel", "version": 1, "definition": definition}, offset)


def made(*known: RuleRecord, rules: tuple[RuleRecord, ...] = (), packs: tuple[bytes, ...] = ()) -> AlertRules:
    alerting = Reached("alerting", known, len(known))
    return AlertRules(alerting, Reached("rules", rules, len(rules)), packs, compile_policy, compile_workflow)


def all_documents() -> list[RuleRecord]:
    return [record(key, body, offset) for offset, (key, body) in enumerate(DOCUMENTS.items())]


def told(rules: AlertRules) -> list[str]:
    return [one.person for one in rules.policy.recipients("desk", 0, 0)]


def test_without_documents_nobody_is_told() -> None:
    assert made().policy == EMPTY


def test_documents_that_were_there_at_submission_hold() -> None:
    assert told(made(*all_documents())) == ["anna"]


def test_a_later_document_takes_the_place_of_one_with_its_name_and_an_empty_one_takes_it_back() -> None:
    rules = made(*all_documents())
    rules.take(Document("alerting", record("escalation/desk", {"steps": [{"notify": {"person": "ben"}}]}, 50)))
    assert told(rules) == ["ben"]
    rules.take(Document("alerting", record("escalation/desk", None, 51)))
    rules.take(Document("alerting", record("escalation/desk", None, 52)))
    assert told(rules) == []


@pytest.mark.parametrize(("offset", "counts"), [(4, False), (5, False), (6, True), (7, True)])
def test_what_was_known_at_submission_does_not_count_again(offset: int, counts: bool) -> None:
    assert len(all_documents()) == 6
    assert made(*all_documents()).takes(Document("alerting", record("person/ben", {}, offset))) is counts


def test_an_unfit_document_is_left_out_and_the_others_hold() -> None:
    rules = made(*all_documents())
    rules.take(Document("alerting", record("person/carl", {"email": "no address"}, 50)))
    assert told(rules) == ["anna"]


def test_a_document_that_cannot_be_read_is_refused_and_what_was_there_holds() -> None:
    rules = made(*all_documents())
    with pytest.raises(ValueError, match=r"."):
        rules.take(Document("alerting", RuleRecord(0, 50, 0, b"person/anna", b"{")))
    assert told(rules) == ["anna"]


def test_the_policy_is_the_same_object_until_a_document_comes() -> None:
    rules = made(*all_documents())
    policy, graph = rules.policy, rules.graph
    assert (rules.policy, rules.graph) == (policy, graph)
    rules.take(Document("rules", rule()))
    assert rules.policy is policy
    assert rules.graph is not graph
    rules.take(Document("alerting", record("person/anna", None, 50)))
    assert rules.policy is not policy


def test_rules_say_what_lies_upstream_those_in_the_topic_before_those_of_packs() -> None:
    assert not made(packs=(rule().document,)).graph.is_upstream("parcel", "a", "b")
    rules = made(packs=(rule().document,), rules=(rule(flow=FLOW),))
    assert rules.graph.is_upstream("parcel", "a", "b")
    rules.take(Document("rules", record("parcel", None, 7)))
    assert not rules.graph.is_upstream("parcel", "a", "b")


@pytest.mark.parametrize(
    "text", [b"{", b"[]", b"{}", b'{"version": "x", "definition": {}}', b'{"version": 1, "definition": 3}']
)
def test_an_unfit_rule_is_refused_and_at_submission_passed_over(text: bytes) -> None:
    unfit = RuleRecord(0, 0, 0, b"parcel", text)
    assert made(rules=(unfit, rule(1, flow=FLOW))).graph.is_upstream("parcel", "a", "b")
    with pytest.raises(ValueError, match=r"."):
        made().take(Document("rules", unfit))


def test_statistics_are_no_rules() -> None:
    seen = record("@statistics/parcel", {"workflow": "parcel"}, 9)
    assert not made(rules=(seen,)).takes(Document("rules", seen))


def test_it_goes_to_the_workers_with_what_it_knows() -> None:
    rules = pickle.loads(pickle.dumps(made(*all_documents(), packs=(rule(flow=FLOW).document,))))  # noqa: S301
    assert told(rules) == ["anna"]
    assert rules.graph.is_upstream("parcel", "a", "b")


def test_a_document_comes_through_bytes_as_it_was() -> None:
    document = Document("daymark.alerting", RuleRecord(1, 2**40, 3, "person/ännä".encode(), b'{"a": 1}'))
    assert decode_document(encode_document(document)) == document
    assert document.name == "person/ännä"
