"""How much one recipient gets, where limits are odd, and what goes ahead of a digest."""

from __future__ import annotations

from dataclasses import replace

from tests.udfs.alerting.build import MINUTE, NOW, Play, finding, policy, told
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
