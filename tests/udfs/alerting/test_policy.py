"""What the core of alerts may ask: routes, steps, recipients, limits."""

from __future__ import annotations

import pickle
from typing import Any

from tests.udfs.alerting.moments import DAY, HOUR, MINUTE, at
from udfs.alerting.policy import EMPTY, RESPOND, Limit, Policy, Recipient, Target
from udfs.packs.alertcompile import read_policy

CHANNELS = {
    "channel/mail": {"type": "email", "server": "127.0.0.1:25", "from": "d@example.com"},
    "channel/list": {"type": "email", "server": "h:25", "from": "d@example.com", "to": ["a@b.example", "c@d.example"]},
    "channel/text": {
        "type": "sms",
        "url": "u",
        "account": "a",
        "token": {"env": "T"},
        "from": "D",
        "limit": {"count": 2},
    },
    "channel/chat": {"type": "slack", "url": {"env": "U"}, "limit": {"count": 1, "per": "5s"}},
    "channel/page": {"type": "browser"},
}
PEOPLE = {
    "person/anna": {
        "email": "anna@example.com",
        "phone": "+31612345678",
        "chat": {"slack": "U1"},
        "by": ["mail", "text"],
    },
    "person/ben": {"email": "ben@example.com", "by": "mail"},
    "team/ops": {"members": ["anna", "ben"], "channels": ["chat"]},
    "on_call/desk": {"zone": "UTC", "layers": [{"people": ["anna", "ben"], "every": "1d", "from": "2026-01-01"}]},
    "on_call/gap": {
        "zone": "UTC",
        "layers": [{"people": "ben", "every": "1d", "from": "2026-01-01", "hours": "09:00-17:00"}],
    },
    "calendar/office": {"zone": "Europe/London", "hours": "09:00-17:00"},
}
ANNA = Recipient("mail", "anna", "anna@example.com")
TEXT = Recipient("text", "anna", "+31612345678")
BEN = Recipient("mail", "ben", "ben@example.com")
NOW = at("2026-03-02 12:00")  # a Monday; anna is on call at the desk


def policy(**documents: dict[str, Any]) -> Policy:
    given = CHANNELS | PEOPLE | {key.replace("__", "/"): body for key, body in documents.items()}
    found, problems = read_policy(given)
    assert problems == []
    return found


def steps(*said: dict[str, Any], **words: Any) -> Policy:
    return policy(escalation__e={"steps": [*said]} | words)


def told(target: dict[str, Any], instant: int = NOW) -> tuple[Recipient, ...]:
    return steps({"notify": target}).recipients("e", 0, instant)


def test_without_documents_alerts_are_kept_and_nobody_is_told() -> None:
    (route,) = EMPTY.route({"workflow": "w"})
    assert route.escalation == ""
    assert EMPTY.steps("") == EMPTY.steps("e") == ()
    assert EMPTY.step_due("", 0, NOW) is None
    assert EMPTY.recipients("", 0, NOW) == EMPTY.on_call("desk", NOW) == ()
    assert EMPTY.muted({}, NOW) is EMPTY.next_change(NOW) is None
    assert EMPTY.limit("mail") == Limit(10, MINUTE)
    assert EMPTY.ack_ms({}) == DAY
    assert [EMPTY.respond_ms(severity) for severity in ("critical", "odd")] == [RESPOND["critical"], RESPOND["low"]]


def test_a_policy_survives_the_way_between_processes() -> None:
    found = policy(
        escalation__e={"steps": [{"notify": {"team": "ops"}, "during": "office"}]},
        silence__s={"match": "key = A", "from": "2026-03-02T00:00Z", "until": "2026-03-03T00:00Z"},
    )
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301
    assert pickle.loads(pickle.dumps(EMPTY)) == EMPTY  # noqa: S301


def tree(*routes: dict[str, Any], **words: Any) -> Policy:
    return policy(routes__main={"routes": [*routes]} | words)


def names(found: Policy, **labels: str) -> list[str]:
    return [route.name for route in found.route(labels)]


def test_the_first_route_that_fits_holds_and_else_the_one_around_them() -> None:
    found = tree(
        {"name": "a", "match": "workflow = a", "escalation": "none"},
        {"name": "b", "match": "workflow =~ .", "escalation": "none"},
    )
    assert names(found, workflow="a") == ["main/a"]
    assert names(found, workflow="b") == ["main/b"]
    assert names(found, workflow="long") == ["main"]


def test_with_continue_the_routes_behind_it_are_looked_at_too() -> None:
    found = tree(
        {"name": "log", "match": "workflow =~ .*", "continue": True},
        {"name": "a", "match": "workflow = a"},
        {"name": "never", "match": "workflow = a"},
    )
    assert names(found, workflow="a") == ["main/log", "main/a"]
    assert names(found, workflow="b") == ["main/log"]


def test_the_innermost_route_holds_and_says_what_it_does_not_say_as_the_one_around_it() -> None:
    inner = {"name": "fx", "match": "book = FX", "wait": "30s", "severity": "critical"}
    found = tree(
        {"match": "workflow = a", "interval": "1m", "team": "ops", "routes": [inner]},
        repeat="1h",
        ack="2h",
        group_by="book",
        respond={"high": "10m"},
    )
    (route,) = found.route({"workflow": "a", "book": "FX"})
    assert (route.name, route.team, route.severity) == ("main/0/fx", "ops", "critical")
    assert (route.wait_ms, route.interval_ms, route.repeat_ms) == (30_000, MINUTE, HOUR)
    assert route.group_by == ("book",)
    assert names(found, workflow="a", book="IR") == ["main/0"]
    assert found.ack_ms({}) == 2 * HOUR
    assert [found.respond_ms(severity) for severity in ("high", "critical")] == [10 * MINUTE, RESPOND["critical"]]


def test_a_person_is_told_by_the_channels_that_are_named_or_by_their_own() -> None:
    assert told({"person": "anna"}) == (ANNA, TEXT)
    assert told({"person": "anna", "by": "text"}) == (TEXT,)
    assert told({"person": "anna", "by": ["chat", "page"]}) == (
        Recipient("chat", "", ""),
        Recipient("page", "anna", "anna"),
    )


def test_a_team_is_told_in_its_channels_and_its_people_by_theirs() -> None:
    assert told({"team": "ops"}) == (Recipient("chat", "", ""), ANNA, TEXT, BEN)
    assert told({"team": "ops", "by": "mail"}) == (ANNA, BEN)


def test_a_channel_is_told_where_it_goes_by_itself() -> None:
    assert told({"channel": "list"}) == (Recipient("list", "", "a@b.example, c@d.example"),)
    assert told({"channel": "mail"}) == told({"channel": "text"}) == ()


def test_whoever_is_on_call_at_the_instant_is_told() -> None:
    edge, desk = at("2026-03-03 09:00"), {"on_call": "desk", "by": "mail"}
    assert [told(desk, one) for one in (edge - 1, edge, edge + 1)] == [(ANNA,), (BEN,), (BEN,)]
    gap = at("2026-03-02 17:00")
    assert [told({"on_call": "gap"}, one) for one in (gap - 1, gap, gap + 1)] == [(BEN,), (), ()]


def test_nobody_is_told_twice_by_one_step() -> None:
    found = steps({"notify": [{"person": "anna", "by": "mail"}, {"team": "ops", "by": "mail"}]})
    assert found.recipients("e", 0, NOW) == (ANNA, BEN)


def test_those_who_can_not_be_reached_or_are_unknown_are_left_out() -> None:
    assert told({"person": "ben", "by": ["text", "fax", "mail"]}) == (BEN,)
    assert [told({kind: "unknown"}) for kind in ("person", "team", "on_call", "channel")] == [()] * 4


def test_steps_are_due_after_their_spans_and_there_is_none_behind_the_last() -> None:
    found = steps({"notify": {"person": "anna"}}, {"after": "15m", "notify": {"person": "ben"}})
    assert [found.step_due("e", step, NOW) for step in range(-1, 3)] == [None, NOW, NOW + 15 * MINUTE, None]
    assert [step.after_ms for step in found.steps("e")] == [0, 15 * MINUTE]
    assert found.steps("e")[1].targets == (Target("person", "ben"),)


def test_the_steps_begin_anew_as_often_as_it_says() -> None:
    said = ({"notify": {"person": "anna"}}, {"after": "15m", "notify": {"person": "ben"}})
    found = steps(*said, repeat={"times": 2, "every": "1h"})
    dues = [found.step_due("e", step, NOW) for step in range(7)]
    minutes = [None if due is None else (due - NOW) // MINUTE for due in dues]
    assert minutes == [0, 15, 60, 75, 120, 135, None]
    assert found.recipients("e", 5, NOW) == (BEN,)


def test_a_step_during_hours_counts_their_time_only() -> None:
    found = steps({"after": "2h", "notify": {"person": "anna"}, "during": "office"})
    assert found.step_due("e", 0, at("2026-03-02 09:00")) == at("2026-03-02 11:00")
    assert found.step_due("e", 0, at("2026-03-02 15:00")) == at("2026-03-02 17:00")
    assert found.step_due("e", 0, at("2026-03-02 15:30")) == at("2026-03-03 09:30")
    assert found.step_due("e", 0, at("2026-03-07 12:00")) == at("2026-03-09 11:00")


def test_a_step_at_once_during_hours_waits_for_the_opening() -> None:
    found = steps({"notify": {"person": "anna"}, "during": "office"})
    opening, closing, tomorrow = at("2026-03-02 09:00"), at("2026-03-02 17:00"), at("2026-03-03 09:00")
    dues = [found.step_due("e", 0, opening + ms) for ms in (-1, 0, 1)]
    assert dues == [opening, opening, opening + 1]
    dues = [found.step_due("e", 0, closing + ms) for ms in (-1, 0, 1)]
    assert dues == [closing - 1, tomorrow, tomorrow]


def test_out_of_hours_the_others_are_told_and_time_does_not_wait() -> None:
    step = {"after": "5m", "notify": {"person": "ben"}, "during": "office"}
    found = steps(step | {"otherwise": {"person": "anna", "by": "text"}})
    opening, closing = at("2026-03-02 09:00"), at("2026-03-02 17:00")
    assert found.step_due("e", 0, closing) == closing + 5 * MINUTE
    assert [found.recipients("e", 0, one) for one in (opening - 1, opening, opening + 1)] == [(TEXT,), (BEN,), (BEN,)]
    assert [found.recipients("e", 0, one) for one in (closing - 1, closing, closing + 1)] == [(BEN,), (TEXT,), (TEXT,)]


def test_otherwise_may_be_nobody() -> None:
    found = steps({"notify": {"person": "ben"}, "during": "office", "otherwise": []})
    assert found.recipients("e", 0, at("2026-03-07 12:00")) == ()
    assert found.step_due("e", 0, at("2026-03-07 12:00")) == at("2026-03-07 12:00")


def test_hours_follow_the_clock_of_their_zone_when_it_is_moved() -> None:
    found = steps({"notify": {"person": "anna"}, "during": "office"})
    for friday, monday in (("2026-03-27", "2026-03-30"), ("2026-10-23", "2026-10-26")):
        evening = at(f"{friday} 18:00", "Europe/London")
        assert found.step_due("e", 0, evening) == at(f"{monday} 09:00", "Europe/London")


def test_no_step_is_due_before_the_one_in_front_of_it() -> None:
    found = steps(
        {"notify": {"person": "anna"}, "during": "office"},
        {"after": "5m", "notify": {"person": "ben"}},
        repeat={"times": 1, "every": "10m"},
    )
    saturday, monday = at("2026-03-07 12:00"), at("2026-03-09 09:00")
    assert [found.step_due("e", step, saturday) for step in range(5)] == [monday, monday, monday, monday, None]


def test_a_step_whose_hours_never_come_is_none() -> None:
    found, _ = read_policy(
        CHANNELS
        | PEOPLE
        | {
            "calendar/never": {"zone": "UTC", "weekend": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
            "escalation/e": {"steps": [{"notify": {"person": "anna"}, "during": "never"}]},
        }
    )
    assert found.step_due("e", 0, NOW) is None


def test_a_channel_has_a_limit_of_its_own() -> None:
    found = policy()
    assert [found.limit(name) for name in ("mail", "text", "chat", "unknown")] == [
        Limit(10, MINUTE),
        Limit(2, MINUTE),
        Limit(1, 5_000),
        Limit(10, MINUTE),
    ]
