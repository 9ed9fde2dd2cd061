"""Verdicts on the flow: what no path of it allows, and what is left to the order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.udfs.core.build import Follower, event
from udfs.core.codec import decode, encode
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow

LONG = 10**8


def flow(
    *chains: str,
    starts: str = "a",
    ends: str = "z",
    optional: str = "",
    most: dict[str, int] | None = None,
    **more: Any,
) -> Spec:
    """A workflow of one-letter steps, one for each letter in the chains and in `more`'s `steps`."""
    letters = sorted({letter for letter in "".join(chains) if letter.isalpha()} | {*starts} | {*(most or {})})
    steps = {
        name: {"on": name, "start": name in starts}
        | ({"end": "completed"} if name in ends else {})
        | ({"optional": True} if name in optional else {})
        | ({"max": most[name]} if most and name in most else {})
        for name in letters
    }
    definition = {"workflow": "w", "key": "k", "steps": steps, "flow": [*chains], **more}
    return compile_workflow(definition, version=1, lane="main")


def played(spec: Spec, story: str) -> Follower:
    """One event for each letter, a second apart."""
    follower = Follower(spec)
    for second, step in enumerate(story, 1):
        follower.see(event(step, 1000 * second)).time(1000 * second)
    return follower.time(LONG)


def found(spec: Spec, story: str) -> list[tuple[str, str, str]]:
    return [(f.kind, f.step, f.because) for f in played(spec, story).said]


CHOICE = flow("a -> (b | c)", "b -> d -> z", "c -> e -> z")


@pytest.mark.parametrize("story", ["abdz", "acez", "a", "ab", "abbdz"])
def test_either_alternative_is_allowed(story: str) -> None:
    assert found(CHOICE, story) == []


def test_an_alternative_behind_its_sibling_is_unexpected_and_what_could_have_come_is_named() -> None:
    assert found(CHOICE, "abc") == [("unexpected", "c", "d")]
    assert found(CHOICE, "acb") == [("unexpected", "b", "e")]


def test_what_only_the_other_alternative_leads_to_is_unexpected_too() -> None:
    assert found(CHOICE, "abe") == [("unexpected", "e", "d")]


def test_an_item_that_changes_over_is_told_once() -> None:
    assert found(CHOICE, "abcez") == [("unexpected", "c", "d")]


def test_several_chains_are_free_to_be_taken_both() -> None:
    free = flow("a -> b -> z", "a -> c -> z", unexpected={"policy": "flag"})
    assert found(free, "abcz") == found(free, "acbz") == found(free, "acz") == []


@pytest.mark.parametrize(("wait", "kinds"), [(1999, []), (2000, ["unexpected"]), (2001, ["unexpected"])])
def test_it_is_said_when_no_earlier_event_can_come_any_more(wait: int, kinds: list[str]) -> None:
    follower = Follower(CHOICE).see(event("a", 1), event("b", 1000), event("c", 2000)).time(wait)
    assert follower.kinds() == kinds


def test_which_alternative_came_first_is_decided_by_event_time() -> None:
    follower = Follower(CHOICE).see(event("a", 1), event("c", 2000), event("b", 1000)).time(LONG)
    assert [(f.step, f.at) for f in follower.said] == [("c", 2000)]


LOOP = flow("a -> r -> (y | n)", "n -> f -> r", "y -> z", most={"r": 3})


def test_a_loop_leads_back_to_the_choice() -> None:
    assert found(LOOP, "arnfryz") == []
    assert found(LOOP, "aryn") == [("unexpected", "n", "z")]
    assert found(LOOP, "arny") == [("unexpected", "y", "f")]


@pytest.mark.parametrize(("rounds", "said"), [(2, []), (3, []), (4, [("unexpected", "r", "y, n")])])
def test_a_step_happens_at_most_as_often_as_its_maximum(rounds: int, said: list[Any]) -> None:
    once = flow("a -> r -> z", "r -> y -> r", "r -> n -> r", most={"r": 3})
    assert [one[:2] for one in found(once, "a" + "ry" * rounds)] == [one[:2] for one in said]


def test_a_maximum_holds_for_a_step_outside_the_flow() -> None:
    noted = flow("a -> z", most={"n": 1})
    assert found(noted, "annz") == [("unexpected", "n", "z")]


JOIN = flow("a -> (b & c) -> d -> z")


@pytest.mark.parametrize("story", ["abcdz", "acbdz", "ab", "abc"])
def test_parallel_steps_happen_in_any_order(story: str) -> None:
    assert found(JOIN, story) == []


def test_a_join_without_one_of_its_parts_is_unexpected_and_is_told_once() -> None:
    assert found(JOIN, "abdz") == [("unexpected", "d", "c")]
    assert found(JOIN, "adz") == [("unexpected", "d", "b, c")]


def test_a_part_that_comes_behind_its_join_was_told_at_the_join() -> None:
    assert found(JOIN, "abdc") == found(JOIN, "abdzc") == [("unexpected", "d", "c")]


@pytest.mark.parametrize(("at", "kinds"), [(2001, []), (2002, []), (2003, ["unexpected"])])
def test_a_part_that_comes_within_the_tolerance_is_put_right_silently(at: int, kinds: list[str]) -> None:
    tolerant = flow("a -> (b & c) -> d -> z", order={"tolerance": "2ms"})
    follower = Follower(tolerant).see(event("a", 1), event("b", 2), event("d", 2000), event("c", at))
    assert follower.time(2001).kinds() == []
    assert follower.time(LONG).kinds() == kinds


def test_an_optional_part_need_not_happen() -> None:
    assert found(flow("a -> (b & c) -> d -> z", optional="c"), "abdz") == []


def test_a_join_may_be_reached_another_way() -> None:
    either = flow("a -> (b & c) -> d -> z", "a -> x -> d")
    assert found(either, "axdz") == []
    assert found(either, "abdz") == [("unexpected", "d", "c, x")]


def test_in_each_round_of_a_loop_a_join_wants_its_parts_again() -> None:
    again = flow("a -> b -> (c & d) -> e -> z", "e -> b", most={"b": 3})
    assert found(again, "abcdebdcez") == []
    assert found(again, "abcdebcez") == [("unexpected", "e", "d")]


SKIP = flow("a -> b -> c -> z", optional="c")


@pytest.mark.parametrize("story", ["abcz", "abz", "ab"])
def test_an_optional_step_may_be_left_out(story: str) -> None:
    assert found(SKIP, story) == []


def test_an_end_that_is_reached_without_a_step_that_must_happen_names_it() -> None:
    assert found(SKIP, "acz") == [("unexpected", "z", "b")]
    assert found(SKIP, "az") == [("unexpected", "z", "b")]


def test_a_step_left_out_and_done_later_is_told_once() -> None:
    assert found(SKIP, "aczb") == [("unexpected", "z", "b")]
    assert found(SKIP, "acbz") == [("out_of_order", "b", "c")]


def test_an_optional_step_out_of_its_order_is_out_of_order() -> None:
    assert found(SKIP, "abzc") == [("out_of_order", "c", "z")]


ENDS = flow("a -> b -> z", "a -> x", ends="zx", unexpected={"policy": "alert", "severity": "high"})


def test_behind_an_end_only_what_it_leads_to_is_expected() -> None:
    assert found(ENDS, "abx") == []
    assert found(ENDS, "axb") == [("unexpected", "b", "")]
    assert found(ENDS, "abzx") == [("unexpected", "x", "")]
    (said,) = played(ENDS, "axb").said
    assert (said.rule, said.severity, said.event_id, said.at, said.deadline) == (
        *("unexpected", "high"),
        *("b@3000", 3000, 3000),
    )


def test_a_step_that_the_flow_puts_before_the_end_is_a_matter_of_order() -> None:
    assert found(ENDS, "azb") == [("unexpected", "z", "b, x")]
    assert found(ENDS, "bza") == [("out_of_order", "a", "b")]


def test_what_comes_within_the_tolerance_behind_an_end_came_with_it() -> None:
    tolerant = flow("a -> b -> z", "a -> x", ends="zx", unexpected={"policy": "flag"}, order={"tolerance": "1s"})
    assert found(tolerant, "axb") == []


def test_a_start_behind_the_end_begins_a_new_round() -> None:
    rounds = flow("a -> (b | c) -> z", most={"b": 1}, order={"policy": "ignore"})
    assert found(rounds, "abzacz") == found(rounds, "abzabz") == []
    assert found(rounds, "abzabb")[0][:2] == ("unexpected", "b")


def test_alternative_starts_exclude_each_other() -> None:
    two = flow("(u | m) -> x -> z", starts="um")
    assert found(two, "uxz") == found(two, "mxz") == []
    assert found(two, "um") == [("unexpected", "m", "x")]


def test_plain_chains_are_not_judged_unless_asked_for() -> None:
    assert flow("a -> b -> z").flow is None
    assert found(flow("a -> b -> z", "a -> x", ends="zx"), "axb") == []
    assert flow("a -> (b | c)", unexpected={"policy": "ignore"}).flow is None


def test_a_flow_that_nothing_begins_allows_all() -> None:
    assert found(flow("a -> b -> a", starts="", most={"a": 9}), "bab") == []


def test_an_event_reported_behind_time_is_judged_by_what_is_known_then() -> None:
    follower = Follower(CHOICE).see(event("a", 1), event("b", 2000)).time(2500).see(event("c", 1000))
    assert [(f.step, f.at) for f in follower.said] == [("c", 1000)]
    back = Follower(ENDS).see(event("a", 1), event("b", 2), event("z", 2000)).time(2500).see(event("x", 1000))
    assert back.kinds() == []


def test_a_start_reported_from_before_the_end_begins_no_round() -> None:
    spec = flow("a -> b -> z", most={"b": 1})
    follower = Follower(spec).see(event("a", 1), event("b", 2), event("z", 2000)).time(2500).see(event("a", 1000))
    assert follower.item is not None
    assert follower.item.course is not None
    assert follower.item.course.counts == {1: 1}
    assert follower.see(event("z", 900, id="z2")).item.course.ended == 2000  # type: ignore[union-attr]


def test_what_was_told_as_out_of_order_is_not_unexpected_as_well() -> None:
    spec = flow("a -> (b | c) -> z", order={"tolerance": "1s"})
    follower = Follower(spec).see(event("b", 1000), event("z", 1900)).time(1950).see(event("c", 1900))
    assert follower.kinds() == ["out_of_order"]
    assert follower.time(LONG).kinds() == ["out_of_order"]


def test_what_else_is_out_of_order_is_told_beside_the_unexpected() -> None:
    two = flow("a -> (b | c)", "a -> p -> q")
    assert found(two, "abcqp") == [("unexpected", "c", "p"), ("out_of_order", "p", "q")]


def test_so_many_unexpected_steps_stay_bounded_in_state() -> None:
    spec = flow("a -> b -> z", most={"b": 1}, expire_after="1d")
    follower = Follower(spec)
    for n in range(1, 600):
        follower.see(event("b", n)).time(n)
    assert follower.item is not None
    assert follower.item.course is not None
    assert (len(follower.item.course.found), follower.item.course.told) == (256, 598)


def test_an_item_that_was_on_its_way_before_anybody_looked_is_not_asked_for_its_beginning() -> None:
    assert found(SKIP, "cz") == found(JOIN, "bdz") == []


def test_the_course_comes_back_from_state() -> None:
    follower = Follower(LOOP)
    for second, step in enumerate("arnfrn", 1):
        follower.see(event(step, 1000 * second)).time(1000 * second)
    item = follower.item
    assert item is not None
    assert item.course is not None
    back = decode(encode(item)).course
    assert back is not None
    assert back.stored() == item.course.stored()
