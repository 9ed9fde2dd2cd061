"""What the dispatcher finds about channels: that one is down, that messages were given up."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from jobs.dispatch.breaker import THRESHOLD
from jobs.dispatch.queues import Queue
from jobs.dispatch.records import Delivery, Notify
from jobs.dispatch.watch import AFTER_MS, KNOWN_MS, LASTS_MS, Watch
from tests.udfs.alerting.build import Play, messages, told
from udfs.alerting.external import CHANNEL_DOWN, GIVEN_UP
from udfs.alerting.policy import Branch, Channel, Contact, Escalation, Policy, Route, Step, Target
from udfs.alerting.reported import read

NOW = 1_700_000_000_000


class Channels:
    """Channels that fail and work again, and what is found of them."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = defaultdict(Queue)
        self.watch = Watch()

    def happens(self, outcome: str, at: int = NOW, reason: str = "opened", rule: str = "reply") -> None:
        notice = Notify("n", "mail", reason=reason, lane="main", alerts=[{"id": "a", "rule": rule}])
        row = Delivery("n", 1, at, 5, "mail", "email", "anna", "", outcome, None, "refused: no", ["a"], reason, "main")
        self.watch.note(notice, row)

    def breaks(self, **given: Any) -> None:
        for _ in range(THRESHOLD):
            self.queues["mail"].breaker.fail(NOW)
            self.happens("retry", **given)

    def found(self, now: int) -> list[dict[str, Any]]:
        rows = self.watch.look(self.queues, now)
        assert all(read(row).lane == "main" for row in rows)
        return rows


def test_a_channel_that_fails_now_and_then_is_not_down() -> None:
    channels = Channels()
    channels.happens("retry")
    assert channels.found(NOW) + channels.found(NOW + AFTER_MS) == []


@pytest.mark.parametrize(("after", "said"), [(AFTER_MS - 1, False), (AFTER_MS, True), (AFTER_MS + 1, True)])
def test_a_channel_that_has_been_down_for_long_is_found(after: int, said: bool) -> None:
    channels = Channels()
    channels.breaks()
    assert channels.found(NOW) == []
    found = channels.found(NOW + after)
    assert [row["rule"] for row in found] == [CHANNEL_DOWN] * said
    if found:
        assert (found[0]["deadline_ms"], found[0]["until_ms"]) == (NOW, NOW + after + LASTS_MS)
        assert found[0]["because"] == "nothing gets through mail: refused: no"


def test_it_is_said_again_and_again_as_one_until_it_works() -> None:
    channels = Channels()
    channels.breaks()
    channels.found(NOW)
    found = [row for minute in range(1, 4) for row in channels.found(NOW + minute * AFTER_MS)]
    channels.happens("retry", NOW + 1)
    channels.queues["mail"].breaker.succeed()
    found += channels.found(NOW + 4 * AFTER_MS)
    assert len({row["id"] for row in found}) == 1
    assert [row["at_ms"] for row in found] == [None, None, None, NOW + 4 * AFTER_MS]
    assert len({row["because"] for row in found}) == 1, "so that it is no news"
    assert channels.found(NOW + 5 * AFTER_MS) == []


def test_what_works_again_before_it_was_said_is_not_said() -> None:
    channels = Channels()
    channels.breaks()
    channels.found(NOW)
    channels.queues["mail"].breaker.succeed()
    assert channels.found(NOW + AFTER_MS) == []


def test_messages_that_were_given_up_are_found_and_counted() -> None:
    channels = Channels()
    channels.happens("dead")
    [first] = channels.found(NOW)
    assert (first["rule"], first["because"]) == (
        GIVEN_UP,
        "1 message was given up for mail; the last answer: refused: no",
    )
    assert channels.found(NOW + 1) == []
    channels.happens("dead", NOW + 2)
    [second] = channels.found(NOW + 2)
    assert second["because"].startswith("2 messages were given up")
    assert (second["id"], second["until_ms"]) == (first["id"], NOW + 2 + KNOWN_MS)


@pytest.mark.parametrize(("later", "anew"), [(KNOWN_MS - 1, False), (KNOWN_MS, True), (KNOWN_MS + 1, True)])
def test_after_an_hour_in_which_none_was_given_up_they_are_counted_anew(later: int, anew: bool) -> None:
    channels = Channels()
    channels.happens("dead")
    [first] = channels.found(NOW)
    channels.happens("dead", NOW + later)
    [second] = channels.found(NOW + later)
    assert (second["id"] != first["id"]) is anew
    assert second["because"].startswith("1 message" if anew else "2 messages")


def test_a_message_about_channels_that_is_given_up_is_no_news_and_neither_is_a_test() -> None:
    channels = Channels()
    channels.happens("dead", rule=GIVEN_UP)
    channels.happens("dead", rule=CHANNEL_DOWN)
    channels.happens("dead", reason="test")
    assert channels.found(NOW) == []


def test_that_a_channel_is_down_is_told_through_another_one_and_so_is_that_it_works_again() -> None:
    anna = Contact(by=("mail", "sms"), addresses={"mail": "anna@example.org", "sms": "+31"})
    rules = Policy(
        routes=Branch(Route("all", escalation="desk")),
        escalations={"desk": Escalation((Step(0, (Target("person", "anna"),)),))},
        people={"anna": anna},
        channels={"mail": Channel(), "sms": Channel()},
    )
    for by, expected in ((("mail", "sms"), {"sms"}), (("mail",), {"mail"})):
        channels = Channels()
        play = Play(Policy(**{**vars(rules), "people": {"anna": Contact(by, anna.addresses)}}))
        channels.breaks()
        channels.found(NOW)
        effects = play.find(channels.found(NOW + AFTER_MS)[0], NOW + AFTER_MS)
        assert {one.row["channel"] for one in messages(effects)} == expected
        channels.queues["mail"].breaker.succeed()
        over = play.find(channels.found(NOW + 2 * AFTER_MS)[0], NOW + 2 * AFTER_MS)
        assert told(over) == [("anna", "resolved", 1)]
