"""The demo's traffic is drawn from its seed, and a second run goes on where the first one stopped.

Whether its truth is what the core finds: tests/packs/test_traffic_of_packs.py.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import pytest

from jobs.traffic.day import DAY_MINUTES, MINUTE_MS, rate
from jobs.traffic.item import Emission, Truth
from jobs.traffic.play import plan
from jobs.traffic.stream import Run, Stream, happenings
from jobs.traffic.trade_lifecycle import BUSINESS, MARKETS

ORIGIN = 1_780_000_000_000
HOUR = 60 * MINUTE_MS


def things(stream: Stream, until: int) -> list[Emission | Truth]:
    return list(stream.until(until))


def test_one_seed_gives_one_day_and_another_seed_another() -> None:
    first, again, other = (
        things(Stream(BUSINESS, [Run("a", seed, ORIGIN)], ORIGIN), ORIGIN + 2 * HOUR) for seed in (1, 1, 2)
    )  # fmt: skip
    assert first == again
    assert first != other


def test_it_does_not_matter_in_how_many_steps_the_stream_is_asked() -> None:
    rng = random.Random(3)
    once, stepwise = (Stream(BUSINESS, [Run("a", 5, ORIGIN)], ORIGIN) for _ in range(2))
    end = ORIGIN + 3 * HOUR
    pieces: list[Emission | Truth] = []
    while stepwise.clock < end:
        pieces += stepwise.until(min(end, stepwise.clock + rng.randint(1, 20 * MINUTE_MS)))
    assert pieces == things(once, end)


def test_markets_are_busiest_at_the_open_and_quiet_at_night() -> None:
    for market in MARKETS:
        opening = int(market.opens * 60)
        midday = opening + int(market.hours * 30)
        night = (opening + int(market.hours * 60) + 120) % DAY_MINUTES
        assert rate(market, opening) > 1.5 * rate(market, midday) > 1.5 * rate(market, night)


def test_a_second_run_finishes_the_open_trades_and_begins_its_own(tmp_path: Path) -> None:
    options = argparse.Namespace(hours=None, seed=9, run=None)
    first = plan(BUSINESS, tmp_path / "run.json", None, ORIGIN, options)
    stopped = ORIGIN - 5 * HOUR
    before = things(first, stopped)
    second = plan(BUSINESS, tmp_path / "run.json", stopped, ORIGIN, options)
    after = things(second, ORIGIN)
    old, new = first.runs[-1], second.runs[-1]
    assert old.name != new.name
    assert min(thing.at for thing in after) > stopped
    of_the_old = [t for t in after if isinstance(t, Emission) and f"-{old.name}-" in t.key]
    unbroken = {
        thing.value
        for minute in range((stopped - 3 * HOUR) // MINUTE_MS, stopped // MINUTE_MS + 1)
        for thing in happenings(BUSINESS, Run(old.name, 9, old.since, until=stopped), minute)
        if isinstance(thing, Emission) and thing.key and stopped < thing.at <= ORIGIN
    }
    assert of_the_old
    assert {e.value for e in of_the_old} == unbroken
    assert not {e.value for e in of_the_old} & {t.value for t in before if isinstance(t, Emission)}


def test_a_third_run_still_finishes_the_trades_that_the_first_one_left_open(tmp_path: Path) -> None:
    options = argparse.Namespace(hours=None, seed=9, run=None)
    memory = tmp_path / "run.json"
    first = plan(BUSINESS, memory, None, ORIGIN, options).runs[-1]
    second = plan(BUSINESS, memory, ORIGIN, ORIGIN + MINUTE_MS, options).runs[-1]
    third = plan(BUSINESS, memory, ORIGIN + 2 * MINUTE_MS, ORIGIN + 3 * MINUTE_MS, options)
    assert [run.name for run in third.runs[:-1]] == [first.name, second.name]
    ended = Run(first.name, 9, first.since, until=ORIGIN)
    open_still = [
        t
        for t in things(Stream(BUSINESS, [ended], ORIGIN + 2 * MINUTE_MS), ORIGIN + 4 * HOUR)
        if isinstance(t, Emission)
    ]
    sent = {t.value for t in things(third, ORIGIN + 4 * HOUR) if isinstance(t, Emission)}
    assert open_still
    assert {one.value for one in open_still} <= sent
    assert [run.name for run in plan(BUSINESS, memory, ORIGIN + 9 * HOUR, ORIGIN + 9 * HOUR, options).runs[:-1]] == [
        third.runs[-1].name
    ]


@pytest.mark.parametrize("hours_away", [1, 30, 24 * 20])
def test_time_never_goes_back_however_long_nobody_played(tmp_path: Path, hours_away: int) -> None:
    options = argparse.Namespace(hours=None, seed=9, run=None)
    clock = ORIGIN - hours_away * HOUR
    plan(BUSINESS, tmp_path / "run.json", None, clock, options)
    stream = plan(BUSINESS, tmp_path / "run.json", clock, ORIGIN, options)
    assert stream.runs[-1].since == max(clock + 1, ORIGIN - 24 * HOUR)
    assert all(thing.at > clock for thing in stream.until(ORIGIN))
