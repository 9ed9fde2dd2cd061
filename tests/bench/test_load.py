"""The load generator sends what its plan says, and measured times are summed up as they are."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from api.stack.kafka import KafkaBroker
from jobs.ticks import tick_of
from tests.bench import latency
from tests.bench.load import plan
from tests.bench.load.plan import STEPS, Plan
from tests.bench.spread import curve, quantile, spread
from tests.kafka_help import create_topic, records

WHOLE_SECOND = 1_750_000_000_000
STRANDED = Plan("run", WHOLE_SECOND, 100, 2_000, width=40, copy_every=7, mark_every=10, strand_every=9)


@pytest.mark.real
def test_what_the_generator_sends_is_what_the_plan_says(broker: KafkaBroker) -> None:
    topic = create_topic(broker.bootstrap, "bench-load", partitions=2)
    told = plan.report(plan.start(STRANDED, broker.bootstrap, topic, paced=False))
    found = [record for partition in records(broker.bootstrap, topic).values() for record in partition]
    events = [json.loads(record.value) for record in found if tick_of(record.headers) is None]
    assert told["written"] == len(events)
    ids = Counter(event["id"] for event in events)
    assert {name for name, count in ids.items() if count == 2} == set(STRANDED.copied())
    assert set(ids.values()) == {1, 2}
    steps = Counter(event["data"]["trade_id"] for event in {event["id"]: event for event in events}.values())
    whole = STRANDED._event(STRANDED.sends) // (STRANDED.width * STEPS) * STRANDED.width
    alone = {f"T-run-{number}" for number in range(whole) if steps[f"T-run-{number}"] == 1}
    assert alone == {key for key in STRANDED.stranded(2**62) if int(key.rpartition("-")[2]) < whole}
    assert all(steps[f"T-run-{number}"] in (1, STEPS) for number in range(whole))
    assert {STRANDED.send_of(event["id"]) % 10 for event in events if event["source"] == "/marked"} == {0}


@pytest.mark.real
def test_each_partition_is_ticked_after_all_of_a_second_and_before_the_next(broker: KafkaBroker) -> None:
    topic = create_topic(broker.bootstrap, "bench-ticks", partitions=2)
    plan.report(plan.start(STRANDED, broker.bootstrap, topic, paced=False))
    for partition in records(broker.bootstrap, topic).values():
        clock, ticks = WHOLE_SECOND, []
        for record in partition:
            if (tick := tick_of(record.headers)) is None:
                event = json.loads(record.value)
                first = STRANDED.due_ms(STRANDED.send_of(event["id"]))
                assert clock <= first + 10, "a copy may come one send, 10 ms, after the tick"
                assert first < clock + 1000
            else:
                ticks.append(tick)
                clock = int(tick)
        assert ticks == [WHOLE_SECOND + 1000 * second for second in range(1, 21)]
        assert ticks[-1] == STRANDED.end_ms


def test_a_trade_is_stranded_only_once_its_two_minutes_are_over() -> None:
    lone = Plan("run", 0, 10, 100, width=100, strand_every=50)
    assert list(lone.stranded(124_899)) == []
    assert list(lone.stranded(124_900)) == ["T-run-49"]
    assert list(lone.stranded(129_900)) == ["T-run-49", "T-run-99"]


def test_a_plan_without_faults_has_none() -> None:
    clean = Plan("run", 0, 10, 1_000, width=10)
    assert list(clean.stranded(2**62)) == []
    assert list(clean.copied()) == []


def test_a_quantile_is_a_time_that_was_measured() -> None:
    assert [quantile([1, 2, 3, 4], share) for share in (0.25, 0.26, 0.5, 0.99, 1.0)] == [1, 2, 2, 4, 4]
    assert spread([30, 10, 20]).p50 == 20
    assert spread([30, 10, 20]).max == 30
    assert spread([]).count == 0


def test_a_curve_ends_where_all_is_done() -> None:
    points = curve(list(range(1, 1001)), points=10)
    assert points[0] == (100, 0.1)
    assert points[-1] == (1000, 1.0)


@pytest.mark.parametrize(
    ("value", "late", "met"), [(300, 999, True), (301, 0, False), (350, 50, None), (351, 50, False)]
)
def test_a_late_generator_excuses_no_more_than_it_was_late(value: float, late: float, met: bool | None) -> None:
    assert latency.met(value, 300, late) is met
