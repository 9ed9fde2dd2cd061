"""The demo's traffic is drawn from its seed, and its truth is exactly what the core finds in it."""

from __future__ import annotations

import argparse
import random
from collections import Counter
from pathlib import Path

import pytest

from jobs.traffic.day import DAY_MINUTES, MARKETS, MINUTE_MS, rate
from jobs.traffic.player import STEP_MS
from jobs.traffic.stream import DEAD_LETTER, Run, Stream, happenings
from jobs.traffic.trade import Emission, Truth
from jobs.traffic.trade_lifecycle import plan
from udfs.core.effects import Effect, Finding
from udfs.core.spec import Spec
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.packs.mapping import POSITION
from udfs.packs.values import Unreadable
from udfs.simulation.drive import Simulation

PACK = Path(__file__).parents[2] / "rules" / "trade_lifecycle"
ORIGIN = 1_780_000_000_000
HOUR = 60 * MINUTE_MS
LATENESS = 2000


def things(stream: Stream, until: int) -> list[Emission | Truth]:
    return list(stream.until(until))


def found_by_the_core(stream: Stream, until: int) -> Counter[tuple[str, str, str]]:
    """Play the stream as the player does, a tick each ten seconds, and count what the core says."""
    pack = load_pack(PACK)
    assert pack.mapping is not None
    (definition,) = pack.workflows
    spec = compile_workflow(definition.data, version=1, lane="demo")
    found: dict[str, tuple[str, str, str]] = {}
    dead: Counter[tuple[str, str, str]] = Counter()

    def emit(spec: Spec, key: str, effect: Effect) -> None:
        if isinstance(effect, Finding):
            found[effect.id] = (effect.kind, effect.rule, key)

    simulation = Simulation([spec], emit)
    while stream.clock < until:
        tick = min(stream.clock + STEP_MS, until)
        for number, thing in enumerate(stream.until(tick)):
            if isinstance(thing, Emission):
                try:
                    record = pack.mapping.parse(thing.value)
                    simulation.event(pack.mapping.event(record, "trade_id", f"{POSITION}-{number}", 0), "trade_id")
                except Unreadable as fault:
                    dead[DEAD_LETTER, fault.reason, ""] += 1
        simulation.advance(tick - LATENESS - 1)
    return Counter(found.values()) + dead


def test_what_the_truth_says_is_exactly_what_the_core_finds_in_a_whole_day() -> None:
    end = ORIGIN + 24 * HOUR
    run = [Run("a", 11, ORIGIN)]
    # A finding at the very end is not yet beyond the watermark.
    truths = [t for t in things(Stream(run, ORIGIN - 1), end) if isinstance(t, Truth)]
    certain = Counter((t.kind, t.rule, t.key) for t in truths if t.at < end - LATENESS - 1)
    possible = Counter((t.kind, t.rule, t.key) for t in truths)
    found = found_by_the_core(Stream(run, ORIGIN - 1), end)
    assert not certain - found, "seeded, and not found"
    assert not found - possible, "found, and not seeded"
    assert {kind for kind, _, _ in possible} == {
        "missing", "late", "reported_late", "at_risk", "duplicate", "out_of_order", DEAD_LETTER,
    }  # fmt: skip


def test_one_seed_gives_one_day_and_another_seed_another() -> None:
    first, again, other = (
        things(Stream([Run("a", seed, ORIGIN)], ORIGIN), ORIGIN + 2 * HOUR) for seed in (1, 1, 2)
    )  # fmt: skip
    assert first == again
    assert first != other


def test_a_day_has_between_thirty_and_sixty_thousand_events_in_order_of_time() -> None:
    emitted = [t for t in things(Stream([Run("a", 5, ORIGIN)], ORIGIN), ORIGIN + 24 * HOUR) if isinstance(t, Emission)]
    assert 30_000 < len(emitted) < 60_000
    assert [e.at for e in emitted] == sorted(e.at for e in emitted)


def test_it_does_not_matter_in_how_many_steps_the_stream_is_asked() -> None:
    rng = random.Random(3)
    once, stepwise = (Stream([Run("a", 5, ORIGIN)], ORIGIN) for _ in range(2))
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
    options = argparse.Namespace(hours=24.0, seed=9, run=None)
    first = plan(tmp_path / "run.json", None, ORIGIN, options)
    stopped = ORIGIN - 5 * HOUR
    before = things(first, stopped)
    second = plan(tmp_path / "run.json", stopped, ORIGIN, options)
    after = things(second, ORIGIN)
    old, new = first.runs[-1], second.runs[-1]
    assert old.name != new.name
    assert min(thing.at for thing in after) > stopped
    of_the_old = [t for t in after if isinstance(t, Emission) and f"-{old.name}-" in t.key]
    unbroken = {
        thing.value
        for minute in range((stopped - 3 * HOUR) // MINUTE_MS, stopped // MINUTE_MS + 1)
        for thing in happenings(Run(old.name, 9, old.since, until=stopped), minute)
        if isinstance(thing, Emission) and thing.key and stopped < thing.at <= ORIGIN
    }
    assert of_the_old
    assert {e.value for e in of_the_old} == unbroken
    assert not {e.value for e in of_the_old} & {t.value for t in before if isinstance(t, Emission)}


def test_a_third_run_still_finishes_the_trades_that_the_first_one_left_open(tmp_path: Path) -> None:
    options = argparse.Namespace(hours=24.0, seed=9, run=None)
    memory = tmp_path / "run.json"
    first = plan(memory, None, ORIGIN, options).runs[-1]
    second = plan(memory, ORIGIN, ORIGIN + MINUTE_MS, options).runs[-1]
    third = plan(memory, ORIGIN + 2 * MINUTE_MS, ORIGIN + 3 * MINUTE_MS, options)
    assert [run.name for run in third.runs[:-1]] == [first.name, second.name]
    ended = Run(first.name, 9, first.since, until=ORIGIN)
    open_still = [
        t for t in things(Stream([ended], ORIGIN + 2 * MINUTE_MS), ORIGIN + 4 * HOUR) if isinstance(t, Emission)
    ]
    sent = {t.value for t in things(third, ORIGIN + 4 * HOUR) if isinstance(t, Emission)}
    assert open_still
    assert {one.value for one in open_still} <= sent
    assert [run.name for run in plan(memory, ORIGIN + 9 * HOUR, ORIGIN + 9 * HOUR, options).runs[:-1]] == [
        third.runs[-1].name
    ]


@pytest.mark.parametrize("hours_away", [1, 30, 24 * 20])
def test_time_never_goes_back_however_long_nobody_played(tmp_path: Path, hours_away: int) -> None:
    options = argparse.Namespace(hours=24.0, seed=9, run=None)
    clock = ORIGIN - hours_away * HOUR
    plan(tmp_path / "run.json", None, clock, options)
    stream = plan(tmp_path / "run.json", clock, ORIGIN, options)
    assert stream.runs[-1].since == max(clock + 1, ORIGIN - 24 * HOUR)
    assert all(thing.at > clock for thing in stream.until(ORIGIN))
