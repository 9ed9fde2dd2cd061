"""What people ask before anything happens."""

from __future__ import annotations

import pytest

from tests.udfs.alerting.moments import HOUR, MINUTE, at
from tests.udfs.packs.test_alerting_documents import EXAMPLE
from udfs.packs.alertcompile import compile_policy
from udfs.packs.alertquestions import explain, next_openings, next_shifts, preview

POLICY = compile_policy(EXAMPLE)
LONDON = "Europe/London"


def test_the_next_shifts_begin_with_the_one_that_is_on() -> None:
    shifts = next_shifts(POLICY, "desk", at("2026-03-25 12:00"), 3)
    assert [shift.people for shift in shifts] == [("ben",), ("anna",), ("ben",)]
    assert shifts[0].end == shifts[1].begin == at("2026-03-30 09:00", LONDON)
    assert shifts[1].end == at("2026-04-06 09:00", LONDON)


def test_an_unknown_schedule_has_no_shifts() -> None:
    with pytest.raises(KeyError):
        next_shifts(POLICY, "unknown", 0, 1)


def test_the_next_openings_are_told_by_their_beginning() -> None:
    silence = {"match": "key = A", "from": "2026-03-09T08:00Z", "until": "2026-03-09T09:00Z"}
    found = compile_policy(EXAMPLE | {"silence/s": silence})
    openings = next_openings(found, at("2026-03-07 23:00"), 3)
    assert [(one.id, one.kind) for one in openings] == [
        ("planning_release", "maintenance"),
        ("s", "silence"),
        ("planning_release", "maintenance"),
    ]
    assert openings[0][2:] == (at("2026-03-07 23:00"), at("2026-03-08 02:00"))
    assert openings[2][2:] == (at("2026-03-14 22:00"), at("2026-03-15 02:00"))


def test_windows_that_are_over_have_no_next_opening() -> None:
    silence = {"match": "key = A", "from": "2026-03-09T08:00Z", "until": "2026-03-09T09:00Z"}
    assert next_openings(compile_policy({"silence/s": silence}), at("2026-03-09 09:00"), 3) == []


def test_a_preview_says_which_alerts_it_would_hide_and_when() -> None:
    alerts = [{"workflow": "a", "severity": "high"}, {"workflow": "b"}, {"workflow": "a", "severity": "low"}]
    window = {"match": ["workflow = a", "severity != low"], "cron": "0 22 * * *", "for": "2h", "zone": "UTC"}
    hidden, openings = preview("maintenance", "new", window, EXAMPLE, alerts, at("2026-03-09 23:00"))
    assert hidden == [0]
    assert (openings[0].begin, openings[0].end) == (at("2026-03-09 23:00"), at("2026-03-10 00:00"))
    assert openings[1].begin == at("2026-03-10 22:00")
    silence = {"match": "workflow =~ .", "from": "2026-03-09T08:00Z", "until": "2026-03-09T09:00Z"}
    assert preview("silence", "new", silence, EXAMPLE, alerts, 0)[0] == [0, 1, 2]


def test_a_preview_of_what_is_no_window_says_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="`key` doesn't say which label is what"):
        preview(
            "silence", "new", {"match": "key", "from": "2026-03-09T08:00Z", "until": "2026-03-09T09:00Z"}, {}, [], 0
        )
    with pytest.raises(ValueError, match="neither a silence nor a maintenance window"):
        preview("person", "anna", {}, {}, [], 0)


def test_an_explanation_names_the_route_and_who_is_told_when() -> None:
    opened = at("2026-03-09 12:00")
    found = explain(POLICY, {"workflow": "file_receipt", "severity": "critical"}, opened)
    (one,) = found.routes
    assert one.route.name == "main/critical"
    told = [((step.due - opened) // MINUTE, [who.person for who in step.recipients]) for step in one.steps]
    assert told[:4] == [(0, ["anna"]), (2, ["ben"]), (10, ["anna", "ben"]), (30, ["anna"])]
    assert len(told) == 9
    assert (found.mute, found.respond_ms, found.ack_ms) == (None, 5 * MINUTE, 24 * HOUR)


def test_an_explanation_knows_what_keeps_it_quiet_and_that_nobody_is_told() -> None:
    saturday = at("2026-03-07 23:00")
    found = explain(POLICY, {"workflow": "financial_planning", "severity": "medium"}, saturday)
    assert found.mute is not None
    assert found.mute.id == "planning_release"
    assert [step.due for step in found.routes[0].steps] == [at("2026-03-09 08:00", LONDON)]
    quiet = explain(POLICY, {"workflow": "other", "severity": "low"}, saturday)
    assert [one.steps for one in quiet.routes] == [()]
