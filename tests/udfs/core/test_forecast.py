"""The chance that what has not happened yet misses its deadline: bounds, monotony, and values worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.core.forecast import chance, earliest, outlasts

SPREAD = (50, 75, 90, 95, 99)
"""Uniform from 0 to 99, nearly."""

quantiles = st.lists(st.integers(0, 10_000), min_size=5, max_size=5).map(sorted).map(tuple)
spans = st.integers(0, 100_000)


@pytest.mark.parametrize(
    ("span", "left"), [(0, 1.0), (25, 0.75), (50, 0.5), (60, 0.4), (95, 0.05), (97, 0.03), (99, 0.01), (103, 0.002)]
)
def test_between_quantiles_it_is_uniform_and_behind_the_last_it_decays(span: int, left: float) -> None:
    assert outlasts(SPREAD, span) == pytest.approx(left)


def test_the_chance_grows_while_nothing_happens() -> None:
    assert chance(SPREAD, 0, 90) == pytest.approx(0.1)
    assert chance(SPREAD, 50, 90) == pytest.approx(0.2)
    assert chance(SPREAD, 80, 90) == pytest.approx(0.5)
    assert chance(SPREAD, 90, 90) == 1.0


@pytest.mark.parametrize(("threshold", "after"), [(0.0, 0), (0.1, 0), (0.2, 50), (0.5, 80), (1.0, 90)])
def test_the_earliest_instant_is_where_the_chance_first_reaches_the_threshold(threshold: float, after: int) -> None:
    assert abs(earliest(SPREAD, 90, threshold) - after) <= 1


def test_what_always_takes_equally_long_is_certain_as_soon_as_it_has_not_come() -> None:
    always = (100,) * 5
    assert chance(always, 0, 200) < 1e-9
    assert chance(always, 0, 50) == pytest.approx(0.75)
    assert outlasts((0,) * 5, 0) == pytest.approx(0.01)


@given(quantiles, spans, spans, spans)
def test_it_is_a_chance_and_never_falls_while_nothing_happens(
    seen: tuple[int, ...], one: int, other: int, within: int
) -> None:
    sooner, later = sorted((one, other))
    assert 0.0 <= chance(seen, sooner, within) <= chance(seen, later, within) + 1e-9 <= 1.0 + 1e-9


@given(quantiles, spans, spans, spans)
def test_more_time_to_the_deadline_is_never_a_greater_chance_to_miss_it(
    seen: tuple[int, ...], elapsed: int, one: int, other: int
) -> None:
    shorter, longer = sorted((one, other))
    assert chance(seen, elapsed, longer) <= chance(seen, elapsed, shorter) + 1e-9


@given(quantiles, st.integers(1, 100_000), st.integers(1, 100))
def test_at_the_earliest_instant_the_threshold_is_reached_and_just_before_it_is_not(
    seen: tuple[int, ...], within: int, percent: int
) -> None:
    after = earliest(seen, within, percent / 100)
    assert 0 <= after <= within
    assert chance(seen, after, within) >= percent / 100
    assert after == 0 or chance(seen, after - 1, within) < percent / 100
