"""Which alerts a matcher is about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.alerting.matchers import all_fit, labels_of
from udfs.packs.alertmatch import parse_matcher, parse_matchers, write_label

LABELS = {"workflow": "trade_lifecycle", "severity": "high", "book": "FX-1", "note": 'a "b", c'}


@pytest.mark.parametrize(
    "text",
    [
        "workflow = trade_lifecycle",
        "workflow=trade_lifecycle",
        'workflow="trade_lifecycle"',
        "workflow != invoice_intake",
        "severity in [critical, high]",
        "severity in critical,high",
        "severity not in [low, medium]",
        "book =~ FX-.",
        "book !~ FX",
        "book =~ IR.*|FX.*",
        r'note = "a \"b\", c"',
        r'note in ["a \"b\", c", other]',
        "desk = ",
        "desk != FX",
        "desk !~ .+",
    ],
)
def test_a_matcher_fits(text: str) -> None:
    assert parse_matcher(text).fits(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "workflow = trade",
        "severity not in [high]",
        "book =~ FX",
        "book !~ FX.*",
        "desk = FX",
        "desk =~ .+",
        "book =~ fx.*",
    ],
)
def test_a_matcher_does_not_fit(text: str) -> None:
    assert not parse_matcher(text).fits(LABELS)


def test_all_of_several_matchers_must_fit() -> None:
    assert all_fit(parse_matchers(["severity = high", "book =~ FX.*"]), LABELS)
    assert not all_fit(parse_matchers(["severity = high", "book = IR"]), LABELS)
    assert all_fit((), LABELS)


@pytest.mark.parametrize(
    ("text", "label", "value"),
    [
        ('"cost centre" = 17', "cost centre", "17"),
        ('"cost centre"="1 7"', "cost centre", "1 7"),
        ('"cost centre" in [17, 18]', "cost centre", "18"),
        ("Kostenträger = X", "Kostenträger", "X"),
        ("部門 =~ FX.*", "部門", "FX-1"),
        ('"🙂" != a', "🙂", "b"),
        ('"a = b" not in [c]', "a = b", "d"),
        (r'"say \"x\"" = y', 'say "x"', "y"),
        ('"1st" = a', "1st", "a"),
        ('"workflow" = w', "workflow", "w"),
    ],
)
def test_a_label_of_any_name_can_be_quoted(text: str, label: str, value: str) -> None:
    matcher = parse_matcher(text)
    assert matcher.label == label
    assert matcher.fits({label: value})


@given(st.text(min_size=1))
def test_a_label_that_is_written_is_read_as_it_was(label: str) -> None:
    assert parse_matcher(f"{write_label(label)} = x").label == label


@pytest.mark.parametrize("text", ["cost centre = 17", '"" = a', '"a = b', "1st = a", '"a\\q" = b'])
def test_a_label_that_is_no_word_needs_its_quotes(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        parse_matcher(text)


@pytest.mark.parametrize(
    "text", ["workflow", "= a", "severity in []", 'a = "b\\q"', "a =~ (", "a =~ (a+)+", "a =~ (a|aa)+", r"a =~ (a)\1"]
)
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="`"):
        parse_matcher(text)


def test_a_pattern_may_have_three_parts_of_any_length_on_each_way_through_it() -> None:
    assert parse_matcher("key =~ .*-.*-.*|[a-z]+_[0-9]+_[a-z]+").fits({"key": "a-b-c"})
    with pytest.raises(ValueError, match="more than 3 parts of any length"):
        parse_matcher("key =~ a|.*-.*(-.*|b)-.*")


def test_a_pattern_may_repeat_what_is_fixed() -> None:
    assert parse_matcher("key =~ ([A-Z]{3})+-[0-9]+").fits({"key": "ABCDEF-17"})


def test_the_labels_of_a_finding_are_its_own_words_and_its_groups() -> None:
    row = {
        "lane": "main",
        "workflow": "w",
        "rule": "r",
        "kind": "missing",
        "severity": "high",
        "key": "K",
        "step": None,
    }
    labels = labels_of(row | {"groups": {"book": "FX", "lane": "fast", "n": 1}, "version": 3})
    assert labels == {
        "lane": "main",
        "workflow": "w",
        "rule": "r",
        "kind": "missing",
        "severity": "high",
        "key": "K",
        "step": "",
        "book": "FX",
        "n": "1",
    }


@pytest.mark.parametrize("row", [{}, {"groups": None}, {"groups": ["a"]}])
def test_a_row_without_groups_has_the_labels_that_all_have(row: dict[str, object]) -> None:
    assert set(labels_of(row).values()) == {""}
