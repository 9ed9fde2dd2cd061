"""Whose turn it is to send, by what dispatchers say in the log. Pure, with a clock in hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.dispatch.records import Presence
from jobs.dispatch.turn import BEAT_MS, SILENCE_MS, Turn


def turn(*said: Presence, place: str = "here", fresh: bool = True) -> Turn:
    one = Turn("me", place, fresh)
    for word in said:
        one.hear(word, 0)
    return one


BEGINS = Presence("other", "begins", "there")


def test_where_nobody_has_spoken_it_is_everybodys_turn() -> None:
    assert turn().may_begin(0)


@pytest.mark.parametrize(("silent_ms", "may"), [(SILENCE_MS - 1, False), (SILENCE_MS, True), (SILENCE_MS + 1, True)])
def test_who_stands_by_waits_until_the_other_one_has_been_silent_for_long(silent_ms: int, may: bool) -> None:
    assert turn(BEGINS).may_begin(silent_ms) is may
    assert SILENCE_MS >= 3 * BEAT_MS, "a word that is lost is no silence"


def test_each_word_of_the_one_that_sends_begins_the_silence_anew() -> None:
    one = turn(BEGINS)
    one.hear(Presence("other", "lives", "there"), BEAT_MS)
    assert not one.may_begin(SILENCE_MS)
    assert one.may_begin(BEAT_MS + SILENCE_MS)


def test_who_ends_in_order_is_followed_at_once() -> None:
    assert turn(BEGINS, Presence("other", "ends", "there")).may_begin(0)


def test_what_starts_anew_in_one_place_follows_at_once_but_not_what_has_lost_its_turn_there() -> None:
    assert turn(BEGINS, place="there").may_begin(0)
    assert not turn(BEGINS, place="there", fresh=False).may_begin(0)


def test_a_turn_is_lost_to_whoever_begins_later_and_for_good() -> None:
    one = turn(BEGINS, Presence("me", "begins", "here"))
    assert not one.lost
    one.hear(Presence("third", "begins", "there"), 0)
    assert one.lost
    one.hear(Presence("me", "begins", "here"), 0)
    assert one.lost


def test_one_that_does_not_know_yet_that_it_has_lost_keeps_nobody_waiting_and_ends_nothing() -> None:
    one = turn(BEGINS, Presence("third", "begins", "there"))
    one.hear(Presence("other", "lives", "there"), SILENCE_MS - 1)
    assert one.may_begin(SILENCE_MS)
    assert not turn(BEGINS, Presence("third", "begins"), Presence("other", "ends")).may_begin(0)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["begins", "lives", "ends"])), max_size=30))
def test_of_all_who_have_read_the_log_one_has_the_turn_at_most(words: list[tuple[str, str]]) -> None:
    turns = [Turn(run, "here") for run in "abc"]
    for run, what in words:
        for one in turns:
            one.hear(Presence(run, what), 0)  # type: ignore[arg-type]
    begun = [run for run, what in words if what == "begins"]
    having = [one.run for one in turns if one.begun and not one.lost]
    assert having == begun[-1:] or (not having and begun.count(begun[-1]) > 1), "who begins again has a new name"
