"""What is told to pagers, and of ends, when all comes within one moment or an alert moves to another group."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.build import HOUR, MINUTE, NOW, SECOND, Play, action, finding, late, messages, policy
from tests.udfs.alerting.test_pagers import open_at, pager
from udfs.alerting.effects import Applied
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import Branch, Channel, Escalation, Policy, Route, Step, Target


def ids(play: Play) -> list[str]:
    return [one.row["id"] for one in messages(play.effects)]


@pytest.mark.parametrize("interval", [0, 5 * MINUTE])
def test_a_page_that_opens_and_closes_twice_in_a_moment_says_so_in_four_messages(interval: int) -> None:
    play = Play(pager(interval_ms=interval))
    play.find(finding("T-3"))
    play.run(NOW + HOUR)
    play.act(action("comment", play.id("T-3"), text="on it"))
    play.find(late("T-3"))
    for key in ("T-1", "T-2"):
        play.find(finding(key))
        play.find(late(key, after=200))
    play.run(NOW + 2 * HOUR)
    assert len(ids(play)) == len(set(ids(play))), "one that is repeated is left out by the dispatcher"
    assert open_at(play) == {}


def test_a_page_is_closed_when_the_last_alert_of_its_group_goes_to_another() -> None:
    top = Route("all", escalation="desk", repeat_ms=0)
    worst = Branch(Route("worst", escalation="desk", repeat_ms=0), (Matcher("severity", frozenset({"critical"})),))
    rules = Policy(
        routes=Branch(top, below=(worst,)),
        escalations={"desk": Escalation((Step(0, (Target("channel", "duty"),)),))},
        channels={"duty": Channel(pager=True)},
    )
    play = Play(rules)
    play.find(finding("T-1"))
    play.find(finding("T-2", "at_risk", deadline_ms=NOW), NOW + SECOND)
    play.find(late("T-1"), NOW + 2 * SECOND)
    assert len(open_at(play)) == 1, "T-2 is still to be told there"
    play.find(finding("T-2", severity="critical", deadline_ms=NOW + 2 * SECOND), NOW + 3 * SECOND)
    play.run(NOW + 5 * MINUTE)
    assert len(open_at(play)) == 1, "that of the critical one"
    play.find(late("T-2", severity="critical", deadline_ms=NOW + 2 * SECOND))
    assert open_at(play) == {}


@pytest.mark.parametrize("at", [-1, 0, 1])
def test_an_end_by_a_person_about_when_the_digest_goes_out_is_told_of_a_revision_that_is_not_halted(at: int) -> None:
    play = Play(policy(limit=1, repeat_ms=0))
    play.find(finding("T-1"))
    play.find(finding("T-2", rule="r2"))
    play.run(NOW + MINUTE - 1)
    play.act(action("resolve", play.id("T-1")), NOW + MINUTE + at)
    play.run(NOW + HOUR)
    (halt,) = [one.row["halt"] for one in play.effects if isinstance(one, Applied)]
    ends = [one.row for one in messages(play.effects) if one.row["revs"].get(play.id("T-1"), -1) > halt[play.id("T-1")]]
    assert [(row["reason"], row["person"]) for row in ends] == [("digest", "anna")]
