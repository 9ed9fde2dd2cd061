"""What holds for alerts whatever comes, in whatever order, with restarts anywhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.alerting.build import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    STEPS,
    Play,
    action,
    blind,
    finding,
    late,
    messages,
    policy,
    relieved,
    stalled_step,
)
from udfs.alerting.effects import AlertChanged, Effect, Notify
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import EMPTY, Branch, Channel, Escalation, Limit, Route, Step, Target
from udfs.alerting.windows import Window

KEYS = ("T-1", "T-2", "T-3", "T-4", "T-5", "T-6", "T-7")
NOTICES = ("resolved", "expired", "acknowledged")


def of(label: str, *values: str) -> tuple[Matcher, ...]:
    return (Matcher(label, frozenset(values)),)


POLICIES = (
    EMPTY,
    policy(interval_ms=MINUTE, repeat_ms=3 * HOUR, limit=2),
    policy(
        Window("w", "maintenance", of("key", "T-1", "T-2"), NOW + 10 * MINUTE, NOW + 20 * MINUTE),
        Window("s", "silence", of("rule", "send"), NOW + MINUTE, NOW + 5 * MINUTE),
        hold_ms=5 * SECOND,
        wait_ms=SECOND,
        group_by=("key",),
    ),
    policy(
        routes=Branch(
            Route(escalation="desk"),
            below=(
                Branch(Route("sends", escalation="second", severity="critical"), of("rule", "send"), go_on=True),
                Branch(Route("others", escalation="desk", interval_ms=0), of("key", *KEYS)),
            ),
        )
    ),
    replace(
        policy(interval_ms=MINUTE),
        escalations={"desk": Escalation((*STEPS[:1], Step(MINUTE, (Target("channel", "duty"),))))},
        channels={"mail": Channel(Limit(5)), "duty": Channel(Limit(2), pager=True)},
    ),
)

deadlines = st.sampled_from((NOW - 2 * HOUR, NOW - SECOND, NOW + HOUR))
groups = st.sampled_from(({}, {"market": "XETRA"}, {"market": "XETRA", "batch": "B-1"}))
findings = st.one_of(
    st.builds(
        finding,
        st.sampled_from(KEYS),
        st.sampled_from(("missing", "missing", "at_risk", "predicted", "duplicate", "out_of_order", "stalled")),
        st.sampled_from(("send", "reply", "settle")),
        deadline_ms=deadlines,
        groups=groups,
        amount=st.sampled_from((None, 10.0)),
        severity=st.sampled_from(("low", "high", "critical")),
    ),
    st.builds(late, st.sampled_from(KEYS), deadline_ms=deadlines, rule=st.sampled_from(("send", "reply"))),
    st.builds(relieved, st.sampled_from(KEYS), st.sampled_from((None, 0, 5)), rule=st.sampled_from(("send", "reply"))),
    st.builds(blind, st.sampled_from((None, NOW + HOUR))),
    st.builds(stalled_step, st.sampled_from(("send", "reply")), st.sampled_from((None, NOW + HOUR))),
    st.just(finding("B-1", rule="loaded", workflow="batches", deadline_ms=NOW - 3 * HOUR)),
    st.just(late("B-1", rule="loaded", workflow="batches", deadline_ms=NOW - 3 * HOUR)),
)
actions = st.tuples(
    st.sampled_from(("ack", "unack", "suppress", "unsuppress", "resolve", "comment", "assign", "escalate")),
    st.lists(st.integers(0, 9), min_size=1, max_size=3),
    st.sampled_from((None, 5 * MINUTE)),
)
on_incidents = st.sampled_from(("incident_note", "incident_resolve", "incident_merge"))
moves = st.lists(
    st.one_of(
        st.tuples(st.just("find"), findings),
        st.tuples(st.just("find"), findings),
        st.tuples(st.just("act"), actions),
        st.tuples(st.just("incident"), on_incidents),
        st.tuples(st.just("time"), st.sampled_from((1, SECOND, MINUTE, 3 * MINUTE, 20 * MINUTE, 5 * HOUR))),
        st.tuples(st.just("rules"), st.sampled_from(POLICIES)),
    ),
    min_size=1,
    max_size=40,
)


def played(plan: list[tuple[str, Any]], rules: Any, restarts: bool = False) -> Play:
    play = Play(rules, restarts=restarts)
    known: dict[str, None] = {}
    for number, (what, value) in enumerate(plan):
        if what == "find":
            play.find(value)
        elif what == "act":
            kind, places, span = value
            ids = list(known)
            named = [ids[place] for place in places if place < len(ids)]
            until = None if span is None else play.now + span
            play.act(action(kind, *named, id=f"{number}", until_ms=until, text="hm"))
        elif what == "incident":
            found = sorted({one.row["incident"] for one in play.effects if isinstance(one, AlertChanged)})
            play.act(action(value, *list(known)[:2], id=f"{number}", incident=found[-1] if found else "", text="hm"))
        elif what == "time":
            play.run(play.now + value)
        else:
            play.configure(value)
            play.time(play.now)
        known |= {one.row["id"]: None for one in play.effects if isinstance(one, AlertChanged)}
    return play


def rows(effects: list[Effect]) -> list[dict[str, Any]]:
    return [one.row for one in effects if isinstance(one, AlertChanged)]


@settings(max_examples=60, deadline=None)
@given(moves, st.sampled_from(POLICIES))
def test_a_restart_anywhere_changes_nothing(plan: list[tuple[str, Any]], rules: Any) -> None:
    assert played(plan, rules).effects == played(plan, rules, restarts=True).effects


@settings(max_examples=80, deadline=None)
@given(moves, st.sampled_from(POLICIES))
def test_messages_and_rows_are_in_order(plan: list[tuple[str, Any]], rules: Any) -> None:
    play = played(plan, rules)
    said = [one.row for one in messages(play.effects)]
    ids = [row["id"] for row in said]
    assert len(ids) == len(set(ids)), "no two messages have one id"
    for row in said:
        states = {alert["state"] for alert in row["alerts"]}
        if row["reason"] not in NOTICES:
            assert not states & {"acknowledged", "suppressed", "pending"}, "who has answered isn't told"
        if row["reason"] == "resolved" and row["channel"] != "duty":
            assert states == {"resolved"}
        if row["reason"] == "expired":
            assert states == {"expired"}
        assert set(row["revs"]) >= {alert["id"] for alert in row["alerts"]}
    revs: dict[str, int] = {}
    for row in rows(play.effects):
        assert row["rev"] > revs.get(row["id"], -1), "each row is newer than the one before"
        revs[row["id"]] = row["rev"]
        assert (row["ended_ms"] is None) == (row["state"] not in ("resolved", "expired"))
        assert (row["state"] == "acknowledged") == (row["ack_until_ms"] is not None)


@settings(max_examples=80, deadline=None)
@given(moves, st.sampled_from(POLICIES))
def test_after_an_alert_is_halted_nothing_is_sent_of_it_as_it_was(plan: list[tuple[str, Any]], rules: Any) -> None:
    halted: dict[str, int] = {}
    for effect in played(plan, rules).effects:
        if isinstance(effect, Notify):
            if effect.row["reason"] not in NOTICES:
                for id, rev in effect.row["revs"].items():
                    assert rev > halted.get(id, -1)
        else:
            halted |= effect.row.get("halt", {})


@settings(max_examples=60, deadline=None)
@given(moves, st.sampled_from(POLICIES))
def test_every_alert_and_incident_ends_and_nothing_of_them_is_left(plan: list[tuple[str, Any]], rules: Any) -> None:
    play = played(plan, rules)
    start = play.now
    play.run(start + 9 * DAY)
    assert {row["state"] for row in {row["id"]: row for row in rows(play.effects)}.values()} <= {"resolved", "expired"}
    play.run(start + 20 * DAY)
    assert {name for name in play.saved if not name.startswith("x/")} == set()


@settings(max_examples=60, deadline=None)
@given(moves, st.sampled_from(POLICIES))
def test_the_same_findings_and_actions_again_say_nothing_new(plan: list[tuple[str, Any]], rules: Any) -> None:
    play = played(plan, rules)
    kinds = ("find", "act")
    again = [(what, value) for what, value in plan if what in kinds][-1:]
    told = len(messages(play.effects))
    for what, value in again:
        if what == "find":
            play.find(value)
    assert len(messages(play.effects)) == told


@settings(max_examples=80, deadline=None)
@given(moves)
def test_what_a_pager_has_open_is_what_is_to_be_told_of_it(plan: list[tuple[str, Any]]) -> None:
    play = played([one for one in plan if one[0] != "rules"], POLICIES[-1])
    open_at: dict[str, set[str]] = {}
    for one in messages(play.effects):
        if one.row["channel"] == "duty":
            if one.row["reason"] in NOTICES:
                assert one.row["dedup_key"] in open_at, "what is closed was open"
                assert one.row["open"] == 0
            if one.row["reason"] == "resolved":
                del open_at[one.row["dedup_key"]]
            else:
                open_at.setdefault(one.row["dedup_key"], set()).update(one.row["revs"])
    states = {row["id"]: row["state"] for row in rows(play.effects)}.values()
    if not {*states} & {"open", "escalated", "acknowledged"}:
        assert not open_at
    play.run(play.now + 9 * DAY)
    assert not any(name.startswith("p/") for name in play.saved)
