"""An open item moves to another version: what happened is kept, what follows is judged anew, nothing is said twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.core.build import Follower, event
from udfs.core.codec import decode, encode
from udfs.core.course import Course
from udfs.core.effects import Finding
from udfs.core.migrate import migrate
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.packs.compile import compile_workflow

MINUTE = 60_000
REPLY: dict[str, Any] = {"id": "reply", "after": "send", "expect": "reply", "within": "5m"}


def version(*deadlines: dict[str, Any], **changes: Any) -> Spec:
    """A version of one workflow, with these deadlines."""
    definition = {
        "workflow": "trade",
        "key": "trade_id",
        "groups": ["market"],
        "steps": {
            "send": {"on": "sent", "start": True},
            "reply": {"on": "replied"},
            "settle": {"on": "settled", "end": "completed"},
        },
        "flow": ["send -> reply -> settle"],
        "deadlines": list(deadlines),
    }
    return compile_workflow(definition | changes, version=1, lane="main")


OLD = version(REPLY)


class Mover(Follower):
    """One item that moves between versions."""

    def move(self, to: Spec) -> list[Finding]:
        """Moves now. Returns what was said by that."""
        assert self.item is not None
        self.item, effects = migrate(self.spec, to, self.item, self.watermark)
        self.spec = to
        self._note(effects)
        return [one for one in effects if isinstance(one, Finding)]


def sent(spec: Spec = OLD, until: int = 0) -> Mover:
    """An item that was sent at 0."""
    followed = Mover(spec)
    followed.see(event("sent", 0, groups=(("market", "EU"),))).time(until)
    return followed


def told(found: list[Finding]) -> list[tuple[str, str, int]]:
    return [(f.kind, f.rule, f.deadline) for f in found]


@pytest.mark.parametrize(("now", "said"), [(-1, []), (0, ["missing"]), (1, ["missing"])])
def test_a_longer_deadline_is_missing_when_it_has_come_and_not_before(now: int, said: list[str]) -> None:
    trade = sent(until=3 * MINUTE)
    assert trade.move(version(REPLY | {"within": "15m"})) == []
    assert trade.time(15 * MINUTE + now).kinds() == said


@pytest.mark.parametrize(("now", "said"), [(-1, []), (0, ["missing"]), (1, ["missing"])])
def test_a_shorter_deadline_that_has_come_is_missing_at_the_move_with_its_own_instant(
    now: int, said: list[str]
) -> None:
    trade = sent(until=2 * MINUTE + now)
    found = trade.move(version(REPLY | {"within": "2m"}))
    assert [f.kind for f in found] == said
    assert [f.deadline for f in found] == [2 * MINUTE] * len(said)
    assert trade.time(NEVER - 1).kinds() == ["missing"]


@pytest.mark.parametrize(("at", "said"), [(-1, []), (0, []), (1, ["missing", "late"])])
def test_an_answer_is_held_to_the_deadline_of_the_new_version(at: int, said: list[str]) -> None:
    trade = sent(until=MINUTE)
    trade.move(version(REPLY | {"within": "2m"}))
    trade.see(event("replied", 2 * MINUTE + at)).time(NEVER - 1)
    assert trade.kinds() == said


def test_a_rule_that_means_the_same_goes_on_under_its_identity() -> None:
    stayed, moved = sent(until=6 * MINUTE), sent(until=6 * MINUTE)
    other = version(REPLY, {"id": "settle", "after": "send", "expect": "settle", "within": "1h"})
    assert moved.move(other) == []
    for one in (stayed, moved):
        one.see(event("replied", 7 * MINUTE)).time(8 * MINUTE)
    assert [f.kind for f in moved.said] == ["missing", "late"]
    assert [f.id for f in moved.said] == [f.id for f in stayed.said]


def test_what_was_said_is_not_said_again_at_the_same_instant_and_late_belongs_to_it_by_its_deadline() -> None:
    trade = sent(until=6 * MINUTE)
    louder = version(REPLY | {"severity": "critical"})
    assert trade.move(louder) == []
    trade.see(event("replied", 7 * MINUTE))
    missing, late = trade.said
    assert told([missing, late]) == [("missing", "reply", 5 * MINUTE), ("late", "reply", 5 * MINUTE)]
    assert (missing.rule_hash, late.rule_hash) == (OLD.deadlines[0].hash, louder.deadlines[0].hash)
    assert (missing.severity, late.severity, late.delta) == ("high", "critical", 2 * MINUTE)


def test_a_late_answer_that_was_told_is_not_told_again() -> None:
    trade = sent(until=6 * MINUTE)
    trade.see(event("replied", 7 * MINUTE))
    assert trade.move(version(REPLY | {"severity": "critical"})) == []
    assert trade.time(NEVER - 1).kinds() == ["missing", "late"]


def test_another_instant_is_another_deadline_also_after_the_first_was_missing() -> None:
    trade = sent(until=6 * MINUTE)
    assert trade.move(version(REPLY | {"within": "15m"})) == []
    trade.time(15 * MINUTE)
    assert told(trade.said) == [("missing", "reply", 5 * MINUTE), ("missing", "reply", 15 * MINUTE)]


def test_what_was_due_but_never_looked_at_is_said_by_the_new_version() -> None:
    trade = Mover(OLD).see(event("sent", 0))
    trade.watermark = 6 * MINUTE  # time has come, but nobody has looked yet
    assert told(trade.move(version(REPLY | {"severity": "critical"}))) == [("missing", "reply", 5 * MINUTE)]


def test_a_warning_is_said_once_for_each_instant() -> None:
    warned = version(REPLY | {"warn": "2m"})
    trade = sent(warned, until=3 * MINUTE)
    assert trade.move(version(REPLY | {"warn": "2m", "severity": "low"})) == []
    assert told(trade.move(version(REPLY | {"warn": "150s"}))) == [("at_risk", "reply", 150_000)]


def test_steps_are_matched_by_name_wherever_they_stand() -> None:
    steps = {
        "cancel": {"on": "cancelled", "end": "failed"},
        "reply": {"on": "answered"},
        "send": {"on": "dispatched", "start": True},
    }
    trade = sent().see(event("replied", MINUTE))
    trade.move(version(REPLY, steps=steps, flow=["send -> reply", "send -> cancel"]))
    assert trade.item is not None
    assert [trade.spec.steps[o.step].name for o in trade.item.trace] == ["send", "reply"]
    assert trade.time(NEVER - 1).kinds() == []


def test_a_step_that_is_gone_drops_out_and_what_it_answered_is_open_again() -> None:
    steps = {"send": {"on": "sent", "start": True}, "answer": {"on": "answered"}}
    trade = sent().see(event("replied", MINUTE))
    trade.move(version(REPLY | {"expect": "answer"}, steps=steps, flow=["send -> answer"]))
    assert trade.item is not None
    assert len(trade.item.trace) == 1
    assert told(trade.time(5 * MINUTE).said) == [("missing", "reply", 5 * MINUTE)]


def test_an_item_of_which_the_new_version_knows_nothing_is_no_more() -> None:
    trade = sent()
    trade.move(version(steps={"open": {"on": "opened", "start": True}}, flow=[]))
    assert trade.item is None


def test_an_end_of_the_new_version_ends_the_item() -> None:
    steps = {"send": {"on": "sent", "start": True}, "reply": {"on": "replied", "end": "completed"}}
    trade = sent().see(event("replied", MINUTE))
    trade.move(version(REPLY, steps=steps, flow=["send -> reply"]))
    assert trade.item is not None
    assert trade.item.ended == "completed"
    assert trade.item.expires == 5 * MINUTE + trade.spec.remember


def test_a_misplaced_step_is_not_told_again() -> None:
    trade = sent().see(event("settled", MINUTE), event("replied", 2 * MINUTE)).time(3 * MINUTE)
    assert trade.kinds() == ["out_of_order"]
    assert trade.move(version(REPLY, remember="2h")) == []


def test_groups_that_the_new_version_names_are_kept() -> None:
    trade = sent()
    trade.move(version(REPLY, remember="2h"))
    assert trade.item is not None
    assert trade.item.groups == {"market": (0, "EU")}
    trade.move(version(REPLY, groups=[]))
    assert trade.item.groups == {}


def test_an_override_of_the_new_version_holds_for_an_item_that_has_moved() -> None:
    trade = sent(until=MINUTE)
    trade.move(version(REPLY | {"overrides": [{"when": {"market": "EU"}, "within": "2m"}]}))
    assert told(trade.time(NEVER - 1).said) == [("missing", "reply", 2 * MINUTE)]


def test_an_item_that_has_moved_is_stored_and_read_again() -> None:
    trade = sent(until=6 * MINUTE)
    trade.move(version(REPLY | {"within": "15m"}))
    assert trade.item is not None
    trade.item = decode(encode(trade.item))
    assert trade.item.spec == trade.spec.hash
    assert told(trade.time(15 * MINUTE).said)[1:] == [("missing", "reply", 15 * MINUTE)]


HOUR = 60 * MINUTE


def test_events_that_wait_for_the_keys_next_run_wait_under_the_new_version() -> None:
    short = version(REPLY, remember="1h")
    trade = sent(short).see(event("settled", MINUTE), event("sent", 3 * HOUR, id="next"))
    assert trade.item is not None
    assert trade.item.held
    trade.move(version(REPLY | {"within": "15m"}, remember="1h"))
    assert told(trade.time(NEVER - 1).said) == [("missing", "reply", 3 * HOUR + 15 * MINUTE)]


def test_the_keys_next_run_is_all_that_is_left_where_the_new_version_knows_its_steps_only() -> None:
    short = version(REPLY, remember="1h")
    trade = sent(short).see(event("settled", MINUTE), event("replied", 3 * HOUR), event("sent", 3 * HOUR, id="n"))
    steps = {"reply": {"on": "replied", "start": True}}
    trade.move(version(steps=steps, flow=[]))
    assert trade.item is not None
    trade.time(2 * HOUR)
    assert trade.item is not None
    assert [(o.step, o.time) for o in trade.item.trace] == [(0, 3 * HOUR)]


def test_what_answered_a_deadline_may_have_left_a_long_trace_and_it_is_not_judged_again() -> None:
    trade = sent().see(event("replied", MINUTE))
    for n in range(300):
        trade.time(2 * MINUTE + n).see(event("sent", 2 * MINUTE + n + 1, id=f"again {n}"))
    assert trade.item is not None
    assert trade.item.trimmed
    trade.move(version(REPLY | {"severity": "critical"}))
    assert trade.time(20 * MINUTE).kinds() == []


def looping(steps: str, **changes: Any) -> Spec:
    """Rounds of a, one of b, c and e, and d, until z; the steps are declared in this order."""
    declared = {name: {"on": name, "start": name == "a"} for name in steps}
    declared["z"] = {"on": "z", "end": "completed"}
    return version(steps=declared, flow=["a -> (b | c | e) -> d -> a", "d -> z"], **changes)


def counting(count: int, **changes: Any) -> Spec:
    """A batch that waits for so many files."""
    steps = {
        "open": {"on": "opened", "start": True},
        "files": {"on": "file", "children": {"key": "data.file", "count": count}},
    }
    rule = {"id": "load", "after": "open", "expect": "files", "within": "1s"}
    return version(rule, steps=steps, flow=["open -> files"], **changes)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [(3, 2, []), (3, 1, []), (2, 2, []), (2, 3, [("missing", "2 of 3")]), (3, 3, [("missing", "2 of 3")])],
)
def test_children_are_counted_anew_at_the_move_without_waiting_for_the_next(
    before: int, after: int, said: list[tuple[str, str]]
) -> None:
    loading = Mover(counting(before)).see(event("opened", 0))
    loading.see(*[event("file", at, data={"data": {"file": at}}) for at in (10, 20)]).time(30)
    assert loading.move(counting(after, remember="2h")) == []
    assert [(f.kind, f.occurrence) for f in loading.time(MINUTE).said] == said
    assert loading.item is not None
    done = [o.time for o in loading.item.trace if loading.spec.steps[o.step] is loading.spec.steps[1]]
    assert done == ([] if said else [10 * after])


def test_an_empty_batch_stays_complete_and_a_step_that_no_longer_counts_keeps_what_came() -> None:
    def announcing(**files: Any) -> Spec:
        steps = {"open": {"on": "opened", "start": True}, "files": {"on": "file", **files}}
        rule = {"id": "load", "after": "open", "expect": "files", "within": "1s"}
        return version(rule, steps=steps, flow=["open -> files"], remember="2h")

    counted = {"children": {"key": "data.file", "count": "data.files", "from": "open"}}
    empty = Mover(announcing(**counted)).see(event("opened", 0, data={"data": {"files": 0}}))
    unknown = Mover(announcing(**counted)).see(event("opened", 0), event("file", 10, data={"data": {"file": "a"}}))
    louder = announcing(**counted, optional=True)
    for one, said in ((empty, []), (unknown, ["missing"])):
        one.time(20).move(louder)
        assert one.time(MINUTE).kinds() == said
    complete = Mover(counting(1)).see(event("opened", 0), event("file", 10, data={"data": {"file": "a"}}))
    complete.time(20).move(announcing())
    assert complete.time(MINUTE).kinds() == []


def test_an_item_that_moves_to_a_version_which_tells_no_standstill_counts_none() -> None:
    pacing = {"stalled": {"times": 2, "usual": {"send": "1m"}}}
    trade = sent(version(REPLY, **pacing), until=3 * MINUTE)
    assert trade.kinds() == ["stalled"]
    assert trade.move(version(REPLY, **pacing, remember="2h")) == [], "it is told once"
    assert trade.item is not None
    assert trade.item.pace is not None
    trade.move(version(REPLY))
    assert trade.item.pace is None


def test_of_a_flow_steps_maxima_and_the_end_are_known_by_their_new_places() -> None:
    course = Course(7, 3)
    course.seen, course.chosen, course.excused, course.last = 0b111, 0b010, 0b001, 0b100
    course.counts, course.end, course.ended, course.found, course.told = {0: 5, 1: 2}, 2, 6, [1], 1
    assert course.moved([1, -1, 0]).stored() == (7, 3, 0b011, 0, 0b010, 0b001, 0, 6, {1: 5}, [1], 1)


def test_what_is_not_certain_yet_of_a_long_trace_is_judged_by_the_version_that_it_moves_to() -> None:
    loop = Mover(looping("abcde", unexpected={"policy": "ignore"}))
    for second, step in enumerate("acd" * 100 + "a"):
        loop.see(event(step, 1000 * second)).time(1000 * second)
    loop.see(event("b", 301_000), event("c", 302_000))
    assert loop.move(looping("abcde")) == []
    assert [(f.kind, f.step) for f in loop.time(10 * MINUTE).said] == [("unexpected", "c")]


@pytest.mark.parametrize("policy", ["alert", "ignore"])
@pytest.mark.parametrize("steps", ["abcde", "edcba"])
def test_the_flow_of_a_very_long_trace_goes_on_from_where_it_had_come(steps: str, policy: str) -> None:
    loop = Mover(looping(steps, unexpected={"policy": policy}))
    for second, step in enumerate("abd" + "aed" + "acd" * 150):
        loop.see(event(step, 1000 * second)).time(1000 * second)
    assert loop.item is not None
    assert loop.item.trimmed
    assert loop.move(looping("abcde", remember="2h")) == []
    loop.see(event("a", 500_000), event("b", 501_000), event("c", 502_000)).time(10 * MINUTE)
    assert [(f.kind, f.step, f.because) for f in loop.said] == [("unexpected", "c", "d")]


def test_a_deadline_with_other_overrides_is_another_deadline() -> None:
    override = {"when": {"market": "EU"}, "severity": "critical"}
    trade = sent(version(REPLY | {"overrides": [override]}), until=6 * MINUTE)
    for changed in (override | {"when": {"market": "US"}}, override | {"severity": "low"}):
        assert trade.move(version(REPLY | {"overrides": [changed]})) == [], "its instant is the same"
    assert trade.move(version(REPLY)) == []
    assert told(trade.see(event("replied", 7 * MINUTE)).said)[1:] == [("late", "reply", 5 * MINUTE)]


def test_a_deadline_that_is_gone_leaves_the_others_as_they_are() -> None:
    warn = REPLY | {"id": "other"}
    followed = sent(version(warn, REPLY)).time(MINUTE)
    assert followed.move(version(REPLY)) == []
    assert told(followed.time(5 * MINUTE).said) == [("missing", "reply", 5 * MINUTE)]


def test_a_deadline_with_several_forms_that_stay_goes_on() -> None:
    forms = [{"when": {"market": "EU"}, "within": "2m"}, {"when": {"market": "US"}, "within": "3m"}]
    rule = REPLY | {"overrides": forms}
    followed = sent(version(rule), until=2 * MINUTE)
    assert followed.move(version(REPLY | {"id": "more"}, rule)) == []
    assert told(followed.said) == [("missing", "reply", 2 * MINUTE)]


def test_children_that_came_are_known_to_the_new_version_by_the_name_of_their_step() -> None:
    def batch(*before: str) -> Spec:
        steps: dict[str, Any] = {name: {"on": name} for name in before}
        steps["open"] = {"on": "opened", "start": True}
        steps["files"] = {"on": "file", "children": {"key": "data.file", "count": "data.files", "from": "open"}}
        rule = {"id": "load", "after": "open", "expect": "files", "within": "1s"}
        return version(rule, steps=steps, flow=["open -> files"])

    followed = Mover(batch()).see(event("opened", 0, data={"data": {"files": 2}}))
    followed.see(event("file", 10, data={"data": {"file": "a"}})).time(20)
    assert followed.move(batch("early")) == []
    assert followed.see(event("file", 30, data={"data": {"file": "b"}})).time(10 * MINUTE).said == []
