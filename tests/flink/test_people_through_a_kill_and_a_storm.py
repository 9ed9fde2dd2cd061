"""What people get, by the real alert job and the real dispatcher, when the job is killed and when a storm comes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.alertlane import AlertLane
from tests.flink.alertpolicy import DOCUMENTS, finding
from tests.flink.audience import Audience, audience
from tests.flink.lives import ANNA, SECOND, Lives
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
MINUTE = 60_000
KEY = {"env": "PAGER_KEY"}


@pytest.fixture(scope="module")
def alerts(broker: KafkaBroker, cluster: FlinkCluster) -> Iterator[AlertLane]:
    """One job for both tests."""
    lane = AlertLane(broker.bootstrap, cluster)
    yield lane
    lane.end()


@pytest.fixture(scope="module")
def people(alerts: AlertLane) -> Iterator[Audience]:
    """Anna is told at once, Ben where nobody answers for two minutes. Of a storm Anna has ten mails a minute at most;
    the desk and the pager have one message a minute at most."""
    with pytest.MonkeyPatch.context() as patch, audience(alerts) as told:
        patch.setenv("PAGER_KEY", "a key of the pager's")
        mail = {"type": "email", "server": told.server, "tls": "none", "from": "daymark@example.com"}
        rarely = {"limit": {"count": 1, "per": "1m"}}
        storm = [{"person": "anna", "by": ["storm"]}, {"channel": "desk"}, {"channel": "pager"}]
        documents = DOCUMENTS | {
            "channel/mail": mail | {"limit": {"count": 1_000, "per": "1m"}},
            "channel/storm": mail,
            "channel/desk": {"type": "webhook", "url": f"{told.url}/desk"} | rarely,
            "channel/pager": {"type": "pagerduty", "url": f"{told.url}/pager", "routing_key": KEY} | rarely,
            "escalation/storm": {"steps": [{"notify": storm}]},
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


def _cut_power(alerts: AlertLane) -> None:
    alerts.cluster.kill()
    alerts.cluster.start()
    alerts.cluster.wait()
    alerts.start()


def _next_checkpoint(alerts: AlertLane) -> str:
    before = alerts.cluster.newest_checkpoint(alerts.name)
    return str(eventually(lambda: now if (now := alerts.cluster.newest_checkpoint(alerts.name)) != before else ""))


@pytest.mark.parametrize(
    ("first", "kill"),
    [(0, AlertLane.kill_taskmanagers), pytest.param(40 * MINUTE, _cut_power, marks=pytest.mark.thorough)],
)
def test_killed_at_every_step_of_an_alert_nobody_is_told_twice_and_nothing_is_lost(
    alerts: AlertLane, people: Audience, first: int, kill: Callable[[AlertLane], None]
) -> None:
    for begin in range(first, first + 40 * MINUTE, 10 * MINUTE):
        lives = Lives(alerts, people, begin)
        lives.open()
        known = _next_checkpoint(alerts)
        lives.go_on()
        lives.begin_to()
        in_time = alerts.cluster.newest_checkpoint(alerts.name) == known  # else another one was taken meanwhile
        if in_time:
            kill(alerts)
        lives.end()
        assert lives.ended() == Lives.ends
        if in_time:
            break
    else:
        pytest.fail("each time a checkpoint was taken between the steps, so the kill would have met fewer of them")
    ids = [one.id for one in people.arrivals()]
    assert len(ids) == len(set(ids)), "nothing comes twice, under whatever key"


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


def _got(people: Audience, whom: str, since: int) -> list[dict[str, Any]]:
    """What somebody has got since an instant, in the order in which the job has said it."""
    said = people.messages()
    found = [said[one.id] for one in people.arrivals() if one.to == whom]
    of_storm = [row for row in found if row["at_ms"] >= since and row["alerts"][0]["rule"].startswith("storm")]
    return sorted(of_storm, key=lambda row: int(row["at_ms"]))


def _storm_alerts(alerts: AlertLane) -> dict[str, dict[str, Any]]:
    rows = {row["id"]: row for row in sorted(alerts.rows("alerts"), key=lambda row: int(row["rev"]))}
    return {id: row for id, row in rows.items() if row["rule"].startswith("storm")}


def test_ten_thousand_findings_in_a_minute_are_one_page_and_a_digest_in_which_nothing_is_missing(
    alerts: AlertLane, people: Audience
) -> None:
    begin = 80 * MINUTE
    _strike(alerts, begin)
    alerts.await_time(begin + 475 * SECOND)
    eventually(people.is_all_delivered)
    desk, anna = (_got(people, whom, alerts.began + begin - 1) for whom in ("/desk", ANNA))
    # The desk is paged once, about what explains four thousand; all else that is new is in one digest a minute later.
    assert [(row["reason"], row["count"], row["hidden"]) for row in desk] == [
        ("opened", 1, 0),
        ("digest", 1 + OF_MANY_RULES, 0),
        ("update", 1, OF_A_CAUSE - 1),
        ("digest", OF_A_RULE - 1, 0),
    ]
    assert desk[0]["alerts"][0]["key"] == "S0"
    # The pager is told the same, as two incidents of its own.
    pager = _got(people, "/pager", alerts.began + begin - 1)
    assert [row["reason"] for row in pager] == [row["reason"] for row in desk]
    assert len({row["dedup_key"] for row in pager}) == 2
    # Anna's mailbox takes ten messages a minute.
    assert Counter(row["reason"] for row in anna) == {"opened": 10, "digest": 2, "update": 2}
    rows = _storm_alerts(alerts)
    for told in (desk, pager, anna):
        known = {id for row in told for id in row["revs"]}
        explained = {id for id, row in rows.items() if row["explained_by"] in known}
        assert (len(known), len(explained)) == (1 + OF_A_RULE + OF_MANY_RULES, OF_A_CAUSE - 1)
        assert len(known | explained) == FINDINGS == len(rows), "each is told, or explained by one that is"
    assert {row["count"] for row in rows.values()} == {1}, "a finding that comes twice counts once"

    # Anna answers all of it at once. The others hear so, and for hours nobody is reminded.
    action = alerts.act("ack", *rows)
    alerts.tick(begin + 8 * MINUTE)
    assert alerts.answer(action, 60)["outcome"] == "applied"
    alerts.tick(begin + 300 * MINUTE)
    alerts.await_time(begin + 300 * MINUTE)
    eventually(people.is_all_delivered)
    after = alerts.began + begin + 475 * SECOND - 1
    assert [row["reason"] for row in _got(people, "/desk", after)] == ["acknowledged"]
    assert [row["reason"] for row in _got(people, "/pager", after)] == ["acknowledged"] * 2
    assert not _got(people, ANNA, after)
    assert {row["state"] for row in _storm_alerts(alerts).values()} == {"acknowledged"}
