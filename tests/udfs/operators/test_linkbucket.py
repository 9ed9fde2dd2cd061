"""The stages in front of detect: frames in, frames out, links and waiting events in state."""

from __future__ import annotations

import random
from base64 import b64decode
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.operators.job import Job
from udfs.core.links import scheme_of
from udfs.operators.batch import Frame, decode, encode
from udfs.operators.routed import LINK, REFUSED, Routed, pack, taken_up, unpack
from udfs.packs.mapping import compile_mapping

BEGIN = 1_700_000_000_000
SOURCE = {
    "source": "desk",
    "format": "json",
    "id": "id",
    "type": "what",
    "time": {"path": "at", "format": "epoch_ms"},
    "keys": {"order": "order", "execution": "execution"},
}
WORKFLOW: dict[str, Any] = {
    "workflow": "orders",
    "key": ["order", "execution"],
    "correlate": {"hold": "1m"},
    "steps": {"place": {"on": "placed", "start": True}, "fill": {"on": "filled", "end": "completed"}},
    "deadlines": [{"id": "fill", "after": "place", "expect": "fill", "within": "5s"}],
}
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


def job(**changes: Any) -> Job:
    return Job(compile_mapping(SOURCE | changes), [WORKFLOW], random.Random(3))


def event(what: str, at: int, **keys: str) -> dict[str, Any]:
    return {"id": f"{what}@{at}", "what": what, "at": BEGIN + at} | keys


def test_nothing_is_lost_an_event_that_no_link_leads_on_is_a_dead_letter_with_its_record() -> None:
    made = job()
    lonely = event("filled", 0, execution="E1")
    made.run([event("placed", 0, order="O1"), lonely])
    (letter,) = made.rows("D")
    assert (letter["reason"], letter["topic"], letter["offset"]) == ("unlinked", "events", 1)
    assert letter["detail"] == "nothing led from execution 'E1' to order in time"
    assert orjson.loads(b64decode(letter["raw"])) == lonely


def test_links_that_contradict_each_other_are_told_with_the_record_that_brought_it() -> None:
    made = job()
    made.run([event("linked", n, order=f"O{n}", execution="E1") for n in (1, 2)])
    (letter,) = made.rows("D")
    assert letter["reason"] == "two_links"
    assert letter["detail"] == "execution 'E1' was met with another order too; it stays with 'O1'"


def test_an_event_that_is_no_step_links_but_is_never_held() -> None:
    made = job()
    made.run([event("other", 0, execution="E1"), event("placed", 0, order="O1")])
    assert made.rows("D") == []


@pytest.mark.parametrize("garbage", [{"at": "noon"}, {"what": None}])
def test_what_cannot_be_read_is_one_dead_letter_of_its_own_copy(garbage: dict[str, Any]) -> None:
    made = job()
    made.run([event("filled", 0, execution="E1") | garbage])
    assert len(made.rows("D")) == 1


def test_a_record_has_one_event_row_also_where_it_went_by_links() -> None:
    made = job()
    made.run([event("linked", 0, order="O1", execution="E1"), event("filled", 1, execution="E1")])
    assert [(row["key_name"], row["key"]) for row in made.rows("E")] == [("order", "O1"), ("execution", "E1")]
    assert {row["key"] for row in made.rows("I")} == {"O1"}


@given(TEXT, st.integers(0, 7), st.integers(0, 252), st.integers(-(2**61), 2**61), st.binary(max_size=50))
def test_a_routed_frame_comes_back_as_it_was(text: str, key: int, own: int, known: int, payload: bytes) -> None:
    routed = Routed(Frame(1, 0, 2, 3, 4, payload), "0123abcd", key, text, own, known)
    (frame,) = decode(pack(routed))
    back = unpack(frame)
    names = ("scheme", "key", "text", "own", "known", "mapping", "partition", "offset", "received", "payload")
    assert [getattr(back, name) for name in names] == [getattr(routed, name) for name in names]


def test_a_link_between_stages_names_both_keys() -> None:
    link = Routed(Frame(0, 0, 0, 0, 0, b""), "0123abcd", 1, "E1", LINK, 5)
    link.to, link.to_text = 0, "Oé"
    back = unpack(decode(pack(link))[0])
    assert (back.key, back.text, back.to, back.to_text, back.known) == (1, "E1", 0, "Oé", 5)


def test_what_waited_in_state_finds_its_mapping_by_name() -> None:
    engine = job().engine
    payload = b"{}"
    back = taken_up(engine, ["desk", "execution", "events", 1, 2, 3, payload])
    assert (back.mapping, back.own, back.partition, back.offset, back.received) == (0, 1, 1, 2, 3)
    gone = taken_up(engine, ["desk", "fill", "events", 1, 2, 3, payload])
    assert (gone.own, gone.payload) == (REFUSED, payload)
    assert gone.text == "internal no mapping reads fill of desk in topic events any more"


def test_a_rule_with_keys_that_the_job_was_not_built_for_is_refused() -> None:
    engine = job().engine
    other = WORKFLOW | {"key": ["order", "settlement"]}
    document = {"workflow": "orders", "version": 2, "effective_from": 0, "definition": other}
    with pytest.raises(ValueError, match="not started for the keys order, settlement"):
        engine.put_rule(orjson.dumps(document))
    engine.put_rule(orjson.dumps(document | {"definition": WORKFLOW | {"correlate": {"hold": "2m"}}}))
    assert engine.correlations()[scheme_of(("order", "execution"))].hold == 120_000


def test_a_frame_of_ordinary_records_is_what_it_was() -> None:
    frame = Frame(0, 1, 2, 3, 4, b"x")
    assert encode([frame]) == bytes.fromhex("00 01 00000002 0000000000000003 0000000000000004 00000001") + b"x"
