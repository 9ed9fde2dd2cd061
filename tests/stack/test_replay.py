"""A log goes out in the order of its event times, with ticks that never say too much, and ends with the end of time."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

import pytest
from kafka import KafkaProducer
from kafka.future import Future

from api.stack.kafka import KafkaBroker
from jobs.replay import Sender, prepare, speed
from jobs.ticks import END, tick_of
from tests.cli.test_commands import PACK, event
from tests.kafka_help import create_topic, records
from udfs.packs.load import load_mapping
from udfs.simulation.logs import read_log


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines))
    return file


def run(broker: KafkaBroker, log: Path, topic: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jobs.replay", str(log), "--mapping", str(PACK), "--topic", topic]
    return subprocess.run([*command, "--bootstrap", broker.bootstrap, *options], capture_output=True, text=True)


def minutes(*numbers: int) -> list[str]:
    return [event(f"T-{n}", "ingested", f"2026-03-02T10:{n:02}:00Z") for n in numbers]


def ids_of(found: list[Any]) -> list[str]:
    return [json.loads(record.value)["id"] for record in found if tick_of(record.headers) is None]


def test_what_can_not_be_read_keeps_its_place_in_the_log(tmp_path: Path) -> None:
    log = write(tmp_path / "log.ndjson", *minutes(5), "no json", '{"data": {}}', *minutes(6))
    items = list(prepare(read_log(log), [load_mapping(PACK)]))
    assert [item.readable for item in items] == [True, False, False, True]
    assert items[0].time == items[1].time == items[2].time < items[3].time
    assert items[1].value == b"no json"
    assert [item.key for item in items] == [b"T-5", None, None, b"T-6"]


@pytest.mark.parametrize(("text", "value"), [("1000x", 1000.0), ("2.5", 2.5), ("max", float("inf"))])
def test_a_speed_is_a_factor_or_max(text: str, value: float) -> None:
    assert speed(text) == value


@pytest.mark.parametrize("text", ["0x", "-3", "fast", "nan", "inf", ""])
def test_anything_else_is_no_speed(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="give a factor such as 1000x, or max"):
        speed(text)


def test_the_pace_begins_with_the_first_record_that_has_a_time(tmp_path: Path) -> None:
    """The header before it has none; its place in time would be 1970."""
    log = write(tmp_path / "log.ndjson", "a header", *minutes(1, 2))
    sent: list[bytes] = []

    class Producer:
        def send(self, topic: str, value: bytes, **_: object) -> Future:
            sent.append(value)
            return Future()

        def partitions_for(self, topic: str) -> set[int]:
            return set()

    sender = Sender(cast(KafkaProducer, Producer()), "t", 600.0)
    began = time.monotonic()
    for item in sorted(prepare(read_log(log), [load_mapping(PACK)]), key=lambda item: item.time):
        sender.send(item)
    assert len(sent) == 3
    assert 0.1 <= time.monotonic() - began < 10


@pytest.mark.real
def test_records_go_out_by_event_time_and_every_partition_hears_the_end(broker: KafkaBroker, tmp_path: Path) -> None:
    topic = create_topic(broker.bootstrap, "replay-order", partitions=3)
    log = write(tmp_path / "log.ndjson", *minutes(7, 3, 9, 1, 3), "no json")
    done = run(broker, log, topic)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["records"], summary["unreadable"]) == (6, 1)
    assert summary["last_ms"] - summary["first_ms"] == 8 * 60_000
    for found in records(broker.bootstrap, topic).values():
        ticks = [tick for record in found if (tick := tick_of(record.headers)) is not None]
        assert ticks[-1] == END
        assert tick_of(found[-1].headers) == END
        assert max(tick for tick in ticks if isinstance(tick, int)) == summary["last_ms"]


@pytest.mark.real
@pytest.mark.parametrize(("options", "expected"), [((), [1, 3, 7]), (("--keep-order",), [7, 1, 3])])
def test_the_logs_own_order_is_kept_only_when_asked(
    broker: KafkaBroker, tmp_path: Path, options: tuple[str, ...], expected: list[int]
) -> None:
    topic = create_topic(broker.bootstrap, f"replay-keep-{len(options)}")
    assert run(broker, write(tmp_path / "log.ndjson", *minutes(7, 1, 3)), topic, *options).returncode == 0
    assert ids_of(records(broker.bootstrap, topic)[0]) == [f"T-{n}-ingested" for n in expected]


@pytest.mark.real
def test_a_tick_never_runs_ahead_of_what_was_sent(broker: KafkaBroker, tmp_path: Path) -> None:
    """Slowly enough for ticks in between: one minute of the log takes half a second."""
    topic = create_topic(broker.bootstrap, "replay-ticks")
    began = time.monotonic()
    assert run(broker, write(tmp_path / "log.ndjson", *minutes(1, 2, 3)), topic, "--speed", "120x").returncode == 0
    assert time.monotonic() - began > 1.0
    sent = 0
    between = 0
    for record in records(broker.bootstrap, topic)[0]:
        tick = tick_of(record.headers)
        if tick is None:
            sent = max(sent, int(json.loads(record.value)["id"].split("-")[1]))
        elif isinstance(tick, int):
            assert tick // 60_000 % 60 <= sent
            between += sent < 3
    assert between >= 2


@pytest.mark.real
def test_a_mapping_with_faults_is_said_in_full(broker: KafkaBroker, tmp_path: Path) -> None:
    mapping = write(tmp_path / "mapping.yaml", "source: x", "keys: {}")
    command = [sys.executable, "-m", "jobs.replay", str(write(tmp_path / "log.ndjson", *minutes(1)))]
    options = ["--mapping", str(mapping), "--topic", "none", "--bootstrap", broker.bootstrap]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    assert done.returncode == 1
    assert str(mapping) in done.stderr
    assert "Traceback" not in done.stderr
