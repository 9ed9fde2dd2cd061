"""What people get, by the real alert job and the real dispatcher, when the job is killed and when a storm comes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from api.stack import process
from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.alertlane import AlertLane
from tests.flink.alertpolicy import DOCUMENTS, finding
from tests.flink.audience import Audience, audience
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
SECOND, MINUTE = 1_000, 60_000
ANNA, BEN = "anna@example.com", "ben@example.com"
OPENED, ESCALATED, ENDED = (ANNA, "opened"), (BEN, "escalated"), (ANNA, "resolved")


@pytest.fixture(scope="module")
def alerts(broker: KafkaBroker, cluster: FlinkCluster) -> Iterator[AlertLane]:
    """One job for both tests."""
    lane = AlertLane(broker.bootstrap, cluster)
    yield lane
    lane.end()


@pytest.fixture(scope="module")
def people(alerts: AlertLane) -> Iterator[Audience]:
    """Anna is told at once, Ben where nobody answers for two minutes. Of a storm Anna has a mail, ten a minute at most,
    and the desk a message in its chat, one a minute at most."""
    with audience(alerts) as told:
        mail = {"type": "email", "server": told.server, "tls": "none", "from": "daymark@example.com"}
        storm = {"steps": [{"notify": [{"person": "anna", "by": ["storm"]}, {"channel": "desk"}]}]}
        documents = DOCUMENTS | {
            "channel/mail": mail | {"limit": {"count": 1_000, "per": "1m"}},
            "channel/storm": mail,
            "channel/desk": {"type": "webhook", "url": f"{told.url}/desk", "limit": {"count": 1, "per": "1m"}},
            "escalation/storm": storm,
            "routes/main": DOCUMENTS["routes/main"]
            | {
                "routes": [
                    {"match": "rule =~ storm.*", "escalation": "storm", "group_by": ["lane", "workflow", "rule"]},
                ],
            },
        }
        for name, body in documents.items():
            alerts.document(name, body)
        alerts.start()
        alerts.tick(0)
        alerts.await_time(0)
        with told.dispatcher():
            yield told


# --- killed


class Lives:
    """Ten alerts, each at another step of its life when the job is killed."""

    told_of = {
        "told": [OPENED],
        "escalated": [OPENED, ESCALATED],
        "answered": [OPENED],
        "closed": [OPENED, ENDED],
        "put-right": [OPENED, ENDED],
        "found": [OPENED, ESCALATED],
        "being-answered": [OPENED],
        "due": [OPENED, ESCALATED],
        "being-closed": [OPENED, ENDED],
        "being-put-right": [OPENED, ENDED],
    }

    def __init__(self, alerts: AlertLane, people: Audience, begin: int) -> None:
        self.alerts, self.people, self.begin = alerts, people, begin
        self.keys = {name: f"{name}-{begin}" for name in self.told_of}
        self.ids: dict[str, str] = {}
        self.actions: list[str] = []

    def tick(self, seconds: int) -> None:
        self.alerts.tick(self.begin + seconds * SECOND)

    def find(self, name: str, **more: Any) -> None:
        key = self.keys[name]
        self.alerts.find(key, rule=key, **more)  # of one rule they would be an incident

    def arrives(self, name: str) -> None:
        self.find(name, kind="late", at_ms=self.alerts.began + 1, delta_ms=1)

    def act(self, kind: str, name: str) -> None:
        alert = self.ids.get(name) or self.alerts.alert(self.keys[name])["id"]
        self.actions.append(self.alerts.act(kind, alert, partition=0))

    def await_heard(self, *names: str, who: tuple[str, str] = OPENED) -> None:
        eventually(lambda: all(who in self.people.heard().get(self.keys[name], ()) for name in names))

    def open(self) -> None:
        """What happens before the checkpoint: most of them are told, the first of them a little before the others."""
        self.tick(0)
        self.find("escalated")
        self.tick(10)
        known = ("answered", "closed", "put-right", "being-answered", "due", "being-closed", "being-put-right")
        for name in known:
            self.find(name)
        self.await_heard("escalated", *known)
        ids = {row["key"]: row["id"] for row in self.alerts.rows("alerts")}
        self.ids = {name: ids[key] for name, key in self.keys.items() if key in ids}
        self.tick(119)

    def go_on(self) -> None:
        """What the killed job has done, and the one in its place knows nothing of."""
        self.tick(120)
        self.find("told")
        self.act("ack", "answered")
        self.act("resolve", "closed")
        self.arrives("put-right")
        self.await_heard("told")
        self.await_heard("escalated", who=ESCALATED)
        self.await_heard("closed", "put-right", who=ENDED)
        eventually(lambda: self.alerts.alert(self.keys["answered"])["state"] == "acknowledged")

    def begin_to(self) -> None:
        """What the killed job has read, and not done yet."""
        self.alerts.tick_but_for_one(self.begin + 129 * SECOND)
        self.find("found")
        self.act("ack", "being-answered")
        self.act("resolve", "being-closed")
        self.arrives("being-put-right")

    def end(self) -> None:
        """Time goes on: past the escalations, before which the one that was told is answered."""
        self.tick(129)
        self.tick(131)
        self.await_heard("due", who=ESCALATED)
        self.act("ack", "told")
        for action in self.actions:
            assert self.alerts.answer(action)["outcome"] == "applied"
        self.tick(260)
        self.await_heard("found", who=ESCALATED)
        eventually(self.people.is_all_delivered)


def test_killed_at_every_step_of_an_alert_nobody_is_told_twice_and_nothing_is_lost(
    alerts: AlertLane, people: Audience
) -> None:
    for begin in range(0, 40 * MINUTE, 10 * MINUTE):
        lives = Lives(alerts, people, begin)
        lives.open()
        known = _next_checkpoint(alerts)
        lives.go_on()
        lives.begin_to()
        in_time = alerts.cluster.newest_checkpoint(alerts.name) == known  # else another one was taken meanwhile
        if in_time:
            _kill_taskmanagers(alerts.cluster)
        lives.end()
        heard = people.heard()
        assert {name: sorted(heard[key]) for name, key in lives.keys.items()} == {
            name: sorted(who) for name, who in Lives.told_of.items()
        }
        if in_time:
            break
    else:
        pytest.fail("each time a checkpoint was taken between the steps, so the kill would have met fewer of them")
    ids = [one.id for one in people.arrivals()]
    assert len(ids) == len(set(ids)), "nothing comes twice, under whatever key"
    assert alerts.cluster.why(alerts.job) != "", "it was killed"


def _next_checkpoint(alerts: AlertLane) -> str:
    before = alerts.cluster.newest_checkpoint(alerts.name)
    return str(eventually(lambda: now if (now := alerts.cluster.newest_checkpoint(alerts.name)) != before else ""))


def _kill_taskmanagers(cluster: FlinkCluster) -> None:
    killed, cluster.taskmanagers = cluster.taskmanagers, []
    for victim in killed:
        process.kill_group(victim.pid)
        victim.wait()
    for _ in killed:
        cluster.add_taskmanager()


# --- a storm

FINDINGS = 10_000
OF_A_CAUSE, OF_A_RULE, OF_MANY_RULES = 4_000, 3_000, 3_000


def _storm(number: int, at: int) -> dict[str, Any]:
    """Of ten findings four have one cause, a rule and a market, three share a rule only, and three nothing."""
    rule = (
        "storm-cause"
        if number % 10 in (0, 2, 3, 4)
        else "storm-rule"
        if number % 10 in (1, 5, 6)
        else f"storm-{number}"
    )
    market = "XETRA" if rule == "storm-cause" else f"M{number}"
    return finding(f"S{number}", at) | {"rule": rule, "groups": {"market": market}}


def _strike(alerts: AlertLane, begin: int) -> None:
    """Ten thousand findings within a minute, some of them twice, as after a restart of detect; and eight minutes."""
    for number in range(FINDINGS):
        if number <= 2 or number % 200 == 0:
            alerts.tick(begin + number * 5)
        row = _storm(number, alerts.began + begin)
        for _ in range(1 + (number % 20 == 0)):
            alerts.producer.send(f"{alerts.prefix}findings", json.dumps(row).encode(), key=row["key"].encode())
    for second in range(60, 8 * 60, 5):
        alerts.tick(begin + second * SECOND)


def test_ten_thousand_findings_in_a_minute_are_one_page_and_a_digest_in_which_nothing_is_missing(
    alerts: AlertLane, people: Audience
) -> None:
    begin = 60 * MINUTE
    _strike(alerts, begin)
    alerts.await_time(begin + 475 * SECOND)
    eventually(people.is_all_delivered)
    rows = {row["id"]: row for row in sorted(alerts.rows("alerts"), key=lambda row: row["rev"])}
    rows = {id: row for id, row in rows.items() if row["rule"].startswith("storm")}
    said = people.messages()

    def got(whom: str) -> list[dict[str, Any]]:
        found = [said[one.id] for one in people.arrivals() if one.to == whom and one.id in said]
        return [row for row in found if row["at_ms"] >= alerts.began + begin - 1]

    desk, anna = got("/desk"), got(ANNA)
    # The desk is paged once, about what explains four thousand; all else that is new is in one digest a minute later.
    assert [(row["reason"], row["count"], row["hidden"]) for row in desk] == [
        ("opened", 1, 0),
        ("digest", 1 + OF_MANY_RULES, 0),
        ("update", 1, OF_A_CAUSE - 1),
        ("digest", OF_A_RULE - 1, 0),
    ]
    assert desk[0]["alerts"][0]["key"] == "S0"
    # Anna's mailbox takes ten messages a minute.
    assert Counter(row["reason"] for row in anna) == {"opened": 10, "digest": 2, "update": 2}
    for told in (desk, anna):
        known = {id for row in told for id in row["revs"]}
        explained = {id for id, row in rows.items() if row["explained_by"] in known}
        assert (len(known), len(explained)) == (1 + OF_A_RULE + OF_MANY_RULES, OF_A_CAUSE - 1)
        assert len(known | explained) == FINDINGS == len(rows), "each is told, or explained by one that is"
    assert {row["count"] for row in rows.values()} == {1}, "a finding that comes twice counts once"
