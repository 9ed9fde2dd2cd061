"""Where people are told: at the address that they have now, and in a room that they share once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.alerting.build import (
    HOUR,
    MINUTE,
    NOW,
    Play,
    action,
    finding,
    late,
    logged,
    messages,
    policy,
    told,
)
from udfs.alerting.effects import Effect
from udfs.alerting.policy import Contact, Limit, Policy
from udfs.packs.alertcompile import compile_policy

RIGHT = {"anna": Contact(("mail",), {"mail": "anna.right@example.org"})}


def addresses(effects: list[Effect]) -> list[tuple[str, str]]:
    return [(one.row["reason"], one.row["address"]) for one in messages(effects)]


def test_who_was_told_is_told_on_at_the_address_of_today_and_who_has_left_no_more() -> None:
    play = Play(policy(repeat_ms=HOUR))
    play.find(finding())
    play.run(NOW + 3 * MINUTE)
    play.act(action("comment", play.id(), text="hm"))
    play.configure(replace(policy(repeat_ms=HOUR), people=RIGHT))
    assert addresses(play.run(NOW + 70 * MINUTE)) == [("reminder", "anna.right@example.org")]
    assert addresses(play.find(late())) == [("resolved", "anna.right@example.org")]


def test_who_is_told_at_an_old_and_a_new_address_hears_of_the_end_once() -> None:
    play = Play(policy(repeat_ms=0))
    play.find(finding(kind="at_risk"))
    play.configure(replace(policy(repeat_ms=0), people=RIGHT))
    play.run(NOW + MINUTE)
    play.find(finding(deadline_ms=NOW), NOW + MINUTE)
    assert addresses(play.find(late(deadline_ms=NOW))) == [("resolved", "anna.right@example.org")]


@pytest.mark.parametrize("people", [RIGHT, {}])
def test_a_digest_goes_to_the_address_of_today(people: dict[str, Contact]) -> None:
    limited = policy(limit=1, group_by=("key",), repeat_ms=0)
    play = Play(limited)
    play.find(finding("T-0", rule="r0"))
    play.find(finding("T-1", rule="r1"))
    play.end(action("resolve", play.id("T-0"), who="ben"))
    play.configure(replace(limited, people=people))
    effects = play.run(NOW + MINUTE)
    assert addresses(effects) == ([("digest", "anna.right@example.org")] if people else [])
    assert [one.row["count"] for one in messages(effects)] == ([2] if people else [])
    assert ("unreached" in logged(effects)) == (not people)
    assert not [name for name in play.saved if name.startswith("l/")] or people


ROOM = {
    "person/anna": {"chat": {"slack": "U1"}, "by": "room"},
    "person/ben": {"chat": {"slack": "U2"}, "by": "room"},
    "person/cleo": {"by": "room"},
    "channel/room": {"type": "slack", "url": {"env": "ROOM"}},
    "team/desk": {"members": ["anna", "ben", "cleo"], "channels": ["room"]},
    "escalation/e": {
        "steps": [{"notify": {"team": "desk"}}, {"after": "1m", "notify": {"person": "anna"}}],
    },
    "routes/main": {"escalation": "e", "repeat": "1h"},
}


def test_a_room_gets_one_message_whoever_is_meant_and_one_of_the_end() -> None:
    play = Play(compile_policy(ROOM))
    assert told(play.find(finding())) == [("", "opened", 1)]
    assert told(play.run(NOW + MINUTE)) == [("", "escalated", 1)]
    assert told(play.run(NOW + 61 * MINUTE)) == [("", "reminder", 1)]
    assert told(play.find(late())) == [("", "resolved", 1)]


def test_a_room_that_was_told_for_each_of_them_by_an_earlier_daymark_hears_of_the_end_once() -> None:
    found = compile_policy(ROOM)
    channels = {"room": replace(found.channels["room"], room=False, limit=Limit(100))}
    earlier: Policy = replace(found, channels=channels)
    play = Play(earlier)
    assert len(told(play.find(finding()))) == 4
    play.configure(found)
    play.run(NOW + 1)
    assert told(play.find(late())) == [("", "resolved", 1)]


def test_a_webhook_is_told_for_each_person_since_it_may_send_it_on_to_them() -> None:
    documents = ROOM | {"channel/room": {"type": "webhook", "url": "u"}}
    assert sorted(told(Play(compile_policy(documents)).find(finding()))) == [
        (name, "opened", 1) for name in ("", "anna", "ben", "cleo")
    ]
