"""The pulse: what a bucket is told when none of its keys has an event."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import engine, record
from udfs.core.state import NEVER
from udfs.operators.batch import PULSE, Frame, encode
from udfs.operators.buckets import bucket_of
from udfs.operators.pulse import Clock, Pulse, read

BUCKETS = Path(__file__).parents[2] / "fixtures" / "buckets.ndjson"


def frame(watermark: int, reader: int = 0, readers: int = 1, bucket: int = 0, buckets: int = 1) -> Frame:
    said = {"readers": readers, "bucket": bucket, "buckets": buckets, "watermark": watermark, "topics": {"t": 77}}
    return Frame(PULSE, 0, reader, 0, 0, orjson.dumps(said))


def pulse(watermark: int, reader: int = 0, readers: int = 1) -> Pulse:
    return read(frame(watermark, reader, readers))


def test_a_pulse_is_read_as_the_contract_has_it() -> None:
    assert read(frame(5, reader=1, readers=2, bucket=3, buckets=4)) == Pulse(1, 2, 3, 4, 5, {"t": 77})


def test_a_pulse_is_no_event_and_no_dead_letter() -> None:
    batch = encode([Frame(0, 0, 0, 0, 0, record("sent", 0)), frame(1_000)])
    alone = encode([Frame(0, 0, 0, 0, 0, record("sent", 0))])
    assert State().bucket(engine()).on_batch(batch, -NEVER) == State().bucket(engine()).on_batch(alone, -NEVER)


def test_a_pulse_that_cannot_be_read_stops_nothing() -> None:
    broken = Frame(PULSE, 0, 0, 0, 0, b"{}")
    assert State().bucket(engine()).on_batch(encode([broken]), -NEVER) == []


def test_time_is_known_when_each_reader_has_said_how_far_it_is() -> None:
    clock = Clock()
    assert clock.hear(pulse(500, reader=0, readers=2), -(1 << 63)) == -NEVER
    assert clock.hear(pulse(300, reader=1, readers=2), -(1 << 63)) == 300
    assert clock.hear(pulse(900, reader=0, readers=2), 400) == 400


def test_flinks_watermark_is_time_though_not_all_readers_were_heard() -> None:
    assert Clock().hear(pulse(500, reader=0, readers=2), 200) == 200


@pytest.mark.parametrize("line", BUCKETS.read_text(encoding="utf-8").splitlines()[::7])
def test_a_key_is_looked_for_in_the_bucket_where_java_puts_it(line: str) -> None:
    one = orjson.loads(line)
    assert bucket_of(str(one["key"]), one["buckets"]) == one["bucket"]
