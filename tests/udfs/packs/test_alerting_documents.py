"""Alerting documents one by one, as the API stores them and the job meets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from udfs.packs.alertcheck import check_document, check_removal
from udfs.packs.alertcompile import compile_policy, read_policy
from udfs.packs.alertfile import load_alerting
from udfs.packs.alertkinds import KINDS, MAIN, ROUTES
from udfs.packs.problems import WARNING, Problem

EXAMPLE, WARNINGS = load_alerting(Path(__file__).parents[3] / "rules/alerting.yaml")
LABELS = {"workflow": "file_receipt", "severity": "high"}


def texts(problems: list[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


@pytest.mark.parametrize("key", EXAMPLE)
def test_each_document_of_the_example_is_fit_by_itself(key: str) -> None:
    kind, _, name = key.partition("/")
    assert check_document(kind, name, EXAMPLE[key], EXAMPLE) == WARNINGS == []


def test_the_example_has_a_document_of_nearly_every_kind() -> None:
    assert {key.partition("/")[0] for key in EXAMPLE} == {*KINDS} - {"silence"}


def test_a_broken_reference_is_refused() -> None:
    steps = {"steps": [{"notify": [{"person": "carl"}]}]}
    assert texts(check_document("escalation", "night", steps, EXAMPLE)) == [
        "escalation/night: error: steps[0].notify[0].person: there is no person `carl`; there is `anna`, `ben`"
    ]


def test_what_a_change_breaks_in_other_documents_is_refused_too() -> None:
    anna = {key: value for key, value in EXAMPLE["person/anna"].items() if key != "by"}
    assert texts(check_document("person", "anna", anna, EXAMPLE))[0] == (
        "escalation/page: error: steps[0].notify[0].person: `anna` would not be told: "
        "say here by which channel (`by`), or in the person's document"
    )


def test_faults_that_other_documents_have_anyway_are_not_said() -> None:
    broken = EXAMPLE | {"team/other": {"members": ["carl"]}}
    assert check_document("person", "dora", {"email": "dora@example.com"}, broken) == []


def test_what_is_still_referred_to_is_not_removed() -> None:
    assert texts(check_removal("escalation", "office", EXAMPLE)) == [
        "routes/main: error: routes[4].escalation: there is no escalation `office`; there is `page`, `desk`"
    ]
    assert {problem.file for problem in check_removal("person", "ben", EXAMPLE)} == {
        "team/operations",
        "on_call/desk",
        "escalation/page",
    }
    assert check_removal("calendar", "office", EXAMPLE) != []


@pytest.mark.parametrize("key", [f"{ROUTES}/{MAIN}", "maintenance/planning_release", "person/nobody"])
def test_what_nothing_refers_to_is_removed(key: str) -> None:
    kind, _, name = key.partition("/")
    assert check_removal(kind, name, EXAMPLE) == []


@pytest.mark.parametrize(
    ("kind", "name", "body", "said"),
    [
        ("persn", "anna", {}, "`persn` is not a kind of document; did you mean `person`?"),
        ("routes", "other", {}, "there is one tree of routes, `main`; it can't be called `other`"),
        ("person", "a b", {}, "`a b` can't be used as a name here"),
        ("person", "", {}, "`` can't be used as a name here"),
        ("person", "x" * 65, {}, "can't be used as a name here"),
        ("escalation", "none", {"steps": [{"notify": {"person": "anna"}}]}, "`none` means that nobody is told"),
        ("person", "anna", None, "must be a mapping of names to values, not nothing"),
        ("channel", "mail", "smtp", "`type` is missing"),
    ],
)
def test_what_is_no_document_is_refused(kind: str, name: str, body: Any, said: str) -> None:
    assert any(said in text for text in texts(check_document(kind, name, body, EXAMPLE)))


def test_no_secret_is_taken_in_any_form() -> None:
    for secret in ("hunter2", {"text": "hunter2"}, {"env": "A", "text": "hunter2"}, ["hunter2"]):
        channel = {"type": "pagerduty", "routing_key": secret}
        problems = check_document("channel", "pager", channel, {})
        assert problems
        assert "hunter2" not in "".join(texts(problems))


def test_gaps_are_warned_of() -> None:
    layer = {"people": "anna", "every": "1w", "from": "2026-01-05", "hours": {"mon-fri": "09:00-17:00"}}
    (problem,) = check_document("on_call", "days", {"zone": "Europe/London", "layers": [layer]}, EXAMPLE)
    assert problem.level == WARNING
    assert problem.message == (
        "nobody is on call from Mon 2026-01-05 17:00 to Tue 2026-01-06 09:00, for instance; "
        "add a layer without `hours` for the rest"
    )


def test_a_schedule_that_ends_is_warned_of() -> None:
    layer = {"people": "anna", "every": "1w", "from": "2026-01-05", "until": "2026-02-01 00:00"}
    (problem,) = check_document("on_call", "days", {"zone": "Europe/London", "layers": [layer]}, EXAMPLE)
    assert (problem.level, problem.path) == (WARNING, "layers")


def test_a_label_that_looks_like_a_slip_is_warned_of() -> None:
    silence = {"match": ["serverity = low", "market = XNYS"], "from": "2026-03-02T08:00Z", "until": "2026-03-03T08:00Z"}
    (problem,) = check_document("silence", "quiet", silence, {})
    assert (problem.level, problem.path) == (WARNING, "match[0]")
    assert "did you mean `severity`?" in problem.message


def test_alerts_that_no_route_is_for_are_warned_of() -> None:
    routes = {"routes": [{"match": "severity = critical", "escalation": "page"}]}
    (problem,) = check_document("routes", "main", routes, EXAMPLE)
    assert (problem.level, problem.path) == (WARNING, "escalation")
    assert check_document("routes", "main", routes | {"escalation": "none"}, EXAMPLE) == []


def test_an_unfit_document_is_left_out_and_the_others_hold() -> None:
    found, problems = read_policy(EXAMPLE | {"person/carl": {"emial": "x"}, "silence/s": 5, "what/ever": {}})
    assert [problem.file for problem in problems] == ["person/carl", "silence/s", "what/ever"]
    assert found == compile_policy(EXAMPLE)


def test_a_name_that_no_document_has_any_more_means_nobody() -> None:
    left = {key: body for key, body in EXAMPLE.items() if key not in ("person/anna", "calendar/office")}
    found = compile_policy(left)
    assert [one.person for one in found.recipients("page", 0, 0)] == []
    assert [one.person for one in found.recipients("page", 1, 0)] == ["ben"]
    assert [one.person for one in found.recipients("office", 0, 0)] == ["ben"]


@pytest.mark.parametrize(
    "documents",
    [
        {"calendar/a": {"base": "b"}, "calendar/b": {"base": "a"}},
        {"calendar/a": {"base": "nowhere"}},
        {"calendar/a": {"holidays": {"country": "XX"}}},
        {"calendar/a": {}},
    ],
)
def test_a_calendar_that_makes_no_sense_stops_nothing(documents: dict[str, Any]) -> None:
    window = {"match": "key = A", "weekly": "00:00-24:00", "calendar": "a"}
    step = {"notify": {"person": "anna"}, "during": "a"}
    given = EXAMPLE | documents | {"maintenance/m": window, "escalation/e": {"steps": [step]}}
    found = compile_policy(given)
    assert found.muted({"key": "A"}, 0) is None
    assert found.step_due("e", 0, 5) == 5


def test_a_window_that_says_no_time_never_holds() -> None:
    bodies = [{"from": "2026-03-02T08:00Z"}, {"from": "2026-03-02 08:00", "until": "2026-03-02 10:00"}, {}]
    for body in bodies:
        found = compile_policy({"maintenance/m": {"match": "key = A"} | body})
        assert found.muted({"key": "A"}, 1_772_442_000_000) is None
        assert found.next_change(0) is None


def test_the_route_of_the_example_is_that_of_the_first_that_fits() -> None:
    found = compile_policy(EXAMPLE)
    assert [route.name for route in found.route(LABELS)] == ["main/files"]
    assert [route.escalation for route in found.route({"severity": "low"})] == [""]


def test_half_a_character_is_refused_and_left_out() -> None:
    broken = {"email": "anna@example.com", "name": "\ud800"}
    (problem, *_) = check_document("person", "anna", broken, EXAMPLE)
    assert str(problem) == "person/anna: error: holds half a character (a lone surrogate); write the character itself"
    found, problems = read_policy(EXAMPLE | {"person/anna": broken})
    assert [str(one) for one in problems] == [str(problem)]
    assert "anna" not in found.people
