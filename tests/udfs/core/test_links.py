"""One alias: when it leads where, who waits for it, and for how long."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from udfs.core.codec import UnknownFormat
from udfs.core.links import (
    MOST_WAITING,
    Alias,
    Contradiction,
    Forward,
    Outcome,
    Teach,
    Unlinked,
    by_scheme,
    decode,
    encode,
    learn,
    next_look,
    on_time,
    place,
    scheme_of,
)
from udfs.core.spec import Correlation
from udfs.core.state import NEVER

SPEC = Correlation(("order", "execution", "settlement"), hold=100, remember=1000)
EARLY = -NEVER


def waits(alias: Alias, time: int, watermark: int = EARLY) -> list[Outcome]:
    return place(SPEC, alias, time, EARLY, f"e{time}", watermark)


def linked(alias: Alias, time: int, text: str = "O1", key: int = 0, watermark: int = EARLY) -> list[Outcome]:
    return learn(SPEC, alias, key, text, time, watermark)


def test_an_event_behind_its_link_goes_on_at_once() -> None:
    alias = Alias()
    assert linked(alias, 10) == []
    assert waits(alias, 10) == [Forward(0, "O1", 10, "e10")]


def test_an_event_that_arrives_before_an_earlier_link_goes_on_when_that_arrives() -> None:
    alias = Alias()
    assert waits(alias, 10) == []
    assert linked(alias, 9) == [Forward(0, "O1", 9, "e10")]


@pytest.mark.parametrize(("now", "goes_on"), [(18, False), (19, True), (20, True)])
def test_an_event_before_its_link_goes_on_when_no_earlier_link_can_come(now: int, goes_on: bool) -> None:
    alias = Alias()
    assert waits(alias, 10) + linked(alias, 20) == []
    assert next_look(SPEC, alias) == 19
    assert on_time(SPEC, alias, now) == ([Forward(0, "O1", 20, "e10")] if goes_on else [])


def test_what_it_says_of_when_its_place_was_known_is_the_earliest_links_instant() -> None:
    alias = Alias()
    assert waits(alias, 10) + linked(alias, 20) + linked(alias, 15) == []
    assert on_time(SPEC, alias, 14) == [Forward(0, "O1", 15, "e10")]


@pytest.mark.parametrize(("now", "given_up"), [(109, False), (110, True), (111, True)])
def test_an_event_without_a_link_is_given_up_when_the_hold_is_over(now: int, given_up: bool) -> None:
    alias = Alias()
    waits(alias, 10)
    assert next_look(SPEC, alias) == 110
    assert on_time(SPEC, alias, now) == ([Unlinked("e10")] if given_up else [])
    assert alias.is_empty() == given_up


@pytest.mark.parametrize(("link", "in_time"), [(109, True), (110, True), (111, False)])
def test_a_link_exactly_at_the_end_of_the_hold_is_in_time(link: int, in_time: bool) -> None:
    alias = Alias()
    waits(alias, 10)
    linked(alias, link)
    assert on_time(SPEC, alias, 110) == ([Forward(0, "O1", link, "e10")] if in_time else [Unlinked("e10")])


@pytest.mark.parametrize(("time", "known"), [(1009, True), (1010, True), (1011, False)])
def test_a_link_is_known_for_a_while_after_its_last_use(time: int, known: bool) -> None:
    alias = Alias()
    linked(alias, 5)
    waits(alias, 10)
    assert (waits(alias, time) == [Forward(0, "O1", 5, f"e{time}")]) == known


def test_a_link_is_forgotten_when_time_has_passed_its_last_use_by_that_long() -> None:
    alias = Alias()
    linked(alias, 5)
    waits(alias, 10)
    assert next_look(SPEC, alias) == 1010
    assert on_time(SPEC, alias, 1009) == []
    assert not alias.is_empty()
    assert on_time(SPEC, alias, 1010) == []
    assert alias.is_empty()


def test_a_use_that_arrives_late_keeps_the_link_for_an_event_that_came_before_it() -> None:
    alias = Alias()
    linked(alias, 0)
    assert waits(alias, 1500) == []
    assert waits(alias, 900) == [Forward(0, "O1", 0, "e900"), Forward(0, "O1", 0, "e1500")]


def test_a_key_that_comes_again_after_it_was_forgotten_may_lead_elsewhere() -> None:
    alias = Alias()
    linked(alias, 0)
    assert linked(alias, 1001, "O2") == []
    assert waits(alias, 1002) == [Forward(0, "O2", 1001, "e1002")]


def test_of_two_links_to_keys_of_one_name_the_earlier_event_s_holds_and_it_is_said() -> None:
    alias = Alias()
    linked(alias, 10, "O2")
    assert linked(alias, 20, "O1") == [Contradiction(0, "O2")]
    assert linked(alias, 5, "O3") == [Contradiction(0, "O3")]
    assert waits(alias, 30) == [Forward(0, "O3", 5, "e30")]


@pytest.mark.parametrize("first", [0, 1])
def test_an_alias_that_leads_to_two_keys_teaches_the_one_to_lead_to_the_other(first: int) -> None:
    alias = Alias()
    links = [(0, "O1", 10), (1, "E1", 20)]
    (key, text, time), (other, name, at) = links[first], links[1 - first]
    assert linked(alias, time, text, key) == []
    assert linked(alias, at, name, other) == [Teach(1, "E1", 0, "O1", 20)]
    assert waits(alias, 30) == [Forward(0, "O1", 10, "e30")]


def test_what_was_not_known_sooner_on_its_way_stays_so() -> None:
    alias = Alias()
    linked(alias, 5)
    assert place(SPEC, alias, 3, 8, "e", 7) == [Forward(0, "O1", 8, "e")]


def test_an_alias_that_is_none_does_not_grow_for_ever() -> None:
    alias = Alias()
    outcomes = [one for time in range(MOST_WAITING + 2) for one in waits(alias, time)]
    assert outcomes == [Unlinked(f"e{MOST_WAITING}"), Unlinked(f"e{MOST_WAITING + 1}")]
    assert len(alias.waiting) == MOST_WAITING


def test_workflows_with_the_same_keys_share_links_for_the_longest_of_their_spans() -> None:
    keys = ("order", "execution")
    shared = by_scheme([Correlation(keys, 5, 50), Correlation(("order", "x"), 1, 1), Correlation(keys, 9, 20)])
    assert shared == {
        scheme_of(keys): Correlation(keys, 9, 50),
        scheme_of(("order", "x")): Correlation(("order", "x"), 1, 1),
    }


def test_the_stored_form_comes_back_and_a_newer_one_is_refused() -> None:
    alias = Alias()
    assert decode(encode(alias)).is_empty()
    linked(alias, 20)
    waits(alias, 10)
    back = decode(encode(alias))
    assert encode(back) == encode(alias)
    assert on_time(SPEC, back, 19) == [Forward(0, "O1", 20, "e10")]
    with pytest.raises(UnknownFormat, match="newer Daymark"):
        decode(msgspec.msgpack.encode((2, 0)))


def test_the_bytes_of_the_first_format_stay_readable() -> None:
    golden = bytes.fromhex("960100a24f31 0a 14 91930c0aa170")
    alias = decode(golden)
    assert (alias.key, alias.text, alias.since, alias.used) == (0, "O1", 10, 20)
    assert [(one.time, one.known, one.parcel) for one in alias.waiting] == [(12, 10, "p")]
    assert encode(alias) == golden


Happening = tuple[str, int]
LATENESS = 7


def placed(arrivals: Iterable[Happening], ticks: random.Random | None, cut: bool = False) -> dict[str, object]:
    """Where each event went, and since when that was known, as the watermark follows arrivals."""
    alias, watermark, highest = Alias(), EARLY, EARLY
    outcomes: list[Outcome] = []
    for number, (what, time) in enumerate(arrivals):
        highest = max(highest, time)
        if ticks is None or ticks.random() < 0.5:
            now = max(watermark, (highest - LATENESS if ticks else time) - 1)
            if next_look(SPEC, alias) <= now:
                outcomes += on_time(SPEC, alias, now)
            watermark = now
        if what == "event":
            outcomes += place(SPEC, alias, time, EARLY, f"e{time}", watermark)
        else:
            outcomes += linked(alias, time, watermark=watermark)
        if cut:
            alias = decode(encode(alias))
        assert len(alias.waiting) <= number + 1
    while (look := next_look(SPEC, alias)) < NEVER:
        outcomes += on_time(SPEC, alias, look)
    assert alias.is_empty()
    said: dict[str, object] = {}
    for one in outcomes:
        assert not isinstance(one, (Teach, Contradiction))
        time = int(one.parcel[1:])
        said[one.parcel] = max(one.known, time) if isinstance(one, Forward) else None
    return said


happenings = st.lists(
    st.tuples(st.sampled_from(["event", "link"]), st.integers(0, 300)), max_size=12, unique_by=lambda one: one[1]
)


@settings(max_examples=examples(1000), deadline=None)
@given(happenings, st.randoms(use_true_random=False))
def test_the_order_of_arrival_within_the_allowed_lateness_changes_nothing(
    stream: list[Happening], chance: random.Random
) -> None:
    stream.sort(key=lambda one: one[1])
    late = sorted(stream, key=lambda one: one[1] + chance.uniform(0, LATENESS))
    assert placed(late, chance, cut=True) == placed(stream, None)


def test_any_order_of_link_and_events_places_them_alike() -> None:
    stream = [("event", 10), ("link", 12), ("event", 14), ("event", 16)]
    wanted = placed(stream, None)
    assert wanted == {"e10": 12, "e14": 14, "e16": 16}
    for order in itertools.permutations(stream):
        assert placed(order, random.Random(1)) == wanted
