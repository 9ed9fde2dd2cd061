"""Records of different partitions between the same two ticks may be read in another order after a crash.

The findings of an item stand in one partition, in their order, and so do the actions that name an alert first; all else
may change places. What an alert is in the end doesn't depend on it. What people do with one alert in two partitions
(alone, and in an action on several) is done in either order, as if they had done so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.alerting.build import (
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    alerts,
    answer,
    blind,
    finding,
    halted,
    late,
    policy,
    relieved,
    told,
)
from udfs.alerting.actions import MOST_WAITING
from udfs.alerting.effects import Applied
from udfs.alerting.fingerprint import fingerprint
from udfs.alerting.reported import read

KEYS = ("T-1", "T-2", "T-3")
Record = tuple[str, dict[str, Any]]
AT_RISK = {key: finding(key, "at_risk", deadline_ms=NOW - MINUTE) for key in KEYS}
OF_AN_ITEM = {
    "opens": ["at_risk"],
    "gets worse": ["at_risk", "missing"],
    "is put right": ["missing", "late"],
    "is done in time": ["at_risk", "relieved"],
}


def of_item(key: str, story: str) -> list[Record]:
    rows = {"at_risk": AT_RISK[key], "missing": finding(key), "late": late(key), "relieved": relieved(key)}
    return [("find", rows[one]) for one in OF_AN_ITEM[story]]


def id_of(key: str) -> str:
    return fingerprint(read(finding(key)))


@st.composite
def partitions(draw: st.DrawFn) -> list[list[Record]]:
    """What stands in each of some partitions. Every alert was there before, or opens now; people act on each by itself,
    or on all at once."""
    kinds = st.sampled_from(("ack", "suppress", "comment", "assign", "unack", "unsuppress", "resolve"))
    found = [of_item(key, draw(st.sampled_from(sorted(OF_AN_ITEM)))) for key in KEYS]
    found.append([("find", blind(since=NOW - HOUR))] if draw(st.booleans()) else [])
    ids = [id_of(key) for key in KEYS]
    for names in [ids] if draw(st.booleans()) else [[id] for id in ids]:
        some = draw(st.lists(kinds, max_size=2))
        found.append([("act", action(kind, *names, id=f"{names} {n}", text="hm")) for n, kind in enumerate(some)])
    return [one for one in found if one]


def ends(records: list[Record], before: bool, restarts: bool = False) -> dict[str, tuple[object, ...]]:
    """How each alert stands after the tick behind the records; of one that has ended not what people had done with it
    before: whether they could do that still is a matter of order."""
    play = Play(policy(), restarts=restarts)
    for key in KEYS if before else ():
        play.find(finding(key, "at_risk", deadline_ms=NOW - MINUTE, id="before"))
    play.time(NOW + SECOND)
    for what, row in records:
        if what == "find":
            play.find(row)
        else:
            play.act(row)
    play.run(NOW + 2 * SECOND)
    always, live = ("state", "kind", "severity", "delta_ms", "episode"), ("acked_by", "assignee", "suppressed_by")
    return {
        key: tuple(row[name] for name in (always if row["ended_ms"] else always + live))
        for key, row in alerts(play.effects).items()
    }


def shuffled(parts: list[list[Record]], draw: Any) -> Iterator[Record]:
    left = [list(part) for part in parts]
    while left:
        part = left[draw(st.integers(0, len(left) - 1))]
        yield part.pop(0)
        left = [one for one in left if one]


@settings(max_examples=150, deadline=None)
@given(partitions(), st.booleans(), st.data())
def test_how_alerts_end_up_does_not_depend_on_the_order_of_partitions(
    parts: list[list[Record]], before: bool, data: st.DataObject
) -> None:
    orders = [list(shuffled(parts, data.draw)) for _ in range(2)]
    one, other = ends(orders[0], before), ends(orders[1], before, restarts=True)
    assert one == other, orders


def test_an_acknowledgement_that_is_read_before_its_finding_counts() -> None:
    play = Play(restarts=True)
    assert play.act(action("ack", id_of("T-1"))) == []
    effects = play.find(finding())
    assert answer(effects)["outcome"] == "applied"
    assert told(effects) == [("anna", "opened", 1)], "as if it had been read behind it"
    assert set(halted(effects)) == {id_of("T-1")}
    assert play.alert()["state"] == "acknowledged"
    assert told(play.run(NOW + HOUR)) == []


def test_so_does_one_of_what_is_found_again() -> None:
    play = Play()
    play.find(finding())
    play.find(late())
    assert play.act(action("ack", id_of("T-1"))) == []
    play.find(finding(deadline_ms=NOW + SECOND))
    assert (play.alert()["state"], play.alert()["episode"]) == ("acknowledged", 2)


@pytest.mark.parametrize("restarts", [False, True])
def test_what_nothing_came_for_is_refused_when_time_goes_on(restarts: bool) -> None:
    play = Play(restarts=restarts)
    play.act(action("ack", "nobody", id="a"))
    play.act(action("incident_note", incident="none", id="b"))
    assert play.act(action("ack", "nobody", id="a")) == [], "it comes twice, and is answered once"
    assert (play.desk.next_time() or 0) <= NOW
    details = [one.row["detail"] for one in play.time(NOW)]
    assert ["is not known" in detail for detail in details] == [True, True]
    assert play.time(NOW + SECOND) == []
    assert not [name for name in play.saved if name.startswith("w/")]


def test_only_so_many_wait_and_further_ones_are_refused_at_once() -> None:
    play = Play()
    for number in range(MOST_WAITING):
        assert play.act(action("ack", "nobody", id=f"{number}")) == []
    assert answer(play.act(action("ack", "nobody", id="one more")))["outcome"] == "refused"


@pytest.mark.parametrize("episodes", [{}, {id_of("T-1"): 1}])
def test_who_resolves_what_has_ended_resolves_nothing_newer(episodes: dict[str, int]) -> None:
    play = Play()
    play.find(finding())
    play.find(late())
    play.act(action("resolve", id_of("T-1"), episodes=episodes))
    if episodes:  # it comes back at the same moment, which they haven't seen
        play.find(finding(deadline_ms=NOW + SECOND))
    assert answer(play.time(NOW))["outcome"] == "refused"
    assert play.alert()["state"] == ("open" if episodes else "resolved")


def test_two_incidents_of_one_moment_that_share_the_same_have_two_names() -> None:
    play = Play()
    for episode in range(2):
        for number in range(5):
            play.find(finding(f"S-{number}", "duplicate", deadline_ms=NOW + episode))
        id = play.incident()["id"]
        assert play.incident()["state"] == "open"
        play.end(action("incident_resolve", incident=id, id=f"{episode}"))
    assert len({row["incident"] for row in alerts(play.effects).values()}) == 1
    assert play.incident()["state"] == "resolved"
    assert len([name for name in play.saved if name.startswith("i/")]) == 2


def test_the_incident_of_those_that_share_something_has_one_name_whoever_came_first() -> None:
    plays = [Play(), Play()]
    for play, order in zip(plays, (range(6), reversed(range(6))), strict=True):
        for number in order:
            play.find(finding(f"S-{number}"))
    assert plays[0].incident()["id"] == plays[1].incident()["id"]


def test_who_resolves_means_all_that_is_known_by_the_end_of_the_moment() -> None:
    worse, over = ("find", finding()), ("act", action("resolve", id_of("T-1")))
    both = [ends([of_item("T-1", "opens")[0], *order], False)["T-1"] for order in ([worse, over], [over, worse])]
    assert both[0] == both[1]
    assert both[0][:2] == ("resolved", "missing")


def test_an_alert_can_be_taken_out_of_a_cause_of_the_same_moment() -> None:
    opens, cause = of_item("T-1", "opens")[0], ("find", blind(since=NOW - HOUR))
    out = ("act", action("unsuppress", id_of("T-1")))
    states = [ends([opens, *order], False)["T-1"][0] for order in ([cause, out], [out, cause])]
    assert states == ["open", "open"]


@pytest.mark.parametrize("restarts", [False, True])
def test_of_several_alerts_those_that_are_there_are_dealt_with_at_once_and_the_others_when_they_come(
    restarts: bool,
) -> None:
    play = Play(restarts=restarts)
    play.find(finding("T-1"))
    ack = action("ack", id_of("T-1"), id_of("T-2"), id_of("T-3"))
    effects = play.act(ack)
    assert play.alert("T-1")["state"] == "acknowledged"
    assert set(halted(effects)) == {id_of("T-1")}
    play.find(finding("T-2"))
    assert play.alert("T-2")["state"] == "acknowledged"
    said = answer(play.time(NOW + SECOND))
    assert [one["id"] for one in said["alerts"]] == [id_of("T-1"), id_of("T-2")]
    assert said["detail"].startswith("2 of 3; alert " + id_of("T-3"))
    assert play.act(ack)[0].row == said, "and never again"


@pytest.mark.parametrize("restarts", [False, True])
def test_actions_on_one_alert_stay_in_their_order_whatever_waits(restarts: bool) -> None:
    play = Play(restarts=restarts)
    play.find(finding("T-1"))
    play.act(action("unsuppress", id_of("T-1")))
    assert play.act(action("suppress", id_of("T-1"))) == [], "it might be undone by what was said before it"
    assert play.act(action("ack", id_of("T-2"))) == []
    play.find(finding("T-2"))
    play.time(NOW + SECOND)
    assert [play.alert(key)["state"] for key in ("T-1", "T-2")] == ["suppressed", "acknowledged"]


def test_what_is_said_of_an_alert_behind_its_end_is_refused() -> None:
    play = Play()
    play.find(finding())
    play.act(action("resolve", id_of("T-1")))
    play.act(action("ack", id_of("T-1")))
    answers = [one.row["outcome"] for one in play.time(NOW + SECOND) if isinstance(one, Applied)]
    assert (answers, play.alert()["state"]) == (["applied", "refused"], "resolved")


def test_when_many_wait_a_resolve_does_not() -> None:
    play = Play()
    play.find(finding())
    for number in range(MOST_WAITING):
        play.act(action("ack", "nobody", id=f"{number}"))
    assert answer(play.act(action("resolve", id_of("T-1"))))["outcome"] == "applied"


@pytest.mark.parametrize("first", ["merge", "finding"])
def test_an_alert_of_the_same_moment_can_be_merged_into_an_incident(first: str) -> None:
    play = Play()
    play.find(blind())
    play.find(finding("T-9"))
    id = play.incident()["id"]
    merge = action("incident_merge", fingerprint(read(finding("V-1", workflow="third"))), incident=id)
    for what in ("merge", "finding") if first == "merge" else ("finding", "merge"):
        _ = play.act(merge) if what == "merge" else play.find(finding("V-1", workflow="third"))
    play.time(NOW + SECOND)
    assert play.alert("V-1")["incident"] == id
