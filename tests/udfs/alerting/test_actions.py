"""What people do with alerts: applied or refused, always answered, never done twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.alerting.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    answer,
    blind,
    finding,
    halted,
    late,
    logged,
    policy,
    told,
)
from udfs.alerting.alertactions import MOST_ALERTS
from udfs.alerting.answers import MOST_ANSWERS
from udfs.alerting.effects import IncidentChanged
from udfs.alerting.matchers import Matcher
from udfs.alerting.windows import Window


def opened(kind: str = "missing", **route: Any) -> Play:
    play = Play(policy(**route))
    play.find(finding(kind=kind))
    return play


def refused(play: Play, row: dict[str, Any]) -> str:
    """Why an action was refused; nothing else came of it."""
    effects = play.act(row) or play.time(play.now)
    assert len(effects) == 1
    assert answer(effects)["outcome"] == "refused"
    return str(answer(effects)["detail"])


def test_the_same_action_again_gets_the_same_answer_and_does_nothing() -> None:
    play = opened()
    first = answer(play.act(action("comment", play.id(), id="a", text="hello")))
    again = play.act(action("comment", play.id(), id="a", text="hello"), NOW + SECOND)
    assert [one.row for one in again] == [first]


def test_an_action_that_comes_again_halts_nothing_again_and_its_answer_is_small() -> None:
    play = opened()
    ack = action("ack", play.id())
    assert halted(play.act(ack))
    assert halted(play.act(ack)) == {}


def test_of_bulk_actions_fewer_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.alerting.answers.MOST_NAMED", 3)
    play = opened()
    play.find(finding("T-2"))
    for number in range(5):
        play.act(action("comment", play.id("T-1"), play.id("T-2"), id=str(number), text="hm"))
    assert [name for name in play.saved if name.startswith("x/")] == ["x/4"]


def test_only_the_last_actions_are_remembered() -> None:
    play = opened()
    for number in range(MOST_ANSWERS + 5):
        play.act(action("assign", play.id(), id=f"{number}", assignee="ben"))
    assert len([name for name in play.saved if name.startswith("x/")]) == MOST_ANSWERS
    play.restart()
    assert len(play.act(action("assign", play.id(), id="10", assignee="ben"))) == 1
    assert len(play.act(action("assign", play.id(), id="1", assignee="ben"))) > 1


def test_what_cannot_be_done_is_refused_with_its_reason() -> None:
    play = opened()
    id = play.id()
    assert "names no alert" in refused(play, action("ack"))
    assert "is not known" in refused(play, action("ack", "nobody"))
    assert "`dance` is no action; there are ack, unack" in refused(play, action("dance", id))
    assert "is not acknowledged: it is open" in refused(play, action("unack", id))
    assert "is not suppressed: it is open" in refused(play, action("unsuppress", id))
    assert "without a `text`" in refused(play, action("comment", id))
    assert "which is over" in refused(play, action("ack", id, until_ms=NOW))
    assert "at most" in refused(play, action("ack", *[str(one) for one in range(MOST_ALERTS + 1)], id="many"))
    assert "Expected `array`" in refused(play, {"id": "bad", "kind": "ack", "alerts": "x"})
    assert "incident `x` is not known" in refused(play, action("incident_note", incident="x"))
    assert "and 1 more" in refused(play, action("ack", "a", "b", "c", "d"))
    play.find(late())
    assert "has ended: it is resolved" in refused(play, action("ack", id, id="later"))


def test_an_action_that_nobody_could_be_answered_for_is_garbage() -> None:
    with pytest.raises(ValueError, match="no `id` to answer to"):
        opened().act({"kind": "ack"})


def test_of_several_alerts_those_are_dealt_with_that_can_be() -> None:
    play = opened()
    assert halted(play.act(action("ack", play.id(), "nobody"))), "what can be done is done at once"
    found = answer(play.time(NOW))
    assert (found["outcome"], len(found["alerts"])) == ("applied", 1)
    assert found["detail"].startswith("1 of 2; alert nobody is not known")


def test_suppressing_halts_until_the_instant_and_then_tells_again() -> None:
    play = opened(interval_ms=0)
    effects = play.act(action("suppress", play.id(), until_ms=NOW + HOUR, why="known"))
    assert play.id() in halted(effects)
    assert (play.alert()["state"], play.alert()["suppressed_by"]) == ("suppressed", "anna")
    assert told(play.run(NOW + HOUR - 1)) == []
    assert told(play.time(NOW + HOUR)) == [("anna", "update", 1)]


def test_suppressing_without_an_end_holds_as_long_as_the_alert_lives() -> None:
    play = opened()
    play.act(action("suppress", play.id()))
    assert told(play.run(NOW + 6 * DAY)) == []
    play.act(action("unsuppress", play.id()))
    assert play.alert()["state"] == "open"


def test_what_a_silence_holds_is_not_unsuppressed_by_hand() -> None:
    play = Play(policy(Window("s", "silence", (Matcher("key", frozenset({"T-1"})),), NOW, NOW + HOUR)))
    play.find(finding())
    assert "is held by silence s; end that instead" in refused(play, action("unsuppress", play.id()))


def test_resolving_by_hand_ends_it_and_its_late_answer_changes_the_delta_only() -> None:
    play = opened()
    effects = play.end(action("resolve", play.id(), why="done by phone"))
    assert "resolved" in logged(effects)
    assert told(play.find(late(after=HOUR), NOW + HOUR)) == []
    assert (play.alert()["state"], play.alert()["delta_ms"], play.alert()["ended_ms"]) == ("resolved", HOUR, NOW)


def test_escalating_by_hand_tells_the_next_step_at_once_also_of_what_is_acknowledged() -> None:
    play = opened()
    assert told(play.act(action("escalate", play.id()))) == [("ben", "escalated", 1)]
    play.act(action("ack", play.id()))
    assert told(play.act(action("escalate", play.id(), id="second"))) == [("eve", "escalated", 1)]
    assert play.alert()["state"] == "escalated"
    assert "no step behind the last" in refused(play, action("escalate", play.id(), id="third"))
    play.act(action("suppress", play.id()))
    assert "is suppressed; unsuppress it first" in refused(play, action("escalate", play.id(), id="fourth"))


def test_what_is_held_back_can_be_escalated() -> None:
    play = opened(hold_ms=MINUTE)
    effects = play.act(action("escalate", play.id()))
    assert sorted(told(effects)) == [("anna", "opened", 1), ("ben", "escalated", 1)]


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize(("at", "whom"), [(-1, []), (0, ["eve"]), (1, ["eve"])])
def test_and_the_steps_behind_that_count_from_then(at: int, whom: list[str], acknowledged: bool) -> None:
    play = opened(hold_ms=HOUR)
    if acknowledged:
        play.act(action("ack", play.id()))
    play.act(action("escalate", play.id()))
    effects = play.time(NOW + SECOND) + play.run(NOW + 10 * MINUTE + at)
    assert [person for person, reason, _ in told(effects) if reason == "escalated"] == whom


def test_comments_and_assignments_are_kept_and_tell_nobody() -> None:
    play = opened()
    effects = play.act(action("comment", play.id(), text="x" * 5_000))
    effects += play.act(action("assign", play.id(), assignee="ben"))
    assert logged(effects) == ["commented", "assigned"]
    assert max(len(one.row["why"]) for one in effects if "why" in one.row) == 4_000
    assert told(effects) == []
    assert play.alert()["assignee"] == "ben"
    play.end(action("resolve", play.id()))
    assert logged(play.act(action("comment", play.id(), text="afterwards"))) == ["commented"]


def with_incident() -> Play:
    play = Play()
    play.find(blind())
    play.find(finding())
    return play


def test_a_note_stands_in_the_incident() -> None:
    play = with_incident()
    play.act(action("incident_note", incident=play.incident()["id"], text="on it", public=True))
    assert (play.incident()["note"], play.incident()["note_ms"], play.incident()["public"]) == ("on it", NOW, 1)
    play.act(action("incident_note", incident=play.incident()["id"], text="nearly done"))
    assert (play.incident()["note"], play.incident()["public"]) == ("nearly done", 0), "each note says it anew"


def test_resolving_an_incident_resolves_its_alerts() -> None:
    play = with_incident()
    id = play.incident()["id"]
    play.end(action("incident_resolve", incident=id))
    assert {play.alert()["state"], play.alert("gateway")["state"]} == {"resolved"}
    assert play.incident()["state"] == "resolved"
    assert "is resolved already" in refused(play, action("incident_resolve", incident=id, id="again"))
    assert "merge into one that is open" in refused(play, action("incident_merge", incident=id))
    play.run(NOW + 8 * DAY)
    assert "is not known" in refused(play, action("incident_note", incident=id, text="late"))


def test_alerts_and_incidents_are_merged_into_one() -> None:
    play = with_incident()
    target = play.incident()["id"]
    for number in range(5):
        play.find(finding(f"U-{number}", workflow="other"))
    other = play.incident()["id"]
    assert other != target
    play.find(finding("V-1", workflow="third"))
    found = answer(play.end(action("incident_merge", other, play.id("V-1"), "nobody", incident=target)))
    assert (found["outcome"], len(found["alerts"])) == ("applied", 6)
    assert "nobody is neither a live alert nor an incident" in found["detail"]
    assert {play.alert(f"U-{number}")["incident"] for number in range(5)} == {target}
    assert "names no alert or incident" in refused(play, action("incident_merge", incident=target, id="none"))


@pytest.mark.parametrize(
    ("as_told", "outcome"),
    [
        ({"told_ms": NOW + HOUR}, "applied"),
        ({"told_ms": NOW + HOUR - 1}, "refused"),
        ({"episodes": True}, "refused"),
        ({}, "applied"),
    ],
)
def test_who_answers_a_message_means_the_alert_that_it_told_of(as_told: dict[str, Any], outcome: str) -> None:
    play = opened()
    play.find(late(), NOW + MINUTE)
    play.find(finding(deadline_ms=NOW + HOUR), NOW + HOUR)  # it has come back
    given = {"episodes": {play.id(): 1}} if "episodes" in as_told else as_told
    said = answer(play.act(action("ack", play.id(), **given)))
    assert said["outcome"] == outcome
    assert ("come back since" in said["detail"]) is (outcome == "refused")


@pytest.mark.parametrize("comes_back", [False, True])
def test_who_answers_a_message_of_which_the_job_has_lost_the_finding_waits_for_that(comes_back: bool) -> None:
    """The job was set back by a crash: it reads what it had told of once more, and the answer perhaps before that."""
    play = opened()
    assert play.act(action("ack", play.id(), episodes={play.id(): 2})) == []
    if comes_back:
        play.find(late())
        play.find(finding(deadline_ms=NOW))
    play.time(NOW)
    assert (play.alert()["state"], play.alert()["episode"]) == (("acknowledged", 2) if comes_back else ("open", 1))
    assert ("is in episode 1, not in 2" in answer(play.effects)["detail"]) is not comes_back


def test_what_a_silence_would_keep_quiet_is_not_escalated() -> None:
    play = Play(policy(Window("s", "silence", (), NOW + MINUTE, NOW + HOUR)))
    play.find(finding())
    play.act(action("ack", play.id()))
    play.run(NOW + 2 * MINUTE)
    effects = play.act(action("escalate", play.id()))
    assert answer(effects)["outcome"] == "refused"
    assert "would be kept quiet by silence s; end that first" in answer(effects)["detail"]
    assert told(effects) == []


def test_an_incident_counts_what_is_in_it_also_after_a_merge_took_some_away() -> None:
    play = Play()
    for number in range(5):
        play.find(finding(f"T-{number}", groups={"m": "X"}, amount=10.0))
    play.run(NOW + MINUTE)
    first = play.incident()["id"]
    play.find(finding("U-1", rule="send", groups={"m": "Y"}))
    play.find(finding("U-1", rule="reply", groups={"m": "Y"}))
    play.run(NOW + 2 * MINUTE)
    second = play.incident()["id"]

    def counts(id: str) -> tuple[int, int, float | None]:
        row = [one.row for one in play.effects if isinstance(one, IncidentChanged) and one.row["id"] == id][-1]
        return row["alerts"], row["items"], row["value"]

    assert (counts(first), counts(second)) == ((5, 5, 50.0), (2, 1, None))
    play.act(action("incident_merge", play.id("T-3"), play.id("T-4"), incident=second))
    play.run(NOW + 3 * MINUTE)
    assert (counts(first), counts(second)) == ((3, 3, 30.0), (4, 3, 20.0))
    play.act(action("incident_merge", play.id("T-3"), incident=first, id="back"))
    play.run(NOW + 4 * MINUTE)
    assert (counts(first), counts(second)) == ((4, 4, 40.0), (3, 2, 10.0))


def test_what_an_item_is_worth_may_become_known_later_also_outside_of_incidents() -> None:
    play = opened(kind="at_risk")
    play.find(finding(amount=50.0))
    assert (play.alert()["amount"], play.alert()["incident"]) == (50.0, "")


def test_the_amount_of_an_item_counts_whichever_of_its_alerts_has_it_and_once() -> None:
    play = Play()
    play.find(finding("T-1", rule="send"))
    play.find(finding("T-1", rule="reply", amount=50.0))
    play.run(NOW + MINUTE)
    assert (play.incident()["items"], play.incident()["value"]) == (1, 50.0)
    play.find(finding("T-1", rule="settle", amount=50.0))
    play.find(finding("T-1", rule="send", deadline_ms=NOW, amount=70.0))
    play.run(NOW + 2 * MINUTE)
    assert (play.incident()["items"], play.incident()["value"]) == (1, 70.0)
