"""The live view counts each finding of its lane once, and shows the gravest in plain words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer

from api.commands.watch import LINES, Watch
from api.stack import ports
from api.stack.kafka import KafkaBroker
from tests.kafka_help import create_topic, eventually


def finding(number: int, kind: str = "missing", **more: Any) -> dict[str, Any]:
    row = {
        "id": f"f{number}",
        "lane": "demo",
        "kind": kind,
        "rule": "reply",
        "severity": "critical",
        "key": f"T-{number}",
    }
    row |= {"groups": {"market": "EU"}, "step": "reply", "because": "send", "deadline_ms": 1_772_445_900_000 + number}
    return row | {"at_ms": None, "delta_ms": None, "since_ms": None} | more


def test_a_finding_counts_once_however_often_it_is_written() -> None:
    watch = Watch("127.0.0.1:1", "demo")
    assert watch.take("daymark.findings", finding(1))
    assert not watch.take("daymark.findings", finding(1))
    assert not watch.take("daymark.findings", finding(2, lane="main"))
    assert watch.counts == {"missing": 1}


def test_the_lanes_clock_never_goes_back_in_the_summary() -> None:
    watch = Watch("127.0.0.1:1", "demo")
    for instant in (1_772_445_900_000, 1_772_445_800_000):
        watch.take("daymark.progress", {"lane": "demo", "watermark_ms": instant})
    assert "10:05:00 UTC" in watch.summary().plain


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """Not the session's: these topics have the names that everybody's loader reads."""
    broker = KafkaBroker(tmp_path, ports.free())
    broker.start()
    try:
        yield broker.wait()
    finally:
        broker.stop()


@pytest.mark.real
def test_new_findings_are_shown_and_old_ones_only_counted(
    own_broker: KafkaBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    create_topic(own_broker.bootstrap, "daymark.findings", 2)
    create_topic(own_broker.bootstrap, "daymark.progress")
    producer = KafkaProducer(bootstrap_servers=own_broker.bootstrap)
    now = int(time.time() * 1000)
    producer.send("daymark.findings", orjson.dumps(finding(100)), timestamp_ms=now - 60_000)
    producer.flush()
    watch = Watch(own_broker.bootstrap, "demo")
    watch.start(since_ms=now - 1000, url="http://127.0.0.1:8420")
    for number in range(LINES + 2):
        producer.send("daymark.findings", orjson.dumps(finding(number)), timestamp_ms=now, partition=0)
    producer.flush()
    eventually(lambda: watch.counts["missing"] == LINES + 3)
    watch.stop()
    shown = capsys.readouterr().out
    assert "reply is missing: T-0 (EU), due" in shown
    assert "T-100" not in shown
    producer.close()
