"""Random schedules, random streams: what is found depends on the set of arrivals and nothing else."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.udfs.core.build import workflow
from udfs.core import schedule as machine
from udfs.core.calendar import Calendar
from udfs.core.effects import EARLY, LATE, MISSING, Finding
from udfs.core.plan import Every, Schedule
from udfs.core.schedulestate import Arrival, Watch, decode, encode
from udfs.core.state import NEVER
from udfs.core.zone import UTC as ALWAYS
from udfs.packs.cron import compile_cron

SPEC = workflow("A")
LATENESS = 6


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    span = draw(st.integers(2, 30))
    least = draw(st.integers(0, 3))
    return Schedule(
        *("beat", "h", 0, frozenset({"K"}), Every(span)),
        grace=draw(st.integers(0, span - 1)),
        not_before=draw(st.one_of(st.none(), st.integers(0, span - 1))),
        until=draw(st.one_of(st.none(), st.integers(span, 60))),
        least=least,
        most=draw(st.one_of(st.none(), st.integers(max(1, least), 4))),
    )


arrivals = st.lists(
    st.builds(lambda time, id: Arrival(time, "s", str(id), time), st.integers(0, 120), st.integers(0, 9)), max_size=14
)


def run(rule: Schedule, stream: list[Arrival], ticks: random.Random, cut: bool = False) -> dict[str, Finding]:
    """All that was last said under each identity."""
    said: dict[str, Finding] = {}
    watch = Watch(SPEC.hash, rule.hash, "K")
    machine.arm(rule, watch, 0)
    watermark, highest = -NEVER, -NEVER
    for one in stream:
        if ticks.random() < 0.5:
            watermark = max(watermark, highest - LATENESS - 1)
            if machine.next_deadline(rule, watch) <= watermark:
                said |= {e.id: e for e in machine.on_time(SPEC, rule, watch, watermark) if isinstance(e, Finding)}
        effects = machine.on_event(SPEC, rule, watch, Arrival(*fields(one)), watermark)
        said |= {e.id: e for e in effects if isinstance(e, Finding)}
        highest = max(highest, one.time)
        if cut:
            watch = decode(encode(watch))
    for end in (120, NEVER):
        said |= {e.id: e for e in machine.on_time(SPEC, rule, watch, end) if isinstance(e, Finding)}
    assert watch.next is None, "after the end, nothing is waited for"
    return said


def fields(one: Arrival) -> tuple[int, str, str, int]:
    return one.time, one.source, one.id, one.received


def delayed(stream: list[Arrival], rng: random.Random) -> list[Arrival]:
    return [one for _, one in sorted([(a.time + rng.uniform(0, LATENESS), a) for a in stream], key=lambda d: d[0])]


def of_one_time(stream: list[Arrival]) -> list[Arrival]:
    """Copies of an event carry its time, as they do in life."""
    times: dict[str, int] = {}
    return [Arrival(times.setdefault(one.id, one.time), "s", one.id, 0) for one in stream]


@settings(max_examples=examples(800), deadline=None)
@given(schedules(), arrivals, st.integers(0, 2**32))
def test_disorder_within_the_allowed_lateness_and_when_time_moves_change_nothing(
    rule: Schedule, stream: list[Arrival], seed: int
) -> None:
    stream = of_one_time(stream)
    in_order = sorted(stream, key=lambda one: one.time)
    found = run(rule, delayed(stream, random.Random(seed)), random.Random(seed))
    assert found == run(rule, in_order, random.Random(seed + 1))


@settings(max_examples=examples(400), deadline=None)
@given(schedules(), arrivals, st.integers(0, 2**32))
def test_encoding_and_decoding_at_every_event_changes_nothing(rule: Schedule, stream: list[Arrival], seed: int) -> None:
    assert run(rule, stream, random.Random(seed), cut=True) == run(rule, stream, random.Random(seed))


@settings(max_examples=examples(400), deadline=None)
@given(schedules(), arrivals, st.integers(0, 2**32))
def test_copies_change_nothing(rule: Schedule, stream: list[Arrival], seed: int) -> None:
    once = list({one.id: one for one in reversed(of_one_time(stream))}.values())
    once.sort(key=lambda one: one.time)
    twice = sorted(once * 2, key=lambda one: one.time)
    assert run(rule, twice, random.Random(seed)) == run(rule, once, random.Random(seed))


@settings(max_examples=examples(400), deadline=None)
@given(schedules(), arrivals, st.integers(0, 2**32))
def test_an_occurrence_is_met_or_missing_and_late_only_where_missing(
    rule: Schedule, stream: list[Arrival], seed: int
) -> None:
    found = run(rule, sorted(stream, key=lambda one: one.time), random.Random(seed)).values()
    missing = {one.occurrence for one in found if one.kind == MISSING}
    late = {one.occurrence: one for one in found if one.kind == LATE}
    assert late.keys() <= missing
    assert all(one.delta is not None and one.delta > rule.grace for one in late.values())
    answers = [one.event_id for one in found if one.kind in (LATE, EARLY)]
    assert len(answers) == len({*answers}), "one arrival answers one occurrence"


fields_of_cron = st.tuples(
    st.sampled_from(["0", "30", "*/20", "5,50", "10-12"]),
    st.sampled_from(["*", "0", "8-18/4", "23", "*/7"]),
    st.sampled_from(["*", "1", "31", "L", "*/10", "13,29"]),
    st.sampled_from(["*", "2", "jan-mar", "*/5"]),
    st.sampled_from(["*", "mon-fri", "0", "7", "sun", "2,4"]),
).filter(lambda parts: parts[2:4] != ("31", "2"))


@settings(max_examples=examples(150), deadline=None)
@given(fields_of_cron, st.integers(0, 40 * 365 * 24 * 60))
def test_a_cron_expression_is_due_when_cronsim_says(parts: tuple[str, ...], minute: int) -> None:
    expression = " ".join(parts)
    plan = compile_cron(expression, ALWAYS, Calendar())
    peer = CronSim(expression, datetime.fromtimestamp(minute * 60, UTC))
    instant = minute * 60_000
    for _ in range(5):
        due = plan.after(instant)
        assert due is not None
        assert due.at == next(peer).timestamp() * 1000
        instant = due.at
