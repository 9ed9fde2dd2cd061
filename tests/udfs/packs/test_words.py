"""The small words of the language: durations, paths, chains."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.packs.durations import LONGEST, parse_duration, parse_part, show_duration
from udfs.packs.flow import before_and_after, edges, reach
from udfs.packs.paths import Getter, parse_path
from udfs.packs.problems import show_path, suggest


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("300ms", 300),
        ("2s", 2_000),
        ("5m", 300_000),
        ("4h", 14_400_000),
        ("3d", 259_200_000),
        ("1w", 604_800_000),
        ("1h30m", 5_400_000),
        ("1w 2d 3h 4m 5s 6ms", 604_800_000 + 2 * 86_400_000 + 3 * 3_600_000 + 4 * 60_000 + 5_006),
        ("90m", 5_400_000),
        (0, 0),
    ],
)
def test_durations_are_read_in_milliseconds(text: Any, span: int) -> None:
    assert parse_duration(text) == span


@pytest.mark.parametrize(
    "value", ["", "5", "m", "-5m", "1.5h", "5 minutes", "30m1h", "1h1h", "99999d", 5, -1, True, None, [], 1.5]
)
def test_what_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"write"):
        parse_duration(value)


@given(st.integers(min_value=0, max_value=LONGEST))
def test_a_shown_duration_reads_as_itself(span: int) -> None:
    assert parse_duration(show_duration(span)) == span


def test_a_part_is_a_share_or_a_span() -> None:
    assert (parse_part("80%", 300_000), parse_part("4m", 300_000), parse_part(" 7 %", 1000)) == (240_000, 240_000, 70)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("type", ("type",)),
        ("case:concept:name", ("case:concept:name",)),
        ("(case)_Amount", ("(case)_Amount",)),
        ("a field with blanks", ("a field with blanks",)),
        ("data.trade_id", ("data", "trade_id")),
        ("$.data.trade_id", ("data", "trade_id")),
        ("$['case:concept:name']", ("case:concept:name",)),
        ("['case:concept:name']", ("case:concept:name",)),
        ("data['a.b'].c", ("data", "a.b", "c")),
        ('data["it\'s"]', ("data", "it's")),
        ("legs[0].id", ("legs", 0, "id")),
        ("a[0][12]", ("a", 0, 12)),
    ],
)
def test_paths_are_read(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize(
    "text", ["", " ", "a..b", ".a", "a.", "a[", "a[x]", "a[-1]", "a['x]", "[0]", "$", "$.", "a[0]b", "a.[0]", 5, None]
)
def test_what_is_no_path_is_refused_or_is_a_plain_name(text: Any) -> None:
    if text == "$":
        assert parse_path(text) == ("$",)
        return
    with pytest.raises(ValueError, match="path"):
        parse_path(text)


RECORD = {"a": "text", "b": {"c": 1, "d": {"e": [5, {"f": "deep"}]}}, "l": [1], "n": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a", "text"),
        ("b.c", 1),
        ("b.d.e[1].f", "deep"),
        ("b.d.e[0]", 5),
        ("l[0]", 1),
        ("x", None),
        ("x.y", None),
        ("a.b", None),
        ("a[0]", None),
        ("n.x", None),
        ("l.x", None),
        ("l[7]", None),
        ("b.c.d.e", None),
        ("b[0]", None),
    ],
)
def test_a_path_gives_the_value_or_nothing(path: str, value: Any) -> None:
    assert Getter(parse_path(path)).get(RECORD) == value


def test_edges_are_neighbours_in_any_chain_each_once() -> None:
    assert edges(["b -> c", "a->b -> c", "d"]) == [("a", "b"), ("b", "c")]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_reach_and_order_agree_with_walking_the_graph(pairs: list[tuple[int, int]]) -> None:
    def walk(start: int) -> set[int]:
        seen: set[int] = set()
        todo = [start]
        while todo:
            here = todo.pop()
            fresh = {target for source, target in pairs if source == here} - seen
            seen |= fresh
            todo += fresh
        return seen

    walked = [walk(step) for step in range(8)]
    assert [{n for n in range(8) if mask >> n & 1} for mask in reach(8, pairs)] == walked
    for step, (before, after) in enumerate(before_and_after(8, pairs)):
        strictly_after = {n for n in walked[step] if step not in walked[n]}
        strictly_before = {n for n in range(8) if step in walked[n] and n not in walked[step]}
        assert {n for n in range(8) if after >> n & 1} == strictly_after
        assert {n for n in range(8) if before >> n & 1} == strictly_before


def test_a_suggestion_is_the_nearest_word_or_the_list_of_all() -> None:
    assert suggest("repyl", ["send", "reply"]) == "; did you mean `reply`?"
    assert suggest("REPLY", ["send", "Reply"]) == "; did you mean `Reply`?"
    assert suggest("xyz", ["send", "reply"]) == "; there is `send`, `reply`"
    assert suggest("xyz", []) == ""


def test_a_shown_path_quotes_odd_names() -> None:
    assert show_path(("steps", "Request Payment", "on")) == "steps['Request Payment'].on"
    assert show_path(("deadlines", 0, "keep_after_end")) == "deadlines[0].keep_after_end"
