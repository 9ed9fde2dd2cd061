"""How much one recipient gets, where limits are odd, and what goes ahead of a digest."""

from __future__ import annotations

from dataclasses import replace

from tests.udfs.alerting.build import MINUTE, NOW, SECOND, Play, finding, late, policy, told
from udfs.alerting.policy import Channel, Limit, Policy
from udfs.packs.alertcompile import compile_policy


def limited(count: int, per_ms: int = MINUTE) -> Policy:
    """Each alert is a group of its own, told to Anna alone."""
    rules = policy(group_by=("key",), repeat_ms=0)
    return replace(rules, channels={"mail": Channel(Limit(count, per_ms))})


def test_a_limit_of_so_many_in_no_time_is_none() -> None:
    play = Play(limited(1, 0))
    for number in range(5):
        assert told(play.find(finding(f"T-{number}", rule=f"r{number}"))) == [("anna", "opened", 1)]
    assert told(play.run(NOW + MINUTE)) == []


def test_a_limit_that_becomes_none_lets_go_of_what_waits() -> None:
    play = Play(limited(1))
    for number in range(3):
        play.find(finding(f"T-{number}", rule=f"r{number}"))
    play.configure(limited(1, 0))
    assert told(play.run(NOW)) == [("anna", "digest", 2)]


def test_documents_of_old_with_spans_of_nothing_are_read_as_if_they_did_not_say_them() -> None:
    mail = {"type": "email", "server": "h:25", "from": "d@example.com", "limit": {"count": 10, "per": 0}}
    spans = {"ack": 0, "expire_after": "0s", "events_expire_after": 0}
    found = compile_policy({"channel/mail": mail, "routes/main": {"escalation": "none", **spans}})
    assert found.limit("mail") == Limit(10, 0)
    (route,), (usual,) = found.route({}), Policy().route({})
    spans_of = [(one.ack_ms, one.expire_ms, one.event_ms) for one in (route, usual)]
    assert spans_of[0] == spans_of[1]


def test_a_critical_alert_goes_ahead_of_a_digest_of_others() -> None:
    play = Play(limited(3, 10 * MINUTE))
    for number in range(4):
        play.find(finding(f"T-{number}", rule=f"r{number}", severity="low"))
    play.run(NOW + 201 * SECOND)
    critical = play.find(finding("C-1", rule="c", severity="critical"), NOW + 202 * SECOND)
    assert told(critical) == [("anna", "opened", 1)]
    assert told(play.find(finding("T-9", rule="r9", severity="high"))) == [], "the others go on waiting"


def test_a_critical_alert_does_not_wait_since_others_have_ended() -> None:
    play = Play(limited(3, 10 * MINUTE))
    for number in range(3):
        play.find(finding(f"T-{number}", rule=f"r{number}", severity="critical"))
    at = NOW + 10 * MINUTE
    play.run(at)
    for number in range(3):
        play.find(late(f"T-{number}", rule=f"r{number}", severity="critical"), at)
    assert told(play.find(finding("C-1", rule="c", severity="critical"), at + 1)) == [("anna", "opened", 1)]


def test_what_is_critical_goes_beyond_the_limit_as_often_as_that_allows_and_then_waits_too() -> None:
    play = Play(limited(2))
    heard = [told(play.find(finding(f"C-{number}", rule=f"c{number}", severity="critical"))) for number in range(9)]
    assert heard == [[("anna", "opened", 1)]] * 4 + [[]] * 5
    assert ("anna", "digest", 5) in told(play.run(NOW + 5 * MINUTE))


def test_the_end_of_a_critical_alert_asks_for_no_answer_and_waits() -> None:
    play = Play(limited(1))
    play.find(finding("C-1", severity="critical"))
    assert told(play.find(late("C-1", severity="critical"))) == []
    assert told(play.run(NOW + MINUTE)) == [("anna", "digest", 1)]
