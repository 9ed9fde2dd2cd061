"""Scenarios say what a pack must say, and when; what differs is told by file, line and in the words of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from udfs.packs.load import find_packs, load_pack
from udfs.packs.problems import PackError
from udfs.simulation.rehearse import Rehearsal, rehearse
from udfs.simulation.scenario import read_scenarios

ROOT = Path(__file__).parents[3]
WORKFLOW = """\
workflow: parcels
key: parcel
steps:
  send: {on: parcel.sent, start: true}
  get: {on: parcel.received, end: completed}
flow: [send -> get]
deadlines:
  - {id: arrival, after: send, expect: get, within: 1h, severity: high}
"""
LOST = """\
scenario: A lost parcel is missing after an hour
begin: 2026-03-02T08:00:00Z
events:
  - {at: 0s, type: parcel.sent, key: P1}
expect:
  - {at: 59m59s999ms, findings: []}
  - {at: 1h, findings: [{kind: missing, rule: arrival, key: P1, deadline: "2026-03-02T09:00:00Z"}]}
  - {at: 1h1ms, findings: []}
"""


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    (tmp_path / "scenarios").mkdir()
    return tmp_path


def played(pack: Path, text: str) -> list[Rehearsal]:
    (pack / "scenarios" / "one.yaml").write_text(text)
    return list(rehearse(load_pack(pack)))


def faults(pack: Path, text: str) -> list[tuple[int, str]]:
    return [(problem.line, problem.message) for one in played(pack, text) for problem in one.problems]


@pytest.mark.parametrize("folder", find_packs(ROOT / "rules"), ids=lambda folder: folder.name)
def test_the_shipped_packs_have_scenarios_and_they_go_as_expected(folder: Path) -> None:
    rehearsals = list(rehearse(load_pack(folder)))
    assert rehearsals
    assert [problem for one in rehearsals for problem in one.problems] == []


def test_a_scenario_that_goes_as_expected_has_no_problem(pack: Path) -> None:
    assert faults(pack, LOST) == []


def test_each_document_of_a_file_is_a_scenario_of_its_own(pack: Path) -> None:
    assert [one.scenario for one in played(pack, f"{LOST}---\n{LOST.replace('after an hour', 'again')}")] == [
        "A lost parcel is missing after an hour",
        "A lost parcel is missing again",
    ]


def test_what_was_not_said_is_told_with_what_was(pack: Path) -> None:
    assert faults(pack, LOST.replace("kind: missing", "kind: late")) == [
        (
            7,
            "was not said; said was `{kind: missing, rule: arrival, key: P1, step: get, deadline: 1h}`",
        ),
        (
            7,
            "`{kind: missing, rule: arrival, key: P1, step: get, deadline: 1h}` was said, which was not expected",
        ),
    ]


def test_what_was_said_at_another_moment_does_not_count(pack: Path) -> None:
    assert [line for line, _ in faults(pack, LOST.replace("59m59s999ms", "60m"))] == [7]


@pytest.mark.parametrize(
    ("field", "right", "wrong"),
    [
        ("rule", "arrival", "order"),
        ("key", "P1", "P2"),
        ("step", "get", "send"),
        ("because", "send", "get"),
        ("severity", "high", "low"),
        ("deadline", "1h", "2h"),
        ("happened", "90m", "91m"),
        ("delta", "30m", "31m"),
    ],
)
def test_each_field_that_is_named_must_be_as_said(pack: Path, field: str, right: str, wrong: str) -> None:
    text = """\
scenario: A parcel comes half an hour late
events:
  - {{at: 0s, type: parcel.sent, key: P1}}
  - {{at: 1h30m, type: parcel.received, key: P1}}
expect:
  - {{at: 1h, findings: [{{kind: missing}}]}}
  - {{at: 2h, findings: [{{kind: late, {}: {}}}]}}
"""
    right, wrong = right.replace("90m", "1h30m"), wrong.replace("91m", "1h31m")
    assert faults(pack, text.format(field, right)) == []
    assert {line for line, _ in faults(pack, text.format(field, wrong))} == {7}


def test_an_event_that_arrives_later_than_it_happened_is_not_known_before(pack: Path) -> None:
    text = """\
scenario: A parcel that came in time is reported after its deadline
events:
  - {at: 0s, type: parcel.sent, key: P1}
  - {at: 30m, type: parcel.received, key: P1, arrives: 2h}
expect:
  - {at: 1h59m, findings: [{kind: missing}]}
  - {at: 2h, findings: [{kind: reported_late, happened: 30m}]}
"""
    assert faults(pack, text) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("key: P1}\n", "kye: P1}\n", 4, "`kye` is not a word of the language here; did you mean `key`?"),
        ("parcel.sent", "parcel.snet", 4, "no step of `parcels` is on `parcel.snet`; did you mean `parcel.sent`?"),
        ("rule: arrival", "rule: arival", 7, "`parcels` has no rule `arival`; did you mean `arrival`?"),
        ("kind: missing", "kind: mising", 7, "did you mean `missing`?"),
        ("at: 0s", "at: 2h", 4, "is behind the last moment; add a moment behind it"),
        ("key: P1}\n", "key: P1, arrives: 0s, at: 1s}\n", 4, "`at` is given twice (first on line 4); remove one"),
        ("at: 1h,", "at: 5m,", 7, "is not behind the moment before; sort them by time"),
        ("begin: 2026-03-02T08:00:00Z", "begin: 08:00", 2, "`08:00` is no instant"),
        ("at: 0s", "at: soon", 4, "`soon` is not a duration"),
        ("scenario: A", "workflow: letters\nscenario: A", 1, "the pack has no workflow `letters`; there is `parcels`"),
    ],
)
def test_a_fault_in_the_file_is_told_with_its_line_and_what_would_be_right(
    pack: Path, old: str, new: str, line: int, message: str
) -> None:
    assert any(at == line and message in text for at, text in faults(pack, LOST.replace(old, new, 1)))


def test_nothing_arrives_before_it_happens(pack: Path) -> None:
    text = LOST.replace("at: 0s, type", "at: 10m, arrives: 9m, type")
    assert (4, "is before `at`: nothing arrives before it happens") in faults(pack, text)


def test_a_pack_of_several_workflows_wants_to_know_which(pack: Path) -> None:
    second = WORKFLOW.replace("parcels", "letters")
    (pack / "workflow.yaml").write_text(f"{WORKFLOW}---\n{second}")
    assert "doesn't say which `workflow`" in faults(pack, LOST)[0][1]
    assert faults(pack, f"workflow: letters\n{LOST}") == []


def test_an_empty_file_is_no_scenario(pack: Path) -> None:
    (pack / "scenarios" / "one.yaml").write_text("# nothing yet\n")
    with pytest.raises(PackError, match="is empty; it must hold a scenario"):
        read_scenarios(pack / "scenarios" / "one.yaml")


def test_expectations_are_matched_with_findings_however_they_are_written(pack: Path) -> None:
    text = """\
scenario: Two parcels are lost, one of them is named
events:
  - {at: 0s, type: parcel.sent, key: P1}
  - {at: 0s, type: parcel.sent, key: P2}
expect:
  - {at: 1h, findings: [{kind: missing}, {kind: missing, key: P1}]}
"""
    assert faults(pack, text) == []


def test_a_group_that_the_workflow_does_not_have_is_told(pack: Path) -> None:
    text = LOST.replace("key: P1}\n", "key: P1, groups: {market: EU}}\n", 1)
    assert (4, "`parcels` has no group `market`") in faults(pack, text)


def test_how_much_too_early_can_be_expected(pack: Path) -> None:
    (pack / "workflow.yaml").write_text(WORKFLOW.replace("within: 1h", "within: 1h, not_before: 1m"))
    text = """\
scenario: A parcel that comes after a second is early by the rest of the minute
events:
  - {at: 0s, type: parcel.sent, key: P1}
  - {at: 1s, type: parcel.received, key: P1}
expect:
  - {at: 1h, findings: [{kind: early, delta: -59s}]}
"""
    assert faults(pack, text) == []
    assert "delta: -59s}" in faults(pack, text.replace("-59s", "-58s"))[0][1]


def test_an_event_bears_the_keys_of_the_workflow_and_one_at_least(pack: Path) -> None:
    text = LOST.replace("key: P1}\nexpect", "keys: {carton: C1}}\n  - {at: 1s, type: parcel.sent}\nexpect")
    (pack / "workflow.yaml").write_text(WORKFLOW.replace("key: parcel", "key: [parcel, pallet]"))
    assert faults(pack, text) == [
        (4, "`parcels` has no further key `carton`; there is `pallet`"),
        (5, "bears no key; write `key: …`, the item that it belongs to"),
    ]


KEYS = WORKFLOW.replace("key: parcel", "key: [parcel, pallet]")


@pytest.mark.parametrize(
    ("at", "due", "then"),
    [("30m", "", ""), ("30m1ms", "{kind: missing, rule: daily, deadline: 30m}", "{kind: late, rule: daily}")],
)
def test_a_schedule_waits_for_the_items_own_key_to_which_links_may_lead(
    pack: Path, at: str, due: str, then: str
) -> None:
    schedule = '{id: daily, expect: get, key: P1, by: "09:30"}'
    (pack / "workflow.yaml").write_text(KEYS + f"schedules: [{schedule}]\n")
    text = f"""\
scenario: The pallet arrives
begin: 2026-01-05T09:00:00Z
events:
  - {{at: 0s, type: parcel.sent, key: P1, keys: {{pallet: L1}}}}
  - {{at: {at}, type: parcel.received, keys: {{pallet: L1}}}}
expect:
  - {{at: 30m, findings: [{due}]}}
  - {{at: 31m, findings: [{then}]}}
"""
    assert faults(pack, text) == []


def test_what_links_lead_to_an_item_while_its_source_is_blind_is_in_time(pack: Path) -> None:
    (pack / "workflow.yaml").write_text(KEYS.replace("  get:", "  scan: {on: parcel.scanned}\n  get:"))
    text = """\
scenario: The pallet arrives in time, and which one it is is seen behind the deadline
blind: [{steps: [get], since: 30m, until: 2h}]
events:
  - {at: 0s, type: parcel.sent, key: P1}
  - {at: 50m, type: parcel.received, keys: {pallet: L1}}
  - {at: 90m, type: parcel.scanned, key: P1, keys: {pallet: L1}}
expect:
  - {at: 1d, findings: []}
"""
    assert faults(pack, text) == []


BLIND = LOST.replace("begin:", "blind: [{steps: [get], since: 30m, until: 2h}]\nbegin:", 1)


@pytest.mark.parametrize(("at", "said"), [("1h59m59s999ms", False), ("2h", True), ("2h1ms", True)])
def test_what_a_blind_source_would_have_to_report_is_judged_when_it_can_be_seen_again(
    pack: Path, at: str, said: bool
) -> None:
    found = "{kind: missing, deadline: 1h}" if said else ""
    moments = f"expect:\n  - {{at: 1h, findings: []}}\n  - {{at: {at}, findings: [{found}]}}\n"
    text = BLIND[: BLIND.index("expect:")] + moments
    assert faults(pack, text) == []


def test_two_blind_times_that_overlap_hold_until_both_are_over(pack: Path) -> None:
    both = BLIND.replace("until: 2h}", "until: 2h}, {steps: [get], since: 45m, until: 3h}")
    moments = "expect:\n  - {at: 2h59m, findings: []}\n  - {at: 3h, findings: [{kind: missing}]}\n"
    assert faults(pack, both[: both.index("expect:")] + moments) == []


def test_blindness_names_steps_of_the_workflow_and_lasts_a_while(pack: Path) -> None:
    misspelt = BLIND.replace("steps: [get]", "steps: [got]")
    assert faults(pack, misspelt) == [(2, "`parcels` has no step `got`; did you mean `get`?")]
    backwards = BLIND.replace("until: 2h", "until: 30m")
    assert faults(pack, backwards) == [(2, "is not behind `since`; a source is blind for a while")]


@pytest.mark.parametrize("reported", [True, False])
def test_a_step_that_follows_what_a_blind_source_has_not_reported_yet_is_not_unexpected(
    pack: Path, reported: bool
) -> None:
    (pack / "workflow.yaml").write_text(
        WORKFLOW.replace("  get:", "  book: {on: parcel.booked}\n  get:").replace("send -> get", "send -> book -> get")
        + "unexpected: {policy: flag}\norder: {policy: ignore}\n"
    )
    booked = "- {at: 20m, type: parcel.booked, key: P1, arrives: 45m}" if reported else ""
    text = f"""\
scenario: A parcel arrives while bookings can't be seen
blind: [{{steps: [book], since: 10m, until: 1h}}]
events:
  - {{at: 0s, type: parcel.sent, key: P1}}
  {booked}
  - {{at: 30m, type: parcel.received, key: P1}}
expect:
  - {{at: 59m59s999ms, findings: []}}
  - {{at: 1h, findings: [{"" if reported else "{kind: unexpected, step: get}"}]}}
"""
    assert faults(pack, text) == []
