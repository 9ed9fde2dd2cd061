"""What the alert job does with batches: findings and actions to the desk, pulses as its clock, all of it saved."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from tests.flink.alertpolicy import DOCUMENTS, finding
from tests.udfs.operators.memory import Memory
from udfs.alerting.desk import Desk
from udfs.operators.alertbucket import ACTION, CLOCK, FINDING, AlertBucket, AlertSettings
from udfs.operators.alertrules import AlertRules, Document, Reached
from udfs.operators.batch import PULSE, Frame, RuleRecord, encode, split_element
from udfs.packs.alertcompile import compile_policy
from udfs.packs.compile import compile_workflow

T0 = 1_750_000_000_000
MINUTE = 60_000


def record(key: str, body: object, offset: int) -> RuleRecord:
    return RuleRecord(0, offset, 0, key.encode(), b"" if body is None else orjson.dumps(body))


class Job:
    """The bucket with its state; what it said is in `said`, by tag."""

    def __init__(self, lanes: Iterable[str] = ("main",)) -> None:
        known = tuple(record(key, body, offset) for offset, (key, body) in enumerate(DOCUMENTS.items()))
        alerting = Reached("alerting", known, len(known))
        self.rules = AlertRules(alerting, Reached("rules"), (), compile_policy, compile_workflow)
        self.settings = AlertSettings(("f", "a"), frozenset(lanes), T0)
        self.store = Memory()
        self.bucket = AlertBucket(self.settings, self.rules, self.store)
        self.said: list[tuple[str, bytes, dict[str, Any]]] = []

    def restart(self) -> None:
        self.bucket = AlertBucket(self.settings, self.rules, self.store)

    def take(self, *frames: Frame) -> None:
        outputs = map(split_element, self.bucket.on_batch(encode(frames)))
        self.said += [(tag, key, orjson.loads(value)) for tag, key, value in outputs]

    def rows(self, tag: str) -> list[dict[str, Any]]:
        return [row for one, _, row in self.said if one == tag]

    def told(self) -> list[tuple[str, str, str]]:
        rows = [row for row in self.rows("N") if row["type"] == "notify"]
        return [(row["alerts"][0]["key"], row["person"], row["reason"]) for row in rows]


def found(key: str, offset: int = 0, **more: Any) -> Frame:
    return Frame(FINDING, 255, 1, offset, T0, orjson.dumps(finding(key, T0) | more))


def act(kind: str, *alerts: str, id: str = "act-1") -> Frame:
    row = {"id": id, "at_ms": T0, "who": "anna", "kind": kind, "alerts": alerts, "why": ""}
    return Frame(ACTION, 255, 0, 0, T0, orjson.dumps(row))


def pulse(at: int) -> Frame:
    return Frame(PULSE, 0, 0, 0, 0, orjson.dumps({"readers": 1, "watermark": T0 + at, "topics": {}}))


@pytest.fixture
def job() -> Job:
    return Job()


def test_a_finding_is_told_in_the_batch_that_brings_it(job: Job) -> None:
    job.take(found("P1"))
    assert job.told() == [("P1", "anna", "opened")]
    (alert,) = job.rows("A")
    assert (alert["state"], alert["opened_ms"]) == ("open", T0)


def test_rows_go_by_the_keys_of_the_contract(job: Job) -> None:
    job.take(found("P1"))
    (id,) = {row["id"] for row in job.rows("A")}
    assert {(tag, key) for tag, key, _ in job.said} == {("A", id.encode()), ("L", id.encode()), ("N", b"")}


@pytest.mark.parametrize(("at", "escalated"), [(119_999, False), (120_000, True), (120_001, True)])
def test_a_pulse_is_the_clock(job: Job, at: int, escalated: bool) -> None:
    job.take(pulse(0), found("P1"))
    job.take(pulse(at))
    assert [person for _, person, _ in job.told()] == (["anna", "ben"] if escalated else ["anna"])


def test_a_pulse_that_comes_again_or_late_moves_nothing_back(job: Job) -> None:
    job.take(pulse(MINUTE))
    job.take(pulse(0), found("P1"))
    assert job.rows("A")[0]["opened_ms"] == T0 + MINUTE


def test_an_action_is_answered_and_stops_the_escalation(job: Job) -> None:
    job.take(pulse(0), found("P1"))
    job.take(act("ack", job.rows("A")[0]["id"]))
    (answer,) = [row for row in job.rows("N") if row["type"] == "applied"]
    assert (answer["action"], answer["outcome"]) == ("act-1", "applied")
    job.take(pulse(5 * MINUTE))
    assert [person for _, person, _ in job.told()] == ["anna"]


def test_a_restart_goes_on_where_it_was(job: Job) -> None:
    job.take(pulse(MINUTE), found("P1"))
    job.restart()
    job.take(found("P2"))
    job.take(pulse(3 * MINUTE))
    assert {row["opened_ms"] for row in job.rows("A")} == {T0 + MINUTE}
    assert sorted(job.told()) == sorted((key, *who) for key in ("P1", "P2") for who in WHO)


WHO = (("anna", "opened"), ("ben", "escalated"))


def test_the_same_batch_after_a_crash_says_the_same_under_the_same_ids(job: Job) -> None:
    batch = [found("P1"), found("P2", 1)]
    before = Memory(job.store.entries)
    job.take(*batch)
    first = {row["id"] for row in job.rows("N")}
    job.store = before
    job.restart()
    job.take(*batch)
    assert {row["id"] for row in job.rows("N")} == first


@pytest.mark.parametrize(
    ("payload", "reason"),
    [(b"{", "not_json"), (b"", "not_json"), (b"[1]", "not_an_object"), (b'{"lane": "main"}', "invalid_event")],
)
@pytest.mark.parametrize("mapping", [FINDING, ACTION])
def test_garbage_is_a_dead_letter_and_holds_up_nothing(job: Job, mapping: int, payload: bytes, reason: str) -> None:
    job.take(found("P1"), Frame(mapping, 255, 3, 7, T0, payload), found("P2"))
    (letter,) = job.rows("D")
    assert (letter["topic"], letter["partition"], letter["offset"]) == ("fa"[mapping], 3, 7)
    assert letter["reason"] == reason
    assert [key for key, _, _ in job.told()] == ["P1", "P2"]


def test_what_fails_in_the_desk_is_undone_and_put_aside_and_the_rest_is_kept(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Desk.on_finding

    def fails(self: Desk, row: dict[str, Any], now: int) -> Any:
        effects = honest(self, row, now)
        if row["key"] == "bad":
            raise RuntimeError("a fault of ours")
        return effects

    monkeypatch.setattr(Desk, "on_finding", fails)
    job.take(found("P1"), found("bad", 1), found("P2", 2), pulse(MINUTE))
    assert [(row["offset"], row["reason"]) for row in job.rows("D")] == [(1, "internal")]
    assert [key for key, _, _ in job.told()] == ["P1", "P2"]
    job.restart()
    job.take(pulse(4 * MINUTE))
    assert {key for key, person, _ in job.told() if person == "ben"} == {"P1", "P2"}


def test_a_pulse_that_fails_is_no_dead_letter_and_the_next_one_makes_up_for_it(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    job.take(pulse(0), found("P1"))
    with monkeypatch.context() as patch:
        patch.setattr(Desk, "on_time", lambda *_: 1 / 0)
        job.take(pulse(3 * MINUTE))
    assert job.rows("D") == []
    job.take(pulse(3 * MINUTE))
    assert [person for _, person, _ in job.told()] == ["anna", "ben"]


@pytest.mark.parametrize(("lanes", "told"), [(("main",), 1), ((), 2), (("replay-x",), 1), (("other",), 0)])
def test_findings_of_other_lanes_make_no_alerts(lanes: tuple[str, ...], told: int) -> None:
    job = Job(lanes)
    job.take(found("P1"), found("P2", lane="replay-x"))
    assert len(job.told()) == told
    assert job.rows("D") == []


def test_a_document_takes_effect_with_the_next_batch(job: Job) -> None:
    job.take(found("P1"))
    steps = {"steps": [{"notify": {"person": "ben"}}]}
    job.rules.take(Document("alerting", record("escalation/desk", steps, 50)))
    job.take(found("P2"))
    assert job.told() == [("P1", "anna", "opened"), ("P2", "ben", "opened")]


def test_only_what_changed_is_written(job: Job) -> None:
    job.take(*(found(f"P{number}", number) for number in range(50)))
    writes = job.store.writes
    job.take(found("P7"), pulse(1000))
    assert job.store.writes - writes < 8
    assert int(job.store.entries[CLOCK]) == T0 + 1000
