"""From a definition to the spec: masks, tables, spans, and hashes that say whether two rules are the same."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.core.codec import decode, encode
from udfs.core.spec import BEGINNING, Correlation, Deadline, Spec
from udfs.core.state import Item
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

GOLDEN = ("411cceefacaac152", ["bc19f7c014c7c0f5", "7c5f2ac68dc406e1"])
"""What Daymark made of `definition()` before there were tiers, overrides and floors."""


def definition(**more: Any) -> dict[str, Any]:
    return {
        "workflow": "trades",
        "key": "trade_id",
        "steps": {
            "send": {"on": "trade.sent", "start": True, "where": {"data.target": "S3", "data['a.b']": [1, None]}},
            "resend": {"on": "trade.sent"},
            "reply": {"on": "trade.replied"},
            "settle": {"on": "trade.settled", "end": "completed"},
        },
        "flow": ["send -> reply -> settle", "reply -> resend -> reply"],
        "deadlines": [
            {"id": "reply", "after": "send", "expect": "reply", "within": "5m", "warn": "80%", "runbook": "r.md"},
            {"id": "settle", "after": "reply", "expect": "settle", "within": "1h30m", "keep_after_end": True},
        ],
        **more,
    }


def compiled(**more: Any) -> Spec:
    return compile_workflow(definition(**more), version=3, lane="main")


def with_deadline(**more: Any) -> dict[str, Any]:
    rules = definition()["deadlines"]
    return {"deadlines": [{**rules[0], **more}, rules[1]]}


def test_steps_know_what_the_flow_puts_before_and_after_them() -> None:
    send, _, _, settle = compiled().steps
    assert (send.before, send.after) == (0b0000, 0b1110)
    assert (settle.before, settle.after) == (0b0111, 0b0000)


def test_steps_on_a_common_loop_have_no_order() -> None:
    _, resend, reply, _ = compiled().steps
    assert (resend.before, resend.after) == (0b0001, 0b1000)
    assert (reply.before, reply.after) == (0b0001, 0b1000)


def test_a_branch_gives_no_order_between_its_arms() -> None:
    steps = {name: {"on": name} for name in ("a", "left", "right", "z")}
    flow = ["a -> left -> z", "a -> right -> z"]
    _, left, right, _ = compiled(steps=steps, flow=flow, deadlines=[]).steps
    assert (left.before, left.after) == (0b0001, 0b1000)
    assert (right.before, right.after) == (0b0001, 0b1000)


def many_steps(number: int) -> dict[str, Any]:
    names = [f"s{n}" for n in range(number)]
    steps = {name: {"on": f"e.{name}", "start": name == "s0"} for name in names}
    return definition(steps=steps, flow=[" -> ".join(names)], deadlines=[])


def test_a_workflow_has_at_most_64_steps_since_state_keeps_them_in_one_word() -> None:
    spec = compiled(**many_steps(64))
    assert spec.steps[63].before == 2**63 - 1
    item = Item(spec.hash, "K")
    item.seen = 2**64 - 1
    assert decode(encode(item)).seen == item.seen
    with pytest.raises(PackError, match="65 steps; a workflow has at most 64"):
        compiled(**many_steps(65))


def test_conditions_become_paths_with_their_accepted_values() -> None:
    assert compiled().steps[0].where == ((("data", "target"), ("S3",)), (("data", "a.b"), (1, None)))


def test_events_find_their_steps_in_the_order_of_declaration() -> None:
    assert [step.name for step in compiled().by_type["trade.sent"]] == ["send", "resend"]


def test_deadlines_stand_at_the_steps_that_start_and_settle_them() -> None:
    spec = compiled()
    assert [[one.id for one in rules] for rules in spec.starts] == [["reply"], [], ["settle"], []]
    assert [[one.id for one in rules] for rules in spec.expects] == [[], [], ["reply"], ["settle"]]
    assert [one.called_off_by for one in spec.deadlines] == [0b1000, 0]


def test_spans_are_milliseconds() -> None:
    reply, settle = compiled().deadlines
    assert (reply.within, reply.warn, settle.within, settle.warn) == (300_000, 240_000, 5_400_000, None)
    assert (compiled().remember, compiled().expire_after) == (86_400_000, 30 * 86_400_000)


def test_a_workflow_with_one_key_has_no_correlation() -> None:
    assert (compiled().key, compiled().correlation) == ("trade_id", None)


def test_of_several_keys_the_first_is_the_items_own_and_links_are_known_as_long_as_items() -> None:
    keys = ("trade_id", "order_id")
    spec = compiled(key=list(keys))
    assert (spec.key, spec.correlation) == ("trade_id", Correlation(keys, 3_600_000, 30 * 86_400_000))
    spec = compiled(key=list(keys), correlate={"hold": "2m", "remember": "3d"})
    assert spec.correlation == Correlation(keys, 120_000, 3 * 86_400_000)


def test_keys_and_their_spans_are_part_of_the_meaning() -> None:
    one, two = compiled(key=["trade_id", "a"]), compiled(key=["trade_id", "b"])
    held = compiled(key=["trade_id", "a"], correlate={"hold": "2h"})
    said = compiled(key=["trade_id", "a"], correlate={"hold": "1h"})
    assert len({compiled().hash, one.hash, two.hash, held.hash}) == 4
    assert said.hash == one.hash


def test_lane_and_version_come_from_outside() -> None:
    assert (compiled().lane, compiled().version) == ("main", 3)


@pytest.mark.parametrize(
    "same",
    [
        {"version": 9},
        {"description": "in other words"},
        {"owner": "somebody else"},
        {"order": {"policy": "flag"}},
        {"remember": "24h"},
        {"flow": ["reply -> resend -> reply", "reply -> settle", "send -> reply"]},
        {"flow": "send -> reply -> settle\nreply -> resend -> reply"},
        with_deadline(runbook="elsewhere.md"),
        with_deadline(within="300s", warn="4m"),
        with_deadline(severity="high"),
    ],
)
def test_what_means_the_same_has_the_same_hash(same: dict[str, Any]) -> None:
    assert compiled(**same).hash == compiled().hash
    assert [one.hash for one in compiled(**same).deadlines] == [one.hash for one in compiled().deadlines]


@pytest.mark.parametrize(
    "other",
    [
        {"key": "order_id"},
        {"groups": ["market"]},
        {"flow": ["send -> reply"]},
        {"order": {"policy": "alert"}},
        {"order": {"tolerance": "2s"}},
        {"duplicates": {"policy": "drop"}},
        {"expire_after": "31d"},
        {"steps": dict(reversed(definition()["steps"].items()))},
        with_deadline(within="6m"),
        with_deadline(severity="low"),
    ],
)
def test_what_means_something_else_has_another_hash(other: dict[str, Any]) -> None:
    assert compiled(**other).hash != compiled().hash


def test_a_deadline_keeps_its_hash_when_another_one_changes() -> None:
    before, after = compiled(), compiled(**with_deadline(within="6m"))
    assert before.deadlines[0].hash != after.deadlines[0].hash
    assert before.deadlines[1].hash == after.deadlines[1].hash


def test_a_deadline_changes_its_hash_with_the_step_that_it_waits_for() -> None:
    steps = {**definition()["steps"], "reply": {"on": "trade.answered"}}
    assert compiled(steps=steps).deadlines[0].hash != compiled().deadlines[0].hash


def test_hashes_are_16_hex_digits() -> None:
    spec = compiled()
    assert all(len(text) == 16 and int(text, 16) >= 0 for text in (spec.hash, *(one.hash for one in spec.deadlines)))


def test_a_faulty_rule_document_is_refused_with_all_its_faults() -> None:
    with pytest.raises(PackError) as caught:
        compiled(flow="send -> repyl", owner=5)
    assert [str(problem) for problem in caught.value.problems] == [
        'rule document: error: owner: must be a text, not the number `5`; put it in quotes: `owner: "5"`',
        "rule document: error: flow[0]: step `repyl` is not defined; did you mean `reply`?",
    ]


@pytest.mark.parametrize(
    "nonsense", [None, [], 5, "workflow", {"steps": 1, "flow": 2, "deadlines": {}, "groups": [[]]}]
)
def test_nonsense_is_refused_and_nothing_else_happens(nonsense: Any) -> None:
    with pytest.raises(PackError):
        compile_workflow(nonsense, version=1, lane="main")


def test_a_workflow_that_uses_no_newer_word_keeps_the_hashes_that_older_items_know() -> None:
    spec = compiled()
    assert (spec.hash, [one.hash for one in spec.deadlines]) == GOLDEN


def test_how_a_version_is_put_in_force_is_no_part_of_its_meaning() -> None:
    plain, put = compiled(), compiled(enabled=False, migrate="in_flight")
    assert (plain.enabled, plain.migrates, put.enabled, put.migrates) == (True, False, False, True)
    assert put.hash == plain.hash


def test_further_tiers_come_behind_all_deadlines_with_span_severity_and_identity_of_their_own() -> None:
    tiers = [
        {"within": "300%", "severity": "critical"},
        {"within": "1h", "severity": "critical", "runbook": "worse.md"},
    ]
    spec = compiled(**with_deadline(tiers=tiers))
    assert [(one.index, one.id, one.tier, one.within) for one in spec.deadlines] == [
        (0, "reply", 0, 300_000),
        (1, "settle", 0, 5_400_000),
        (2, "reply", 1, 900_000),
        (3, "reply", 2, 3_600_000),
    ]
    first, _, second, third = spec.deadlines
    assert (second.severity, second.warn, second.runbook, third.runbook) == ("critical", None, "r.md", "worse.md")
    assert len({first.hash, second.hash, third.hash}) == 3
    assert first.hash == compiled().deadlines[0].hash
    assert spec.hash != compiled().hash


def test_an_override_changes_what_it_names_and_shares_follow_it() -> None:
    override = {"when": {"market": ["APAC", "EU"]}, "within": "15m", "severity": "low"}
    tiers = [{"within": "200%", "severity": "critical"}]
    spec = compiled(groups=["market"], **with_deadline(overrides=[override], tiers=tiers))
    first, _, second = spec.deadlines
    ((when, other),) = first.variants
    assert when == (("market", ("APAC", "EU")),)
    assert (other.within, other.warn, other.severity, other.index, other.id) == (900_000, 720_000, "low", 0, "reply")
    assert (first.within, first.warn, first.severity) == (300_000, 240_000, "high")
    ((_, other),) = second.variants
    assert (second.within, other.within, other.severity) == (600_000, 1_800_000, "critical")
    assert spec.varies
    assert not compiled().varies


def test_an_override_names_groups_as_a_mapping_reads_them() -> None:
    override = {"when": {"vip": [True, 7]}, "within": "15m"}
    ((when, _),) = compiled(groups=["vip"], **with_deadline(overrides=[override])).deadlines[0].variants
    assert when == (("vip", ("true", "7")),)


LOCAL = {"id": "eod", "expect": "settle", "by": "18:00", "zone": "Europe/London", "calendar": "desk"}
DESK = {"desk": {"weekend": ["sat", "sun"], "closed": ["2026-12-25"]}}
AT_TEN = 1_767_607_200_000
"""2026-01-05, a Monday, 10:00 in London."""


def local(calendars: dict[str, Any] = DESK, **more: Any) -> Deadline:
    (rule,) = compiled(deadlines=[LOCAL | more], calendars=calendars).deadlines
    return rule


def test_a_deadline_by_a_local_time_goes_by_its_zone_and_calendar() -> None:
    rule = local()
    assert rule.by is not None
    assert (rule.after, rule.within, rule.by.due(AT_TEN) - AT_TEN) == (BEGINNING, 0, 8 * 3_600_000)
    assert compiled(deadlines=[LOCAL], calendars=DESK).begins == (rule,)
    assert not compiled(deadlines=[LOCAL], calendars=DESK).plain


def test_a_zone_is_the_deadlines_own_or_its_calendars_or_the_workflows() -> None:
    plain = {"id": "eod", "expect": "settle", "by": "18:00"}
    zoned = {"desk": {**DESK["desk"], "zone": "Asia/Tokyo"}}

    def hour(deadline: dict[str, Any], **more: Any) -> int:
        by = compiled(deadlines=[deadline], **more).deadlines[0].by
        assert by is not None
        return by.due(AT_TEN) // 3_600_000 % 24

    assert hour(plain) == 18
    assert hour(plain, zone="America/New_York") == 23
    assert hour(plain | {"calendar": "desk"}, zone="America/New_York", calendars=zoned) == 9
    assert hour(plain | {"calendar": "desk", "zone": "UTC"}, zone="America/New_York", calendars=zoned) == 18


def test_groups_and_tiers_have_their_own_local_times() -> None:
    rules = compiled(
        groups=["market"],
        deadlines=[
            {
                **{"id": "eod", "expect": "settle", "by": "18:00", "zone": "UTC"},
                "tiers": [{"by": "20:00", "severity": "critical"}],
                "overrides": [{"when": {"market": "APAC"}, "by": "17:00", "zone": "Asia/Tokyo"}],
            }
        ],
    ).deadlines
    hours = [
        [form.by.due(AT_TEN) // 3_600_000 % 24 for form in (rule, rule.variants[0][1]) if form.by] for rule in rules
    ]
    assert hours == [[18, 8], [20, 11]]


def test_a_span_with_a_calendar_counts_business_time() -> None:
    (rule,) = compiled(deadlines=[definition()["deadlines"][0] | {"calendar": "business_days"}]).deadlines
    assert rule.business is not None
    assert (rule.by, rule.within) == (None, 300_000)
    assert rule.business.add(AT_TEN + 4 * 86_400_000 + 50_400_000, 1) > AT_TEN + 6 * 86_400_000  # Saturday


def test_a_corrected_list_of_holidays_makes_no_other_rule_of_it_but_other_words_do() -> None:
    assert local().hash != local(zone="Europe/Paris").hash
    assert local().hash != local({"desk": {"weekend": ["sat", "sun"]}}).hash
    assert local().hash == local({**DESK, "other": {"weekend": ["fri"]}}).hash
    described = {"desk": {**DESK["desk"], "description": "the traders' desk"}}
    assert compiled(deadlines=[LOCAL], calendars=described).hash == compiled(deadlines=[LOCAL], calendars=DESK).hash


def test_pauses_and_anchors_are_part_of_what_a_workflow_means() -> None:
    held = compiled(pause={"while": ["resend"], "resume": ["reply"]})
    assert (held.pauses, held.resumes, held.plain) == (0b10, 0b100, False)
    assert [step.revises for step in held.steps] == [False, True, True, True]
    assert held.hash != compiled().hash
    last = compiled(deadlines=[definition()["deadlines"][0] | {"anchor": "last"}])
    assert (last.deadlines[0].anchor, last.steps[0].revises, last.plain) == ("last", True, False)
    assert last.deadlines[0].hash != compiled().deadlines[0].hash
