"""Findings become notifications, and time, actions and documents do what they should, on real parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.alertlane import AlertLane
from tests.flink.alertpolicy import DOCUMENTS
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
MINUTE = 60_000


@pytest.fixture(scope="module")
def alerts(broker: KafkaBroker, cluster: FlinkCluster) -> Iterator[AlertLane]:
    """One job for all tests of this module, each of which has keys of its own and goes on where time has come to."""
    lane = AlertLane(broker.bootstrap, cluster)
    for name, body in DOCUMENTS.items():
        lane.document(name, body)
    lane.garbage("alerting")
    lane.start()
    lane.tick(0)
    lane.await_time(0)
    yield lane
    lane.end()


def test_a_finding_is_told_at_once_and_escalated_by_the_clock_alone(alerts: AlertLane) -> None:
    alerts.find("P1")
    alerts.await_told("P1", ("anna", "opened"))
    assert alerts.alert("P1")["state"] == "open"
    alerts.tick(2 * MINUTE - 1000)
    alerts.find("P1b")
    alerts.await_told("P1b", ("anna", "opened"))
    assert len(alerts.told("P1")) == 1
    alerts.tick(2 * MINUTE + 1000)
    alerts.await_told("P1", ("anna", "opened"), ("ben", "escalated"))


def test_an_acknowledgement_is_answered_and_nobody_else_is_told(alerts: AlertLane) -> None:
    alerts.tick(10 * MINUTE)
    alerts.find("P2")
    alerts.await_told("P2", ("anna", "opened"))
    id = alerts.alert("P2")["id"]
    answer = alerts.answer(alerts.act("ack", id))
    assert (answer["outcome"], [one["state"] for one in answer["alerts"]]) == ("applied", ["acknowledged"])
    assert id in answer["halt"]
    alerts.tick(20 * MINUTE)
    alerts.find("P2b")
    alerts.await_told("P2b", ("anna", "opened"))
    assert alerts.told("P2") == [("anna", "opened")]
    unknown = alerts.act("ack", "0" * 32)
    alerts.tick(20 * MINUTE + 1000)
    refused = alerts.answer(unknown)
    assert refused["outcome"] == "refused"


def test_garbage_and_other_lanes_are_put_aside(alerts: AlertLane) -> None:
    alerts.garbage("findings")
    alerts.garbage("actions")
    alerts.find("P3-replay", lane="replay-x")
    alerts.find("P3")
    alerts.await_told("P3", ("anna", "opened"))
    letters = eventually(lambda: rows if len(rows := alerts.rows("deadletters")) >= 2 else None)
    assert {(row["topic"].partition(".")[2], row["reason"]) for row in letters} >= {
        ("findings", "not_json"),
        ("actions", "not_json"),
    }
    assert alerts.alert("P3-replay") == {}


def test_documents_change_who_is_told_while_the_job_runs(alerts: AlertLane) -> None:
    alerts.document("escalation/desk", {"steps": [{"notify": [{"person": "ben"}]}]})
    alerts.garbage("alerting")  # its dead letter says that the job has come so far
    eventually(lambda: [row for row in alerts.rows("deadletters") if row["topic"].endswith("alerting")])
    alerts.find("P4")
    alerts.await_told("P4", ("ben", "opened"))
    alerts.document("escalation/desk", DOCUMENTS["escalation/desk"])
    alerts.find("P4b")
    eventually(lambda: alerts.told("P4b"))
