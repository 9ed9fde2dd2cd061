"""Random findings, actions and time: the alert job says what its core says of the same log, word for word, through
kills."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from typing import Any

import pytest

from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.alertlane import AlertLane
from tests.flink.alertpolicy import DOCUMENTS, finding
from tests.flink.lane import PACK
from tests.kafka_help import eventually
from udfs.alerting.desk import Desk
from udfs.alerting.effects import AlertChanged, Effect, IncidentChanged, Logged, Notify
from udfs.alerting.graph import graph_of
from udfs.packs.alertcompile import compile_policy
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack

pytestmark = [pytest.mark.real, pytest.mark.thorough]
SEED = 20_261_122
TURNS, TURN_MS = 600, 5_000
ITEMS, RULES, MARKETS = 60, 6, 3
KINDS = ("ack", "unack", "resolve", "escalate", "comment", "assign", "suppress", "unsuppress")
ROUTES = {"escalation": "desk", "group_by": ["rule"], "interval": "1m", "repeat": "10m", "ack": "5m"}
MAIL = DOCUMENTS["channel/mail"] | {"limit": {"count": 2, "per": "1m"}}
POLICY = DOCUMENTS | {"routes/main": ROUTES, "channel/mail": MAIL}
Row = dict[str, Any]
Entry = tuple[str, Any]


class Said:
    """The newest of all that was said, by what it is about."""

    def __init__(self) -> None:
        self.messages: dict[str, Row] = {}
        self.alerts: dict[str, Row] = {}
        self.incidents: dict[str, Row] = {}
        self.log: dict[tuple[Any, ...], Row] = {}

    def hear(self, effects: Iterable[Effect]) -> None:
        for one in effects:
            row = json.loads(json.dumps(one.row))
            if isinstance(one, Notify):
                self.messages[row["id"]] = row
            elif isinstance(one, AlertChanged):
                self.alerts[row["id"]] = row
            elif isinstance(one, IncidentChanged):
                self.incidents[row["id"]] = row
            elif isinstance(one, Logged):
                self.log[row["alert"], row["rev"], row["n"]] = row

    def read(self, alerts: AlertLane) -> Said:
        """What the job has written. Whatever it has written twice must be the same."""
        for row in alerts.rows("notifications"):
            if row["type"] == "notify":
                assert self.messages.setdefault(row["id"], row) == row
        for row in alerts.rows("alertlog"):
            assert self.log.setdefault((row["alert"], row["rev"], row["n"]), row) == row
        for topic, known in (("alerts", self.alerts), ("incidents", self.incidents)):
            known |= {row["id"]: row for row in sorted(alerts.rows(topic), key=lambda row: int(row["rev"]))}
        return self


def play(chance: random.Random, began: int) -> tuple[list[Entry], Said]:
    """A log, and what the core says of it. Between two ticks are findings or actions, so that it has one order."""
    specs = [compile_workflow(one.data, version=1, lane="main") for one in load_pack(PACK).workflows]
    desk, said, log = Desk(compile_policy(POLICY), graph_of(specs)), Said(), []
    desk.on_time(began - 1)
    for turn in range(1, TURNS):
        now = began + turn * TURN_MS - 1
        log.append(("tick", turn * TURN_MS))
        said.hear(desk.on_time(now))
        for _ in range(chance.randrange(4)):
            if turn % 2:
                row = _finding(chance, now)
                said.hear(desk.on_finding(row, now))
                log.append(("findings", row))
            elif said.alerts:
                row = _action(chance, now, list(said.alerts), len(log))
                said.hear(desk.on_action(row, now))
                log.append(("actions", row))
    return log, said


def _finding(chance: random.Random, now: int) -> Row:
    number = chance.randrange(ITEMS)
    row = finding(f"R{number}", now - 60_000 * (number % 3))
    row |= {"rule": f"rule-{number % RULES}", "groups": {"market": f"M{number % MARKETS}"}}
    row["severity"] = chance.choice(("low", "medium", "high", "critical"))
    kind = chance.choice(("missing", "missing", "late", "duplicate", "at_risk"))
    return row | {"kind": kind} | ({"at_ms": now, "delta_ms": 1_000} if kind == "late" else {})


def _action(chance: random.Random, now: int, alerts: list[str], number: int) -> Row:
    kind = chance.choice(KINDS)
    chosen = chance.sample(alerts, min(len(alerts), chance.choice((1, 1, 1, 5))))
    until = now + chance.choice((30_000, 300_000))
    row = {"id": f"action-{number}", "at_ms": now, "who": chance.choice(("anna", "ben")), "kind": kind, "why": "so"}
    return row | {"alerts": chosen, "until_ms": until if kind == "suppress" else None, "assignee": "ben", "text": "hm"}


def _write(alerts: AlertLane, log: list[Entry]) -> None:
    """All of a topic into one partition: in what order two partitions are read is nobody's promise."""
    for kind, what in log:
        if kind == "tick":
            alerts.tick(what)
        else:
            alerts.producer.send(f"{alerts.prefix}{kind}", json.dumps(what).encode(), key=b"one", partition=0)
    alerts.producer.flush()


def test_the_job_says_of_a_random_log_what_the_core_says_of_it_through_kills(
    broker: KafkaBroker, cluster: FlinkCluster
) -> None:
    alerts = AlertLane(broker.bootstrap, cluster)
    for name, body in POLICY.items():
        alerts.document(name, body)
    alerts.start()
    alerts.tick(0)
    alerts.await_time(0)
    log, expected = play(random.Random(SEED), alerts.began)
    third = len(log) // 3
    _write(alerts, log[:third])
    first = eventually(lambda: cluster.newest_checkpoint(alerts.name))
    alerts.kill_taskmanagers()
    _write(alerts, log[third : 2 * third])
    eventually(lambda: cluster.newest_checkpoint(alerts.name) != first, 120)
    alerts.kill_taskmanagers()
    _write(alerts, log[2 * third :])
    eventually(
        lambda: max(row["rev"] for row in alerts.rows("alerts")) >= max(row["rev"] for row in expected.alerts.values()),
        120,
    )
    found = Said().read(alerts)
    assert {row["reason"] for row in expected.messages.values()} >= {
        "opened",
        "update",
        "escalated",
        "reminder",
        "digest",
    }
    assert found.messages == expected.messages
    assert found.alerts == expected.alerts
    assert found.incidents == expected.incidents
    assert found.log == expected.log
    alerts.end()
